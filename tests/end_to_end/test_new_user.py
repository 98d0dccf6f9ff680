"""From nothing to a question answered: init, the example feed as it is, one file, one run, one query."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path

import pytest

from cdp.command import run_command

pytestmark = pytest.mark.end_to_end

ROWS = """\
Order,Date,Mail,Total,Till,Remarks
1,05.01.2026 10:00,kim@shop.example,30.50,A,
2,05.01.2026 10:30,kim@shop.example,19.50,A,gift
3,05.01.2026 11:00,ada@shop.example,9.99,B,
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("new") / "mine"
    assert run_command(["init", str(folder)]) == 0
    feeds = folder / "config" / "feeds"
    (feeds / "orders.yml.example").rename(feeds / "orders.yml")
    landing = folder / "landing" / "orders" / "dt=2026-01-05"
    landing.mkdir(parents=True)
    (landing / "orders.csv").write_text(ROWS, encoding="utf-8")
    assert run_command(["feeds", "check", "--project", str(folder)]) == 0
    told = io.StringIO()
    with contextlib.redirect_stdout(told):
        assert run_command(["run", "--project", str(folder)]) == 0
    assert "source fields that nobody reads: orders: Till; map or `ignore:` them" in told.getvalue()
    return folder


def asked(project: Path, capsys: pytest.CaptureFixture[str], statement: str) -> list[dict[str, object]]:
    capsys.readouterr()
    assert run_command(["tables", "query", statement, "--project", str(project), "--json"]) == 0
    return list(json.loads(capsys.readouterr().out))


def test_the_example_feed_runs_as_it_is_written(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = asked(project, capsys, "select order_id, currency, country, placed_at from profiles.orders order by 1")
    assert [(row["order_id"], row["currency"], row["country"]) for row in found] == [
        ("1", "EUR", "DE"),
        ("2", "EUR", "DE"),
        ("3", "EUR", "DE"),
    ]
    assert found[0]["placed_at"] == "2026-01-05T09:00:00"
    home = asked(project, capsys, "select count(*) as n from profiles.segment_members where segment = 'home_country'")
    assert home == [{"n": 2}]


def test_a_reader_may_ask_and_do_nothing_else(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for statement in (
        "drop table profiles.customers",
        "copy (select 1) to 'taken.csv'",
        "select 1; select 2",
        "from read_text('config/business.yml')",
        "from profiles.customer",
    ):
        assert run_command(["tables", "query", statement, "--project", str(project)]) == 2
        assert "error: " in capsys.readouterr().err


def test_a_customer_is_shown_on_the_clock_of_the_business(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["customer", "show", "kim@shop.example", "--project", str(project)]) == 0
    told = capsys.readouterr().out
    assert "Europe/Berlin" in told
    assert "2026-01-05 10:30" in told
    assert "50.00" in told


def test_tables_and_columns_say_what_they_hold(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    columns = asked(
        project, capsys, "select comment from duckdb_columns() where table_name = 'orders' and column_name = 'order_id'"
    )
    assert columns == [{"comment": "The source's id of the order."}]
    assert run_command(["tables", "list", "--project", str(project), "--json"]) == 0
    tables = {row["name"]: row["meaning"] for row in json.loads(capsys.readouterr().out)}
    assert tables["quarantine.purchases"].startswith("Source rows that broke the contract")


def test_a_new_column_is_told_when_the_run_ends(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    later = project / "landing" / "orders" / "dt=2026-01-06"
    later.mkdir()
    changed = ROWS.replace("Remarks", "Remarks,Voucher").replace(",\n", ",,X\n")
    (later / "orders.csv").write_text(changed.replace("gift\n", "gift,X\n"), encoding="utf-8")
    capsys.readouterr()
    assert run_command(["run", "--project", str(project)]) == 0
    assert "source fields changed: orders: " in (told := capsys.readouterr().out)
    assert "Voucher" in told


def test_status_counts_customers_once(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["status", "--project", str(project)]) == 0
    assert "3 records, 2 customers and 0 anonymous visitors" in capsys.readouterr().out
