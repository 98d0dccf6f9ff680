"""What a trial leaves open, and how it tells vendors apart that look alike."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from quality.contracts.check import Rejected
from sources.feed import Feed
from sources.trial.declaration import declaration_text
from sources.trial.trial import try_file
from warehouse.declaration import Problems, parse_declaration

SETTINGS = {"time_zone": "Asia/Shanghai", "country": "CN", "currency": "CNY"}


@pytest.mark.parametrize(
    ("first", "second", "form"),
    [
        ("13/4/2026", "5/6/2026", "%d/%m/%Y"),
        ("4/13/2026", "5/6/2026", "%m/%d/%Y"),
        ("13-04-2026 10:00", "05-06-2026 11:00", "%d-%m-%Y %H:%M"),
        ("3/4/2026", "5/6/2026", None),
        ("03/04/2026 10:00", "05/06/2026 11:00", None),
    ],
)
def test_a_day_that_may_begin_with_the_month_is_never_guessed(
    tmp_path: Path, first: str, second: str, form: str | None
) -> None:
    rows = [{"order_id": "1", "date": first, "amount": "5"}, {"order_id": "2", "date": second, "amount": "6"}]
    file = tmp_path / "orders.csv"
    with file.open("w", encoding="utf-8", newline="") as table:
        writer = csv.DictWriter(table, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    trial = try_file(file, SETTINGS, kind="purchases")
    assert trial.guesses["placed_at"].expression == {"path": "date", "then": [{"time": form or "iso"}]}
    assert trial.accepted == (2 if form else 0)
    text = declaration_text(trial, file)
    problems = Problems()
    assert parse_declaration(text, Feed, problems, shown_as="guess.yml") is not None
    assert problems.found == []
    assert ("UNDECIDED" in text) == (form is None)
    if form is None:
        verdict = trial.judged[0].verdict
        assert isinstance(verdict, Rejected)
        [reason] = verdict.reasons
        assert (reason.field, reason.code) == ("placed_at", "bad_format")
        assert "'%d/%m/%Y'" in reason.message
        assert "'%m/%d/%Y'" in reason.message


def test_posts_of_x_are_told_from_those_of_weibo(tmp_path: Path) -> None:
    post = {
        "created_at": "Wed Oct 10 20:19:24 +0000 2018", "id": 1050118621198921728, "id_str": "1050118621198921728",
        "text": "Hello", "user": {"id": 1, "id_str": "1", "screen_name": "a", "name": "A", "followers_count": 3},
    }  # fmt: skip
    status = post | {"idstr": "1", "mid": "1", "user": {"id": 1, "idstr": "1", "screen_name": "a", "name": "A"}}
    del status["id_str"]
    for number, (row, mapping) in enumerate([(post, "x_v2"), (status, "weibo")]):
        file = tmp_path / f"posts{number}.json"
        file.write_text(json.dumps([row]), "utf-8")
        trial = try_file(file, SETTINGS)
        assert trial.feed.mapping == mapping
        assert {item.mapping for item in trial.candidates[:2]} == {"x_v2", "weibo"}
