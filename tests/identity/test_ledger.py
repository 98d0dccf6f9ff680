"""Customer ids: given once, kept for ever."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from people import a_record, give_records, later, match, partition, resolve

from identity.resolve import resolve as resolve_who
from warehouse.database import Warehouse
from warehouse.step import Run

ANN = {"full_name": "Ann Archer"}


def rows_of(warehouse: Warehouse, query: str) -> list[tuple[Any, ...]]:
    return warehouse.cursor().execute(query).fetchall()


def forbid(warehouse: Warehouse, run: Run, one: dict[str, Any], other: dict[str, Any], action: str = "forbid") -> None:
    warehouse.cursor().execute(
        "insert into identity.decisions values ($id, $now, null, 'person', 'a steward', $action, $one, $other,"
        " null, null, null, null)",
        {
            "id": f"{action}-{run.run_id}",
            "now": run.now,
            "action": action,
            "one": one["record_id"],
            "other": other["record_id"],
        },
    )


def test_a_second_run_over_the_same_records_changes_nothing(prepared: Warehouse, run: Run) -> None:
    rows = [a_record(email="ann@a.example", **ANN), a_record(phone="07911 123456", full_name="Zoe Young")]
    first = resolve(prepared, run, rows)
    tables = ("customer_links", "customer_link_history", "customer_aliases", "customer_changes", "decisions")
    before = {name: rows_of(prepared, f"select * from identity.{name} order by all") for name in tables}
    assert match(prepared, later(run)) == first
    assert {name: rows_of(prepared, f"select * from identity.{name} order by all") for name in tables} == before


def test_a_merge_keeps_the_id_of_the_larger_part_and_the_other_resolves(prepared: Warehouse, run: Run) -> None:
    large = [
        a_record(source_customer_id="1", person_key="id:1", email="ann@a.example", city=city, **ANN) for city in "AB"
    ]
    small = [a_record(source_customer_id="2", person_key="id:2", phone="07911 123456", **ANN)]
    first = resolve(prepared, run, [*large, *small])
    bridge = a_record(email="ann@a.example", phone="07911 123456", **ANN)
    second = resolve(prepared, later(run), [*large, *small, bridge])
    kept, gone = first[large[0]["record_id"]], first[small[0]["record_id"]]
    assert kept != gone
    assert set(second.values()) == {kept}
    assert rows_of(prepared, "select former_id, customer_id from identity.customer_aliases") == [(gone, kept)]
    assert resolve_who(prepared.cursor(), gone) == kept
    changes = rows_of(
        prepared, "select change, other_customer_id from identity.customer_changes where run_id <> 'run-1'"
    )
    assert sorted(changes) == [("extended", None), ("merged", gone)]


def test_a_tie_goes_to_the_part_with_the_oldest_event(prepared: Warehouse, run: Run) -> None:
    young = a_record(
        source_customer_id="1", person_key="id:1", email="ann@a.example", first_seen_at=datetime(2026, 1, 5), **ANN
    )
    old = a_record(
        source_customer_id="2", person_key="id:2", phone="07911 123456", first_seen_at=datetime(2025, 1, 5), **ANN
    )
    first = resolve(prepared, run, [young, old])
    forbid(prepared, later(run), young, old, "merge")
    assert set(match(prepared, later(run)).values()) == {first[old["record_id"]]}


def test_merge_then_split_gives_every_record_its_former_customer_back(prepared: Warehouse, run: Run) -> None:
    rows = [a_record(email="ann@a.example", **ANN), a_record(email="zoe@b.example", full_name="Zoe Young")]
    first = resolve(prepared, run, rows)
    forbid(prepared, later(run), rows[0], rows[1], "merge")
    assert len(set(match(prepared, later(run)).values())) == 1
    forbid(prepared, later(run, 2), rows[0], rows[1], "split")
    assert match(prepared, later(run, 2)) == first
    assert rows_of(prepared, "select * from identity.customer_aliases") == []
    split = rows_of(prepared, "select change from identity.customer_changes where run_id = 'run-1+2' order by 1")
    assert split == [("created",), ("split",)]


def test_a_split_leaves_the_id_with_the_largest_part_and_the_rest_gets_a_new_one(prepared: Warehouse, run: Run) -> None:
    rows = [a_record(email="ann@a.example", address_line=f"{n} High Street", **ANN) for n in (1, 2, 3)]
    first = resolve(prepared, run, rows)
    kept = first[rows[0]["record_id"]]
    for other in (1, 2):
        forbid(prepared, later(run, other), rows[0], rows[other])
    second = match(prepared, later(run, 3))
    assert second[rows[1]["record_id"]] == second[rows[2]["record_id"]] == kept
    assert second[rows[0]["record_id"]] not in (kept, None)


def test_a_person_whose_values_change_keeps_the_customer_id(prepared: Warehouse, run: Run) -> None:
    before = a_record(feed="crm", kind="contacts", source_customer_id="9", person_key="id:9", email="ann@a.example")
    after = a_record(feed="crm", kind="contacts", source_customer_id="9", person_key="id:9", email="ann@new.example")
    first = resolve(prepared, run, [before])
    second = resolve(prepared, later(run), [after])
    assert list(second.values()) == list(first.values())


def test_a_visitor_who_identifies_keeps_the_customer_id(prepared: Warehouse, run: Run) -> None:
    web = {"feed": "web", "kind": "web_events", "anonymous_id": "k"}
    first = resolve(prepared, run, [a_record(person_key="visitor", **web)])
    second = resolve(prepared, later(run), [a_record(person_key="id:1", source_customer_id="1", **web)])
    assert list(second.values()) == list(first.values())


def test_a_visitor_who_turns_out_to_be_known_resolves_to_that_customer(prepared: Warehouse, run: Run) -> None:
    web = {"feed": "web", "kind": "web_events", "anonymous_id": "k"}
    known = [
        a_record(source_customer_id="1", id_space="shop", person_key="id:1", email=f"a{n}@a.example") for n in (1, 2)
    ]
    visitor = a_record(person_key="visitor", id_space="shop", **web)
    first = resolve(prepared, run, [*known, visitor])
    identified = a_record(person_key="id:1", source_customer_id="1", id_space="shop", **web)
    second = resolve(prepared, later(run), [*known, identified])
    assert set(second.values()) == {first[known[0]["record_id"]]}
    assert resolve_who(prepared.cursor(), first[visitor["record_id"]]) == first[known[0]["record_id"]]


def test_aliases_of_aliases_resolve_to_the_last_customer(prepared: Warehouse, run: Run) -> None:
    rows = [
        a_record(email=f"{name}@a.example", full_name=f"{name} {name}son", first_seen_at=datetime(2026, 1, day))
        for day, name in ((3, "Ann"), (2, "Bea"), (1, "Cleo"))
    ]
    first = resolve(prepared, run, rows)
    forbid(prepared, later(run), rows[0], rows[1], "merge")
    match(prepared, later(run))
    forbid(prepared, later(run, 2), rows[1], rows[2], "merge")
    last = set(match(prepared, later(run, 2)).values())
    assert len(last) == 1
    assert {resolve_who(prepared.cursor(), former) for former in first.values()} == last


def test_an_id_comes_back_when_its_records_do(prepared: Warehouse, run: Run) -> None:
    row = a_record(email="ann@a.example", **ANN)
    other = a_record(email="zoe@b.example", full_name="Zoe Young")
    first = resolve(prepared, run, [row, other])
    resolve(prepared, later(run), [other])
    give_records(prepared, [row, other])
    assert match(prepared, later(run, 2)) == first


def test_every_record_has_exactly_one_current_customer_and_a_history(prepared: Warehouse, run: Run) -> None:
    rows = [a_record(email="ann@a.example", **ANN), a_record(email="zoe@b.example", full_name="Zoe Young")]
    resolve(prepared, run, rows)
    forbid(prepared, later(run), rows[0], rows[1], "merge")
    links = match(prepared, later(run))
    assert partition(links) == {frozenset(row["record_id"] for row in rows)}
    history = rows_of(
        prepared, "select record_id, count(*), count(valid_to) from identity.customer_link_history group by 1"
    )
    assert sorted(count for _, count, _ in history) == [1, 2]
    assert all(count - ended == 1 for _, count, ended in history)
