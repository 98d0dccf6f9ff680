"""Traits: one value per customer out of many rows, as declared."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from profiles.aggregates import AGGREGATES
from profiles.derived_steps import derived_steps
from profiles.trait_sources import SOURCES
from profiles.trait_sql import trait_step
from profiles.traits import TraitFile, check_traits, load_traits
from warehouse.database import Warehouse
from warehouse.declaration import Problems, parse_declaration
from warehouse.errors import DeclarationError
from warehouse.project import Project
from warehouse.step import Run, materialise

ROOT = Path(__file__).resolve().parents[2]


def declared(text: str, problems: Problems | None = None) -> TraitFile:
    """A trait file over messages with the entries of ``text``."""
    collected = problems or Problems()
    head = "description: Test.\nover: messages\ntraits:\n"
    traits = parse_declaration(head + text, TraitFile, collected, shown_as="config/traits/test.yml")
    collected.raise_if_any()
    assert traits is not None
    check_traits(traits, collected)
    collected.raise_if_any()
    return traits


def value_of(warehouse: Warehouse, run: Run, entry: str) -> dict[str, object]:
    """Customer → value of one trait."""
    traits = declared(f"  - {{name: it, description: It., {entry}}}\n")
    materialise(warehouse, trait_step("test_traits", traits), run)
    return dict(warehouse.cursor().execute("select customer_id, it from profiles.test_traits").fetchall())


@pytest.fixture
def messages(warehouse: Warehouse) -> Warehouse:
    """ann has messages, bob one without campaign and cost, cat none; one message is nobody's."""
    connection = warehouse.cursor()
    connection.execute("create table profiles._golden as select unnest(['ann', 'bob', 'cat']) as customer_id")
    connection.execute(
        "create table profiles._messages (customer_id varchar, feed varchar, message_id varchar, "
        "message_event varchar, message_channel varchar, campaign_name varchar, "
        "occurred_at timestamp, occurred_on date, local_hour integer, "
        "base_cost_amount decimal(18, 4))"
    )
    rows = [
        ("ann", "m1", "sent", "email", "spring", datetime(2025, 12, 1, 9), "0.1"),
        ("ann", "m1", "opened", "email", "spring", datetime(2025, 12, 2, 9), "0.2"),
        ("ann", "m2", "sent", "sms", "summer", datetime(2026, 1, 2, 9), "0.3"),
        ("ann", "m3", "opened", "sms", "autumn", datetime(2026, 1, 2, 9), "0.4"),
        ("bob", "m4", "sent", "email", None, datetime(2026, 1, 31, 9), None),
        (None, "m5", "sent", "email", "spring", datetime(2026, 1, 31, 9), "9"),
    ]
    for customer, message, event, channel, campaign, moment, cost in rows:
        connection.execute(
            "insert into profiles._messages values (?, 'mail', ?, ?, ?, ?, ?, ?, ?, ?)",
            [customer, message, event, channel, campaign, moment, moment.date(), moment.hour, cost and Decimal(cost)],
        )
    return warehouse


@pytest.mark.parametrize(
    ("entry", "ann", "bob", "cat"),
    [
        ("aggregate: count", 4, 1, 0),
        ("aggregate: count, window_days: 30", 2, 1, 0),
        ("aggregate: count, window_days: 29", 0, 1, 0),
        ("aggregate: exists, where: {field: message_event, eq: opened}", True, False, False),
        ("aggregate: distinct, field: message_id", 3, 1, 0),
        ("aggregate: distinct_days", 3, 1, 0),
        ("aggregate: sum, field: base_cost_amount", Decimal("1.0"), None, Decimal(0)),
        ("aggregate: sum, field: base_cost_amount, where: {field: message_event, eq: opened}", Decimal("0.6"), 0, 0),
        ("aggregate: average, field: base_cost_amount", 0.25, None, None),
        ("aggregate: min, field: base_cost_amount", Decimal("0.1"), None, None),
        ("aggregate: max, field: occurred_on", date(2026, 1, 2), date(2026, 1, 31), None),
        ("aggregate: days_since", 29, 0, None),
        ("aggregate: days_since, where: {field: message_channel, eq: email}", 60, 0, None),
        ("aggregate: share, where: {field: message_event, eq: opened}", 0.5, 0.0, None),
        (
            "aggregate: share, where: {field: message_event, eq: opened}, among: {field: message_channel, eq: sms}",
            0.5,
            None,
            None,
        ),
        ("aggregate: earliest, field: campaign_name", "spring", None, None),
        ("aggregate: latest, field: campaign_name", "autumn", None, None),
        ("aggregate: latest, field: campaign_name, where: {field: message_event, eq: sent}", "summer", None, None),
        ("aggregate: top, field: message_event", "opened", "sent", None),
        ("aggregate: top, field: message_channel", "sms", "email", None),
        ("aggregate: top, field: campaign_name", "spring", None, None),
        ("aggregate: top, field: campaign_name, window_days: 31", "autumn", None, None),
    ],
)
def test_each_aggregate_makes_one_value_of_the_rows_that_count(
    messages: Warehouse, run: Run, entry: str, ann: object, bob: object, cat: object
) -> None:
    assert value_of(messages, run, entry) == {"ann": ann, "bob": bob, "cat": cat}


