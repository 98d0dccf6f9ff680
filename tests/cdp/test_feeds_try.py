"""``cdp feeds try FILE``: from an unknown file to a feed that runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cdp.command import run_command

TEXT = "Customer ID;Full Name;E-Mail;Birthday\n" + "".join(
    f"c{n};Person Number {n};person{n}@shop.example;1980-01-0{n}\n" for n in range(1, 9)
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    assert run_command(["init", str(tmp_path / "mine")]) == 0
    return tmp_path / "mine"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "Club members 2026-01-31.csv"
    path.write_text(TEXT + "c9;Nine;not-an-address;someday\n", encoding="utf-8")
    return path


def test_a_trial_is_told_whole_as_json_and_writes_nothing(
    project: Path, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert run_command(["feeds", "try", str(file), "--project", str(project), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["format"], told["delimiter"], told["kind"], told["mapping"]) == ("csv", ";", "contacts", "csv")
    assert (told["rows"], told["accepted"], told["reasons"]) == (9, 8, {"birth_on: bad_format": 1})
    assert told["fields"]["contact_id"]["from"] == "Customer ID"
    assert (told["feed"], told["written"]) == ("club_members", None)
    assert told["batch"] == {"day": "2026-01-31", "why": "as the file's name says"}
    assert "shop.example" not in json.dumps(told["sample"])
    assert not list((project / "config" / "feeds").glob("club*"))


def test_the_page_shows_accepted_and_rejected_rows_without_personal_values(
    project: Path, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["feeds", "try", str(file), "--project", str(project)]) == 0
    page = capsys.readouterr().out
    assert "8 of 9 rows accepted as contacts, 1 rejected" in page
    assert "rejected because" in page
    assert "Person Number" not in page
    assert "person1@" not in page
    assert "--write" in page


def test_the_declaration_is_written_once_and_is_in_order(
    project: Path, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["feeds", "try", str(file), "--project", str(project), "--write", "--name", "club"]
    assert run_command(command) == 0
    declared = project / "config" / "feeds" / "club.yml"
    before = declared.read_text(encoding="utf-8")
    assert "contact_id: Customer ID    # called Customer ID" in before
    assert run_command(["feeds", "check", "--project", str(project)]) == 0
    assert run_command(command) == 11
    assert "was not touched" in capsys.readouterr().err
    assert declared.read_text(encoding="utf-8") == before


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["nothing.csv"], 11),
        (["FILE", "--mapping", "segmant"], 2),
        (["FILE", "--kind", "contact"], 2),
        (["FILE", "--write", "--name", "Not A Name"], 11),
    ],
)
def test_slips_are_told_with_a_remedy(
    project: Path, file: Path, arguments: list[str], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    given = [str(file) if item == "FILE" else item for item in arguments]
    assert run_command(["feeds", "try", *given, "--project", str(project)]) == code
    assert capsys.readouterr().err


def test_a_file_may_be_tried_outside_any_project(tmp_path: Path, file: Path) -> None:
    assert run_command(["feeds", "try", str(file), "--project", str(tmp_path), "--json"]) == 0


def test_the_page_says_which_columns_are_lost_and_of_which_batch_the_file_would_be(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "dt=2026-02-03" / "people.csv"
    file.parent.mkdir()
    file.write_text("id,phone,spare,shoe\n1,13800138001,13900138001,38\n2,13800138002,13900138002,39\n", "utf-8")
    assert run_command(["feeds", "try", str(file), "--project", str(project)]) == 0
    page = capsys.readouterr().out
    assert "batch: 2026-02-03, as its folder says: dt=2026-02-03\n" in page
    assert "2 columns are read by nothing: spare (its values are phone numbers), shoe\n" in page
