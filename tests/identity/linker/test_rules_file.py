"""A rules file that does not fit says everything that is wrong; broken input ends in words, not in a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

from cdp.command import run_command

PEOPLE = "id,first,last,mail\n1,Ann,Smith,ann@x.org\n2,Ann,Smith,ann@x.org\n3,Bob,Jones,bob@y.org\n"


@pytest.fixture
def people(tmp_path: Path) -> Path:
    file = tmp_path / "people.csv"
    file.write_text(PEOPLE, encoding="utf-8")
    return file


def test_every_wrong_column_is_told_at_once(people: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rules = tmp_path / "rules.yml"
    rules.write_text(
        "record_id: idd\nfields:\n  - {role: given_name, columns: [frist]}\n  - {role: email, columns: [mial]}\n"
    )
    code = run_command(
        ["identity", "run", "--input", str(people), "--config", str(rules), "--output", str(tmp_path / "o.csv")]
    )
    told = capsys.readouterr().err
    assert code == 10
    for said in ("rules.yml:1: There is no column `idd`", "rules.yml:3: There is no column `frist`", "`mail`"):
        assert said in told


def test_an_unknown_role_names_the_known_ones(people: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rules = tmp_path / "rules.yml"
    fields = (("firstname", "first"), ("emial", "first"), ("city", "ctiy"))
    lines = [f"  - {{role: {role}, columns: [{column}]}}" for role, column in fields]
    rules.write_text("\n".join(["fields:", *lines, ""]), encoding="utf-8")
    code = run_command(
        ["identity", "run", "--input", str(people), "--config", str(rules), "--output", str(tmp_path / "o.csv")]
    )
    assert code == 10
    told = capsys.readouterr().err
    assert "rules.yml:2: `fields.0.role` cannot be `firstname`." in told
    assert "given_name" in told
    assert "rules.yml:3: `fields.1.role` cannot be `emial`. Did you mean `email`?" in told
    assert "rules.yml:4: There is no column `ctiy`." in told
    assert "fix: Mend the lines named above, then run the command again." in told


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"", "empty"), (b"a,b\n", "no rows"), (b"a,b\n1,2,3\n", "no table"), (b"PAR1rubbish", "no table")],
)
def test_a_broken_file_is_an_input_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes, said: str
) -> None:
    file = tmp_path / "broken.csv"
    file.write_bytes(content)
    code = run_command(["identity", "run", "--input", str(file), "--output", str(tmp_path / "o.parquet")])
    assert code == 11
    assert said in capsys.readouterr().err
    assert not (tmp_path / "o.parquet").exists()


def test_a_few_records_are_linked_like_many(people: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.csv"
    assert run_command(["identity", "run", "--input", str(people), "--id", "id", "--output", str(output)]) == 0
    rows = [line.replace('"', "").split(",") for line in output.read_text().splitlines()]
    assert [row[0] for row in rows] == ["record_id", "1", "2", "3"]
    assert [row[1] for row in rows[1:]] == ["1", "1", "3"]


def test_record_ids_that_stand_twice_are_refused(people: Path, tmp_path: Path) -> None:
    command = ["identity", "run", "--input", str(people), "--id", "last", "--output", str(tmp_path / "o.csv")]
    assert run_command(command) == 11


@pytest.mark.parametrize(
    ("column", "written", "is_birthday"),
    [
        ("Datum", "2026-{month:02}-{day:02}", False),
        ("下单时间", "2026/{month}/{day} {hour}:{day:02}", False),
        ("birthday", "1980-{month:02}-{day:02} {hour:02}:{day:02}:11", False),
        ("created", "19{decade}5-{month:02}-{day:02}", True),
        ("dob", "2015-{month:02}-{day:02}", True),
        ("born", "19{decade}1-{month:02}-{day:02} 16:00:00", True),
    ],
)
def test_days_when_something_happened_are_no_birthdays(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], column: str, written: str, is_birthday: bool
) -> None:
    rows = [
        f"p{n}@x.org," + written.format(month=n % 12 + 1, day=n % 28 + 1, hour=n % 24, decade=4 + n % 6)
        for n in range(200)
    ]
    file = tmp_path / "orders.csv"
    file.write_text("\n".join([f"E-Mail,{column}", *rows, ""]), encoding="utf-8")
    assert run_command(["identity", "suggest", str(file)]) == 0
    told = capsys.readouterr().out
    assert ("role: birth_on" in told) == is_birthday
    assert is_birthday or f'- {{column: "{column}"}}    # ' in told
