"""Days: of folders that are none, and as of which nothing would be there; other data are loaded and stay published."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from cdp.command import run_command

pytestmark = pytest.mark.end_to_end

FEED = """\
kind: purchases
mapping: csv
country: DE
currency: EUR
fields:
  order_id: Order
  placed_at: Date
  status: {constant: paid}
  email: Mail
  gross_amount: Total
  currency: {setting: currency}
"""


def test_what_lies_on_a_wrong_day_is_told_and_a_day_before_all_data_publishes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = tmp_path / "mine"
    assert run_command(["init", str(project)]) == 0
    (project / "config" / "business.yml").write_text(
        "name: Kiosk\nbase_currency: EUR\ntime_zone: Europe/Berlin\ndefault_country: DE\n", encoding="utf-8"
    )
    (project / "config" / "feeds" / "orders.yml").write_text(FEED, encoding="utf-8")

    def land(file: str, *orders: str) -> None:
        path = project / "landing" / "orders" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("Order,Date,Mail,Total\n" + "".join(f"{row}\n" for row in orders), encoding="utf-8")

    def run(*words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = run_command(["run", "--project", str(project), "--json", *words])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    land("dt=2026-02-30/a.csv", "9,2026-02-28,i@example.com,1")
    code, _, told = run()
    assert code == 11
    assert "landing/orders/dt=2026-02-30/ (a.csv) names no day of the calendar" in told

    land("dt=2026-03-01/history.csv", "1,2025-11-05,k@example.com,1", "2,2026-02-28,l@example.com,1")
    land("dt=2026-03-02/b.csv", "3,2026-03-02,m@example.com,1")
    land("dt=2026-03-02/_b.csv", "3,2026-03-02,m@example.com,1")

    code, printed, told = run("--as-of", "2020-01-01")
    assert (code, printed) == (2, ""), told
    assert "2020-01-01 lies before all data: there are none before 2025-11-05" in told
    assert "the newest batch, of 2026-03-02" in told
    assert not (project / "published" / "cdp.duckdb").exists()

    code, printed, told = run()
    summary = json.loads(printed)
    assert (code, summary["as_of"], summary["customers"]) == (11, "2026-03-02", 3)
    assert "landing/orders/dt=2026-02-30/ (a.csv) names no day of the calendar" in told
    assert summary["errors"].keys() == {"orders"}
    assert any("dt=2026-03-02/_b.csv is left alone" in item for item in summary["warnings"])

    published = os.readlink(project / "published" / "cdp.duckdb")
    warehouse = (project / "state" / "warehouse.duckdb").read_bytes()
    assert run("--as-of", "2020-01-01")[0] == 2
    assert os.readlink(project / "published" / "cdp.duckdb") == published
    assert (project / "state" / "warehouse.duckdb").read_bytes() == warehouse

    (project / "landing" / "orders" / "dt=2026-02-30").rename(project / "landing" / "orders" / "dt=2026-02-28")
    code, printed, _ = run("--as-of", "2025-12-31")
    assert (code, json.loads(printed)["customers"]) == (0, 1)

    (project / "landing" / "orders" / "dt=2026-02-28").rename(tmp_path / "archive")
    for as_of in ((), ("--as-of", "2030-01-01")):  # what has just gone is noted, and what went before is known
        code, printed, told = run(*as_of)
        assert (code, json.loads(printed)["customers"]) == (0, 4), told
