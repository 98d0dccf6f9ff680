"""Writes the generated pages of ``docs/``: data dictionary, declarations, mappings, commands. ``make docs`` runs it."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Mapping as Table
from pathlib import Path
from typing import Any

import typer
from pydantic import BaseModel

from assets.declared import read_project
from cdp.command import build_app
from cdp.commands.schema import models_by_name
from cdp.declared_keys import Section, first_sentence, sections_of
from cdp.empty_warehouse import LEDGERS, empty_warehouse
from quality.contracts.columns import columns
from quality.contracts.registry import CONTRACTS
from quality.quarantine import spec as quarantine_spec
from sources import grammar
from sources.expression import Expression
from sources.mapping import Mapping, describe_fields, mapping_ids, read_mapping
from sources.operations.operation import Operation
from warehouse.project import Project
from warehouse.step import TableSpec

NOTE = "<!-- Written by `make docs`; change the code it is read from, not this page. -->"


def pages(project: Project) -> Table[str, str]:
    """Page name → text, for every generated page."""
    return {
        "declarations.md": declarations(),
        "dictionary.md": dictionary(project),
        "mappings.md": mappings(),
        "commands.md": commands(),
    }


def declarations() -> str:
    """Every key of the files below ``config/``, and the words that mappings are written in."""
    parts = ["# Declarations", NOTE, "The files below `config/`, key by key. A key without a default is optional."]
    told: dict[type[BaseModel], str] = {}
    for name, model in models_by_name().items():
        if name not in CONTRACTS:
            for section in sections_of(name, model, told):
                parts += _section(name, section)
    parts += ["## Expressions in `fields:`", (grammar.__doc__ or "").replace("``", "`").strip()]
    known = sorted({(item.name, first_sentence(item)) for item in _below(Operation) if "name" in vars(item)})
    operations = [(f"`{name}`", meaning.replace("``", "`")) for name, meaning in known]
    parts += ["## Operations in `then:`", _table(("operation", "what it does"), operations)]
    return "\n\n".join(parts) + "\n"


def _section(name: str, section: Section) -> Iterator[str]:
    yield f"### {name}: `{section.place}`" if section.place else f"## {name}"
    yield section.sentence
    if section.rows:
        first, *others = section.columns
        rows = ((f"`{row[first]}`", *(row[column] for column in others)) for row in section.rows)
        yield _table(section.columns, rows)
    if section.example:
        yield f"```yaml\n{section.example}\n```"


def _below(above: type) -> Iterator[Any]:
    item: Any
    for item in above.__subclasses__():
        yield item
        yield from _below(item)


def dictionary(project: Project) -> str:
    """Contracts, then every table of the warehouse with grain and columns: data, refused rows, the work itself."""
    units = "Times are UTC. Amounts are DECIMAL(18,4) beside an ISO currency."
    parts = ["# Data dictionary", NOTE, units, "## Contracts"]
    for kind, model in CONTRACTS.items():
        fields = (
            (f"`{c.name}`", c.sql_type, "" if c.is_nullable else "required", c.description) for c in columns(model)
        )
        parts += [f"### {kind}", " ".join((model.__doc__ or "").split())]
        parts.append(_table(("field", "type", "", "meaning"), fields))
    parts.append("## Tables")
    types = _types(project)
    for step in read_project(project).steps:
        for spec in step.tables:
            if not spec.name.startswith("_") and spec not in LEDGERS:
                parts += _described(spec, types[spec.full_name])
    parts += [
        "## Refused rows",
        f"One table for each contract: {', '.join(f'`quarantine.{kind}`' for kind in CONTRACTS)}.",
    ]
    parts += _described(quarantine_spec("KIND"), types[f"quarantine.{next(iter(CONTRACTS))}"])
    parts += ["## The work", "What was loaded, checked, refused, decided and looked at."]
    for spec in sorted(LEDGERS, key=lambda ledger: ledger.name):
        parts += _described(spec, types[spec.full_name])
    return "\n\n".join(parts) + "\n"


def _described(spec: TableSpec, types: Table[str, str]) -> list[str]:
    grain = ", ".join(f"`{column}`" for column in spec.grain)
    rows = [(f"`{name}`", kind, spec.columns.get(name, "")) for name, kind in types.items()]
    return [
        f"### {spec.full_name}",
        spec.description,
        f"One row per {grain}." if grain else "No columns tell its rows apart.",
        _table(("column", "type", "meaning"), rows),
    ]


def mappings() -> str:
    """Per vendor format: source field → contract field → rule."""
    parts = ["# Mappings", NOTE]
    for mapping_id in mapping_ids():
        mapping = read_mapping(mapping_id)
        made = f"`{mapping.kind}`" if mapping.kind else "the kind its feed names"
        after = mapping.documentation or "the file itself"
        parts += [f"## {mapping_id}", f"{mapping.description} Makes {made}. After: {after}.{_reading(mapping)}"]
        parts += _mapping_rows(mapping.fields)
        if mapping.envelope:
            keys = ", ".join(f"`{key}`" for key in mapping.envelope)
            parts.append(f"Objects are also found under {keys}, as often as one stands inside another.")
        if mapping.nested:
            lists = ", ".join(f"`{path}`" for path in mapping.nested)
            parts.append(f"The objects in {lists} are rows of their own.")
        if mapping.free_form:
            free = ", ".join(f"`{path}`" for path in mapping.free_form)
            parts.append(f"What the contract does not take of {free} stays in `extra` under its path; it is no error.")
        for name, attached in mapping.attach.items():
            parts.append(f"`{name}` is the object of `{attached.list}` whose `{attached.key}` is the `{attached.by}`.")
        if mapping.table is not None:
            grouped = f" Rows of one `{mapping.table.group_by}` belong together." if mapping.table.group_by else ""
            parts.append(f"### {mapping_id} as a table")
            parts.append(f"{mapping.table.description} Declared with `format: csv`.{grouped}".strip())
            parts += _mapping_rows(mapping.table.fields)
    return "\n\n".join(parts) + "\n"


def _mapping_rows(fields: Table[str, Expression]) -> list[str]:
    rows = [(f"`{source}`" if source else "", f"`{field}`", rule) for source, field, rule in describe_fields(fields)]
    return [_table(("source field", "contract field", "rule"), rows)] if rows else []


def _reading(mapping: Mapping) -> str:
    """How files are read before any field is, in words; nothing where there is nothing to say."""
    others = ", ".join(f"`{other}` is `{meant}`" for other, meant in mapping.headings.items())
    said = {
        " Forms: ": ", ".join((mapping.format, *mapping.also)) if mapping.also else "",
        " Clocks are in ": mapping.time_zone or "",
        " Read as nothing: ": ", ".join(f"`{word}`" for word in mapping.null_words if word),
        " Headings: ": others,
    }
    return "".join(f"{what}{words}." for what, words in said.items() if words)


def commands() -> str:
    """Every command with its options."""
    parts = ["# Commands", NOTE]
    for path, command in walk_commands(typer.main.get_command(build_app()), ("cdp",)):
        parts += _command(path, command)
    return "\n\n".join(parts) + "\n"


def walk_commands(command: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:  # noqa: ANN401
    """Every leaf of a command tree with the words that call it. Typer vendors its own classes, so they stay untyped."""
    children = getattr(command, "commands", None)
    if children is None:
        yield path, command
        return
    for name in sorted(children):
        yield from walk_commands(children[name], (*path, name))


def _command(path: tuple[str, ...], command: Any) -> list[str]:  # noqa: ANN401 - see walk_commands
    context = command.context_class(command, info_name=" ".join(path))
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