def test_the_cases_above_know_every_aggregate() -> None:
    shown = {"count", "exists", "distinct", "distinct_days", "sum", "average", "min", "max", "days_since", "share"}
    assert shown | {"earliest", "latest", "top"} == set(AGGREGATES)


def test_values_do_not_depend_on_the_order_in_which_rows_came(messages: Warehouse, run: Run) -> None:
    entries = ("aggregate: latest, field: campaign_name", "aggregate: top, field: message_channel")
    before = [value_of(messages, run, entry) for entry in entries]
    messages.cursor().execute(
        "create or replace table profiles._messages as from profiles._messages order by message_id desc"
    )
    assert [value_of(messages, run, entry) for entry in entries] == before


def test_every_customer_has_a_row_and_every_column_a_meaning(messages: Warehouse, run: Run) -> None:
    step = trait_step("test_traits", declared("  - {name: it, description: The thing., aggregate: count}\n"))
    assert materialise(messages, step, run).rows == {"profiles.test_traits": 3}
    assert step.tables[0].columns["it"] == "The thing."
    assert step.tables[0].grain == ("customer_id",)
    assert step.reads == {"profiles._golden", "profiles._messages"}


def test_a_later_as_of_date_moves_the_windows(messages: Warehouse, run: Run) -> None:
    later = replace(run, as_of=date(2026, 3, 1))
    assert value_of(messages, later, "aggregate: count, window_days: 30") == {"ann": 0, "bob": 1, "cat": 0}


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ("aggregate: sum", "`sum` needs a field. Add `field:`."),
        ("aggregate: count, field: message_id", "`count` takes no field."),
        ("aggregate: sum, field: campaign_name", "`sum` cannot be taken of `campaign_name` (text)."),
        ("aggregate: max, field: occured_on", "There is no field `occured_on`. Did you mean `occurred_on`?"),
        ("aggregate: share", "`share` does not say of what."),
        ("aggregate: count, among: {field: message_id, eq: a}", "`among` goes with `share` only."),
        ("aggregate: count, over: mesages", "`mesages` is nothing that traits can count. Did you mean `messages`?"),
        ("aggregate: count, where: {segment: vip}", "A segment cannot be named here."),
        ("aggregate: count, where: {field: local_hour, eq: noon}", "(integer) takes a whole number."),
    ],
)
def test_a_wrong_entry_is_told_with_its_line_and_what_to_do(entry: str, told: str) -> None:
    with pytest.raises(DeclarationError) as raised:
        declared(f"  - {{name: it, description: It., {entry}}}\n")
    assert f"config/traits/test.yml:4: {told}" in raised.value.reason or told in raised.value.reason
    assert "config/traits/test.yml:4: " in raised.value.reason


def test_two_traits_of_one_name_are_refused() -> None:
    entry = "  - {name: it, description: It., aggregate: count}\n"
    with pytest.raises(DeclarationError, match=r"test.yml:5: `it` stands twice"):
        declared(entry + entry)


def test_a_file_of_the_project_takes_the_place_of_the_packaged_one(tmp_path: Path) -> None:
    (tmp_path / "config" / "traits").mkdir(parents=True)
    one = "description: Web.\nover: web_events\ntraits:\n  - {name: page_count, description: P., aggregate: count}\n"
    (tmp_path / "config" / "traits" / "web.yml").write_text(one, encoding="utf-8")
    own = one.replace("page_count", "visit_count").replace("over: web_events", "over: service_cases")
    (tmp_path / "config" / "traits" / "desk.yml").write_text(own, encoding="utf-8")
    problems = Problems()
    loaded = load_traits(Project(tmp_path), problems)
    problems.raise_if_any()
    assert set(loaded["web_traits"].columns()) == {"page_count"}
    assert set(loaded["desk_traits"].columns()) == {"visit_count"}
    assert len(loaded["purchase_traits"].traits) > 5
    # The packaged segments name traits of the web file that is gone now.
    with pytest.raises(DeclarationError, match=r"There is no field `web_traits\.visit_days_90d`"):
        derived_steps(Project(tmp_path))


@pytest.mark.parametrize("project", [ROOT, ROOT / "nowhere"], ids=["sample business", "packaged defaults"])
def test_the_six_activities_have_traits(project: Path) -> None:
    made = {spec.name for step in derived_steps(Project(project)) for spec in step.tables}
    activities = ("web", "purchase", "social", "feedback", "service", "message")
    assert {f"{activity}_traits" for activity in activities} <= made


def test_the_fields_of_a_source_contain_its_key_and_its_day() -> None:
    for name, source in SOURCES.items():
        assert set(source.key) <= set(source.columns), name
        assert source.day in source.columns, name
