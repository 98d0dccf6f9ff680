"""Values that name nobody are no evidence, and are listed with the reason."""

from __future__ import annotations

import pytest
from people import a_record, match, resolve

from identity.declaration import default_rules
from identity.identifiers import declared_reason
from warehouse.database import Warehouse
from warehouse.step import Run

RULES = default_rules()
assert RULES is not None


@pytest.mark.parametrize(
    ("kind", "value", "reason"),
    [
        ("email", "test@test.com", "placeholder"),
        ("email", "noreply@shop.example", "placeholder"),
        ("email", "info@acme.example", "role address"),
        ("email", "kefu@acme.example", "role address"),
        ("email", "infomaria@acme.example", None),
        ("email", "ann@a.example", None),
        ("phone", "+8613800138000", "placeholder"),
        ("phone", "+86000000000", "placeholder"),
        ("phone", "+8611111111111", "placeholder"),
        ("phone", "+864008208820", "service number"),
        ("phone", "+868001234567", "service number"),
        ("phone", "+8695588", "service number"),
        ("phone", "+448001111222", "service number"),
        ("phone", "+8613912345670", None),
        ("phone", "+447911123456", None),
        ("source_id", "shop:0", "placeholder"),
        ("source_id", "shop:guest", "placeholder"),
        ("source_id", "shop:10", None),
        ("name", "guest", "placeholder"),
    ],
)
def test_declared_blocks_hit_what_they_say(kind: str, value: str, reason: str | None) -> None:
    assert RULES is not None
    assert declared_reason(kind, value, RULES.blocked) == reason


def test_people_who_share_only_a_placeholder_stay_apart(prepared: Warehouse, run: Run) -> None:
    rows = [
        a_record(full_name="Ann Archer", email="TEST@test.com", phone="13800138000", country="CN"),
        a_record(full_name="Zoe Young", email="test@test.com", phone="138-0013-8000", country="CN"),
        a_record(email="test@test.com"),
    ]
    assert len(set(resolve(prepared, run, rows).values())) == 3
    found = prepared.cursor().execute("select value, reason from identity.blocked_identifiers order by 1").fetchall()
    assert found == [("+8613800138000", "placeholder"), ("test@test.com", "placeholder")]
    blocked = prepared.cursor().execute("select distinct value from identity.identifiers where is_blocked order by 1")
    assert [value for (value,) in blocked.fetchall()] == ["+8613800138000", "test@test.com"]


def test_a_value_of_too_many_people_is_found_in_the_data(prepared: Warehouse, run: Run) -> None:
    letters = "ABCDEFGHIJKL"
    rows = [
        a_record(full_name=f"{a}nna {b}oe", email="desk@office.example")
        for a, b in zip(letters, letters[::-1], strict=True)
    ]
    resolve(prepared, run, rows)
    found = prepared.cursor().execute("select value, reason, people from identity.blocked_identifiers").fetchall()
    assert found == [("desk@office.example", "shared by too many people", 12)]


def test_one_person_with_many_orders_is_not_too_many_people(prepared: Warehouse, run: Run) -> None:
    rows = [a_record(full_name="Ann Archer", email="ann@a.example", address_line=f"{n} High Street") for n in range(20)]
    assert len(set(resolve(prepared, run, rows).values())) == 1
    assert prepared.cursor().execute("select * from identity.blocked_identifiers").fetchall() == []


def test_a_blocked_source_id_joins_no_records(prepared: Warehouse, run: Run) -> None:
    rows = [a_record(source_customer_id="0", person_key="id:0", full_name=name) for name in ("Ann Archer", "Zoe Young")]
    assert len(set(resolve(prepared, run, rows).values())) == 2
    assert match(prepared, run)
