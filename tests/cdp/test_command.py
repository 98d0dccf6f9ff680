"""What the command line promises: exit codes, errors that say what to do, quick answers."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from cdp.command import run_command
from warehouse.database import open_warehouse

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    """A new project with the sample business's config."""
    folder = tmp_path / "sample"
    assert run_command(["init", str(folder), "--sample"]) == 0
    return folder


def test_a_new_project_has_everything_it_needs_and_its_declarations_are_in_order(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "mine"
    assert run_command(["init", str(folder)]) == 0
    made = {path.name for path in folder.iterdir()}
    assert made == {"config", "landing", ".gitignore", "dagster.yaml", "workspace.yaml", "dg.toml"}
    assert run_command(["feeds", "check", "--project", str(folder)]) == 0
    assert "in order" in capsys.readouterr().out


def test_the_sample_project_declares_its_feeds(sample: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert run_command(["feeds", "list", "--project", str(sample), "--json"]) == 0
    feeds = {row["feed"]: row for row in json.loads(capsys.readouterr().out)}
    assert {"web", "shop_orders", "crm", "nps", "tickets"} <= feeds.keys()
    assert feeds["web"]["kind"] == "web_events"


def test_init_never_writes_into_a_folder_that_holds_something(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "note.txt").write_text("mine", encoding="utf-8")
    assert run_command(["init", str(tmp_path)]) == 11
    assert [path.name for path in tmp_path.iterdir()] == ["note.txt"]
    assert "fix: " in capsys.readouterr().err


def test_every_mistake_in_the_declarations_is_told_at_once(sample: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (sample / "config" / "feeds" / "web.yml").write_text("kind: web_event\nmaping: segment\n", encoding="utf-8")
    business = sample / "config" / "business.yml"
    wrong = business.read_text(encoding="utf-8").replace("Asia/Shanghai", "Asia/Shangai")
    business.write_text(wrong.replace("[paid, fulfilled,", "[paid, shipped,"), encoding="utf-8")
    (sample / "config" / "feeds" / "nps.yml").write_text(
        "kind: feedbak\nmapping: npscsv\nmax_reject_ratio: 7\n", encoding="utf-8"
    )
    for name in ("survivorship.yml", "identity.yml", "lifecycle.yml", "segments/behavioural.yml", "traits/web.yml"):
        (sample / "config" / name).write_text("colour: blue\n", encoding="utf-8")
    assert run_command(["feeds", "check", "--project", str(sample)]) == 10
    told = capsys.readouterr().err
    assert "config/feeds/web.yml:1: `web_event` is not a kind. Did you mean `web_events`?" in told
    assert "config/feeds/web.yml:2: `maping` is not a key here. Did you mean `mapping`?" in told
    assert "config/feeds/nps.yml:1: `feedbak` is not a kind. Did you mean `feedback`?" in told
    assert "config/feeds/nps.yml:2: `npscsv` is not a mapping. Did you mean `nps_csv`?" in told
    assert "config/feeds/nps.yml:3: " in told
    assert "time_zone" in told
    assert "`sale.statuses.1` cannot be `shipped`. Known: cancelled, fulfilled, paid, pending, refunded." in told
    for name in ("survivorship.yml", "identity.yml", "lifecycle.yml", "segments/behavioural.yml", "traits/web.yml"):
        assert f"config/{name}:1: `colour` is not a key here." in told
    assert run_command(["feeds", "check", "--json", "--project", str(sample)]) == 10
    listed = json.loads(capsys.readouterr().out)["problems"]
    assert all("{file}:{line}: {what} {fix}".format(**problem) in told for problem in listed)
    assert len(listed) == len(told.splitlines()) - 2


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["run", "--as-of", "yesterday"], 2),
        (["feeds", "show", "wbe"], 2),
        (["run", "--feeds", "wbe"], 2),
        (["run", "--feeds", ""], 2),
        (["run", "--from", "2026-01-02", "--to", "2026-01-01"], 2),
        (["plan", "--from", "2026-01-02", "--to", "2026-01-01"], 2),
        (["quarantine", "list"], 13),
        (["schema", "segmnts"], 2),
        (["no-such-command"], 2),
        (["run", "--no-such-option"], 2),
        (["quarantine", "show"], 2),
    ],
)
def test_what_went_wrong_has_its_own_exit_code(
    sample: Path, arguments: list[str], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    needs_project = arguments[0] not in {"schema", "no-such-command"}
    assert run_command([*arguments, *(["--project", str(sample)] if needs_project else [])]) == code
    *_, reason, remedy = capsys.readouterr().err.splitlines()
    assert reason.startswith("error: ")
    assert remedy.startswith("fix: ")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["feeds", "show", "shop", "--project", "{new}"], 2, "There is none yet."),
        (["demo", "run", "--project", "{new}"], 11, "cdp init DIR --sample"),
        (["feeds", "try", "{new}"], 11, "is a folder"),
        (["demo", "generate", "--out", "{new}/dagster.yaml"], 11, "is not a folder"),
        (["identity", "run", "--input", "p.csv", "--output", "o.xlsx"], 2, "must end in .parquet or .csv"),
    ],
)
def test_slips_of_a_new_user_are_told_with_what_to_do(
    tmp_path: Path, arguments: list[str], code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    new = tmp_path / "new"
    assert run_command(["init", str(new)]) == 0
    assert run_command([word.replace("{new}", str(new)) for word in arguments]) == code
    told = capsys.readouterr().err
    assert said in told
    assert "Traceback" not in told
    assert "fix: " in told


def test_a_project_without_feeds_has_no_plan(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["init", str(tmp_path / "new")]) == 0
    assert run_command(["plan", "--project", str(tmp_path / "new")]) == 0
    assert "No feed is declared" in capsys.readouterr().out


def test_a_folder_that_is_no_project_is_a_usage_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["status", "--project", str(tmp_path)]) == 2
    assert "cdp init" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["feed", "corrections", "identity", "traits", "segments", "business", "web_events"])
