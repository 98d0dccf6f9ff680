"""The steps that find the members of segments and keep what was found on each as-of date."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from sqlglot import exp

from profiles.fields import Catalogue
from profiles.predicate import Predicate
from profiles.predicate_meaning import Binder, compile_predicate
from profiles.segment_fields import SUBJECTS
from profiles.segments import DeclaredSegment
from warehouse.columns import descriptions_for, origins_for
from warehouse.database import Connection
from warehouse.sql_model import generated_step
from warehouse.step import Run, Step, TableSpec

_OBSERVATIONS = TableSpec(
    "profiles",
    "_segment_observations",
    "Who was seen in which segment on each as-of date that was run. Kept for ever: a rebuild does not lose it, and "
    "running a date again replaces what was seen on that date only.",
    ("as_of", "segment", "customer_id"),
    descriptions_for("profiles", "_segment_observations"),
    origins=origins_for("profiles", "profiles", "_segment_observations"),
)
_SIZES = TableSpec(
    "profiles",
    "_segment_observed_sizes",
    "The segments that were looked at on each as-of date that was run, and how many customers each had. Kept for ever.",
    ("as_of", "segment"),
    descriptions_for("profiles", "_segment_observed_sizes"),
    origins=origins_for("profiles", "profiles", "_segment_observed_sizes"),
)
_MAKE_OBSERVATIONS = """
create table if not exists profiles._segment_observations (
    as_of date not null,
    segment varchar not null,
    customer_id varchar not null
)
"""
_MAKE_SIZES = """
create table if not exists profiles._segment_observed_sizes (
    as_of date not null,
    segment varchar not null,
    family varchar not null,
    customers bigint not null,
    population bigint not null
)
"""
_FORGET_OBSERVATIONS = "delete from profiles._segment_observations where as_of = $as_of"
_FORGET_SIZES = "delete from profiles._segment_observed_sizes where as_of = $as_of"
_KEEP_OBSERVATIONS = """
insert into profiles._segment_observations (as_of, segment, customer_id)
select
    members.as_of,
    members.segment,
    members.customer_id
from profiles.segment_members as members
where members.as_of = $as_of
"""
_KEEP_SIZES = """
insert into profiles._segment_observed_sizes (as_of, segment, family, customers, population)
select
    $as_of,
    segments.segment,
    segments.family,
    count(members.customer_id),
    (select count(*) from profiles._golden)
from profiles.segments as segments
left join profiles.segment_members as members
    on segments.segment = members.segment
    and members.as_of = $as_of
group by segments.segment, segments.family
"""


@dataclass(frozen=True)
class _Compiler:
    catalogue: Catalogue
    conditions: Mapping[str, Predicate]
    binder: Binder

    def members(self, item: DeclaredSegment) -> exp.Select:
        """The members of one segment."""
        condition = compile_predicate(item.segment.where, self.catalogue, self.binder, self.conditions)
        subject = exp.column("customer_id", table=SUBJECTS)
        query = exp.select(
            exp.alias_(exp.Literal.string(item.segment.name), "segment"),
            subject,
            exp.alias_(exp.cast(exp.Placeholder(this="as_of"), "DATE"), "as_of"),
            exp.alias_(exp.Literal.string(item.family), "family"),
        ).from_(_table(SUBJECTS))
        for table in sorted({column.table for column in condition.find_all(exp.Column)} - {SUBJECTS}):
            same = exp.EQ(this=subject.copy(), expression=exp.column("customer_id", table=table))
            query = query.join(_table(table), on=same, join_type="left")
        return query.where(condition)


def segments_step(declared: tuple[DeclaredSegment, ...]) -> Step:
    """``profiles.segments``: what is declared, for readers who do not see the files."""
    rows = [
        exp.select(
            exp.alias_(exp.Literal.string(item.segment.name), "segment"),
            exp.alias_(exp.Literal.string(item.family), "family"),
            exp.alias_(exp.Literal.string(item.segment.description), "description"),
            exp.alias_(exp.Literal.string(_definition(item.segment.where)), "definition"),
        )
        for item in declared
    ]
    empty = _nothing({"segment": "VARCHAR", "family": "VARCHAR", "description": "VARCHAR", "definition": "VARCHAR"})
    return generated_step(
        "profiles",
        "segments",
        "The segments that are declared: their family, meaning and condition.",
        ("segment",),
        descriptions_for("profiles", "segments"),
        _union([*rows, empty]),
    )


def members_step(declared: tuple[DeclaredSegment, ...], catalogue: Catalogue) -> Step:
    """``profiles.segment_members``: who is in which segment on the as-of date."""
    conditions = {item.segment.name: item.segment.where for item in declared}
    compiler = _Compiler(catalogue, conditions, Binder("segment"))
    queries = [compiler.members(item) for item in declared]
    empty = _nothing({"segment": "VARCHAR", "customer_id": "VARCHAR", "as_of": "DATE", "family": "VARCHAR"})
    return generated_step(
        "profiles",
        "segment_members",
        "The members of every segment on the as-of date. A customer of whom the condition is unknown is not a member.",
        ("segment", "customer_id"),
        descriptions_for("profiles", "segment_members"),
        _union([*queries, empty]),
        compiler.binder.values,
    )


def observations_step() -> Step:
    """Keeps what the run saw: its as-of date's members and sizes replace those seen on that date before."""

    def observe(connection: Connection, run: Run) -> None:
        connection.execute(_MAKE_OBSERVATIONS)
        connection.execute(_MAKE_SIZES)
        for statement in (_FORGET_OBSERVATIONS, _FORGET_SIZES, _KEEP_OBSERVATIONS, _KEEP_SIZES):
            connection.execute(statement, {"as_of": run.as_of})

    reads = frozenset({"profiles.segments", "profiles.segment_members", "profiles._golden"})
    return Step("profiles._segment_observations", (_OBSERVATIONS, _SIZES), reads, observe)


def _definition(condition: Predicate) -> str:
    written = condition.model_dump(mode="json", by_alias=True, exclude_none=True)
    return json.dumps(written, ensure_ascii=False)


def _union(queries: list[exp.Select]) -> exp.Expression:
    joined: exp.Query = queries[0]
    for query in queries[1:]:
        joined = exp.union(joined, query, distinct=False, copy=False)
    assert isinstance(joined, exp.Expression)
    return joined


def _nothing(columns: Mapping[str, str]) -> exp.Select:
    """No rows of the given columns: a table keeps its shape when nothing is declared."""
    values = [exp.alias_(exp.cast(exp.null(), kind), name) for name, kind in columns.items()]
    return exp.select(*values).where(exp.false())


def _table(name: str) -> exp.Expr:
    return exp.alias_(exp.table_(name, db="profiles"), name, table=True)
