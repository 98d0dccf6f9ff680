"""Data Docs: pages that a reader without a network understands."""

from __future__ import annotations

import re
from pathlib import Path

from quality.data_docs import write_data_docs
from quality.expectations import run_suite
from quality.sparkline import sparkline
from tests.quality.expectations.asking import TABLE, a_suite, a_table, later
from warehouse.database import Warehouse
from warehouse.step import Run

SUITE = """
expectations:
  - {name: there, expect: present, column: email, severity: error, description: 每个客户都有邮件 <script>x</script>}
  - {name: some, expect: row_count, may_rise: 20, severity: warn, description: Rows & more.}
"""


def a_page(warehouse: Warehouse, run: Run, folder: Path, name: str = f"{TABLE}.html") -> str:
    run_suite(warehouse, a_suite(SUITE), run)
    return (write_data_docs(warehouse, folder).parent / name).read_text(encoding="utf-8")


def test_pages_load_nothing_from_elsewhere(warehouse: Warehouse, run: Run, tmp_path: Path) -> None:
    a_table(warehouse, [("t1", None, 1)])
    a_page(warehouse, run, tmp_path)
    for page in tmp_path.iterdir():
        text = page.read_text(encoding="utf-8")
        assert not re.search(r"https?:|//[a-z]|<script|<link|src=|@import|url\(", text)


def test_a_page_says_in_words_what_holds_and_what_blocks(warehouse: Warehouse, run: Run, tmp_path: Path) -> None:
    a_table(warehouse, [("t1", None, 1)])
    page = a_page(warehouse, run, tmp_path)
    assert "✕ blocks" in page
    assert "✓ holds" in page
    assert "1 of 1 rows has no email." in page
    assert "shop · 2026-01-05 · dt=2026-01-05/things.csv · row 1" in page
    index = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert f'<a href="{TABLE}.html">{TABLE}</a>' in index
    assert "✕ blocks" in index


def test_chinese_text_stands_as_written_and_markup_is_shown_not_run(
    warehouse: Warehouse, run: Run, tmp_path: Path
) -> None:
    a_table(warehouse, [("t1", "x", 1)])
    page = a_page(warehouse, run, tmp_path)
    assert '<meta charset="utf-8">' in page
    assert "每个客户都有邮件 &lt;script&gt;" in page
    assert "Rows &amp; more." in page


def test_the_trend_shows_recent_days_oldest_first(warehouse: Warehouse, run: Run, tmp_path: Path) -> None:
    for days in range(3):
        a_table(warehouse, [(f"t{days}", None, 1)])
        page = a_page(warehouse, later(run, days), tmp_path)
    assert 'aria-label="Breaches: 1, 2, 3"' in page
    assert 'aria-label="Observed: 1, 2, 3"' in page


def test_pages_of_a_new_warehouse_say_that_nothing_was_asked(warehouse: Warehouse, tmp_path: Path) -> None:
    index = write_data_docs(warehouse, tmp_path / "new" / "quality")
    assert "Nothing was asked yet" in index.read_text(encoding="utf-8")


def test_the_same_results_make_the_same_pages(warehouse: Warehouse, run: Run, tmp_path: Path) -> None:
    a_table(warehouse, [("t1", None, 1)])
    assert a_page(warehouse, run, tmp_path / "a") == a_page(warehouse, run, tmp_path / "b")


def test_one_observation_is_no_line() -> None:
    assert sparkline([3], "Rows") == ""
    assert "Rows: 3, 3" in sparkline([3, 3], "Rows")
