"""``cdp plan``: what the next run would read and why, before anything is read."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from cdp.command import run_command
from sources.feed import load_feeds
from sources.loading import load_feed
from warehouse.business import load_business
from warehouse.database import open_warehouse
from warehouse.declaration import Problems
from warehouse.project import Project
from warehouse.step import Run

FEED = """kind: messages
mapping: jsonl
files: ["dt=*/*.jsonl"]
"""
ROW = {"message_channel": "email", "message_event": "sent", "occurred_at": "2026-01-05T10:00:00Z"}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    folder = tmp_path / "mine"
    assert run_command(["init", str(folder)]) == 0
    (folder / "config" / "feeds" / "mail.yml").write_text(FEED, encoding="utf-8")
    return Project(folder)


def land(project: Project, file: str, *numbers: int) -> Path:
    path = project.landing / "mail" / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(ROW | {"message_id": f"m{n}"}) + "\n" for n in numbers), encoding="utf-8")
    return path


def load(project: Project) -> None:
    problems = Problems()
    feed = load_feeds(project, problems)["mail"]
    now = datetime(2026, 2, 1, tzinfo=UTC).replace(tzinfo=None)
    with open_warehouse(project.database) as warehouse:
        load_feed(warehouse, project, feed, Run("run-1", date(2026, 1, 31), now, load_business(project)))


def told(project: Project, capsys: pytest.CaptureFixture[str], *command: str) -> dict:
    capsys.readouterr()
    assert run_command([*command, "--project", str(project.root), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_what_lies_before_the_first_batch_of_the_business_is_not_pending(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    for day in ("2026-01-05", "2026-01-06"):
        land(project, f"dt={day}/a.jsonl", 1)
    with (project.config / "business.yml").open("a", encoding="utf-8") as stream:
        stream.write("first_batch_on: 2026-01-06\n")
    assert told(project, capsys, "plan")["feeds"][0]["days"] == ["2026-01-06"]
    load(project)
    land(project, "dt=2026-01-05/b.jsonl", 2)
    attention = told(project, capsys, "status")["attention"]
    assert [row for row in attention if row["waiting_days"]] == []
    assert told(project, capsys, "feeds", "show", "mail")["waiting"] == []


def test_the_plan_says_why_each_file_is_read_and_what_is_gone(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    land(project, "dt=2026-01-05/same.jsonl", 1)
    changed = land(project, "dt=2026-01-05/changed.jsonl", 2)
    gone = land(project, "dt=2026-01-06/gone.jsonl", 3)
    moved = land(project, "dt=2026-01-06/moved.jsonl", 4)
    [mail] = told(project, capsys, "plan")["feeds"]
    assert mail["files"] == {"new": 4, "changed": 0, "stale": 0, "stopped": 0, "refreshed": 0}
    load(project)
    assert told(project, capsys, "plan")["feeds"][0]["days"] == []
    land(project, changed.relative_to(project.landing / "mail").as_posix(), 2, 20)
    gone.unlink()
    moved.rename(moved.with_name("renamed.jsonl"))
    [mail] = told(project, capsys, "plan")["feeds"]
    assert mail["files"] == {"new": 1, "changed": 1, "stale": 0, "stopped": 0, "refreshed": 0}
    assert mail["vanished"] == ["dt=2026-01-06/gone.jsonl"]
    assert mail["moved"] == [{"file": "dt=2026-01-06/moved.jsonl", "to": "dt=2026-01-06/renamed.jsonl"}]
    assert mail["days"] == ["2026-01-05", "2026-01-06"]


def test_a_mapping_that_changed_makes_its_batches_stale_and_a_window_narrows_the_plan(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    land(project, "dt=2026-01-05/a.jsonl", 1)
    land(project, "dt=2026-01-06/a.jsonl", 2)
    load(project)
    declared = project.config / "feeds" / "mail.yml"
    declared.write_text(FEED + "constants: {campaign_id: spring}\n", encoding="utf-8")
    [mail] = told(project, capsys, "plan")["feeds"]
    assert (mail["files"]["stale"], len(mail["days"])) == (2, 2)
    assert told(project, capsys, "plan", "--to", "2026-01-05")["feeds"][0]["files"]["stale"] == 1
    [wanting] = told(project, capsys, "status")["attention"]
    assert {name: value for name, value in wanting.items() if value} == {
        "feed": "mail",
        "waiting_days": 2,
        "stale_files": 2,
    }


def test_a_feed_shows_how_its_fields_changed(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    land(project, "dt=2026-01-05/a.jsonl", 1)
    path = land(project, "dt=2026-01-06/a.jsonl", 2)
    path.write_text(json.dumps(ROW | {"message_id": "m2", "mood": "good"}) + "\n", encoding="utf-8")
    load(project)
    shown = told(project, capsys, "feeds", "show", "mail")
    assert [change["told"] for change in shown["schema_changes"]] == ["mood is new (text)"]
    assert shown["unknown"] == {"mood": 1}
    assert run_command(["feeds", "show", "mail", "--project", str(project.root)]) == 0
    assert "mood is new (text)" in capsys.readouterr().out


def test_the_plan_of_an_unknown_feed_is_a_slip(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["plan", "--feeds", "mial", "--project", str(project.root)]) == 2
    assert "mail" in capsys.readouterr().err
    assert run_command(["plan", "--project", str(project.root)]) == 0
    assert "Nothing is pending" in capsys.readouterr().out


def test_what_lies_there_and_is_read_by_nobody_is_told(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    land(project, "dt=2026-01-05/a.jsonl", 1)
    assert told(project, capsys, "plan")["unread_files"] == []
    for name in ("mail/stray.csv", "mail/dt=2026-01-05/_hidden.jsonl", "orphan/one.csv", "orphan/two.csv", "loose.csv"):
        path = project.landing / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("a\n1\n", encoding="utf-8")
    assert told(project, capsys, "plan")["unread_files"] == [
        "landing/loose.csv lies in no feed's folder. Move it to landing/<feed>/.",
        "landing/mail/stray.csv is named by no glob. Correct `files:` in config/feeds/mail.yml.",
        "landing/mail/dt=2026-01-05/_hidden.jsonl is left alone: names that begin with `.` or `_` are not read.",
        "landing/orphan/ (one.csv and 1 more) belongs to no feed. Declare one of that name.",
    ]


def test_a_folder_of_a_day_that_is_none_is_told_by_the_plan(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    land(project, "dt=2026-02-30/a.jsonl", 1)
    [unread] = told(project, capsys, "plan", "--feeds", "mail")["unread_files"]
    assert unread.startswith("landing/mail/dt=2026-02-30/ (a.jsonl) names no day of the calendar and is not loaded.")
