"""Segments: who is a member, what is remembered of every as-of date that was run, and how mistakes are told."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from profiles.derived_steps import derived_steps
from profiles.segment_fields import segment_fields
from profiles.segment_steps import members_step, observations_step, segments_step
from profiles.segments import DeclaredSegment, SegmentFile, check_segments, read_segments
from profiles.traits import load_traits
from warehouse.database import Warehouse
from warehouse.declaration import Problems
from warehouse.errors import DeclarationError
from warehouse.project import Project
from warehouse.sql_model import sql_step
from warehouse.step import Run, Step, materialise

ROOT = Path(__file__).resolve().parents[2]


def a_project(folder: Path, **files: str) -> Project:
    """A project whose config/segments holds ``files``."""
    (folder / "config" / "segments").mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / "config" / "segments" / f"{name}.yml").write_text(text, encoding="utf-8")
    return Project(folder)


def declared_in(project: Project) -> tuple[DeclaredSegment, ...]:
    problems = Problems()
    declared = read_segments(project, problems)
    check_segments(declared, segment_fields(load_traits(project, problems)), problems)
    problems.raise_if_any()
    return declared


ADULTS = """
family: demographic
segments:
  - name: adults
    description: Of age.
    where: {field: customers.age_years, gte: 18}
  - name: others
    description: Of known age, and not of age.
    where: {all: [{field: customers.age_years, is_null: false}, {not: {segment: adults}}]}
  - name: nobody
    description: Nobody.
    where: {all: [{segment: adults}, {segment: others}]}
