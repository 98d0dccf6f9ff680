"""How one value is chosen for a customer when sources disagree: ``config/survivorship.yml``.

A rule chooses the columns it names together, from one source row, so that no address is put together from two homes.
Candidates are ordered by the rule's strategies, one after the other; what they leave equal is ordered by the newest
observation and then by the place of the source row, which is unique: the same rows give the same value in any order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.resources import files
from typing import Literal

from pydantic import Field

from quality.contracts.registry import CONTRACTS
from quality.contracts.table import tables
from sources.feed import declared_names
from warehouse.declaration import (
    Declaration,
    Location,
    Problems,
    Reading,
    as_meant,
    parse_partly,
    read_partly,
    suggestion,
)
from warehouse.project import Project

Strategy = Literal[
    "filled_first", "most_complete", "verified_first", "source_priority", "most_recent", "most_frequent", "longest"
]

Lacks = Callable[[Location], bool]

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
    reading = _read(project, problems)
    if reading.declaration is not None:
        _check(reading.declaration, declared_names(project), problems, reading.mended.lacks)
    problems.raise_if_any()
    assert reading.declaration is not None, "a declaration that is not read leaves a problem"
    return reading.declaration


def known_survivorship(project: Project) -> Survivorship | None:
    """As much of it as is right; None when it is not known which words stand for which."""
    reading = _read(project, Problems())
    return None if reading.lacks("synonyms") or reading.lacks("placeholders") else reading.declaration


def _read(project: Project, problems: Problems) -> Reading[Survivorship]:
    path = project.config / "survivorship.yml"
    if path.is_file():
        return read_partly(path, Survivorship, problems, shown_as="config/survivorship.yml")
    text = (files("profiles") / "defaults" / "survivorship.yml").read_text(encoding="utf-8")
    return parse_partly(text, Survivorship, problems, shown_as="profiles/defaults/survivorship.yml")


def contract_columns() -> Mapping[str, Mapping[str, str]]:
    """Kind → column → SQL type, of the kinds a rule may ask."""
    return {kind: {column.name: column.sql_type for column in tables(kind)[0].columns} for kind in CONTRACTS}


def _check(declared: Survivorship, feeds: tuple[str, ...], problems: Problems, lacks: Lacks) -> None:
    chosen_by: dict[str, str] = {}
    for name, rule in declared.rules.items():
        at = ("rules", name)

        def report(what: str, fix: str, where: Location = at) -> None:
            problems.add(declared.declared_in, declared.line_of(*where), what, fix)

        if not lacks((*at, "columns")):
            for column in declared.columns_of(name):
                if column in chosen_by:
                    report(f"`{column}` is chosen by `{chosen_by[column]}` and by `{name}`.", "Name it in one rule.")
                chosen_by.setdefault(column, name)
        _check_rule(name, rule, feeds, report, lambda key, at=at: lacks((*at, key)))  # type: ignore[misc]
    rules_are_sure = bool(declared.rules or not lacks(("rules",))) and not any(
        lacks(("rules", name, "columns")) for name in declared.rules
    )
    for column in declared.synonyms:
        if column not in chosen_by and rules_are_sure:
            line = declared.line_of("synonyms", column)
            problems.add(
                declared.declared_in, line, f"No rule chooses `{column}`.", suggestion(column, sorted(chosen_by))
            )


def _check_rule(
    name: str, rule: Rule, feeds: tuple[str, ...], report: Callable[[str, str], None], lacks: Callable[[str], bool]
) -> None:
    known = contract_columns()
    if not lacks("sources"):
        for kind in rule.sources:
            if kind not in SOURCES:
                report(f"`{name}` asks the kind `{kind}`.", suggestion(kind, list(SOURCES)))
        kinds = [as_meant(kind, SOURCES) for kind in rule.sources]
        fields = sorted({field for kind in kinds for field in known.get(kind or "", {})}) if all(kinds) else []
        for column in (rule.columns or (name,)) if fields and not lacks("columns") else ():
            if column not in fields:
                report(f"No source of `{name}` has a field `{column}`.", suggestion(column, fields))
    if "source_priority" in rule.prefer and not rule.priority and not lacks("prefer") and not lacks("priority"):
        report(f"`{name}` goes by source_priority without a `priority`.", "Add `priority: [...]`.")
    for source in rule.priority if not lacks("priority") else ():
        if source not in CONTRACTS and source not in feeds:
            what = f"`{source}` in the priority of `{name}` is no kind and no feed."
            report(what, suggestion(source, [*SOURCES, *feeds]))
