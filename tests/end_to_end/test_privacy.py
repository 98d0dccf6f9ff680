"""Personal values are planted in every awkward place; nothing that a project says or logs repeats one of them."""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from cdp.command import run_command
from tests.end_to_end.planted import DAY, FEEDS, FILES, PLANTED, make
from warehouse.database import open_warehouse
from warehouse.project import Project

pytestmark = pytest.mark.end_to_end

HELD_BY_DESIGN = frozenset({"file"})
"""Where a row came from: ledgers find files by their paths. They are masked wherever they are shown."""


class Said:
    """What was said, by who said it."""

    def __init__(self, root: Path, capfd: pytest.CaptureFixture[str]) -> None:
        self.root, self.capfd, self.texts = root, capfd, dict[str, str]()

    def call(self, *arguments: str) -> str:
        self.capfd.readouterr()
        code = run_command([*arguments, "--project", str(self.root)])
        told = self.capfd.readouterr()
        own = [item for item in arguments if "/" in item]
        text = told.out + told.err
        assert "Traceback" not in text
        for item in own:  # what was typed may be said again
            text = text.replace(item, "")
        self.texts[f"{' '.join(arguments)} ({code})"] = text
        return told.out

    def leaks(self) -> list[str]:
        found = []
        for who, text in self.texts.items():
            for what, value in PLANTED.items():
                if value in text or json.dumps(value)[1:-1] in text:
                    found.append(f"{who}: {what}")
            if "planted.example" in text:
                found.append(f"{who}: an e-mail address")
        return found


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("planted") / "mine")


@pytest.fixture
def said(project: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> Iterator[Said]:
    caplog.set_level(logging.DEBUG)
    found = Said(project, capfd)
    yield found
    found.texts["log"] = caplog.text
    assert found.leaks() == []


def test_nothing_that_is_said_repeats_a_personal_value(said: Said) -> None:
    root = said.root
    said.call("feeds", "check")
    said.call("plan")
    said.call("run")
    for arguments in (
        ["status"], ["plan"], ["doctor"], ["feeds", "list"], ["quarantine", "list"], ["quarantine", "reasons"],
        ["quality", "check"], ["tables", "list"], ["tables", "show", "staging.messages"],
        *(["feeds", "show", name] for name in FEEDS),
    ):  # fmt: skip
        said.call(*arguments)
        said.call(*arguments, "--json")
    rows = json.loads(said.call("quarantine", "list", "--json"))
    assert {row["feed"] for row in rows} >= {"mail", "people", "bare", "shop", "web", "words"}
    for row in rows:
        said.call("quarantine", "show", row["quarantine_id"])
        said.call("quarantine", "show", row["quarantine_id"], "--json")
    for name in FILES:
        said.call("feeds", "try", str(root / "landing" / name))
        said.call("feeds", "try", str(root / "landing" / name), "--json")
    said.call("quarantine", "export", str(root / "rows.jsonl"))
    said.texts["export"] = (root / "rows.jsonl").read_text(encoding="utf-8")
    said.texts |= _tables(Project(root)) | _pages(root) | _events(root)
    assert any("messages" in name for name in said.texts if name.endswith(".html"))
    assert "•••" in said.texts["ops.source_columns"]


def test_errors_about_what_people_wrote_repeat_no_value_of_it(said: Said) -> None:
    root, planted = said.root, PLANTED
    corrections = root / "config" / "corrections"
    corrections.mkdir(exist_ok=True)
    decided = {"author": "me", "on": "2026-01-06", "why": "because"}
    for wrong in (
        {"row": 2, "set": {planted["header e-mail"]: planted["corrected"], "Created": planted["corrected"]}},
        {"row": planted["corrected"], "set": {"Created": planted["corrected"]}, "on": planted["corrected"]},
        {"row": 2, "set": {"Created": planted["corrected"]}},
    ):
        entry = {"feed": "people", "file": f"{DAY}/people.csv"} | decided | wrong
        (corrections / "some.yml").write_text(json.dumps({"corrections": [entry]}), encoding="utf-8")
        said.call("feeds", "check")
    said.call("run")
    decisions = root / "decisions.csv"
    for text in (
        f"action,left,right,reason\n{planted['decision reason']},a,b,c\n",
        f"action,left,right,reason\nmerge,{planted['decision']},{planted['device']},{planted['decision reason']}\n",
        f"action,left,right,{planted['decision']},reason\nmerge,a,b,c,d\n",
    ):
        decisions.write_text(text, encoding="utf-8")
        said.call("customer", "import", str(decisions))
    _deliver_from_a_database(root)
    said.call("feeds", "fetch", "base")
    said.call("doctor")
    said.texts |= _events(root)


def _deliver_from_a_database(root: Path) -> None:
    """A column that says it holds numbers and holds a name."""
    with sqlite3.connect(root / "source.db") as source:
        source.execute("create table people (id integer, name integer)")
        source.execute("insert into people values (1, ?)", (PLANTED["database"],))
    (root / "config" / "feeds" / "base.yml").write_text(
        "{kind: contacts, mapping: parquet, fields: {contact_id: id, full_name: name}, origin: {kind: sql,"
        f" url: 'sqlite:///{root}/source.db', table: people, attempts: 1}}}}",
        encoding="utf-8",
    )


def _tables(project: Project) -> dict[str, str]:
    """All tables about the work, and the reasons in quarantine; of who is who, what readers see."""
    with open_warehouse(project.database, read_only=True) as warehouse:
        cursor = warehouse.cursor()
        names = cursor.execute("select table_name from duckdb_tables() where schema_name = 'ops'").fetchall()
        found = {}
        for (name,) in names:
            cursor.execute(f"select * from ops.{name}")
            columns = [column[0] for column in cursor.description or ()]
            found[f"ops.{name}"] = "\n".join(
                str({column: value for column, value in zip(columns, row, strict=True) if column not in HELD_BY_DESIGN})
                for row in cursor.fetchall()
            )
        for kind in ("messages", "contacts", "purchases", "web_events", "feedback"):
            reasons = cursor.execute(f"select reasons from quarantine.{kind}").fetchall()
            found[f"quarantine.{kind}"] = str(reasons)
        return found


def _pages(root: Path) -> dict[str, str]:
    pages = [*root.glob("published/**/*.html"), *root.glob("published/**/*.json")]
    assert {page.suffix for page in pages} == {".html", ".json"}
    return {str(page.relative_to(root)): page.read_text(encoding="utf-8") for page in pages}


def _events(root: Path) -> dict[str, str]:
    """Every line of every run's log in Dagster, with its metadata."""
    with dg.DagsterInstance.from_config(str(root)) as instance:
        runs = instance.get_runs()
        assert runs
        return {
            f"Dagster run {run.run_id}": "\n".join([str(run), *map(str, instance.all_logs(run.run_id))]) for run in runs
        }
