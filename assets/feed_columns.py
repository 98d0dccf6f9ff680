"""Which source fields a feed reads, and which of them each staging column is made from: read off the mapping."""

from collections.abc import Iterator, Mapping

from quality.contracts.table import ContractTable, tables
from sources.expression import Expression, paths_of
from sources.feed import Feed
from sources.mapped_feed import MappedFeed, map_feed

FieldsByColumn = Mapping[str, tuple[str, ...]]
"""Staging column → source fields, as paths; ``lines[].sku`` is a field of the objects of a list."""


def staged_columns(feed: Feed) -> dict[str, FieldsByColumn]:
    """Each staging table (``staging.name``) of the feed's kind → its columns and the source fields they come from."""
    mapped = map_feed(feed)
    return {f"staging.{table.name}": dict(_columns(mapped, table)) for table in tables(feed.kind)}


def source_fields(feed: Feed) -> tuple[tuple[str, str], ...]:
    """Every source field the feed reads, with what it becomes, in the order of the contract."""
    becomes: dict[str, list[str]] = {}
    for table, columns in staged_columns(feed).items():
        for column, fields in columns.items():
            for field in fields:
                becomes.setdefault(field, []).append(f"{table}.{column}")
    return tuple((field, ", ".join(targets)) for field, targets in becomes.items())


def _columns(mapped: MappedFeed, table: ContractTable) -> Iterator[tuple[str, tuple[str, ...]]]:
    rows = mapped.rows.get(table.field) if table.field else None
    prefix = f"{rows.path.text}[]." if rows and rows.path else ""
    for column in table.columns:
        if table.field is None:
            found = mapped.fields.get(column.name)
            yield column.name, _paths(found, "")
        elif rows is not None and column.name in rows.fields:
            yield column.name, _paths(rows.fields[column.name], prefix)
        else:  # what nested rows take from their parent
            yield column.name, _paths(mapped.fields.get(column.name), "")


def _paths(expression: Expression | None, prefix: str) -> tuple[str, ...]:
    if expression is None:
        return ()
    return tuple(dict.fromkeys(f"{prefix}{path.text}" for path in paths_of(expression)))
