"""Which source fields a feed reads, and which of them each staging column is made from: read off the mapping."""

from collections.abc import Iterator, Mapping

from quality.contracts.table import ContractTable, tables
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
    for column in table.columns:
        # What nested rows do not say themselves they take from their parent.
        is_inside = rows is not None and column.name in rows.fields
        yield column.name, mapped.sources_of(f"{table.field}.{column.name}" if is_inside else column.name)