def test_editors_get_a_json_schema(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["schema", name]) == 0
    assert json.loads(capsys.readouterr().out)["type"] == "object"


def test_the_doctor_says_what_is_fit(sample: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert run_command(["doctor", "--project", str(sample), "--json"]) == 0
    rows = {row["what"]: row["state"] for row in json.loads(capsys.readouterr().out)}
    assert rows["declarations"] == "ok"
    assert rows["warehouse"] == "absent"


def test_what_the_doctor_finds_wrong_has_the_exit_code_of_its_kind(sample: Path, tmp_path: Path) -> None:
    assert run_command(["doctor", "--project", str(tmp_path / "nowhere")]) == 2
    (sample / "state").mkdir()
    (sample / "state" / "warehouse.duckdb").write_text("no database", encoding="utf-8")
    assert run_command(["doctor", "--project", str(sample)]) == 13
    (sample / "config" / "lifecycle.yml").write_text("colour: blue\n", encoding="utf-8")
    assert run_command(["doctor", "--project", str(sample)]) == 10


def test_settings_that_cannot_be_used_are_named(sample: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.setenv("CDP_THREADS", "many")
    assert run_command(["doctor", "--project", str(sample)]) == 2
    assert "CDP_THREADS" in capsys.readouterr().err


_READS = (
    ["status"],
    ["plan"],
    ["doctor"],
    ["feeds", "list"],
    ["feeds", "show", "web"],
    ["tables", "list"],
    ["quality", "check"],
    ["quarantine", "list"],
    ["quarantine", "show", "q0123456789abcdef"],
    ["quarantine", "export", "OUT"],
    ["identity", "score"],
    ["customer", "show", "a@b.example"],
    ["customer", "find", "Ann Archer"],
    ["customer", "explain", "a@b.example"],
)


def test_after_a_run_that_found_nothing_every_read_says_so_in_words(
    sample: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["run", "--project", str(sample)]) == 11
    codes = {}
    for words in _READS:
        capsys.readouterr()
        arguments = [str(sample / "rows.csv") if word == "OUT" else word for word in words]
        codes[" ".join(words)] = run_command([*arguments, "--project", str(sample)])
        told = capsys.readouterr()
        assert told.out or told.err
        assert "Traceback" not in told.err
        assert codes[" ".join(words)] == 0 or told.err.startswith("error: ")
    assert {words: code for words, code in codes.items() if code} == {
        "quarantine show q0123456789abcdef": 11,
        "identity score": 13,
        "customer show a@b.example": 13,
        "customer find Ann Archer": 13,
        "customer explain a@b.example": 13,
    }


def test_the_status_of_a_new_project_says_that_nothing_has_run_what_waits_and_what_lies_on_no_day(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A state like any other, and no error: 0, as of every read that is done."""

    def status(*more: str) -> str:
        capsys.readouterr()
        assert run_command(["status", "--project", str(folder), *more]) == 0
        return capsys.readouterr().out

    folder = tmp_path / "mine"
    assert run_command(["init", str(folder)]) == 0
    assert status().startswith("Nothing has run yet, and no feed is declared.\nnext: write config/feeds/<name>.yml")
    feeds = folder / "config" / "feeds"
    (feeds / "orders.yml.example").rename(feeds / "orders.yml")
    assert status().startswith("Nothing has run yet, and no file is waiting.\nnext: put files into landing/<feed>/")
    (folder / "landing" / "orders" / "dt=2026-01-05").mkdir(parents=True)
    (folder / "landing" / "orders" / "dt=2026-01-05" / "a.csv").write_text("Order\n1\n", encoding="utf-8")
    told = status()
    assert told.startswith("Nothing has run yet; files of 1 day are waiting.\nnext: cdp plan · cdp run")
    assert "misdated" not in told
    (folder / "landing" / "orders" / "dt=2026-02-30").mkdir()
    (folder / "landing" / "orders" / "dt=2026-02-30" / "b.csv").write_text("Order\n2\n", encoding="utf-8")
    assert "misdated" in status()
    assert [row["misdated"] for row in json.loads(status("--json"))["attention"]] == [1]
    assert json.loads(status("--json"))["runs"] == []
    assert not (folder / "state").exists()


def test_a_run_of_an_empty_project_says_so_before_it_makes_anything(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["init", str(tmp_path / "mine")]) == 0
    capsys.readouterr()
    assert run_command(["run", "--project", str(tmp_path / "mine")]) == 11
    told = capsys.readouterr().err
    assert "error: No batch has been loaded" in told
    assert "fix: Put files of a declared feed" in told
    assert "steps" not in told
    with open_warehouse(tmp_path / "mine" / "state" / "warehouse.duckdb", read_only=True) as warehouse:
        made = warehouse.cursor().execute("select distinct schema_name from duckdb_tables()").fetchall()
    assert made == [("ops",)]


def test_a_reader_who_has_seen_enough_is_no_error() -> None:
    arguments = ["import sys; from cdp.command import main; main()", "schema", "feed"]
    process = subprocess.Popen(
        [sys.executable, "-c", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait() == 0


def test_keys_and_kinds_can_be_looked_up(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["schema"]) == 0
    assert {"feed", "business", "purchases"} <= {line.split(" ")[0] for line in capsys.readouterr().out.splitlines()}
    assert run_command(["schema", "feed", "--keys"]) == 0
    told = capsys.readouterr().out
    assert "max_reject_ratio" in told
    assert "$defs" not in told


def test_a_project_without_feeds_is_told_to_write_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["init", str(tmp_path / "mine")]) == 0
    capsys.readouterr()
    assert run_command(["feeds", "check", "--project", str(tmp_path / "mine")]) == 0
    told = capsys.readouterr().out
    assert "config/feeds/<name>.yml" in told
    assert "cdp run" not in told


def test_the_command_line_runs_as_a_module_too() -> None:
    """Where the script is not on the path, `python -m cdp` does the same."""
    done = subprocess.run([sys.executable, "-m", "cdp", "--help"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("Usage: cdp [OPTIONS]")
