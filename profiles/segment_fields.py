"""The fields that segments may name: golden attributes, traits, RFM and lifecycle."""

from __future__ import annotations

from collections.abc import Mapping

from profiles.fields import Catalogue, Field, FieldType
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


def segment_fields(traits: Mapping[str, TraitFile]) -> Catalogue:
    """Every field by its name in declarations: ``customers.country``, ``web_traits.page_count``, ``rfm.r_score`` …"""
    fixed = (("customers", SUBJECTS, _CUSTOMERS), ("rfm", "rfm", _RFM), ("lifecycle", "lifecycle", _LIFECYCLE))
    fields = {
        f"{prefix}.{column}": Field(table, column, kind)
        for prefix, table, columns in fixed
        for column, kind in columns.items()
    }
    return fields | dict(trait_fields(traits))
