"""What traits may count: tables below ``profiles``, one row per thing that happened, with the fields that have a type.

A source's ``key`` identifies a row, so that "the latest" is always the same one; ``only`` names a boolean column that
must be true for a row to count at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from profiles.field_values import Vocabulary, contract_vocabulary
from profiles.fields import Field, FieldType, fields_of


@dataclass(frozen=True)
class TraitSource:
    """``moment`` and ``day`` are its columns of event time: UTC, and the local day.

    ``kind`` is the contract whose columns it takes over; ``words``: a column can be only some of what that allows.
    """

    table: str
    kind: str
    meaning: str
    columns: Mapping[str, FieldType]
    key: tuple[str, ...]
    moment: str = "occurred_at"
    day: str = "occurred_on"
    only: str | None = None
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def fields(self) -> dict[str, Field]:
        """The fields that a trait over this source may name."""
        texts = [name for name, kind in self.columns.items() if kind == "text"]
        return fields_of(self.table, self.columns, {name: self.vocabulary_of(name) for name in texts})

    def vocabulary_of(self, column: str) -> Vocabulary | None:
        """What a column of text can be; None where that is open."""
        words = self.words.get(column)
        return Vocabulary(words) if words else contract_vocabulary(self.kind, column)


_ORDERS: Mapping[str, FieldType] = {
    "feed": "text", "order_id": "text", "placed_on": "date", "status": "text", "is_test": "boolean",
    "is_sale": "boolean", "sales_channel": "text", "store_id": "text", "coupon_code": "text", "city": "text",
    "region": "text", "country": "text", "currency": "text", "base_gross_amount": "decimal",
    "base_refund_amount": "decimal", "base_net_amount": "decimal", "base_amount": "decimal",
    "line_count": "integer", "quantity": "decimal",
}  # fmt: skip
_ORDER_LINES: Mapping[str, FieldType] = {
    "feed": "text", "order_id": "text", "line_id": "text", "placed_on": "date", "is_sale": "boolean",
    "product_id": "text", "product_name": "text", "category": "text", "quantity": "decimal", "currency": "text",
    "base_line_amount": "decimal",
}  # fmt: skip
_REFUNDS: Mapping[str, FieldType] = {
    "feed": "text", "order_id": "text", "refund_id": "text", "refunded_on": "date", "is_sale": "boolean",
    "currency": "text", "base_refund_amount": "decimal",
}  # fmt: skip
_WEB_EVENTS: Mapping[str, FieldType] = {
    "feed": "text", "event_id": "text", "event_kind": "text", "event_name": "text", "occurred_on": "date",
    "local_hour": "integer", "anonymous_id": "text", "session_id": "text", "path": "text", "utm_source": "text",
    "utm_medium": "text", "utm_campaign": "text", "product_id": "text", "product_name": "text", "category": "text",
    "search_term": "text", "order_id": "text", "device_kind": "text", "locale": "text", "country": "text",
    "city": "text",
}  # fmt: skip
_SOCIAL: Mapping[str, FieldType] = {
    "feed": "text", "platform": "text", "interaction_id": "text", "interaction_kind": "text", "occurred_on": "date",
    "language": "text", "campaign_id": "text", "followers_count": "integer", "is_bot": "boolean", "has_text": "boolean",
}  # fmt: skip
_FEEDBACK: Mapping[str, FieldType] = {
    "feed": "text", "feedback_id": "text", "feedback_kind": "text", "survey_id": "text", "occurred_on": "date",
    "channel": "text", "score": "float", "score_scale": "text", "score_ratio": "float", "language": "text",
    "order_id": "text", "product_id": "text", "topic": "text", "has_text": "boolean",
}  # fmt: skip
_SERVICE: Mapping[str, FieldType] = {
    "feed": "text", "feedback_id": "text", "feedback_kind": "text", "occurred_on": "date", "response_hours": "float",
    "resolution_hours": "float", "is_open": "boolean", "is_unanswered": "boolean", "is_reopened": "boolean",
    "channel": "text", "priority": "text", "service_stage": "text", "cause": "text", "resolution": "text",
    "topic": "text", "score_ratio": "float",
}  # fmt: skip
_MESSAGES: Mapping[str, FieldType] = {
    "feed": "text", "message_id": "text", "message_event": "text", "message_channel": "text", "campaign_id": "text",
    "campaign_name": "text", "occurred_on": "date", "local_hour": "integer", "base_cost_amount": "decimal",
}  # fmt: skip

_ORDER_KEY = ("feed", "order_id")
_LINE_KEY = ("feed", "order_id", "line_id")

SOURCES: Mapping[str, TraitSource] = MappingProxyType(
    {
        "web_events": TraitSource(
            "_web_events", "web_events", "Web and app events.", _WEB_EVENTS, ("feed", "event_id")
        ),
        "orders": TraitSource(
            "orders", "purchases", "Orders of any status.", _ORDERS, _ORDER_KEY, "placed_at", "placed_on"
        ),
        "sales": TraitSource(
            "orders",
            "purchases",
            "Orders that are sales.",
            _ORDERS,
            _ORDER_KEY,
            "placed_at",
            "placed_on",
            only="is_sale",
        ),
        "sale_lines": TraitSource(
            "order_lines",
            "purchases",
            "Lines of sales.",
            _ORDER_LINES,
            _LINE_KEY,
            "placed_at",
            "placed_on",
            only="is_sale",
        ),
        "refunds": TraitSource(
            "order_refunds",
            "purchases",
            "Refunds of sales.",
            _REFUNDS,
            ("feed", "order_id", "refund_id"),
            "refunded_at",
            "refunded_on",
            only="is_sale",
        ),
        "social_interactions": TraitSource(
            "_social_interactions",
            "social_interactions",
            "What customers did on social platforms.",
            _SOCIAL,
            ("feed", "platform", "interaction_id"),
        ),
        "feedback": TraitSource(
            "_feedback",
            "feedback",
            "Survey answers, reviews, tickets and complaints.",
            _FEEDBACK,
            ("feed", "feedback_id"),
        ),
        "service_cases": TraitSource(
            "_service_cases",
            "feedback",
            "Tickets and complaints.",
            _SERVICE,
            ("feed", "feedback_id"),
            words={"feedback_kind": ("ticket", "complaint")},
        ),
        "messages": TraitSource(
            "_messages",
            "messages",
            "What happened to marketing messages.",
            _MESSAGES,
            ("feed", "message_id", "message_event"),
        ),
    }
)
