"""Which source fields a file held, and which of them nobody reads or leaves out on purpose."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import date

from sources.file_ledger import SourceColumn
from sources.shape import Gate
from sources.source_rows import Header


def columns_of(
    gate: Gate,
    batch_on: date,
    file: str,
    headers: Collection[Header],
    filled: Mapping[str, int],
    unknown: Mapping[str, int],
) -> Iterator[SourceColumn]:
    """The source fields of one file: ``filled`` counts the rows in which a field holds something."""
    for name in sorted(gate.names):
        count = filled.get(name, 0)
        if count or name not in gate.assumed:
            yield SourceColumn(batch_on, file, name, "mapped" if count else "missing", count)
    others = {name for header in headers for name in header.names} - gate.names
    for name in sorted(others):
        yield SourceColumn(batch_on, file, name, gate.standing_of(name), filled.get(name, 0))
    for name, count in sorted(unknown.items()):
        yield SourceColumn(batch_on, file, name, "unknown", count)
