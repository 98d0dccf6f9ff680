"""What runs kept and added to is what a rebuild makes, table by table: whatever came, changed, went or was decided."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from identity.declaration import IdentityRules, default_rules
from warehouse.business import Business
from warehouse.database import Warehouse, open_warehouse
from warehouse.step import Run

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "identity"))

from kept_tables import TABLES, tables
from people import a_record, give_orders, give_records, match, prepare

BUSINESS = Business(name="A shop", base_currency="GBP", time_zone="Europe/London", default_country="GB")
LAW = settings(max_examples=5, suppress_health_check=list(HealthCheck))

Row = dict[str, Any]


def maybe(*values: str) -> st.SearchStrategy[str | None]:
    return st.sampled_from((None, *values))


a_row = st.builds(
    lambda day, web, **values: a_record(
        **({"feed": "web", "kind": "web_events", "anonymous_id": web, "id_space": "shop"} if web else values),
        first_seen_at=datetime(2026, 1, day),
    ),
    day=st.integers(1, 28),
    web=st.sampled_from((None, None, None, None, "k1", "k2")),
    given_name=maybe("Ann", "Anna", "Mary", "John", "小明"),
    family_name=maybe("Archer", "Baxter", "Archer", "Cole", "王"),
    email=maybe("ann@a.example", "mary@b.example", "family@c.example", "test@test.com", "anna@a.example"),
    phone=maybe("07911 123456", "07922 654321", "13800138000"),
    address_line=maybe("12 High Street", "3 Mill Lane"),
    city=maybe("Leeds", "York"),
    source_customer_id=maybe("1", "2", "3"),
    birth_on=st.sampled_from((None, date(1980, 5, 6), date(1999, 1, 2))),
)
population = st.lists(a_row, min_size=10, max_size=26, unique_by=lambda row: row["record_id"])


def _close_limits() -> IdentityRules:
    """The packaged rules, with limits so low that a few records cross them."""
    rules = default_rules()
    assert rules is not None
    kinds = tuple(kind.model_copy(update={"people": min(kind.people, 2)}) for kind in rules.identifiers)
    blocking = tuple(rule.model_copy(update={"at_most": min(rule.at_most, 4)}) for rule in rules.blocking)
    clusters = rules.clusters.model_copy(update={"largest": 6})
    return rules.model_copy(update={"identifiers": kinds, "blocking": blocking, "clusters": clusters})


CLOSE = _close_limits()


def a_run(number: int) -> Run:
    return Run(f"run-{number}", date(2026, 1, 31), datetime(2026, 2, 1) + timedelta(days=number), BUSINESS)


def decide(warehouse: Warehouse, number: int, action: str, one: str, other: str) -> None:
    warehouse.cursor().execute(
        "insert into identity.decisions values ($id, $at, null, 'person', 'a steward', $action, $one, $other,"
        " null, null, null, null)",
        {
            "id": f"d{number}",
            "at": a_run(number).now,
            "action": action,
            "one": min(one, other),
            "other": max(one, other),
        },
    )


@LAW
@given(population, st.data())
def test_after_any_batches_withdrawals_and_decisions_every_table_is_that_of_runs_that_rebuild(
    found: list[Row], data: st.DataObject
) -> None:
    history: list[tuple[list[Row], tuple[str, str, str] | None]] = []
    for _ in range(data.draw(st.integers(2, 4))):
        rows = [row for row in found if data.draw(st.integers(0, 4))] or found[:1]
        ids = sorted(row["record_id"] for row in found)
        pair = st.lists(st.sampled_from(ids), min_size=2, max_size=2, unique=True)
        actions = ("forbid",) if any(said for _, said in history) else ("merge", "forbid")
        said = (data.draw(st.sampled_from(actions)), *data.draw(pair)) if data.draw(st.booleans()) else None
        history.append((rows, said))
    with open_warehouse() as kept, open_warehouse() as rebuilt:
        for warehouse, anew in ((kept, False), (rebuilt, True)):
            prepare(warehouse)
            for number, (rows, said) in enumerate([*history, (history[-1][0], None)]):
                give_records(warehouse, rows)
                give_orders(warehouse, last_first=anew)
                match(warehouse, replace(a_run(number), full_refresh=anew), CLOSE)
                if said is not None:
                    decide(warehouse, number, *said)
        of_kept, of_rebuilt = tables(kept), tables(rebuilt)
        for name in TABLES:
            assert of_kept[name] == of_rebuilt[name], name
