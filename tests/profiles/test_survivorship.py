"""How golden values are chosen: the strategies, the law that the order of rows does not matter, wrong rules."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from profiles.golden_steps import golden_steps
from profiles.survivorship import load_survivorship
from quality.contracts.table import all_tables, create_statement
from warehouse.business import Business
from warehouse.database import Connection, Warehouse, open_warehouse
from warehouse.errors import DeclarationError
from warehouse.project import Project
from warehouse.step import Run, Step, materialise

START = datetime(2026, 1, 1)
BUSINESS = Business(name="A shop", base_currency="GBP", time_zone="Europe/London", default_country="GB")
RUN = Run("run-1", date(2026, 1, 31), datetime(2026, 2, 1), BUSINESS)
CHOOSING = (
    "_contacts",
    "_contact_points",
    "_attribute_rows",
    "_cleared_values",
    "_attribute_claims",
    "attribute_values",
    "_golden_values",
)


@dataclass(frozen=True)
class Said:
    """One order of customer c1 that names a city and a region, in one of two feeds."""

    row: int
    feed: str
    day: int
    city: str | None
    region: str | None = None

    @property
    def placed_at(self) -> datetime:
        return START + timedelta(days=self.day)


def a_project(folder: Path, rule: str) -> Project:
    (folder / "config").mkdir(parents=True, exist_ok=True)
    (folder / "config" / "survivorship.yml").write_text(f"rules:\n  place: {rule}\n", encoding="utf-8")
    return Project(folder)


def choosing_steps(project: Project) -> tuple[Step, ...]:
    return tuple(step for step in golden_steps(project) if step.tables[0].name in CHOOSING)


def prepare(connection: Connection) -> None:
    for table in all_tables():
        connection.execute(create_statement(table).sql(dialect="duckdb"))
        if table.name == "contacts":
            connection.execute(create_statement(table, name="_contacts_versions").sql(dialect="duckdb"))
    connection.execute(
        "create table identity.identifiers (record_id text, identifier_kind text, value text, is_blocked bool)"
    )
    connection.execute("create table profiles._people as select 'c1' as customer_id, true as is_customer")
    connection.execute(
        "create table profiles._row_customers (kind text, feed text, batch_on date, file text, row bigint, "
        "record_id text, customer_id text)"
    )


def say(connection: Connection, rows: list[Said]) -> None:
    connection.execute("delete from staging.purchases")
    connection.execute("delete from profiles._row_customers")
    for said in rows:
        connection.execute(
            "insert into staging.purchases (order_id, placed_at, status, currency, is_test, city, region, _feed, "
            "_batch_on, _file, _row) values (?, ?, 'paid', 'GBP', false, ?, ?, ?, date '2026-01-01', 'f', ?)",
            [str(said.row), said.placed_at, said.city, said.region, said.feed, said.row],
        )
        connection.execute(
            "insert into profiles._row_customers values ('purchases', ?, date '2026-01-01', 'f', ?, 'r', 'c1')",
            [said.feed, said.row],
        )


def choose(warehouse: Warehouse, steps: tuple[Step, ...], rows: list[Said]) -> list[tuple[Any, ...]]:
    """All values of c1 with their ranks, after the rows were stored in the given order."""
    with warehouse.transaction() as connection:
        say(connection, rows)
    for step in steps:
        materialise(warehouse, step, RUN)
    return warehouse.cursor().execute("from profiles.attribute_values order by attribute, rank").fetchall()


def golden_city(warehouse: Warehouse) -> Any:
    found = warehouse.cursor().execute("select city from profiles._golden_values").fetchone()
    return found[0] if found else None


def naive_city(rows: list[Said], prefer: list[str], priority: list[str]) -> str | None:
    """The city a patient clerk would write down, reading the rule aloud."""
    told = [said for said in rows if said.city is not None]
    if not told:
        return None

    def merits(said: Said) -> tuple[Any, ...]:
        same_feed = [other for other in told if (other.feed, other.city) == (said.feed, said.city)]
        newest = max(other.day for other in same_feed)
        by = {
            "filled_first": 0,
            "most_complete": 0,
            "verified_first": 0,
            "source_priority": priority.index(said.feed) if said.feed in priority else len(priority),
            "most_recent": -newest,
            "most_frequent": -sum(other.city == said.city for other in told),
            "longest": -len(said.city or ""),
        }
        last = max(other.row for other in same_feed if other.day == newest)
        return (*(by[strategy] for strategy in prefer), -newest, said.feed, last)

    return min(told, key=merits).city


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with open_warehouse() as warehouse:
        with warehouse.transaction() as connection:
            prepare(connection)
        yield warehouse, tmp_path_factory.mktemp("projects")


SAID = st.lists(
    st.tuples(
        st.sampled_from(["shop", "market"]),
        st.integers(0, 3),
        st.sampled_from([None, "Bath", "Leeds", "London", "York"]),
    ),
    max_size=7,
).map(lambda rows: [Said(number, *row) for number, row in enumerate(rows, 1)])
STRATEGIES = [
    "source_priority",
    "most_recent",
    "most_frequent",
    "longest",
    "verified_first",
    "filled_first",
    "most_complete",
]


@given(
    rows=SAID, prefer=st.lists(st.sampled_from(STRATEGIES), min_size=1, max_size=3, unique=True), seed=st.integers(0, 9)
)
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_chosen_value_is_the_one_a_clerk_would_choose_in_whatever_order_the_rows_came(
    prepared: Any, rows: list[Said], prefer: list[str], seed: int
) -> None:
    warehouse, folder = prepared
    rule = f"{{columns: [city], sources: [purchases], prefer: [{', '.join(prefer)}], priority: [purchases]}}"
    steps = choosing_steps(a_project(folder / "-".join(prefer), rule))
    chosen = choose(warehouse, steps, rows)
    assert golden_city(warehouse) == naive_city(rows, prefer, [])
    shuffled = list(rows)
    Random(seed).shuffle(shuffled)
    assert choose(warehouse, steps, shuffled) == chosen


@pytest.mark.parametrize(
    ("prefer", "city"),
    [
        ("most_recent", "York"),
        ("most_frequent", "Bath"),
        ("longest", "Londinium"),
        ("source_priority", "Leeds"),
        ("most_complete", "Leeds"),
    ],
)
def test_each_strategy_chooses_by_what_its_name_says(prepared: Any, prefer: str, city: str) -> None:
    warehouse, folder = prepared
    (folder / prefer / "config" / "feeds").mkdir(parents=True, exist_ok=True)
    (folder / prefer / "config" / "feeds" / "market.yml").write_text("", encoding="utf-8")
    rule = f"{{columns: [city, region], sources: [purchases], prefer: [{prefer}], priority: [market]}}"
    steps = choosing_steps(a_project(folder / prefer, rule))
    rows = [
        Said(1, "shop", 1, "Bath"),
        Said(2, "shop", 1, "Bath"),
        Said(3, "shop", 2, "Londinium"),
        Said(4, "market", 0, "Leeds", "Yorkshire"),
        Said(5, "shop", 3, "York"),
    ]
    chosen = choose(warehouse, steps, rows)
    assert golden_city(warehouse) == city
    winner = next(row for row in chosen if row[1] == "city" and row[3])
    assert winner[7] == prefer, "the strategy that decided is told"


def test_rows_that_fill_the_first_column_come_before_newer_ones_that_do_not(prepared: Any) -> None:
    warehouse, folder = prepared
    rule = "{columns: [city, region], sources: [purchases], prefer: [filled_first, most_recent]}"
    steps = choosing_steps(a_project(folder / "filled", rule))
    choose(warehouse, steps, [Said(1, "shop", 1, "Bath"), Said(2, "shop", 2, None, "Somerset")])
    assert golden_city(warehouse) == "Bath"
    found = warehouse.cursor().execute("select region from profiles._golden_values").fetchone()
    assert found == (None,), "a region of another row would belong to another place"


def test_where_nobody_fills_the_first_column_the_second_counts(prepared: Any) -> None:
    warehouse, folder = prepared
    rule = "{columns: [address_line, city, region], sources: [purchases], prefer: [filled_first, most_recent]}"
    steps = choosing_steps(a_project(folder / "second", rule))
    choose(warehouse, steps, [Said(1, "shop", 1, "Bath"), Said(2, "shop", 2, None, "Somerset")])
    assert golden_city(warehouse) == "Bath"


def test_a_project_without_a_declaration_goes_by_the_packaged_one(tmp_path: Path) -> None:
    declared = load_survivorship(Project(tmp_path))
    assert {"email", "phone", "full_name", "country", "interests"} <= set(declared.columns)


def test_every_problem_of_a_declaration_is_told_at_once_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "survivorship.yml").write_text(
        """synonyms:
  citty: {bath: Bath}
rules:
  email:
    sources: [messages]
    prefer: [most_recent]
  town:
    prefer: [most_recent]
  city:
    prefer: [source_priority]
  place:
    columns: [city, country]
    sources: [purchases]
    prefer: [source_priority]
    priority: [crn]
""",
        encoding="utf-8",
    )
    with pytest.raises(DeclarationError) as raised:
        load_survivorship(Project(tmp_path))
    told = [str(problem) for problem in raised.value.problems]
    assert [int(line.split(":")[1]) for line in told] == [2, 4, 7, 9, 11, 11], "line by line"
    text = "\n".join(told)
    assert "`email` asks the kind `messages`" in text
    assert "No source of `town` has a field `town`" in text
    assert "`city` goes by source_priority without a `priority`" in text
    assert "`city` is chosen by `city` and by `place`" in text
    assert "`crn` in the priority of `place` is no kind and no feed" in text
    assert "No rule chooses `citty`. Did you mean `city`?" in text


def test_a_strategy_that_does_not_exist_is_refused_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(DeclarationError, match=r"config/survivorship.yml:2: `rules\.place\.prefer"):
        load_survivorship(a_project(tmp_path, "{columns: [city], prefer: [newest]}"))
