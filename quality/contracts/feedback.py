"""Feedback: answers to surveys, reviews, tickets and complaints."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar, Final, Literal

from pydantic import Field
from pydantic_core import InitErrorDetails

from quality.contracts.contract import Contract, ContractPart, contradiction
from quality.contracts.value_types import (
    Answer,
    Count,
    Double,
    Flag,
    Id,
    JsonObject,
    Line,
    PersonalId,
    PersonalLine,
    PersonalText,
    Text,
    Timestamp,
)

SCORE_RANGES: Final[Mapping[str, tuple[float, float]]] = MappingProxyType(
    {"nps": (0, 10), "csat": (1, 5), "ces": (1, 7), "stars": (0, 5), "thumbs": (0, 1)}
)
"""Lowest and highest score of each scale."""


class SurveyAnswer(ContractPart):
    """The answer to one question of a survey."""

    question_id: Id = Field(description="The source's stable id of the question.")
    question: Text | None = Field(default=None, description="The question as it was asked.")
    value: Answer | None = Field(
        default=None, description="The answer as text; several choices are joined by semicolons."
    )


class Feedback(Contract):
    """One answer to a survey, review, ticket or complaint, as it stood when the source last sent it."""

    kind: ClassVar[str] = "feedback"
    key: ClassVar[tuple[str, ...]] = ("feedback_id",)
    version_order: ClassVar[tuple[str, ...]] = ("updated_at",)
    occurred: ClassVar[str | None] = "submitted_at"

    feedback_id: Id = Field(description="The source's id of the response or ticket.")
    feedback_kind: Literal["survey", "review", "ticket", "complaint"] = Field(
        description="survey: we asked. review: written for others to read. ticket: help was asked for. complaint."
    )
    survey_id: Id | None = Field(default=None, description="The survey or form it answers.")
    submitted_at: Timestamp = Field(description="When the person gave it, UTC.")
    updated_at: Timestamp | None = Field(default=None, description="When the source last changed it, UTC.")
    source_customer_id: PersonalId | None = Field(default=None, description="The source's id of the person.")
    anonymous_id: Id | None = Field(default=None, description="The browser or app it was given in, where known.")
    email: PersonalLine | None = Field(default=None, description="E-mail address of the person, as sent.")
    phone: PersonalLine | None = Field(default=None, description="Phone number of the person, as sent.")
    full_name: PersonalLine | None = Field(default=None, description="Name of the person, as sent.")
    channel: Line | None = Field(default=None, description="How it reached us, such as web, email, chat, phone or app.")
    score: Double | None = Field(
        default=None, description="The score on `score_scale`; scores of different scales are never pooled."
    )
    score_scale: Literal["nps", "csat", "ces", "stars", "thumbs"] | None = Field(
        default=None, description="nps 0–10, csat 1–5, ces 1–7, stars 0–5, thumbs 0 or 1. Required beside a score."
    )
    answers: tuple[SurveyAnswer, ...] | None = Field(
        default=None, description="Answers to further questions, in order."
    )
    text: PersonalText | None = Field(default=None, description="What the person wrote, as plain text.")
    language: Line | None = Field(default=None, description="Language of the text as the source states it.")
    order_id: Id | None = Field(default=None, description="The order it is about.")
    product_id: Id | None = Field(default=None, description="The product it is about.")
    topic: Line | None = Field(default=None, description="Subject or category, in the source's words.")
    opened_at: Timestamp | None = Field(default=None, description="Tickets: when it was opened, UTC.")
    first_response_at: Timestamp | None = Field(
        default=None, description="Tickets: when a person of ours first answered, UTC."
    )
    resolved_at: Timestamp | None = Field(default=None, description="Tickets: when it was last solved, UTC.")
    followed_up_at: Timestamp | None = Field(
        default=None, description="Tickets: when we asked afterwards how it went, UTC."
    )
    reopened_count: Count | None = Field(default=None, ge=0, description="Tickets: how often it was opened again.")
    waiting_since: Timestamp | None = Field(
        default=None,
        description="Tickets: since when the customer waits for our answer, UTC; absent when nobody waits.",
    )
    ticket_status: Literal["new", "open", "pending", "hold", "solved", "closed", "deleted"] | None = Field(
        default=None,
        description="Tickets: new. open: with us. pending: with the customer. hold: with a third party. solved: may be "
        "opened again. closed: for good. deleted.",
    )
    priority: Line | None = Field(default=None, description="Tickets: low, normal, high or urgent.")
    service_stage: Literal["pre_sale", "in_sale", "after_sale"] | None = Field(
        default=None, description="Tickets: whether the customer asked before, during or after a purchase."
    )
    cause: Line | None = Field(default=None, description="Tickets: what caused it, in the source's words.")
    resolution: Line | None = Field(default=None, description="Tickets: how it was settled, in the source's words.")
    agent_id: Id | None = Field(default=None, description="Tickets: the person of ours who is in charge.")
    is_test: Flag | None = Field(
        default=None, description="Previews and tests of a survey, and spam: no answer of a customer, counted nowhere."
    )
    extra: JsonObject | None = Field(default=None, description="Declared leftovers of the source row, as JSON.")

    def contradictions(self) -> list[InitErrorDetails]:
        """A score means nothing without its scale, and lies on it."""
        if self.score is None:
            return []
        if self.score_scale is None:
            return [contradiction("missing", "a score needs the scale it was given on", "score_scale")]
        low, high = SCORE_RANGES[self.score_scale]
        if low <= self.score <= high:
            return []
        return [contradiction("out_of_range", f"on this scale a score lies between {low:g} and {high:g}", "score")]
