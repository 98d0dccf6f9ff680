"""Who was this on that day: asked by a record, an identifier or a customer id, also of what is gone."""

from __future__ import annotations

from datetime import timedelta

import pytest
from people import a_record, later, match, resolve

from identity.history import history
from identity.stewardship import decide, two_parties
from quality.resolution import Attempt
from warehouse.database import Warehouse
from warehouse.errors import InputError
from warehouse.step import Run

CONTACT = {"feed": "crm", "kind": "contacts", "source_customer_id": "9", "person_key": "id:9"}
ANN = a_record(email="ann@a.example", full_name="Ann Archer", **CONTACT)
MOVED = a_record(email="ann@new.example", full_name="Ann Archer", **CONTACT)
BEA = [a_record(email="bea@b.example", full_name="Bea Baxter", phone=f"0791112345{n}") for n in (1, 2)]


def test_an_email_that_its_owner_gave_up_still_names_the_customer_of_that_time(prepared: Warehouse, run: Run) -> None:
    first = resolve(prepared, run, [ANN, *BEA])
    second = resolve(prepared, later(run, 10), [MOVED, *BEA])
    kept = first[ANN["record_id"]]
    assert second[MOVED["record_id"]] == kept
    (held,) = history(prepared.cursor(), " Ann@A.example").links
    assert (held.customer_id, held.valid_from, held.valid_to) == (kept, run.now, later(run, 10).now)
    told = history(prepared.cursor(), "ann@a.example", at=run.now + timedelta(hours=1))
    assert [link.customer_id for link in told.links] == [kept]
    with pytest.raises(InputError, match="at that time"):
        history(prepared.cursor(), "ann@a.example", at=run.now + timedelta(hours=11))
    values = prepared.cursor().execute("select * from identity.known_identifiers").fetchall()
    assert values
    assert "example" not in str(values)


def test_who_was_merged_is_told_with_the_customer_it_stands_for_now(prepared: Warehouse, run: Run) -> None:
    first = resolve(prepared, run, [ANN, *BEA])
    with prepared.transaction() as connection:
        parties = two_parties(connection, "ann@a.example", "bea@b.example", "GB")
        decide(connection, "merge", *parties, Attempt(run.now, "by-hand", "a steward", "one"))
    kept = match(prepared, later(run))[ANN["record_id"]]
    former = first[ANN["record_id"]]
    then = history(prepared.cursor(), "ann@a.example", at=run.now)
    assert [(link.customer_id, link.stands_for) for link in then.links] == [(former, kept)]
    now = history(prepared.cursor(), "ann@a.example", at=later(run).now)
    assert [link.customer_id for link in now.links] == [kept]
    changes = [
        (change.customer_id, change.change, change.other_customer_id)
        for change in history(prepared.cursor(), former).changes
    ]
    assert sorted(changes, key=str) == sorted(
        [(former, "created", None), (kept, "created", None), (kept, "merged", former)], key=str
    )


def test_a_retired_customer_is_still_told_of(prepared: Warehouse, run: Run) -> None:
    gone = resolve(prepared, run, [ANN, *BEA])[ANN["record_id"]]
    resolve(prepared, later(run), BEA)
    told = history(prepared.cursor(), gone)
    assert [link.valid_to for link in told.links] == [later(run).now]
    assert [change.change for change in told.changes] == ["created", "retired"]


def test_a_second_run_remembers_nothing_twice(prepared: Warehouse, run: Run) -> None:
    resolve(prepared, run, [ANN, *BEA])
    count = prepared.cursor().execute("select count(*) from identity.known_identifiers").fetchall()
    match(prepared, later(run))
    assert prepared.cursor().execute("select count(*) from identity.known_identifiers").fetchall() == count


def test_what_was_never_known_is_told_without_its_value(prepared: Warehouse, run: Run) -> None:
    resolve(prepared, run, BEA)
    with pytest.raises(InputError) as raised:
        history(prepared.cursor(), "nobody@n.example")
    assert "example" not in str(raised.value)
