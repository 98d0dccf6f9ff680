"""What was read and waits for its turn: blocks that are worth a statement together, and rows that cannot be read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import pyarrow as pa

from quality.rejects import MOST_LETTERS, MOST_WAITING
from sources.block_check import RefusedRow
from sources.source_rows import Block, Header

MOST_BYTES: Final = 64 << 20
MOST_ROWS: Final = 100_000
_LEAST_ROWS: Final = 2_000
"""What a piece of a block should have: fewer are put together."""


@dataclass
class Waiting:
    """Blocks with the same columns that wait to be checked together. ``news``: rows and bytes read for them.

    ``refused``: rows that were refused meanwhile, since nothing can be read of them.
    """

    tables: list[pa.Table] = field(default_factory=list)
    refused: list[RefusedRow] = field(default_factory=list)
    header: Header | None = None
    rows: int = 0
    bytes: int = 0
    letters: int = 0
    last_id: int = -1
    news: list[tuple[int, int]] = field(default_factory=list)

    @property
    def is_full(self) -> bool:
        """Enough for one statement."""
        return self.bytes > MOST_BYTES or self.rows > MOST_ROWS

    @property
    def has_refused_enough(self) -> bool:
        """So many refused rows wait that they should not wait for more blocks."""
        return len(self.refused) >= MOST_WAITING or self.letters >= MOST_LETTERS

    def refuse(self, row: RefusedRow) -> None:
        """A row of which nothing can be read."""
        self.refused.append(row)
        self.letters += len(row.raw)

    def without_blocks(self) -> Waiting:
        """Its refused rows, which go ahead."""
        refused, self.refused, self.letters = self.refused, [], 0
        return Waiting(refused=refused)

    def fits(self, block: Block) -> bool:
        """Whether a block has the same columns; Parquet files may differ in types that are all read as text.

        Objects hold what they hold: where a column of the gate is missing, there was nothing."""
        if block.header != self.header:
            return False
        if block.header is None:
            return True
        return bool(self.tables[-1].schema.types[2:] == block.rows.schema.types[1:])

    def add(self, block: Block, file_id: int) -> None:
        """A block of a file."""
        ids = pa.repeat(pa.scalar(file_id, pa.int32()), block.rows.num_rows)
        rows = block.rows.rename_columns(["_row", *block.rows.column_names[1:]]).add_column(0, "_file_id", ids)
        self.tables.append(rows)
        self.header, self.last_id = block.header, file_id
        self.rows, self.bytes = self.rows + block.rows.num_rows, self.bytes + block.bytes

    def in_one_piece(self) -> pa.Table:
        """All blocks; statements work on a piece at a time, and on those of many small files would mostly begin."""
        table = pa.concat_tables(self.tables, promote_options="default")
        pieces = max((column.num_chunks for column in table.columns), default=1)
        return table if table.num_rows > pieces * _LEAST_ROWS else table.combine_chunks()