"""


def give_ages(warehouse: Warehouse, ages: Iterable[tuple[str, int | None]]) -> None:
    connection = warehouse.cursor()
    connection.execute("create or replace table profiles._segment_subjects (customer_id varchar, age_years integer)")
    for age in ages:
        connection.execute("insert into profiles._segment_subjects values (?, ?)", list(age))
    connection.execute("create or replace table profiles._golden as select customer_id from profiles._segment_subjects")
    connection.execute(
        "create table if not exists identity.customer_aliases "
        "(former_id varchar, customer_id varchar, since timestamp, reason varchar)"
    )


def segment_steps_of(declared: tuple[DeclaredSegment, ...]) -> tuple[Step, ...]:
    history = (sql_step("profiles", "profiles", name) for name in ("_current_ids", "segment_history", "segment_sizes"))
    catalogue = segment_fields(load_traits(Project(ROOT), Problems()))
    return (segments_step(declared), members_step(declared, catalogue), observations_step(), *history)


def observe(warehouse: Warehouse, run: Run, declared: tuple[DeclaredSegment, ...], as_of: date) -> None:
    for step in segment_steps_of(declared):
        materialise(warehouse, step, replace(run, as_of=as_of))


def history_of(warehouse: Warehouse, segment: str) -> list[tuple[str, str, str | None]]:
    return (
        warehouse.cursor()
        .execute(
            "select customer_id, cast(valid_from as varchar), cast(valid_to as varchar) "
            "from profiles.segment_history where segment = ? order by all",
            [segment],
        )
        .fetchall()
    )


def test_a_customer_of_whom_the_condition_is_unknown_is_not_a_member(
    tmp_path: Path, warehouse: Warehouse, run: Run
) -> None:
    declared = declared_in(a_project(tmp_path, ages=ADULTS))
    give_ages(warehouse, [("old", 40), ("young", 7), ("who knows", None)])
    observe(warehouse, run, declared, date(2026, 1, 31))
    found = warehouse.cursor().execute("from profiles.segment_members order by all").fetchall()
    assert found == [
        ("adults", "old", date(2026, 1, 31), "demographic"),
        ("others", "young", date(2026, 1, 31), "demographic"),
    ]


def test_sizes_count_every_declared_segment_the_empty_ones_too(tmp_path: Path, warehouse: Warehouse, run: Run) -> None:
    declared = declared_in(a_project(tmp_path, ages=ADULTS))
    give_ages(warehouse, [("old", 40), ("older", 50), ("young", 7), ("who knows", None)])
    observe(warehouse, run, declared, date(2026, 1, 31))
    found = warehouse.cursor().execute(
        "select segment, customers, population, share_ratio from profiles.segment_sizes order by all"
    )
    assert found.fetchall() == [("adults", 2, 4, 0.5), ("nobody", 0, 4, 0.0), ("others", 1, 4, 0.25)]


def test_history_holds_from_the_first_date_seen_to_the_date_not_seen_any_more(
    tmp_path: Path, warehouse: Warehouse, run: Run
) -> None:
    declared = declared_in(a_project(tmp_path, ages=ADULTS))
    for as_of, ages in (
        (date(2026, 1, 31), [("ann", 40), ("bob", 7)]),
        (date(2026, 2, 28), [("ann", 40), ("bob", 18)]),
        (date(2026, 3, 31), [("ann", None), ("bob", 18)]),
        (date(2026, 4, 30), [("ann", 40), ("bob", 18)]),
    ):
        give_ages(warehouse, ages)
        observe(warehouse, run, declared, as_of)
    assert history_of(warehouse, "adults") == [
        ("ann", "2026-01-31", "2026-03-31"),
        ("ann", "2026-04-30", None),
        ("bob", "2026-02-28", None),
    ]
    assert history_of(warehouse, "others") == [("bob", "2026-01-31", "2026-02-28")]


def test_running_an_as_of_date_again_replaces_what_was_seen_on_that_date_alone(
    tmp_path: Path, warehouse: Warehouse, run: Run
) -> None:
    declared = declared_in(a_project(tmp_path, ages=ADULTS))
    for as_of, ages in (
        (date(2026, 2, 28), [("ann", 40)]),
        (date(2026, 1, 31), [("ann", 40)]),
        (date(2026, 2, 28), [("ann", None), ("bob", 20)]),
    ):
        give_ages(warehouse, ages)
        observe(warehouse, run, declared, as_of)
    assert history_of(warehouse, "adults") == [("ann", "2026-01-31", "2026-02-28"), ("bob", "2026-02-28", None)]


def test_a_full_rebuild_keeps_what_was_seen(tmp_path: Path, warehouse: Warehouse, run: Run) -> None:
    declared = declared_in(a_project(tmp_path, ages=ADULTS))
    give_ages(warehouse, [("ann", 40)])
    observe(warehouse, run, declared, date(2026, 1, 31))
    observe(warehouse, replace(run, full_refresh=True), declared, date(2026, 2, 28))
    assert history_of(warehouse, "adults") == [("ann", "2026-01-31", None)]


def test_former_ids_resolve_to_the_customer_of_today_through_any_number_of_merges(
    tmp_path: Path, warehouse: Warehouse, run: Run
) -> None:
    declared = declared_in(a_project(tmp_path, ages=ADULTS))
    give_ages(warehouse, [("ann", 40), ("anna", 40), ("anne", None)])
    observe(warehouse, run, declared, date(2026, 1, 31))
    warehouse.cursor().execute(
        "insert into identity.customer_aliases values ('ann', 'anna', null, 'merged'), ('anna', 'anne', null, 'merged')"
    )
    give_ages(warehouse, [("anne", 40)])
    observe(warehouse, run, declared, date(2026, 2, 28))
    assert history_of(warehouse, "adults") == [("anne", "2026-01-31", None)]


def test_a_segment_that_is_not_declared_any_more_ends_with_the_next_date_run(
    tmp_path: Path, warehouse: Warehouse, run: Run
) -> None:
    declared = declared_in(a_project(tmp_path, ages=ADULTS))
    give_ages(warehouse, [("ann", 40)])
    observe(warehouse, run, declared, date(2026, 1, 31))
    rest = tuple(replace(item, segment=item.segment.model_copy(update={"name": "grown"})) for item in declared[:1])
    observe(warehouse, run, rest, date(2026, 2, 28))
    assert history_of(warehouse, "adults") == [("ann", "2026-01-31", "2026-02-28")]
    assert history_of(warehouse, "grown") == [("ann", "2026-02-28", None)]


def test_without_any_customer_or_segment_the_tables_keep_their_shape(warehouse: Warehouse, run: Run) -> None:
    give_ages(warehouse, [])
    observe(warehouse, run, (), date(2026, 1, 31))
    assert warehouse.cursor().execute("from profiles.segment_members").fetchall() == []
    assert warehouse.cursor().execute("from profiles.segment_history").fetchall() == []


def test_all_mistakes_are_told_at_once_with_file_line_and_what_to_do(tmp_path: Path) -> None:
    text = """family: behavioural
