"""A first version of the rules for a table, with a reason beside each choice, as text that a person reads and edits."""

from __future__ import annotations

import json

import pyarrow as pa

from identity.linker.declaration import FieldRule, IgnoredColumn, LinkRules
from identity.linker.guess import Guess, guess_columns
from identity.linker.judges import DAY, MONTH, NOTHING, RECORD_KEY, SOURCE, SURROGATE, YEAR
from identity.linker.roles import Role
from warehouse.errors import InputError

_HEAD = """\
# How the records of {file} are linked. Written by `cdp identity suggest`; check it, then use it:
#   cdp identity run --input {file} --config <this file> --output clusters.parquet
# A field's role says how values are compared. Roles: {roles}.
"""


def suggest(table: pa.Table, ignored: frozenset[str] = frozenset()) -> LinkRules:
    """Rules for a table of texts; ignored columns are not looked at.

    Raises:
        InputError: nothing in the table tells people apart.
    """
    guesses = guess_columns(table, ignored)
    fields = [FieldRule(role=Role(g.meaning), columns=(g.column,), reason=g.reason) for g in guesses if _is_field(g)]
    parts = {g.meaning: g for g in guesses if g.meaning in (YEAR, MONTH, DAY)}
    if len(parts) == 3:
        columns = tuple(parts[meaning].column for meaning in (YEAR, MONTH, DAY))
        fields.append(
            FieldRule(role=Role.BIRTH, columns=columns, reason="years, months and days in columns of their own")
        )
    if not fields:
        raise InputError(
            "No column holds anything that people could be told apart by.", "Name the fields in a rules file."
        )
    left = [IgnoredColumn(column=g.column, reason=g.reason) for g in guesses if g.meaning in (NOTHING, SURROGATE)]
    left += [IgnoredColumn(column=name, reason="told to ignore it") for name in sorted(ignored)]
    keys = [g.column for g in guesses if g.meaning == RECORD_KEY]
    left += [IgnoredColumn(column=name, reason="another value in every record") for name in keys[1:]]
    sources = sorted((g for g in guesses if g.meaning == SOURCE), key=lambda g: -g.sure)
    left += [IgnoredColumn(column=g.column, reason=g.reason) for g in sources[1:]]
    source = sources[0].column if sources else None
    return LinkRules(record_id=keys[0] if keys else None, source=source, fields=tuple(fields), ignored=tuple(left))


def _is_field(guess: Guess) -> bool:
    return guess.meaning in set(Role)


def written(rules: LinkRules, file: str) -> str:
    """The rules as YAML with their reasons as comments."""
    lines = [_HEAD.format(file=file, roles=", ".join(Role)).rstrip()]
    if rules.record_id is not None:
        lines.append(f"record_id: {_quoted(rules.record_id)}    # another value in every record")
    if rules.source is not None:
        lines.append(f"source: {_quoted(rules.source)}    # where a record comes from")
    lines += ["", "fields:"]
    for rule in rules.fields:
        columns = ", ".join(_quoted(name) for name in rule.columns)
        lines.append(f"  - {{role: {rule.role.value}, columns: [{columns}]}}    # {_one_line(rule.reason)}")
    if rules.ignored:
        lines += ["", "# Not looked at:", "ignored:"]
        lines += [f"  - {{column: {_quoted(item.column)}}}    # {_one_line(item.reason)}" for item in rules.ignored]
    lines += ["", f"link_at: {rules.link_at}    # log2 odds from which two records are one person; 0 is even odds", ""]
    return "\n".join(lines)


def _quoted(text: str) -> str:
    """A column's name as a YAML text, whatever is in it."""
    return json.dumps(text, ensure_ascii=False)


def _one_line(text: str) -> str:
    return " ".join(text.split())
