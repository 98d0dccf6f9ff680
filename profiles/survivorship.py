"""How one value is chosen for a customer when sources disagree: ``config/survivorship.yml``.

A rule chooses the columns it names together, from one source row, so that no address is put together from two homes.
Candidates are ordered by the rule's strategies, one after the other; what they leave equal is ordered by the newest
observation and then by the place of the source row, which is unique: the same rows give the same value in any order.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from typing import ClassVar, Literal

from pydantic import Field

from quality.contracts.registry import CONTRACTS
from quality.contracts.table import tables
from sources.feed import declared_names
from warehouse.declaration import Declaration, Problems, parse_partly, read_partly, suggestion
from warehouse.project import Project

Strategy = Literal[
    "filled_first", "most_complete", "verified_first", "source_priority", "most_recent", "most_frequent", "longest"
]

SOURCES = ("contacts", "purchases", "feedback", "web_events", "social_interactions")
"""Kinds in which a person says something about themselves. Messages are what we say to them."""


class Rule(Declaration):
    """How the values of one or several columns are chosen, together, from one row."""

    columns: tuple[str, ...] = Field(
        (), description="Columns chosen together. Default: the one the rule is named after."
    )
    sources: tuple[str, ...] = Field(SOURCES, min_length=1, description="Kinds whose rows are asked.")
    prefer: tuple[Strategy, ...] = Field(
        min_length=1,
        description="In this order. filled_first: rows that fill the first column, then those that fill the second, "
        "and so on. most_complete: rows that fill most columns. verified_first: addresses whose messages were "
        "answered. source_priority: the order of `priority`. most_recent: by the newest row. most_frequent, longest: "
        "by the first column.",
    )
    priority: tuple[str, ...] = Field((), description="Feeds or kinds, best first; any other comes after them.")
    identifier: Literal["email", "phone", "name"] | None = Field(
        None, description="The values are identifiers of this kind: what identity blocks as a placeholder is no value."
    )


class Survivorship(Declaration):
    """What decides the golden record."""

    stand_ins: ClassVar[Mapping[str, object]] = {"rules": {}}

    placeholders: tuple[str, ...] = Field(
        (), description="Words, in lower case, that sources write when they know nothing."
    )
    synonyms: dict[str, dict[str, str]] = Field(
        default_factory=dict, description="Column → word in lower case → the one word it stands for."
    )
    verified_by: tuple[str, ...] = Field(
        ("opened", "clicked"), description="Message events which prove that an address reaches its owner."
    )
    rules: dict[str, Rule] = Field(description="Rule → how it chooses.")

    def columns_of(self, rule: str) -> tuple[str, ...]:
        """The columns that a rule chooses."""
        return self.rules[rule].columns or (rule,)

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that is chosen, in the order of the declaration."""
        return tuple(column for rule in self.rules for column in self.columns_of(rule))

    def parameters(self) -> dict[str, object]:
        """What is declared, as the parameters that the generated statements name."""
        lists: dict[str, object] = {"verified_by": list(self.verified_by), "placeholders": list(self.placeholders)}
        for name, words in self.synonyms.items():
            lists |= {f"{name}_words": list(words), f"{name}_meanings": list(words.values())}
        return lists | {f"{name}_priority": list(rule.priority) for name, rule in self.rules.items() if rule.priority}


def load_survivorship(project: Project, problems: Problems | None = None) -> Survivorship:
    """Read ``config/survivorship.yml``; a project without one goes by ``profiles/defaults/survivorship.yml``.

    Raises:
        DeclarationError: the file is wrong, together with the problems collected before.
    """
    problems = problems if problems is not None else Problems()
    shown = "config/survivorship.yml"
    path = project.config / "survivorship.yml"
    if path.is_file():
        reading = read_partly(path, Survivorship, problems, shown_as=shown)
    else:
        shown = "profiles/defaults/survivorship.yml"
        text = (files("profiles") / "defaults" / "survivorship.yml").read_text(encoding="utf-8")
        reading = parse_partly(text, Survivorship, problems, shown_as=shown)
    if reading.declaration is not None:
        _check(reading.declaration, declared_names(project), problems, shown, rules_are_sure=not reading.lacks("rules"))
    problems.raise_if_any()
    assert reading.declaration is not None, "a declaration that is not read leaves a problem"
    return reading.declaration


def contract_columns() -> Mapping[str, Mapping[str, str]]:
    """Kind → column → SQL type, of the kinds a rule may ask."""
    return {kind: {column.name: column.sql_type for column in tables(kind)[0].columns} for kind in CONTRACTS}


def _check(
    declared: Survivorship, feeds: tuple[str, ...], problems: Problems, shown: str, *, rules_are_sure: bool
) -> None:
    known = contract_columns()
    chosen_by: dict[str, str] = {}
    for name, rule in declared.rules.items():
        line = declared.line_of("rules", name)
        for kind in rule.sources:
            if kind not in SOURCES:
                problems.add(shown, line, f"`{name}` asks the kind `{kind}`.", suggestion(kind, list(SOURCES)))
        for column in declared.columns_of(name):
            if column in chosen_by:
                what = f"`{column}` is chosen by `{chosen_by[column]}` and by `{name}`."
                problems.add(shown, line, what, "Name it in one rule.")
            chosen_by[column] = name
            fields = sorted({field for kind in rule.sources for field in known.get(kind, {})})
            if fields and column not in fields:
                problems.add(shown, line, f"No source of `{name}` has a field `{column}`.", suggestion(column, fields))
        if "source_priority" in rule.prefer and not rule.priority:
            problems.add(
                shown, line, f"`{name}` goes by source_priority without a `priority`.", "Add `priority: [...]`."
            )
        for source in rule.priority:
            if source not in CONTRACTS and source not in feeds:
                what = f"`{source}` in the priority of `{name}` is no kind and no feed."
                problems.add(shown, line, what, suggestion(source, [*SOURCES, *feeds]))
    for column in declared.synonyms:
        if column not in chosen_by and rules_are_sure:
            line = declared.line_of("synonyms", column)
            problems.add(shown, line, f"No rule chooses `{column}`.", suggestion(column, sorted(chosen_by)))
