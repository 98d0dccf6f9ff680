"""Suites: what must hold for each table, gathered from our defaults, the contracts, the project and its feeds.

* ``quality/defaults/<schema>/<table>.yml`` in this package: what holds for every business;
* what the contracts promise (see ``quality.promised``), so that it is listed and asked like everything else;
* ``config/quality.yml`` of the project: adds expectations, replaces one of the same name, changes a severity,
  switches one off;
* ``expectations:`` of a feed: asked for the rows of that feed only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Literal, Protocol

from pydantic import Field

from quality.contracts.table import all_tables
from quality.promised import promised_expectations
from quality.reason_jumps import JumpRule
from quality.vocabulary import Expectation, Severity
from warehouse.declaration import (
    Declaration,
    Location,
    Problems,
    Reading,
    as_meant,
    parse_declaration,
    read_declaration,
    read_partly,
    suggestion,
)
from warehouse.explained import name_like
from warehouse.project import Project

_PROJECT_FILE = "config/quality.yml"
_NAME_COLUMNS = ("column", "columns", "rule", "if_declared")
"""The keys that decide which columns an expectation needs."""


@dataclass(frozen=True)
class Suite:
    """What must hold for one table (``schema.table``): expectations with distinct names, in order of declaration."""

    table: str
    expectations: tuple[Expectation, ...]

    @property
    def blocking(self) -> tuple[Expectation, ...]:
        """Those whose breach blocks what is downstream."""
        return tuple(item for item in self.expectations if item.severity == "error")

    def with_expectations(self, added: Iterable[Expectation]) -> Suite:
        """The suite with more expectations; one of a name that exists takes its place."""
        named = {item.name: item for item in self.expectations}
        named.update({item.name: item for item in added})
        return replace(self, expectations=tuple(named.values()))


class TableDeclaration(Declaration):
    """One file of our defaults."""

    expectations: tuple[Expectation, ...] = Field(description="What must hold for the table.")


class QualityFile(Declaration):
    """``config/quality.yml`` of a project."""

    expectations: dict[str, tuple[Expectation, ...]] = Field(
        default_factory=dict,
        description="Table (schema.table): what must hold besides, or in the place of one of the same name.",
    )
    severities: dict[str, Severity | Literal["off"]] = Field(
        default_factory=dict, description="schema.table.name: error, warn, or off (not asked)."
    )
    reason_jumps: JumpRule = Field(
        default_factory=JumpRule, description="When the share of rows refused for a reason is said to jump."
    )


class DeclaresExpectations(Protocol):
    """A feed, as far as quality knows it."""

    @property
    def name(self) -> str:
        """Name of the feed."""

    @property
    def kind(self) -> str:
        """Contract of its rows: they stand in ``staging.<kind>``."""

    @property
    def expectations(self) -> tuple[Expectation, ...]:
        """What must hold for its rows besides."""


def load_suites(
    project: Project, problems: Problems | None = None, feeds: Iterable[DeclaresExpectations] = ()
) -> dict[str, Suite]:
    """All suites of a project by table name, in order of the names.

    Raises:
        DeclarationError: ``config/quality.yml`` is wrong (only when no collector of problems is given).
    """
    collected = problems if problems is not None else Problems()
    suites = dict(default_suites())
    if (project.config / "quality.yml").exists():
        reading = read_partly(project.config / "quality.yml", QualityFile, collected, shown_as=_PROJECT_FILE)
        if reading.declaration is not None:
            _apply(reading, suites, collected)
    for feed in feeds:
        table = f"staging.{feed.kind}"
        if table in suites:
            suites[table] = suites[table].with_expectations(_of_feed(feed))
    if problems is None:
        collected.raise_if_any()
    return dict(sorted(suites.items()))


def load_jump_rule(project: Project) -> JumpRule:
    """When the share of a reason is said to jump; the default where nothing, or nothing right, is declared."""
    path = project.config / "quality.yml"
    declared = read_declaration(path, QualityFile, Problems(), shown_as=_PROJECT_FILE) if path.exists() else None
    return declared.reason_jumps if declared is not None else JumpRule()


def _of_feed(feed: DeclaresExpectations) -> Iterator[Expectation]:
    for item in feed.expectations:
        name = f"{feed.name.replace('-', '_')}_{item.name}"  # the name of a check has no hyphens
        yield item.model_copy(update={"feed": feed.name, "name": name})


def _may_be(name: str, table: str, reading: Reading[QualityFile]) -> bool:
    """Whether an expectation whose name is not known may be called so."""
    declared = reading.declaration.expectations.get(table, ()) if reading.declaration is not None else ()
    for place in range(len(declared)):
        if reading.lacks("expectations", table, place, "name"):
            written = reading.written("expectations", table, place, "name")
            if not isinstance(written, str) or name in {written, name_like(written)}:
                return True
    return False


def _apply(reading: Reading[QualityFile], suites: dict[str, Suite], problems: Problems) -> None:
    declared = reading.declaration
    assert declared is not None, "only then it is asked for"
    for table, added in declared.expectations.items():
        if table not in suites:
            line = declared.line_of("expectations", table)
            problems.add(
                _PROJECT_FILE, line, f"`{table}` is no table with expectations.", suggestion(table, list(suites))
            )
        meant = as_meant(table, suites)
        if meant is not None:
            check_expectations(meant, declared, added, ("expectations", table), problems, reading.mended.lacks)
            suites[meant] = suites[meant].with_expectations(added)
    for key, severity in declared.severities.items():
        table, _, name = key.rpartition(".")
        suite = suites.get(table)
        known = [item.name for item in suite.expectations] if suite else list(suites)
        if suite is not None and _may_be(name, table, reading):
            continue
        if suite is None or name not in known:
            line = declared.line_of("severities", key)
            fix = suggestion(name if suite else table, known)
            problems.add(_PROJECT_FILE, line, f"`{key}` names no expectation.", fix)
            continue
        suites[table] = _with_severity(suite, name, severity)


def check_expectations(
    table: str,
    declared: Declaration,
    expectations: Iterable[Expectation],
    at: Location,
    problems: Problems,
    lacks: Callable[[Location], bool] = lambda _: False,
) -> None:
    """A column that the contract of a staging table does not know is a slip of the pen, told before anything runs.

    Nothing is told of what ``lacks`` its meaning.
    """
    known = _staged_columns().get(table, ())
    for place, item in enumerate(expectations):
        if not known or item.if_declared or any(lacks((*at, place, key)) for key in _NAME_COLUMNS):
            continue
        for column in item.columns_read:
            if column not in known:
                called = f"`{item.name}`: " if not lacks((*at, place, "name")) else ""
                what = f"{called}{table} has no column `{column}`."
                problems.add(declared.declared_in, declared.line_of(*at, place), what, suggestion(column, known))


@cache
def _staged_columns() -> Mapping[str, tuple[str, ...]]:
    return {f"staging.{table.name}": tuple(column.name for column in table.all_columns) for table in all_tables()}


def _with_severity(suite: Suite, name: str, severity: Severity | Literal["off"]) -> Suite:
    if severity == "off":
        return replace(suite, expectations=tuple(item for item in suite.expectations if item.name != name))
    changed = (
        item.model_copy(update={"severity": severity}) if item.name == name else item for item in suite.expectations
    )
    return replace(suite, expectations=tuple(changed))


@cache
def default_suites() -> Mapping[str, Suite]:
    """What holds for every business, by table name: the contracts' promises first, then the declared ones."""
    suites = {table: Suite(table, expectations) for table, expectations in promised_expectations().items()}
    problems = Problems()
    for table, file in _default_files():
        shown = f"quality/defaults/{table.replace('.', '/')}.yml"
        declared = parse_declaration(file.read_text(encoding="utf-8"), TableDeclaration, problems, shown_as=shown)
        if declared is not None:
            suites[table] = suites.get(table, Suite(table, ())).with_expectations(declared.expectations)
    problems.raise_if_any()
    return dict(sorted(suites.items()))


def _default_files() -> Iterator[tuple[str, Traversable]]:
    for schema in sorted((files("quality") / "defaults").iterdir(), key=lambda item: item.name):
        if not schema.is_dir():
            continue
        for file in sorted(schema.iterdir(), key=lambda item: item.name):
            if file.name.endswith(".yml"):
                yield f"{schema.name}.{file.name.removesuffix('.yml')}", file
