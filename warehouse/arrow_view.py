"""Shows Arrow rows to statements under a name, and lets go of them when the statements are done."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pyarrow as pa

from warehouse.database import Connection


@dataclass
class ArrowView:
    """What is registered in a transaction is held until that ends: so only this is, and the rows may go or change."""

    rows: pa.Table | None

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """The rows, as the database asks for them."""
        assert self.rows is not None
        return self.rows.__arrow_c_stream__(requested_schema)


@contextmanager
def shown_as(connection: Connection, name: str, rows: pa.Table) -> Iterator[ArrowView]:
    """Rows that statements on this connection can read under ``name`` inside the block."""
    view = ArrowView(rows)
    connection.register(name, view)
    try:
        yield view
    finally:
        connection.unregister(name)
        view.rows = None
