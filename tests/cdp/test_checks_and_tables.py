"""What a person is told after a failed quality gate, and which tables may be asked."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest

from cdp.command import run_command

_CHECKS = """
    create schema ops;
    create schema profiles;
    create schema staging;
    create table ops.runs as
        select 'r1' as run_id, date '2026-01-31' as as_of, timestamp '2026-02-01' as started_at, 'failed' as status;
    create table ops.quality_results as
        select 'r1' as run_id, * from (values
            ('profiles.orders', 'order_id_unique', 'error', false, 3, 10, 'repeats'),
            ('profiles.orders', 'placed_at_present', 'error', true, 0, 10, 'holds'),
            ('profiles.days', 'few', 'warn', false, 1, 10, 'few rows')
        ) as found (table_name, expectation, severity, passed, unexpected_count, element_count, message);
    create table profiles.orders as select 1 as order_id;
    create table staging.purchases as select 1 as order_id;
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    assert run_command(["init", str(tmp_path / "shop")]) == 0
    root = tmp_path / "shop"
    for folder in ("state", "published"):
        (root / folder).mkdir(exist_ok=True)
    with duckdb.connect(str(root / "state" / "warehouse.duckdb")) as connection:
        connection.execute(_CHECKS)
    with duckdb.connect(str(root / "published" / "cdp.duckdb")) as connection:
        connection.execute("create schema profiles; create table profiles.orders as select 1 as order_id")
    return root


def test_status_names_the_checks_that_did_not_hold_and_what_to_call(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert run_command(["status", "--project", str(project)]) == 0
    told = capsys.readouterr().out
    assert "2 checks of the last run did not hold" in told
    assert "order_id_unique" in told
    assert "placed_at_present" not in told
    assert "next: cdp quality check --table profiles.orders" in told
    assert run_command(["status", "--project", str(project), "--json"]) == 0
    failed = json.loads(capsys.readouterr().out)["failed_checks"]
    assert [(row["table"], row["check"]) for row in failed] == [
        ("profiles.orders", "order_id_unique"),
        ("profiles.days", "few"),
    ]


def test_what_does_not_hold_stands_last_the_worst_at_the_end(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert run_command(["quality", "check", "--project", str(project)]) == 12
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in lines[1:4]] == ["placed_at_present", "few", "order_id_unique"]
    assert lines[-1] == "2 of 3 checks do not hold"


def test_tables_that_can_be_asked_are_marked_and_the_others_explained(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert run_command(["tables", "list", "--project", str(project), "--json"]) == 0
    listed = {row["name"]: row["published"] for row in json.loads(capsys.readouterr().out)}
    assert listed["profiles.orders"] is True
    assert listed["staging.purchases"] is False
    assert run_command(["tables", "show", "profiles.orders", "--project", str(project)]) == 0
    assert "(1 row)" in capsys.readouterr().out
    assert run_command(["tables", "query", "from profiles.orders", "--project", str(project)]) == 0
    assert run_command(["tables", "query", "from staging.purchases", "--project", str(project)]) != 0
    told = capsys.readouterr().err
    assert "`cdp tables list`" in told
    assert "state/warehouse.duckdb" in told
