"""How rows and days are told on a terminal."""

from __future__ import annotations

from datetime import date

import pytest

from cdp.commands.demo import last_month_ends
from cdp.terminal import show


def test_rows_that_fit_stay_a_table_and_wider_ones_turn(capsys: pytest.CaptureFixture[str]) -> None:
    show([{"a": 1, "b": "x"}], ["a", "b"], as_json=False, may_turn=True)
    assert capsys.readouterr().out.split() == ["a", "b", "1", "x"]
    wide = {f"column_{n}": "客户" if n else None for n in range(30)}
    show([wide, wide], list(wide), as_json=False, may_turn=True)
    lines = capsys.readouterr().out.splitlines()
    assert (len(lines), lines[0], lines[31]) == (62, "── row 1 ──", "── row 2 ──")
    assert lines[1].split() == ["column_0", "–"]
    assert lines[30].split() == ["column_29", "客户"]


def test_what_cannot_be_printed_is_shown_as_escapes(capsys: pytest.CaptureFixture[str]) -> None:
    show([{"a": "\x1b[2Jx"}], ["a"], as_json=False)
    assert "\\x1b[2Jx" in capsys.readouterr().out


def test_month_ends_before_the_first_batch_are_left_out() -> None:
    first, newest = date(2026, 8, 3), date(2026, 10, 31)
    assert last_month_ends(first, newest, 3) == [date(2026, 8, 31), date(2026, 9, 30), newest]
    assert last_month_ends(first, newest, 2, apart=3) == [newest]
