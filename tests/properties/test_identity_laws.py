"""The laws of identity: the partition is a function of the records, and ids stay."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from identity.declaration import default_rules
from identity.ledger import ledger_step
from identity.models import add_version, ensure_models, pin
from identity.resolve import resolve as resolve_who
from identity.stewardship import decide as decide_by_hand
from identity.stewardship import part_and_rest, take_back, two_parties
from identity.training import Trained, train
from quality.resolution import Attempt
from warehouse.business import Business
from warehouse.database import Warehouse, open_warehouse
from warehouse.step import Run, materialise

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "identity"))

from people import a_record, load, match, partition, prepare, resolve

BUSINESS = Business(name="A shop", base_currency="GBP", time_zone="Europe/London", default_country="GB")
FEW = settings(max_examples=6, suppress_health_check=[HealthCheck.too_slow])
FEWEST = settings(max_examples=4, suppress_health_check=[HealthCheck.too_slow])
SOME = settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow])

Row = dict[str, Any]


def a_run(number: int) -> Run:
    return Run(f"run-{number}", date(2026, 1, 31), datetime(2026, 2, 1) + timedelta(days=number), BUSINESS)


def maybe(*values: str) -> st.SearchStrategy[str | None]:
    return st.sampled_from((None, *values))


a_row = st.builds(
    lambda day, **values: a_record(first_seen_at=datetime(2026, 1, day), **values),
    day=st.integers(1, 28),
    given_name=maybe("Ann", "Anna", "Mary", "John", "小明"),
    family_name=maybe("Archer", "Baxter", "王"),
    email=maybe("ann@a.example", "mary@b.example", "family@c.example", "test@test.com"),
    phone=maybe("07911 123456", "07922 654321", "13800138000"),
    address_line=maybe("12 High Street", "3 Mill Lane"),
    source_customer_id=maybe("1", "2", "3"),
    birth_on=st.sampled_from((None, date(1980, 5, 6), date(1999, 1, 2))),
)
rows = st.lists(a_row, min_size=4, max_size=12, unique_by=lambda row: row["record_id"])


@FEW
@given(rows.flatmap(lambda found: st.tuples(st.just(found), st.permutations(found))))
def test_the_order_of_records_does_not_change_the_customers(both: tuple[list[Row], list[Row]]) -> None:
    with open_warehouse() as warehouse:
        prepare(warehouse)
        first = resolve(warehouse, a_run(0), both[0])
        kept = rows_of(warehouse, "select record_id_l, record_id_r, weight from identity.edges order by all")
        assert resolve(warehouse, a_run(1), both[1]) == first
        assert rows_of(warehouse, "select record_id_l, record_id_r, weight from identity.edges order by all") == kept
        assert rows_of(warehouse, "select * from identity.customer_changes where run_id = 'run-1'") == []
        assert rows_of(warehouse, "select * from identity.decisions where run_id = 'run-1'") == []


@FEW
@given(rows, st.lists(st.integers(0, 1), min_size=12, max_size=12))
def test_batches_in_any_grouping_end_in_the_same_partition_and_every_id_resolves(
    found: list[Row], batch_of: list[int]
) -> None:
    with open_warehouse() as at_once:
        prepare(at_once)
        expected = partition(resolve(at_once, a_run(0), found))
    with open_warehouse() as warehouse:
        prepare(warehouse)
        early = [row for row, batch in zip(found, batch_of, strict=False) if batch == 0]
        ever = set(resolve(warehouse, a_run(0), early).values()) if early else set()
        links = resolve(warehouse, a_run(1), found)
        assert partition(links) == expected
        assert {resolve_who(warehouse.cursor(), customer) for customer in ever} <= set(links.values())


@FEWEST
@given(rows, st.lists(st.integers(0, 1), min_size=12, max_size=12))
def test_under_a_pinned_version_batches_in_any_grouping_end_in_the_same_partition(
    found: list[Row], batch_of: list[int]
) -> None:
    early = [row for row, batch in zip(found, batch_of, strict=False) if batch == 0] or found[:1]
    with open_warehouse() as warehouse:
        prepare(warehouse)
        resolve(warehouse, a_run(0), early)
        learned = trained_with_other_weights(warehouse)
        keep_pinned(warehouse, learned)
        step_by_step = partition(resolve(warehouse, a_run(2), found))
    with open_warehouse() as at_once:
        prepare(at_once)
        keep_pinned(at_once, learned)
        assert partition(resolve(at_once, a_run(0), found)) == step_by_step


@FEW
@given(rows, st.data())
def test_people_decide_and_may_change_their_minds(found: list[Row], data: st.DataObject) -> None:
    with open_warehouse() as warehouse:
        prepare(warehouse)
        first = resolve(warehouse, a_run(0), found)
        pairs = sorted((a, b) for a in first for b in first if a < b and first[a] != first[b])
        if not pairs:
            return
        one, other = data.draw(st.sampled_from(pairs))
        decide(warehouse, 1, "merge", one, other)
        merged = match(warehouse, a_run(1))
        assert merged[one] == merged[other]
        decide(warehouse, 2, "split", one, other)
        split = match(warehouse, a_run(2))
        assert split[one] != split[other]


@FEWEST
@given(rows, st.data())
def test_whatever_people_decide_and_take_back_leaves_the_customers_as_they_were(
    found: list[Row], data: st.DataObject
) -> None:
    with open_warehouse() as warehouse:
        prepare(warehouse)
        first = resolve(warehouse, a_run(0), found)
        before = rows_of(warehouse, "select record_id_l, record_id_r, weight from identity.edges order by all")
        merged = data.draw(st.lists(st.sampled_from(sorted(set(first.values()))), min_size=1, max_size=3, unique=True))
        made = [steward(warehouse, number, "merge", merged[0], other) for number, other in enumerate(merged[1:])]
        together = match(warehouse, a_run(1))
        assert len({together[record] for record in first if first[record] in merged}) == 1
        leaving = data.draw(st.sampled_from(sorted(first)))
        others = [record for record in first if together[record] == together[leaving] and record != leaving]
        if others:
            made.append(steward(warehouse, 30, "split", together[leaving], leaving))
            apart = match(warehouse, a_run(2))
            assert all(apart[record] != apart[leaving] for record in others)
        for number, decision in enumerate(data.draw(st.permutations(made))):
            with warehouse.transaction() as connection:
                take_back(connection, decision, an_attempt(60 + number))
        assert match(warehouse, a_run(3)) == first
        assert rows_of(warehouse, "select record_id_l, record_id_r, weight from identity.edges order by all") == before


@FEWEST
@given(rows, st.data())
def test_a_split_of_what_was_merged_restores_every_customer(found: list[Row], data: st.DataObject) -> None:
    with open_warehouse() as warehouse:
        prepare(warehouse)
        first = resolve(warehouse, a_run(0), found)
        customers = sorted(set(first.values()))
        if len(customers) < 2:
            return
        one, other = data.draw(st.lists(st.sampled_from(customers), min_size=2, max_size=2, unique=True))
        steward(warehouse, 0, "merge", one, other)
        together = match(warehouse, a_run(1))
        steward(warehouse, 30, "split", one, *(record for record in first if first[record] == other))
        assert match(warehouse, a_run(2)) == first
        assert {together[record] for record in first if first[record] in (one, other)} <= {one, other}
        assert rows_of(warehouse, "select * from identity.customer_aliases") == []


@FEWEST
@given(rows, st.lists(st.integers(0, 1), min_size=12, max_size=12), st.data())
def test_decisions_hold_whether_they_were_made_before_or_after_other_records_came(
    found: list[Row], batch_of: list[int], data: st.DataObject
) -> None:
    early = [row for row, batch in zip(found, batch_of, strict=False) if batch == 0]
    pairs = [(a["record_id"], b["record_id"]) for a in early for b in early if a["record_id"] < b["record_id"]]
    if not pairs:
        return
    chosen = data.draw(st.lists(st.sampled_from(pairs), min_size=1, max_size=2, unique=True))
    actions = data.draw(st.lists(st.sampled_from(("merge", "forbid")), min_size=2, max_size=2))
    expected = None
    for first in (early, found):
        with open_warehouse() as warehouse:
            prepare(warehouse)
            ever = set(resolve(warehouse, a_run(0), first).values())
            for number, (action, (one, other)) in enumerate(zip(actions, chosen, strict=False)):
                steward(warehouse, number, action, one, other)
            links = resolve(warehouse, a_run(1), found)
            for action, (one, other) in zip(actions, chosen, strict=False):
                assert (links[one] == links[other]) == (action == "merge")
            assert {resolve_who(warehouse.cursor(), customer) for customer in ever} <= set(links.values())
            assert expected in (None, partition(links))
            expected = partition(links)


def an_attempt(hours: int) -> Attempt:
    """Something a steward does so many hours after the first run; a day is one run."""
    return Attempt(a_run(0).now + timedelta(hours=hours + 1), f"by-hand-{hours}", "a steward", "for a reason")


def steward(warehouse: Warehouse, hours: int, action: str, who: str, *others: str) -> str:
    with warehouse.transaction() as connection:
        if action == "split":
            parties = part_and_rest(connection, who, others, "GB")[::-1]
        else:
            parties = two_parties(connection, who, others[0], "GB")
        return decide_by_hand(connection, action, *parties, an_attempt(hours)).decision_id


partitions = st.lists(st.integers(0, 3), min_size=6, max_size=6)


@SOME
@given(st.lists(partitions, min_size=2, max_size=4))
def test_ids_follow_the_larger_part_through_any_history_of_partitions(history: list[list[int]]) -> None:
    with open_warehouse() as warehouse:
        given_records(warehouse)
        before: dict[str, str] = {}
        ever: set[str] = set()
        for number, labels in enumerate(history):
            links = assign(warehouse, number, labels)
            assert partition(links) == partition({f"r{record}": str(label) for record, label in enumerate(labels)})
            if before:
                check_heirs(before, links)
                again = assign(warehouse, number + 10, labels)
                assert again == links
            ever |= set(links.values())
            for customer in ever:
                assert resolves_to_one_current(warehouse, customer, set(links.values()))
            before = links


@SOME
@given(partitions, partitions)
def test_undoing_a_change_gives_every_record_its_customer_back_where_the_parts_are_unequal(
    one: list[int], other: list[int]
) -> None:
    with open_warehouse() as warehouse:
        given_records(warehouse)
        first = assign(warehouse, 0, one)
        merged = [0] * len(one)
        assign(warehouse, 1, merged)
        back = assign(warehouse, 2, one)
        sizes = Counter(first.values()).most_common()
        if len(sizes) > 1 and sizes[0][1] == sizes[1][1]:
            assert set(back.values()) <= set(first.values())
        else:
            assert back == first
        assign(warehouse, 3, other)


def check_heirs(before: dict[str, str], after: dict[str, str]) -> None:
    """A customer of whom one part is strictly larger than every other goes on there; the larger claim keeps the id."""
    overlaps = Counter((before[record], after[record]) for record in before)
    for customer in set(before.values()):
        parts = sorted((count for (old, _), count in overlaps.items() if old == customer), reverse=True)
        goes_on = max((key for key in overlaps if key[0] == customer), key=lambda key: overlaps[key])
        rivals = [count for (old, new), count in overlaps.items() if new == goes_on[1] and old != customer]
        is_clear = len(parts) == 1 or parts[0] > parts[1]
        if is_clear and all(parts[0] > count for count in rivals):
            assert goes_on[1] == customer


def given_records(warehouse: Warehouse) -> None:
    """Six records of six source persons, all of one day."""
    names = [f"r{number}" for number in range(6)]
    day = [datetime(2026, 1, 1)] * 6
    empty = pa.array([None] * 6, type=pa.string())
    with warehouse.transaction() as connection:
        load(
            connection,
            "identity.records",
            pa.table({"record_id": names, "first_seen_at": day, "source_key": names, "device_key": empty}),
        )
        connection.execute(
            "create table identity.edges (record_id_l varchar, record_id_r varchar, rule varchar, weight double)"
        )


def assign(warehouse: Warehouse, number: int, labels: list[int]) -> dict[str, str]:
    """Give ids to the partition in which records with equal labels are one customer."""
    least = {label: f"r{labels.index(label)}" for label in labels}
    table = pa.table({"record_id": [f"r{n}" for n in range(6)], "cluster_id": [least[label] for label in labels]})
    with warehouse.transaction() as connection:
        load(connection, "identity._clusters", table)
    materialise(warehouse, ledger_step(), a_run(number))
    return dict(rows_of(warehouse, "select record_id, customer_id from identity.customer_links"))


def resolves_to_one_current(warehouse: Warehouse, customer: str, current: set[str]) -> bool:
    found = rows_of(
        warehouse, "select customer_id from identity.customer_aliases where former_id = $id", {"id": customer}
    )
    return (customer in current) != bool(found) and all(row[0] in current for row in found)


def decide(warehouse: Warehouse, day: int, action: str, one: str, other: str) -> None:
    warehouse.cursor().execute(
        "insert into identity.decisions values ($id, $at, null, 'person', 'a steward', $action, $one, $other,"
        " null, null, null, null)",
        {"id": f"d{day}", "at": a_run(day).now, "action": action, "one": one, "other": other},
    )


def rows_of(warehouse: Warehouse, query: str, parameters: dict[str, Any] | None = None) -> list[tuple[Any, ...]]:
    return warehouse.cursor().execute(query, parameters or {}).fetchall()


def trained_with_other_weights(warehouse: Warehouse) -> Trained:
    """A version made from the rows so far, with weights that are not the declared ones."""
    rules = default_rules()
    assert rules is not None
    with warehouse.rehearsal() as connection:
        found = train(connection, rules, a_run(1), None)
    corrections = {"name": {"same": 1.5, "other_given": 3.0}, "phone": {"same": -1.0}}
    return replace(found, artefact=found.artefact.model_copy(update={"corrections": corrections, "prior": 0.5}))


def keep_pinned(warehouse: Warehouse, learned: Trained) -> None:
    attempt = Attempt(a_run(1).now, "run-1", "Joe", "a test")
    with warehouse.transaction() as connection:
        ensure_models(connection, attempt)
        pin(connection, add_version(connection, learned.artefact, learned.values, attempt), attempt)
