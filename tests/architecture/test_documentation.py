"""The generated pages say what the code says, and leave nothing out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer

from assets.declared import read_project
from cdp.command import build_app
from cdp.documentation import pages, walk_commands
from cdp.empty_warehouse import LEDGERS, empty_warehouse
from quality.contracts.registry import CONTRACTS
from quality.quarantine import spec as quarantine_spec
from warehouse.project import Project

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def written() -> dict[str, str]:
    return dict(pages(Project(ROOT)))


@pytest.mark.parametrize("page", ["declarations.md", "dictionary.md", "mappings.md", "commands.md"])
def test_a_generated_page_is_up_to_date(page: str, written: dict[str, str]) -> None:
    assert (ROOT / "docs" / page).read_text(encoding="utf-8") == written[page], "run `make docs`"


def test_every_command_has_its_place_in_the_manual(written: dict[str, str]) -> None:
    for path, _ in walk_commands(typer.main.get_command(build_app()), ("cdp",)):
        assert f"## {' '.join(path)}\n" in written["commands.md"]


def test_every_command_takes_a_project() -> None:
    """Scripts append the option, whatever the command."""
    lacking = [
        " ".join(path)
        for path, command in walk_commands(typer.main.get_command(build_app()), ("cdp",))
        if not any("--project" in parameter.opts for parameter in command.params)
    ]
    assert lacking == []


def test_every_column_of_every_table_is_described() -> None:
    project = Project(ROOT)
    made = [spec for step in read_project(project).steps for spec in step.tables]
    specs = {spec.full_name: spec for spec in (*made, *LEDGERS, *map(quarantine_spec, CONTRACTS))}
    with empty_warehouse(project) as warehouse:
        columns = warehouse.cursor().execute(
            "select table_schema || '.' || table_name, column_name from information_schema.columns"
        )
        silent = [
            (table, column)
            for table, column in columns.fetchall()
            if "._" not in table and (table not in specs or column not in specs[table].columns)
        ]
    assert silent == []


def test_the_two_readmes_say_the_same_commands_paths_and_pages() -> None:
    def told(name: str) -> tuple[set[str], list[str]]:
        text = (ROOT / name).read_text(encoding="utf-8")
        marked = re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
        fenced = [
            line.split("#")[0].strip()
            for block in re.findall(r"```\w+\n(.*?)```", text, re.DOTALL)
            for line in block.splitlines()
        ]
        linked = re.findall(r"\]\(([^)]+)\)", text)
        own = {"README.md", "README.zh-CN.md"}
        named = {_in_any_language(item) for item in marked} | set(linked) - own
        return named, [line for line in fenced if not line.startswith(("time_zone", "country", "currency", "purpose"))]

    english, chinese = told("README.md"), told("README.zh-CN.md")
    assert english[0] - chinese[0] == set()
    assert chinese[0] - english[0] == set()
    assert english[1] == chinese[1]
    assert "docs/dictionary.md" in english[0]


def _in_any_language(text: str) -> str:
    """Code with its words for what the reader puts in taken out."""
    return re.sub(r"<[^>]*>|\b(DAY|DIR|COLUMN)\b|日期|目录|列名", "…", text)
