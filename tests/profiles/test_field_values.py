"""A condition that asks for a value which its field never has is a mistake, told with the value that was meant."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

import pytest

from profiles.derived_steps import derived_steps
from profiles.segment_fields import segment_fields
from warehouse.declaration import Problems
from warehouse.errors import DeclarationError, Problem
from warehouse.project import Project

SEGMENT = "family: geographic\nsegments:\n  - name: it\n    description: It.\n    where: {where}\n"
TRAIT = (
    "description: It.\nover: {over}\ntraits:\n"
    "  - {{name: it, description: It., aggregate: count, where: {where}}}\n"
    "  - {{name: last, description: The last., over: orders, aggregate: latest, field: status}}\n"
)


def problems_of(folder: Path, *, segment: str = "", trait: str = "", over: str = "orders") -> tuple[Problem, ...]:
    if segment:
        (folder / "config" / "segments").mkdir(parents=True)
        (folder / "config" / "segments" / "it.yml").write_text(SEGMENT.replace("{where}", segment), encoding="utf-8")
    if trait:
        (folder / "config" / "traits").mkdir(parents=True, exist_ok=True)
        text = TRAIT.format(over=over, where=trait)
        (folder / "config" / "traits" / "own.yml").write_text(text, encoding="utf-8")
    try:
        derived_steps(Project(folder))
    except DeclarationError as error:
        return error.problems
    return ()


@pytest.mark.parametrize(
    ("condition", "word", "meant"),
    [
        ("{field: customers.country, eq: China}", "China", "CN"),
        ("{field: customers.country, ne: 德国}", "德国", "DE"),
        ("{field: customers.country, eq: cn}", "cn", "CN"),
        ("{field: customers.country, in: [CN, Germny]}", "Germny", "DE"),
        ("{field: customers.language, eq: Chinese}", "Chinese", "zh"),
        ("{field: customers.language, not_in: [英语]}", "英语", "en"),
        ("{field: customers.gender, eq: 女}", "女", "female"),
        ("{field: customers.gender, eq: M}", "M", "male"),
        ("{field: lifecycle.lifecycle_stage, eq: At Risk}", "At Risk", "at_risk"),
        ("{field: lifecycle.next_stage, eq: churnd}", "churnd", "churned"),
        ("{field: rfm.rfm_segment, in: [champions]}", "champions", "champion"),
        ("{not: {all: [{field: customers.country, eq: UK}]}}", "UK", "GB"),
    ],
)
def test_a_segment_that_nobody_could_be_in_says_what_was_meant(
    tmp_path: Path, condition: str, word: str, meant: str
) -> None:
    (problem,) = problems_of(tmp_path, segment=condition)
    assert problem.file == "config/segments/it.yml"
    assert problem.line == 5
    assert re.fullmatch(rf"`[a-z_.]+` is never `{word}`\.", problem.what)
    assert problem.fix == f"Did you mean `{meant}`?"


@pytest.mark.parametrize(
    ("over", "condition", "word", "meant"),
    [
        ("orders", "{field: status, eq: Paid}", "Paid", "paid"),
        ("orders", "{field: currency, eq: RMB}", "RMB", "CNY"),
        ("orders", "{field: country, in: [Deutschland]}", "Deutschland", "DE"),
        ("web_events", "{field: event_kind, eq: pages}", "pages", "page"),
        ("feedback", "{field: score_scale, eq: NPS}", "NPS", "nps"),
        ("messages", "{field: message_channel, eq: e-mail}", "e-mail", "email"),
        ("social_interactions", "{field: language, eq: 中文}", "中文", "zh"),
    ],
)
def test_a_trait_that_would_count_nothing_says_what_was_meant(
    tmp_path: Path, over: str, condition: str, word: str, meant: str
) -> None:
    (problem,) = problems_of(tmp_path, trait=condition, over=over)
    assert problem.file == "config/traits/own.yml"
    assert problem.what == f"`{condition[8:].split(',')[0]}` is never `{word}`."
    assert problem.fix == f"Did you mean `{meant}`?"


def test_what_can_be_is_allowed(tmp_path: Path) -> None:
    may_be = (
        "{any: [{field: customers.country, in: [CN, XK]}, {field: customers.language, eq: zh},"
        " {field: customers.gender, in: [female, diverse]}, {field: customers.city, eq: China},"
        " {field: lifecycle.lifecycle_stage, starts_with: first}, {field: rfm.rfm_code, eq: '555'},"
        " {field: customers.country, is_null: true}, {field: own_traits.last, eq: paid}]}"
    )
    counted = "{any: [{field: status, contains: fund}, {field: currency, eq: DEM}, {field: sales_channel, eq: Paid}]}"
    assert problems_of(tmp_path, segment=may_be, trait=counted) == ()


def test_a_part_that_no_word_has_is_told(tmp_path: Path) -> None:
    (problem,) = problems_of(tmp_path, segment="{field: lifecycle.lifecycle_stage, starts_with: lost}")
    assert problem.what == "`lifecycle.lifecycle_stage` never has the part `lost`."
    assert "churned" in problem.fix


def test_the_latest_value_of_a_field_can_be_what_the_field_can_be(tmp_path: Path) -> None:
    (problem,) = problems_of(
        tmp_path, segment="{field: own_traits.last, eq: refund}", trait="{field: is_sale, eq: true}"
    )
    assert problem.fix == "Did you mean `refunded`?"


def test_cases_of_service_are_no_surveys(tmp_path: Path) -> None:
    (problem,) = problems_of(tmp_path, trait="{field: feedback_kind, eq: survey}", over="service_cases")
    assert "complaint, ticket" in problem.fix


def test_a_word_that_stands_for_nothing_known_is_asked_for_as_unknown(tmp_path: Path) -> None:
    (problem,) = problems_of(tmp_path, segment="{field: customers.loyalty_tier, eq: None}")
    assert problem.fix == "It stands for nothing known: ask with `is_null: true`."


def test_a_project_that_says_otherwise_what_words_mean_is_believed(tmp_path: Path) -> None:
    packaged = (files("profiles") / "defaults" / "survivorship.yml").read_text(encoding="utf-8")
    (tmp_path / "config").mkdir()
    own = packaged.replace("{china: CN,", "{england: England, china: CN,").replace("england: GB, ", "")
    (tmp_path / "config" / "survivorship.yml").write_text(own, encoding="utf-8")
    assert problems_of(tmp_path, segment="{field: customers.country, eq: England}") == ()


def test_the_groups_of_rfm_are_those_that_are_made() -> None:
    made = (files("profiles") / "sql" / "rfm.sql").read_text(encoding="utf-8")
    known = segment_fields({})["rfm.rfm_segment"].vocabulary
    assert known is not None
    assert sorted(known.words) == sorted(re.findall(r"(?:then|else) '([a-z_]+)'", made))


def test_every_word_that_the_sample_declares_is_one_that_occurs() -> None:
    root = Project(Path(__file__).resolve().parents[2])
    problems = Problems()
    problems.of(lambda: derived_steps(root))
    assert problems.found == []
