"""The fields that segments may name: golden attributes, traits, RFM and lifecycle."""

from __future__ import annotations

from collections.abc import Mapping

from profiles.field_values import Vocabulary, golden_vocabulary
from profiles.fields import Catalogue, Field, FieldType, fields_of
from profiles.lifecycle import STAGES
from profiles.survivorship import Survivorship
from profiles.traits import TraitFile, trait_fields

SUBJECTS = "_segment_subjects"

_CUSTOMERS: Mapping[str, FieldType] = {
    "gender": "text", "birth_on": "date", "age_years": "integer", "city": "text", "region": "text", "country": "text",
    "is_in_home_country": "boolean",
    "postcode": "text", "language": "text", "company": "text", "occupation": "text", "income_band": "text",
    "interests": "texts", "loyalty_tier": "text", "lead_source": "text", "has_email": "boolean",
    "has_phone": "boolean", "can_email": "boolean", "can_sms": "boolean", "can_push": "boolean",
    "can_wechat": "boolean", "can_call": "boolean", "first_seen_on": "date", "last_seen_on": "date",
    "known_days": "integer", "record_count": "integer", "feeds": "texts",
}  # fmt: skip
_RFM: Mapping[str, FieldType] = {
    "recency_days": "integer", "frequency": "integer", "monetary_base_amount": "decimal", "r_score": "integer",
    "f_score": "integer", "m_score": "integer", "rfm_code": "text", "rfm_segment": "text",
}  # fmt: skip
_LIFECYCLE: Mapping[str, FieldType] = {
    "lifecycle_stage": "text", "previous_stage": "text", "stage_since_on": "date", "days_in_stage": "integer",
    "first_order_on": "date", "last_order_on": "date", "days_since_order": "integer", "sale_count": "integer",
    "next_stage": "text", "next_stage_on": "date",
}  # fmt: skip
_RFM_WORDS: Mapping[str, Vocabulary] = {
    "rfm_code": Vocabulary(tuple(f"{r}{f}{m}" for r in range(1, 6) for f in range(1, 6) for m in range(1, 6))),
    "rfm_segment": Vocabulary(
        (
            "champion", "devoted", "newcomer", "promising", "growing", "needs_attention", "about_to_sleep",
            "cannot_lose", "slipping", "hibernating",
        )
    ),
}  # fmt: skip
_LIFECYCLE_WORDS: Mapping[str, Vocabulary] = {
    "lifecycle_stage": Vocabulary(STAGES),
    "previous_stage": Vocabulary(STAGES),
    "next_stage": Vocabulary(("at_risk", "churned")),
}


def segment_fields(traits: Mapping[str, TraitFile], survivorship: Survivorship | None = None) -> Catalogue:
    """Every field by its name in declarations: ``customers.country``, ``web_traits.page_count``, ``rfm.r_score`` …"""
    golden = {name: golden_vocabulary(survivorship, name) for name, kind in _CUSTOMERS.items() if kind == "text"}
    fixed: dict[str, dict[str, Field]] = {
        "customers": fields_of(SUBJECTS, _CUSTOMERS, golden),
        "rfm": fields_of("rfm", _RFM, _RFM_WORDS),
        "lifecycle": fields_of("lifecycle", _LIFECYCLE, _LIFECYCLE_WORDS),
    }
    named = {f"{prefix}.{name}": field for prefix, fields in fixed.items() for name, field in fields.items()}
    return named | dict(trait_fields(traits))