segments:
  - name: quiet
    description: Quiet ones.
    where:
      all:
        - {field: web_traits.page_cuont, eq: 0}
        - {field: customers.country, gt: CN}
        - {field: rfm.r_score, gte: two}
        - {field: customers.birth_on, lt: 1990-02-30}
        - {segment: lout}
  - name: loud
    description: Loud ones.
    where: {not: {segment: quiet}}
  - name: quiet
    description: Again.
    where: {segment: loud}
  - name: left
    description: Left.
    where: {segment: right}
  - name: right
    description: Right.
    where: {any: [{segment: loud}, {segment: left}]}
"""
    with pytest.raises(DeclarationError) as raised:
        derived_steps(a_project(tmp_path, mine=text))
    told = [(problem.line, problem.what, problem.fix) for problem in raised.value.problems]
    assert {problem.file for problem in raised.value.problems} == {"config/segments/mine.yml"}
    circle = "Segments name each other in a circle:"
    text_operators = "eq, ne, in, not_in, contains, contains_any, starts_with, is_null"
    assert told == [
        (7, "There is no field `web_traits.page_cuont`.", "Did you mean `web_traits.page_count`?"),
        (8, "`gt` does not go with `customers.country` (text).", f"Use one of {text_operators}."),
        (9, "`gte` beside `rfm.r_score` (integer) takes a whole number.", "Write such a value."),
        (
            10,
            "`lt` beside `customers.birth_on` (date) takes a day of the calendar, such as 2026-01-31.",
            "Write such a value.",
        ),
        (11, "There is no segment `lout`.", "Did you mean `loud`?"),
        (12, f"{circle} loud → quiet → loud.", "Take one reference out."),
        (15, f"{circle} quiet → loud → quiet.", "Take one reference out."),
        (15, "`quiet` stands in config/segments/mine.yml:3 too.", "Give it a name of its own."),
        (18, f"{circle} left → right → left.", "Take one reference out."),
        (21, f"{circle} right → left → right.", "Take one reference out."),
    ]


def test_an_unknown_key_is_told_with_the_nearest_known_one(tmp_path: Path) -> None:
    text = "family: geographic\nsegments:\n  - name: x\n    description: X.\n    where: {field: rfm.r_score, gtee: 2}\n"
    with pytest.raises(DeclarationError, match=r"mine.yml:5: `segments.0.where.gtee` is not a key here.*`gte`"):
        derived_steps(a_project(tmp_path, mine=text))


def test_a_segment_needs_a_family(tmp_path: Path) -> None:
    text = "segments:\n  - name: x\n    description: X.\n    where: {field: rfm.r_score, gte: 2}\n"
    with pytest.raises(DeclarationError, match="`x` has no family"):
        derived_steps(a_project(tmp_path, mine=text))


@pytest.mark.parametrize("project", [ROOT, ROOT / "nowhere"], ids=["sample business", "packaged defaults"])
def test_the_declared_segments_cover_the_four_classic_families(project: Path) -> None:
    declared = declared_in(Project(project))
    assert len(declared) >= 12
    assert {item.family for item in declared} == {"geographic", "demographic", "psychographic", "behavioural"}


def test_the_json_schema_shows_editors_the_keys_as_they_are_written() -> None:
    schema = SegmentFile.model_json_schema()
    keys = schema["$defs"]["Predicate"]["properties"]
    assert {"all", "any", "not", "in", "field", "within_days"} <= set(keys)
