"""Which source fields a file held, and how the fields of a feed change from one batch to the next.

The changes are a pure function of ``ops.source_columns`` by batch date, so they are the same in whatever order
batches were loaded. A field of a flat file is there when the header names it. Fields of objects come and go with their
rows: one is missing when it stood in every row before, or so often that its absence cannot be chance. Rows of a batch
are alike, so that a field which came back once is missed again only after so many batches as its gaps make unlikely.
A column that the feed's own ``fields:`` or ``rename:`` name is missing also where it never was.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Final, Literal, TypeAlias, cast

from quality.masking import mask_paths
from sources.column_types import ColumnType, ColumnTypes, family, joined
from sources.declared_columns import Choices, lacking
from sources.file_ledger import ColumnStatus, SourceColumn
from sources.gate import Gate
from sources.source_rows import Header
from warehouse.personal_text import mask_name

Change: TypeAlias = Literal["new", "missing", "returned", "retyped"]
CHANGES: Final[tuple[Change, ...]] = ("new", "missing", "returned", "retyped")

EXPECTED_ROWS: Final = 10
"""So many rows should have held a field, and none did: the chance of that is below one in twenty thousand."""
_CHANCE: Final = 1e-3
"""Batches without a field that had gaps before: told when so many of them in a row are less likely than this."""
_CHANCE_OF_NONE: Final = 0.05
"""Rows without a field that stood in every row before: told when so many of them are less likely than this."""
_REMEMBERED: Final = 7
"""Batches whose types are remembered: a field that alternates between two is told once."""


def columns_of(
    gate: Gate,
    batch_on: date,
    file: str,
    headers: Collection[Header],
    filled: Mapping[str, int],
    unknown: Mapping[str, int],
    types: ColumnTypes,
    declared: Collection[Choices] = (),
) -> Iterator[SourceColumn]:
    """The source fields of one file: ``filled`` counts the rows in which a field holds something.

    ``declared``: the columns that the feed names itself.
    """
    named = {name for header in headers for name in header.names}
    others = {name for name in named if gate.standing_of(name) != "mapped"} | unknown.keys()
    is_read = bool(headers or filled or unknown)
    lacks = lacking(declared, named, filled, others) if is_read else {}

    def found(name: str, status: ColumnStatus, rows: int) -> SourceColumn:
        is_named = name in named if headers else None
        like = lacks.get(name) if status == "absent" else None
        return SourceColumn(batch_on, file, name, status, rows, types.type_of(name), types.is_typed, is_named, like)

    for name in sorted(gate.names):
        count = filled.get(name, 0)
        if name in lacks:
            yield found(name, "absent", 0)
        elif count or name in named or name not in gate.assumed:
            yield found(name, "mapped" if count else "missing", count)
    for name in sorted(named - gate.names):
        yield found(name, gate.standing_of(name), filled.get(name, 0))
    for name, count in sorted(unknown.items()):
        yield found(name, "unknown", count)


def with_masked_names(gate: Gate, found: Collection[SourceColumn]) -> list[SourceColumn]:
    """The source fields of one file under names that may be shown to people. Those that are masked alike are one."""
    known = {item.source_column for item in found if item.status != "unknown"}
    shown = mask_paths({item.source_column: gate.path_of(item.source_column) for item in found}, known)
    kept: dict[str, SourceColumn] = {}
    for item in found:
        name, nearest = shown[item.source_column], item.nearest and shown.get(item.nearest, mask_name(item.nearest))
        renamed = replace(item, source_column=name, nearest=nearest)
        kept[name] = _together(kept[name], renamed) if name in kept else renamed
    return list(kept.values())


def _together(one: SourceColumn, other: SourceColumn) -> SourceColumn:
    kinds = cast("list[ColumnType]", [item.type for item in (one, other) if item.type is not None])
    return replace(one, rows=(one.rows or 0) + (other.rows or 0), type=joined(kinds))


@dataclass(frozen=True)
class Field:
    """A source field in one batch, over its files.

    ``is_named``: a header names it; None in files without headers. ``is_typed``: the files say what its values are.
    ``absent_from``: the first file that lacks it although the feed declares it; ``nearest``: what it has instead.
    """

    rows: int
    type: str | None
    is_named: bool | None
    is_typed: bool
    is_unknown: bool
    first_file: str
    absent_from: str | None = None
    nearest: str | None = None

    @property
    def is_present(self) -> bool:
        """Whether the batch has it."""
        return self.rows > 0 if self.is_named is None else self.is_named


@dataclass(frozen=True)
class BatchColumns:
    """The source fields of one batch by name, the rows that were read of it, and its first file."""

    batch_on: date
    rows_read: int
    first_file: str
    fields: Mapping[str, Field]

    @property
    def is_flat(self) -> bool:
        """Whether its files have headers."""
        return any(found.is_named for found in self.fields.values())


@dataclass(frozen=True)
class SchemaChange:
    """One field that changed in one batch against the batches before it. ``file``: the first with the change.

    ``nearest``: the most similar field of a file that lacks one the feed declares.
    """

    batch_on: date
    source_column: str
    change: Change
    from_type: str | None
    to_type: str | None
    file: str | None
    nearest: str | None = None


def schema_changes(batches: Sequence[BatchColumns]) -> Iterator[SchemaChange]:
    """How the fields of a feed changed; ``batches`` are in the order of their days. The first has none before it."""
    histories: dict[str, _History] = {}
    is_first = True
    for batch in batches:
        if not any(found.is_present for found in batch.fields.values()):
            continue  # nothing of it could be read
        for name in sorted(batch.fields.keys() | histories.keys()):
            yield from histories.setdefault(name, _History(name)).follow(batch, is_first=is_first)
        is_first = False


@dataclass
class _History:
    """What is known of a field from the batches before."""

    name: str
    was_seen: bool = False
    is_missing: bool = False
    rows: int = 0
    rows_read: int = 0
    rows_without: int = 0
    batches: int = 0
    gaps: int = 0
    gap: int = 0
    gap_rows: int = 0
    types: deque[str] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))

    def follow(self, batch: BatchColumns, *, is_first: bool) -> Iterator[SchemaChange]:
        """What changes with the next batch."""
        found = batch.fields.get(self.name)
        if found is not None and self._is_lacking(found, batch.rows_read):
            if not self.is_missing:
                missing = found.absent_from, found.nearest
                yield SchemaChange(batch.batch_on, self.name, "missing", self._type, None, *missing)
            self.is_missing, self.was_seen = True, self.was_seen or found.is_present
        elif found is not None and found.is_present:
            yield from self._present(batch, found, is_first=is_first)
        elif self.was_seen:
            self.gap, self.gap_rows = self.gap + bool(batch.rows_read), self.gap_rows + batch.rows_read
            if not self.is_missing and self._is_missed(batch, found):
                self.is_missing = True
                yield SchemaChange(batch.batch_on, self.name, "missing", self._type, None, batch.first_file)

    def _present(self, batch: BatchColumns, found: Field, *, is_first: bool) -> Iterator[SchemaChange]:
        day = batch.batch_on
        if self.is_missing:
            yield SchemaChange(day, self.name, "returned", self._type, found.type, found.first_file)
        elif not self.was_seen and not is_first and (found.is_named or found.is_unknown):
            yield SchemaChange(day, self.name, "new", None, found.type, found.first_file)
        if found.type is not None:
            if self._type is not None and self._is_retyped(self._type, found.type, found):
                yield SchemaChange(day, self.name, "retyped", self._type, found.type, found.first_file)
            self.types.append(found.type)
        self.was_seen, self.is_missing = True, False
        self.rows += found.rows
        self.rows_read += self.gap_rows + batch.rows_read
        self.batches, self.gaps, self.gap, self.gap_rows = self.batches + 1, self.gaps + self.gap, 0, 0

    @property
    def _type(self) -> str | None:
        return self.types[-1] if self.types else None

    def _is_lacking(self, found: Field, rows_read: int) -> bool:
        """Whether a file lacks what the feed declares. Of objects: what none of many ever held."""
        if found.absent_from is None or found.is_named is not None:
            return found.absent_from is not None
        if self.was_seen or found.is_present:
            return False
        self.rows_without += rows_read
        return self.rows_without >= EXPECTED_ROWS

    def _is_missed(self, batch: BatchColumns, found: Field | None) -> bool:
        if batch.is_flat or (found is not None and found.is_named is not None):
            return True
        if not batch.rows_read or not self.rows_read:
            return False
        if self.rows >= self.rows_read:
            return _is_no_chance(self.rows, self.gap_rows)
        if self.rows * self.gap_rows < EXPECTED_ROWS * self.rows_read:
            return False
        chance_of_gap = (self.gaps + 1) / (self.batches + self.gaps + 2)
        return self.gaps == 0 or chance_of_gap**self.gap < _CHANCE

    def _is_retyped(self, before: str, now: str, found: Field) -> bool:
        if family(now) in {family(kind) for kind in self.types}:
            return False
        if before == "mixed":
            return False
        if before != "text":
            return True
        return found.is_typed and (found.is_named is not None or family(now) != "timestamp")


def _is_no_chance(held: int, without: int) -> bool:
    """Whether so many rows without a field are unlikely after those that all held it (Laplace's rule of succession)."""
    chance = 1.0
    for nth in range(1, without + 1):
        chance *= nth / (held + 1 + nth)
        if chance < _CHANCE_OF_NONE:
            return True
    return False
