"""Writes the generated pages of ``docs/``: data dictionary, mappings, commands. ``make docs`` runs it."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import click
import typer

from cdp.command import app
from cdp.steps import all_steps, empty_warehouse
from quality.contracts.columns import columns
from quality.contracts.registry import CONTRACTS
from sources.mapping import describe_mapping, mapping_ids, read_mapping
from warehouse.business import load_business
from warehouse.project import Project

NOTE = "<!-- Written by `make docs`; change the code it is read from, not this page. -->"


def pages(project: Project) -> Mapping[str, str]:
    """Page name → text, for every generated page."""
    return {"dictionary.md": dictionary(project), "mappings.md": mappings(), "commands.md": commands()}


def dictionary(project: Project) -> str:
    """Contracts, then every table of the warehouse with grain and columns."""
    parts = ["# Data dictionary", NOTE, "Times are UTC. Amounts are DECIMAL(18,4) beside an ISO currency.", "## Contracts"]
    for kind, model in CONTRACTS.items():
        parts += [f"### {kind}", " ".join((model.__doc__ or "").split())]
        rows = ((f"`{c.name}`", c.sql_type, "" if c.is_nullable else "required", c.description) for c in columns(model))
        parts.append(_table(("field", "type", "", "meaning"), rows))
    parts.append("## Tables")
    types = _types(project)
    for step in all_steps(project, load_business(project)):
        for spec in step.tables:
            if spec.name.startswith("_"):
                continue
            parts += [f"### {spec.full_name}", spec.description, f"One row per {', '.join(f'`{c}`' for c in spec.grain)}."]
            rows = ((f"`{name}`", kind, spec.columns.get(name, "")) for name, kind in types[spec.full_name].items())
            parts.append(_table(("column", "type", "meaning"), rows))
    return "\n\n".join(parts) + "\n"


def mappings() -> str:
    """Per vendor format: source field → contract field → rule."""
    parts = ["# Mappings", NOTE]
    for name in mapping_ids():
        mapping = read_mapping(name)
        parts += [f"## {name}", f"{mapping.description} After: {mapping.documentation}. Makes `{mapping.kind or 'any kind'}`."]
        rows = ((f"`{source}`", f"`{field}`", rule) for source, field, rule in describe_mapping(mapping))
        parts.append(_table(("source field", "contract field", "rule"), rows))
    return "\n\n".join(parts) + "\n"


def commands() -> str:
    """Every command with its options."""
    parts = ["# Commands", NOTE]
    parts += [text for path, command in _walk(typer.main.get_command(app), ("cdp",)) for text in _command(path, command)]
    return "\n\n".join(parts) + "\n"


def _walk(command: click.Command, path: tuple[str, ...]) -> Iterable[tuple[tuple[str, ...], click.Command]]:
    children = getattr(command, "commands", None)
    if children is None:
        yield path, command
        return
    for name in sorted(children):
        yield from _walk(children[name], (*path, name))


def _command(path: tuple[str, ...], command: click.Command) -> list[str]:
    context = click.Context(command, info_name=" ".join(path))
    usage = " ".join(command.collect_usage_pieces(context))
    rows = [record for parameter in command.params if (record := parameter.get_help_record(context))]
    texts = [f"## {' '.join(path)}", " ".join((command.help or "").split()), f"`{' '.join(path)} {usage}`"]
    if rows:
        texts.append(_table(("option", "meaning"), ((f"`{name}`", text) for name, text in rows)))
    return texts


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [_line(header), _line(["---"] * len(header))]
    lines += [_line(row) for row in rows]
    return "\n".join(lines)


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(" ".join(str(cell).replace("|", "\\|").split()) for cell in cells) + " |"


def _types(project: Project) -> dict[str, dict[str, str]]:
    with empty_warehouse(project) as warehouse:
        found = warehouse.cursor().execute(
            "select table_schema || '.' || table_name, column_name, data_type from information_schema.columns "
            "order by table_schema, table_name, ordinal_position"
        )
        types: dict[str, dict[str, str]] = {}
        for table, column, kind in found.fetchall():
            types.setdefault(table, {})[column] = kind
    return types


def main() -> int:
    """Write every page below ``docs/`` of the current folder."""
    folder = Path("docs")
    for name, text in pages(Project(Path.cwd())).items():
        (folder / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
