"""Segments: named groups of customers, declared in ``config/segments/*.yml``.

A segment has a name, a family (geographic, demographic, psychographic or behavioural), a sentence for people, and a
condition over the golden record (``customers.…``), traits (``web_traits.…``), ``rfm.…``, ``lifecycle.…`` and other
segments.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import yaml

from profiles.predicate import Predicate
from profiles.predicate_meaning import evaluate
from profiles.segment_fields import segment_fields
from profiles.traits import load_traits
from warehouse.declaration import Problems
from warehouse.project import Project

AS_OF = date(2026, 1, 31)
NOWHERE = Path("no project here, so the packaged traits")


def is_member(condition: str, **customer: object) -> bool:
    """Whether a customer of whom we know these fields (``country`` is ``customers.country``) is a member."""
    known = {name if "." in name else f"customers.{name}": value for name, value in customer.items()}
    predicate = Predicate.model_validate(yaml.safe_load(condition))
    catalogue = segment_fields(load_traits(Project(NOWHERE), Problems()))
    return evaluate(predicate, catalogue, known, AS_OF, OTHERS) is True


OTHERS = {"adults": Predicate.model_validate({"field": "customers.age_years", "gte": 18})}


def test_a_condition_is_a_field_with_one_operator() -> None:
    """Texts are compared letter for letter; numbers, days and yes/no as what they are."""
    assert is_member("{field: customers.country, eq: CN}", country="CN")
    assert not is_member("{field: customers.country, eq: CN}", country="cn")
    assert is_member("{field: customers.age_years, between: [18, 34]}", age_years=34)
    assert is_member("{field: customers.interests, contains_any: [tea, gifts]}", interests=["gifts", "design"])


def test_conditions_are_joined_by_all_any_and_not() -> None:
    """They may be nested as deep as they stay readable."""
    condition = "{all: [{field: customers.country, eq: CN}, {not: {field: customers.city, in: [上海市, 北京市]}}]}"
    assert is_member(condition, country="CN", city="西安市")
    assert not is_member(condition, country="CN", city="上海市")


def test_who_is_unknown_is_in_neither_the_segment_nor_its_opposite() -> None:
    """A comparison with something we do not know is unknown, and so is its ``not``; unknown is not a member."""
    assert not is_member("{field: customers.country, eq: CN}")
    assert not is_member("{not: {field: customers.country, eq: CN}}")
    assert not is_member("{field: customers.country, ne: CN}")


def test_ignorance_itself_can_be_asked_for() -> None:
    """``is_null`` is the one operator that always knows its answer."""
    assert is_member("{field: customers.country, is_null: true}")
    assert is_member("{any: [{field: customers.country, is_null: true}, {field: customers.country, ne: CN}]}")


def test_a_segment_may_name_another_one_whose_members_are_meant() -> None:
    """There unknown is already decided: who is no member is in ``not: {segment: adults}``, age known or not."""
    assert is_member("{segment: adults}", age_years=20)
    assert is_member("{not: {segment: adults}}", age_years=7)
    assert is_member("{not: {segment: adults}}")


def test_days_are_counted_back_from_the_as_of_date_which_is_the_first_of_them() -> None:
    """``within_days: 1`` is the as-of date itself; ``older_than_days: 1`` the days before it."""
    assert is_member("{field: customers.last_seen_on, within_days: 1}", last_seen_on=AS_OF)
    assert not is_member("{field: customers.last_seen_on, within_days: 1}", last_seen_on=date(2026, 1, 30))
    assert is_member("{field: customers.last_seen_on, older_than_days: 1}", last_seen_on=date(2026, 1, 30))


def test_the_example_of_the_package_reads_as_it_is_meant() -> None:
    """Prospects who looked around on three days or more of the last month."""
    condition = """
    all:
      - {field: web_traits.visit_days_30d, gte: 3}
      - {field: lifecycle.lifecycle_stage, eq: prospect}
    """
    prospect = {"web_traits.visit_days_30d": 3, "lifecycle.lifecycle_stage": "prospect"}
    assert is_member(condition, **prospect)
    assert not is_member(condition, **(prospect | {"lifecycle.lifecycle_stage": "repeat"}))
