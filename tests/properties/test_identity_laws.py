"""The laws of identity: the partition is a function of the records, and ids stay."""

from __future__ import annotations

import sys
from datetime import date, datetime, timedelta
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from warehouse.business import Business
from warehouse.database import open_warehouse
from warehouse.step import Run

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "identity"))

from people import a_record, match, partition, prepare, resolve

BUSINESS = Business(name="A shop", base_currency="GBP", time_zone="Europe/London", default_country="GB")
QUIET = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])

GIVEN = ("Ann", "Anna", "Mary", "John", "小明")
FAMILY = ("Archer", "Baxter", "王")


def a_run(number: int) -> Run:
    return Run(f"run-{number}", date(2026, 1, 31), datetime(2026, 2, 1) + timedelta(days=number), BUSINESS)


def maybe(*values: str) -> st.SearchStrategy[str | None]:
    return st.sampled_from((None, *values))


a_row = st.builds(
    lambda day, **values: a_record(first_seen_at=datetime(2026, 1, day), **values),
    day=st.integers(1, 28),
    given_name=maybe(*GIVEN),
    family_name=maybe(*FAMILY),
    email=maybe("ann@a.example", "mary@b.example", "family@c.example", "test@test.com"),
    phone=maybe("07911 123456", "07922 654321", "13800138000"),
    address_line=maybe("12 High Street", "3 Mill Lane"),
    source_customer_id=maybe("1", "2", "3"),
    birth_on=st.sampled_from((None, date(1980, 5, 6), date(1999, 1, 2))),
)
rows = st.lists(a_row, min_size=1, max_size=9, unique_by=lambda row: row["record_id"])


@QUIET
@given(rows.flatmap(lambda found: st.tuples(st.just(found), st.permutations(found))))
def test_the_order_of_records_does_not_change_the_customers(both: tuple[list[dict], list[dict]]) -> None:
    links = []
    for order in both:
        with open_warehouse() as warehouse:
            prepare(warehouse)
            links.append(resolve(warehouse, a_run(0), order))
    assert links[0] == links[1]


@QUIET
@given(rows, st.lists(st.integers(0, 2), min_size=9, max_size=9))
def test_batches_in_any_grouping_end_in_the_same_partition_and_ids_resolve(
    found: list[dict], batch_of: list[int]
) -> None:
    with open_warehouse() as at_once:
        prepare(at_once)
        expected = partition(resolve(at_once, a_run(0), found))
    with open_warehouse() as warehouse:
        prepare(warehouse)
        ever: set[str] = set()
        arrived: list[dict] = []
        for number in range(3):
            arrived += [row for row, batch in zip(found, batch_of, strict=False) if batch == number]
            if arrived:
                ever |= set(resolve(warehouse, a_run(number), arrived).values())
        links = match(warehouse, a_run(9))
        assert partition(links) == expected
        aliases = dict(
            warehouse.cursor().execute("select former_id, customer_id from identity.customer_aliases").fetchall()
        )
        current = set(links.values())
        assert all(customer in current or aliases.get(customer) in current for customer in ever)
        assert not current & set(aliases)


@QUIET
@given(rows)
def test_a_run_again_changes_nothing(found: list[dict]) -> None:
    with open_warehouse() as warehouse:
        prepare(warehouse)
        first = resolve(warehouse, a_run(0), found)
        before = warehouse.cursor().execute("select count(*) from identity.decisions").fetchall()
        assert match(warehouse, a_run(1)) == first
        assert warehouse.cursor().execute("select count(*) from identity.decisions").fetchall() == before
        changes = warehouse.cursor().execute("select count(*) from identity.customer_changes where run_id = 'run-1'")
        assert changes.fetchall() == [(0,)]


@QUIET
@given(rows, st.data())
def test_a_larger_part_keeps_its_id_and_a_split_gives_ids_back(found: list[dict], data: st.DataObject) -> None:
    with open_warehouse() as warehouse:
        prepare(warehouse)
        first = resolve(warehouse, a_run(0), found)
        if len(set(first.values())) < 2:
            return
        one, other = data.draw(st.sampled_from(sorted({(a, b) for a in first for b in first if first[a] < first[b]})))
        decide(warehouse, 1, "merge", one, other)
        merged = match(warehouse, a_run(1))
        assert merged[one] == merged[other]
        sizes = {customer: list(first.values()).count(customer) for customer in (first[one], first[other])}
        if len(set(sizes.values())) == 2 and len(partition(merged)) == len(partition(first)) - 1:
            assert merged[one] == max(sizes, key=lambda customer: sizes[customer])
        decide(warehouse, 2, "split", one, other)
        split = match(warehouse, a_run(2))
        assert split[one] != split[other]


def decide(warehouse, day: int, action: str, one: str, other: str) -> None:
    warehouse.cursor().execute(
        "insert into identity.decisions values ($id, $at, null, 'person', 'a steward', $action, $one, $other,"
        " null, null, null, null)",
        {"id": f"d{day}", "at": a_run(day).now, "action": action, "one": one, "other": other},
    )
