"""Where rows of a table come from: which of its columns lead, by which join, to the source rows behind them.

Nothing here knows the table that is asked by its name: it, or what a query finds, says by its columns how it is traced.
Another way is one more line in ``WAYS``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final

from sqlglot import exp

LINEAGE: Final = ("_feed", "_batch_on", "_file", "_row")
"""How staged rows say where they came from."""
_TOLD: Final = ("feed", "batch_on", "file", "row")
"""How tables above staging say it, and ``ops.quality_failures``."""
_TYPES: Final = ("varchar", "date", "varchar", "bigint")


@dataclass(frozen=True)
class Way:
    """From columns of a row (``keys``) to source rows: what they say themselves, or a table in which to look them up.

    ``found_as`` names the columns of ``source`` that equal ``keys``; ``places`` those that say feed, batch, file and
    row.
    """

    keys: tuple[str, ...]
    places: tuple[str, ...]
    source: str | None = None
    found_as: tuple[str, ...] = ()


WAYS: Final = (
    Way(LINEAGE, LINEAGE),
    Way(_TOLD, _TOLD),
    Way(("feed", "order_id", "line_id"), LINEAGE, "staging.purchase_lines", ("_feed", "order_id", "line_id")),
    Way(("feed", "order_id", "refund_id"), LINEAGE, "staging.purchase_refunds", ("_feed", "order_id", "refund_id")),
    Way(("feed", "order_id"), LINEAGE, "staging.purchases", ("_feed", "order_id")),
    Way(("record_id",), _TOLD, "identity.row_records", ("record_id",)),
    Way(("record_id_l",), _TOLD, "identity.row_records", ("record_id",)),
    Way(("record_id_r",), _TOLD, "identity.row_records", ("record_id",)),
)
"""The most exact first: a row is traced by the first that leads somewhere, and by all that look into the same table."""


def ways_from(columns: Collection[str], columns_of: Callable[[str], Collection[str]]) -> tuple[Way, ...]:
    """The ways that rows with these columns offer, as far as the tables to look into are there."""
    return tuple(
        way
        for way in WAYS
        if set(way.keys) <= set(columns)
        and (way.source is None or {*way.found_as, *way.places} <= set(columns_of(way.source)))
    )


def keys_of(ways: Sequence[Way]) -> tuple[str, ...]:
    """All columns that the ways start from."""
    return tuple(dict.fromkeys(key for way in ways for key in way.keys))


def source_rows(rows: exp.Select, ways: Sequence[Way], most: int) -> exp.Select:
    """At most so many source rows (feed, batch, file, row) of ``rows``, which select the keys of the ways.

    Where a row comes from several, one of each row comes before more of another.
    """
    found: list[exp.Query] = [
        _found(way, [other for other in ways[:place] if other.source != way.source], most)
        for place, way in enumerate(ways)
    ]
    every = exp.union(*found, distinct=False) if len(found) > 1 else found[0]
    # What a query of a business calls `_row` need not be a number: a cast that fails would fail the run.
    named = [exp.alias_(exp.TryCast(this=exp.column(name), to=exp.DataType.build(kind)), name)
             for name, kind in zip(LINEAGE, _TYPES, strict=True)]  # fmt: skip
    places = exp.select(*named, "_nth").from_(every.subquery("every"))
    told = exp.select(*LINEAGE).from_(places.subquery("places")).group_by(*LINEAGE)
    told = told.having(exp.and_(*(_is_there(exp.column(name)) for name in LINEAGE)))
    told = told.order_by(exp.func("min", exp.column("_nth")), *LINEAGE).limit(most)
    return told.with_("breaches", as_=rows)


def _found(way: Way, earlier: Sequence[Way], most: int) -> exp.Select:
    """The places that one way leads to, of rows that lead nowhere by the earlier ones.

    Keys are cut off before places are looked up: a record may come from any number of rows.
    """
    keys = [exp.column(key, table="breaches", quoted=True) for key in way.keys]
    leading = exp.and_(_leads(way), *(exp.not_(exp.paren(_leads(other))) for other in earlier))
    kept = exp.select(*keys).distinct().from_("breaches").where(leading).order_by(*keys).limit(most)
    table = "breaches" if way.source is None else "told"
    places = [exp.column(place, table=table, quoted=True) for place in way.places]
    partition = exp.Window(
        this=exp.func("row_number"), partition_by=keys, order=exp.Order(expressions=[place.copy() for place in places])
    )
    named = [exp.alias_(place, name) for place, name in zip(places, LINEAGE, strict=True)]
    selected = exp.select(*named, exp.alias_(partition, "_nth")).from_(kept.subquery("breaches"))
    if way.source is None:
        return selected
    return selected.join(exp.alias_(exp.to_table(way.source), "told", table=True), on=_meets(way))


def _leads(way: Way) -> exp.Expr:
    """Whether a row leads somewhere by this way."""
    if way.source is None:
        return exp.and_(*(_is_there(exp.column(key, table="breaches", quoted=True)) for key in way.keys))
    looked_up = exp.alias_(exp.to_table(way.source), "told", table=True)
    return exp.Exists(this=exp.select("1").from_(looked_up).where(_meets(way)))


def _meets(way: Way) -> exp.Expr:
    """Keys as text, as all of ours are: what a business calls alike may be of another type."""
    return exp.and_(
        *(
            exp.column(name, table="told", quoted=True).eq(
                exp.cast(exp.column(key, table="breaches", quoted=True), "varchar")
            )
            for key, name in zip(way.keys, way.found_as, strict=True)
        )
    )


def _is_there(column: exp.Column) -> exp.Expr:
    return exp.not_(column.is_(exp.null()))
