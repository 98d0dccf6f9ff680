"""What people decide about who is who holds, whatever the evidence says, until it is taken back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from people import a_record, later, match, partition, resolve

from identity.decision_file import export_decisions, import_decisions, person_decisions
from identity.stewardship import decide, part_and_rest, take_back, two_parties
from quality.resolution import Attempt
from warehouse.database import Warehouse
from warehouse.errors import IdentityConflictError, InputError, UsageError
from warehouse.step import Run

ANN = [
    a_record(email="ann@a.example", full_name="Ann Archer", address_line=f"{n} High Street", feed="shop")
    for n in (1, 2)
]
BEA = [a_record(email="bea@b.example", full_name="Bea Baxter", phone=f"0791112345{n}") for n in (1, 2, 3)]
CLEO = [a_record(email="cleo@c.example", full_name="Cleo Carter")]
VISITOR = a_record(feed="web", kind="web_events", person_key="visitor", anonymous_id="k1")
EVERYBODY = [*ANN, *BEA, *CLEO, VISITOR]


@pytest.fixture
def resolved(prepared: Warehouse, run: Run) -> Warehouse:
    assert len(partition(resolve(prepared, run, EVERYBODY))) == 4
    return prepared


def links_of(warehouse: Warehouse) -> dict[str, str]:
    return dict(warehouse.cursor().execute("select record_id, customer_id from identity.customer_links").fetchall())


def customer(warehouse: Warehouse, row: dict[str, Any]) -> str:
    return links_of(warehouse)[row["record_id"]]


def attempt(run: Run, number: int, why: str = "they said so") -> Attempt:
    return Attempt(run.now + timedelta(minutes=number), f"by-hand-{number}", "a steward", why)


def say(warehouse: Warehouse, run: Run, number: int, action: str, left: str, right: str) -> str:
    with warehouse.transaction() as connection:
        if action == "split":
            leaving, staying = part_and_rest(connection, left, right.split(), "GB")
            return decide(connection, action, staying, leaving, attempt(run, number)).decision_id
        return decide(connection, action, *two_parties(connection, left, right, "GB"), attempt(run, number)).decision_id


def undo(warehouse: Warehouse, run: Run, number: int, decision: str) -> None:
    with warehouse.transaction() as connection:
        take_back(connection, decision, attempt(run, number))


def state(warehouse: Warehouse) -> tuple[list[Any], ...]:
    """Everything that says who is who now."""
    cursor = warehouse.cursor()
    return tuple(
        cursor.execute(query).fetchall()
        for query in (
            "select record_id, customer_id from identity.customer_links order by all",
            "select former_id, customer_id from identity.customer_aliases order by all",
            "select record_id_l, record_id_r, rule, weight, is_apart from identity.edges order by all",
            "select record_id, node_id from identity._nodes order by all",
        )
    )


def test_a_merge_takes_effect_with_the_next_run_and_undoing_it_restores_every_table(
    resolved: Warehouse, run: Run
) -> None:
    before = state(resolved)
    decision = say(resolved, run, 1, "merge", "ann@a.example", "bea@b.example")
    assert state(resolved) == before
    merged = match(resolved, later(run))
    assert {merged[row["record_id"]] for row in (*ANN, *BEA)} == {customer(resolved, BEA[0])}
    undo(resolved, run, 70, decision)
    match(resolved, later(run, 2))
    assert state(resolved) == before


def test_splitting_what_was_merged_restores_the_customers(resolved: Warehouse, run: Run) -> None:
    before = state(resolved)
    say(resolved, run, 1, "merge", "ann@a.example", "bea@b.example")
    match(resolved, later(run))
    say(resolved, run, 70, "split", customer(resolved, ANN[0]), "ann@a.example")
    match(resolved, later(run, 2))
    assert state(resolved) == before
    say(resolved, run, 130, "merge", "ann@a.example", "bea@b.example")
    again = match(resolved, later(run, 3))
    assert again[ANN[0]["record_id"]] == again[BEA[0]["record_id"]]


def test_a_former_id_names_the_records_that_it_had(resolved: Warehouse, run: Run) -> None:
    before = state(resolved)
    former, kept = customer(resolved, ANN[0]), customer(resolved, BEA[0])
    say(resolved, run, 1, "merge", former, kept)
    assert set(match(resolved, later(run)).values()) >= {kept}
    say(resolved, run, 70, "split", kept, former)
    match(resolved, later(run, 2))
    assert state(resolved) == before


def test_a_part_of_a_customer_is_kept_apart_from_the_rest_of_it(resolved: Warehouse, run: Run) -> None:
    say(resolved, run, 1, "forbid", customer(resolved, BEA[0]), "07911123451")
    links = match(resolved, later(run))
    one, *others = (links[row["record_id"]] for row in BEA)
    assert one not in others
    assert len(set(others)) == 1


def test_one_record_leaves_a_merged_customer_and_the_others_stay_together(resolved: Warehouse, run: Run) -> None:
    say(resolved, run, 1, "merge", "ann@a.example", "bea@b.example")
    match(resolved, later(run))
    say(resolved, run, 70, "split", "ann@a.example", BEA[0]["record_id"][:12])
    parts = partition(match(resolved, later(run, 2)))
    assert {BEA[0]["record_id"]} in parts
    assert {row["record_id"] for row in (*ANN, *BEA[1:])} in parts


def test_records_of_one_source_person_split_into_the_two_sides_that_were_named(prepared: Warehouse, run: Run) -> None:
    rows = [a_record(source_customer_id="7", person_key="id:7", full_name="Ann Archer", city=city) for city in "ABCD"]
    assert len(partition(resolve(prepared, run, rows))) == 1
    ids = [row["record_id"] for row in rows]
    say(prepared, run, 1, "split", ids[0], f"{ids[1]} {ids[2]}")
    assert partition(match(prepared, later(run))) == {frozenset(ids[1:3]), frozenset((ids[0], ids[3]))}


def test_forbidding_keeps_apart_and_allowing_lets_the_evidence_decide_again(resolved: Warehouse, run: Run) -> None:
    before = state(resolved)
    one, other = (row["record_id"] for row in ANN)
    say(resolved, run, 1, "forbid", one, other)
    apart = match(resolved, later(run))
    assert apart[one] != apart[other]
    say(resolved, run, 70, "allow", one, other)
    match(resolved, later(run, 2))
    links, aliases, *rest = state(resolved)
    assert (links, *rest) == (before[0], *before[2:])
    assert [current for _, current in aliases] == [customer(resolved, ANN[0])]


def test_allowing_what_nobody_forbade_joins_nobody(resolved: Warehouse, run: Run) -> None:
    before = state(resolved)
    say(resolved, run, 1, "allow", "ann@a.example", "bea@b.example")
    match(resolved, later(run))
    assert state(resolved) == before


def test_a_visitor_can_be_said_to_be_somebody(resolved: Warehouse, run: Run) -> None:
    decision = say(resolved, run, 1, "merge", VISITOR["record_id"], "cleo@c.example")
    merged = match(resolved, later(run))
    assert merged[VISITOR["record_id"]] == merged[CLEO[0]["record_id"]]
    undo(resolved, run, 70, decision)
    assert len(partition(match(resolved, later(run, 2)))) == 4


def test_a_decision_holds_on_when_the_values_of_its_records_change(resolved: Warehouse, run: Run) -> None:
    contact = {"feed": "crm", "kind": "contacts", "source_customer_id": "9", "person_key": "id:9"}
    before = a_record(email="dora@d.example", **contact)
    resolve(resolved, later(run), [*EVERYBODY, before])
    say(resolved, run, 70, "merge", "dora@d.example", "cleo@c.example")
    after = a_record(email="dora@new.example", **contact)
    links = resolve(resolved, later(run, 2), [*EVERYBODY, after])
    assert links[after["record_id"]] == links[CLEO[0]["record_id"]]


def test_new_records_join_the_part_of_a_merged_customer_that_they_resemble(resolved: Warehouse, run: Run) -> None:
    say(resolved, run, 1, "merge", "cleo@c.example", "bea@b.example")
    match(resolved, later(run))
    new = a_record(email="cleo@c.example", full_name="Cleo Carter", address_line="9 Mill Lane")
    links = resolve(resolved, later(run, 2), [*EVERYBODY, new])
    assert links[new["record_id"]] == links[BEA[0]["record_id"]]


def test_what_is_forbidden_is_not_merged_and_what_is_merged_not_forbidden(resolved: Warehouse, run: Run) -> None:
    forbidden = say(resolved, run, 1, "forbid", "ann@a.example", "bea@b.example")
    with pytest.raises(IdentityConflictError, match=forbidden) as raised:
        say(resolved, run, 2, "merge", "ann@a.example", "bea@b.example")
    assert raised.value.exit_code == 14
    assert "undo" in raised.value.fix
    say(resolved, run, 3, "allow", "ann@a.example", "bea@b.example")
    merged = say(resolved, run, 4, "merge", "ann@a.example", "bea@b.example")
    with pytest.raises(IdentityConflictError, match=merged):
        say(resolved, run, 5, "forbid", "ann@a.example", "bea@b.example")


def test_decisions_that_contradict_by_way_of_a_third_are_refused_whole(resolved: Warehouse, run: Run) -> None:
    one = say(resolved, run, 1, "merge", "ann@a.example", "bea@b.example")
    other = say(resolved, run, 2, "forbid", "ann@a.example", "cleo@c.example")
    with pytest.raises(IdentityConflictError, match=f"{other}.*{one}, the new one") as raised:
        say(resolved, run, 3, "merge", "bea@b.example", "cleo@c.example")
    assert "example" not in str(raised.value)
    assert len(person_decisions(resolved.cursor(), None)) == 2
    assert len(partition(match(resolved, later(run)))) == 3


def test_the_same_customer_and_all_of_a_customer_are_slips(resolved: Warehouse, run: Run) -> None:
    with pytest.raises(UsageError, match="Both are customer"):
        say(resolved, run, 1, "merge", customer(resolved, ANN[0]), "ann@a.example")
    with pytest.raises(UsageError, match="nothing would be left"):
        say(resolved, run, 1, "split", "ann@a.example", "ann@a.example")
    with pytest.raises(InputError, match="No record of customer"):
        say(resolved, run, 1, "split", "ann@a.example", "bea@b.example")
    with pytest.raises(UsageError, match="No person's decision"):
        undo(resolved, run, 1, "d0")


def test_a_decision_is_taken_back_once(resolved: Warehouse, run: Run) -> None:
    decision = say(resolved, run, 1, "merge", "ann@a.example", "bea@b.example")
    undo(resolved, run, 2, decision[:6])
    with pytest.raises(UsageError, match="taken back before"):
        undo(resolved, run, 3, decision)


def test_the_list_tells_what_became_of_each_decision(resolved: Warehouse, run: Run) -> None:
    merged = say(resolved, run, 1, "merge", "ann@a.example", "bea@b.example")
    waits = {item.decision_id: item.state for item in person_decisions(resolved.cursor(), run.now)}
    assert waits == {merged: "waits for the next run"}
    match(resolved, later(run))
    split = say(resolved, run, 70, "split", "ann@a.example", "ann@a.example")
    forbidden = say(resolved, run, 71, "forbid", "ann@a.example", "cleo@c.example")
    undo(resolved, run, 72, forbidden)
    told = {item.decision_id: item for item in person_decisions(resolved.cursor(), later(run, 2).now)}
    assert {key: item.state for key, item in told.items()} == {
        merged: "overruled",
        split: "stands",
        forbidden: "taken back",
    }
    assert (told[merged].records_l, told[merged].records_r, told[merged].actor) == (2, 3, "a steward")


def test_the_ledger_says_that_a_person_moved_the_records(resolved: Warehouse, run: Run) -> None:
    decision = say(resolved, run, 1, "merge", "ann@a.example", "bea@b.example")
    match(resolved, later(run))
    moved = resolved.cursor().execute(
        "select action, decided_by, actor, reason from identity.decisions"
        " where run_id = $run_id order by record_id_l, action",
        {"run_id": later(run).run_id},
    )
    assert moved.fetchall() == [
        (action, "person", "a steward", f"decision {decision}") for _ in ANN for action in ("link", "unlink")
    ]


def a_file(folder: Any, *lines: str) -> Any:
    path = folder / "decisions.csv"
    path.write_text("\n".join(("action,left,right,reason,decided_by", *lines)) + "\n", encoding="utf-8")
    return path


def test_a_file_of_decisions_is_brought_in_once(resolved: Warehouse, run: Run, tmp_path: Any) -> None:
    file = a_file(
        tmp_path,
        "merge,ann@a.example,bea@b.example,she rang us,an agent",
        "forbid,bea@b.example,cleo@c.example,sisters,",
        "split,bea@b.example,07911123451,her husband's phone,",
    )
    for new, known in ((3, 0), (0, 3)):
        with resolved.transaction() as connection:
            assert import_decisions(connection, file, attempt(run, 1), "GB") == (new, known)
    parts = partition(match(resolved, later(run)))
    assert {row["record_id"] for row in (*ANN, *BEA[1:])} in parts
    told = person_decisions(resolved.cursor(), None)
    assert [item.actor for item in told] == ["a steward", "a steward", "an agent"]
    undo(resolved, run, 70, told[0].decision_id)
    with resolved.transaction() as connection:
        assert import_decisions(connection, file, attempt(run, 71), "GB") == (0, 3)
    assert person_decisions(resolved.cursor(), None)[0].state == "taken back"


def test_every_wrong_line_is_told_at_once_and_nothing_is_written(resolved: Warehouse, run: Run, tmp_path: Any) -> None:
    file = a_file(
        tmp_path,
        "merge,ann@a.example,bea@b.example,fine,",
        "marry,ann@a.example,bea@b.example,odd,",
        "merge,ann@a.example,bea@b.example,,",
        "merge,ann@a.example",
    )
    with pytest.raises(InputError) as raised, resolved.transaction() as connection:
        import_decisions(connection, file, attempt(run, 1), "GB")
    told = str(raised.value)
    for place in ("decisions.csv:3: `action`", "decisions.csv:4: `reason`", "decisions.csv:5: 2 cells under 5"):
        assert place in told
    assert "example" not in told
    file = a_file(tmp_path, "merge,ann@a.example,nobody@n.example,x,", "merge,zoe@z.example,bea@b.example,x,")
    with pytest.raises(InputError, match="2 problems"), resolved.transaction() as connection:
        import_decisions(connection, file, attempt(run, 1), "GB")
    assert person_decisions(resolved.cursor(), None) == ()


def test_a_line_that_contradicts_is_named_and_nothing_of_the_file_stays(
    resolved: Warehouse, run: Run, tmp_path: Any
) -> None:
    file = a_file(tmp_path, "merge,ann@a.example,bea@b.example,a,", "forbid,ann@a.example,bea@b.example,b,")
    with pytest.raises(IdentityConflictError, match=r"decisions\.csv:3: "), resolved.transaction() as connection:
        import_decisions(connection, file, attempt(run, 1), "GB")
    assert person_decisions(resolved.cursor(), None) == ()


def test_exported_decisions_are_brought_into_a_warehouse_that_was_made_anew(
    resolved: Warehouse, run: Run, tmp_path: Any
) -> None:
    say(resolved, run, 1, "merge", "ann@a.example", "bea@b.example")
    match(resolved, later(run))
    say(resolved, run, 70, "split", "ann@a.example", BEA[0]["record_id"])
    undo(resolved, run, 72, say(resolved, run, 71, "forbid", "ann@a.example", "cleo@c.example"))
    expected = partition(match(resolved, later(run, 2)))
    file = tmp_path / "kept.csv"
    assert export_decisions(resolved.cursor(), file) == 2
    with resolved.transaction() as connection:
        for table in ("decisions", "decision_records", "customer_link_history", "customer_aliases"):
            connection.execute(f"delete from identity.{table}")
    assert partition(match(resolved, later(run, 3))) != expected
    with resolved.transaction() as connection:
        assert import_decisions(connection, file, attempt(run, 200), "GB") == (2, 0)
    assert partition(match(resolved, later(run, 4))) == expected
