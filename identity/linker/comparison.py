"""Pairs of records as vectors of outcomes: a level per field, and one cell per group of dependent fields.

A *cell* is the tuple of the levels of a group's fields. Groups are what evidence is added over; inside a group nothing
is assumed independent.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from identity.arrays import Integers
from identity.linker.fields import Field, pair_keys
from identity.linker.levels import crossing, levels_of
from identity.linker.roles import Role

CROSSED: Final = "crossed_names"
_MOST_IN_32_BITS: Final = 1 << 31
_AT_ONCE: Final = 1 << 18
"""Pairs of values whose texts are compared at once."""
CROSSED_SIZES: Final = 4
"""Absent, no crossing, one name crosses, both cross."""


@dataclass(frozen=True)
class Group:
    """A group of dependent fields. One group without fields says whether given and family name stand crosswise."""

    name: str
    fields: tuple[int, ...]

    @property
    def is_crossing(self) -> bool:
        """Whether this is the group of crossed names."""
        return self.name == CROSSED

    def sizes(self, fields: tuple[Field, ...]) -> list[int]:
        """Levels per member."""
        return [CROSSED_SIZES] if self.is_crossing else [fields[number].sizes for number in self.fields]


@dataclass(frozen=True)
class Records:
    """All records as fields, and the groups of these."""

    size: int
    fields: tuple[Field, ...]
    groups: tuple[Group, ...]

    def numbered(self, role: Role) -> int | None:
        """The field of a role, the first one."""
        return next((number for number, item in enumerate(self.fields) if item.role is role), None)


def make_records(size: int, fields: tuple[Field, ...]) -> Records:
    """Fields put in groups, in the order in which groups first appear."""
    members: dict[str, list[int]] = {}
    for number, item in enumerate(fields):
        members.setdefault(item.group, []).append(number)
    groups = [Group(name, tuple(numbers)) for name, numbers in members.items()]
    if {Role.GIVEN, Role.FAMILY} <= {item.role for item in fields}:
        groups.append(Group(CROSSED, ()))
    return Records(size, fields, tuple(groups))


@dataclass(frozen=True)
class Compared:
    """Outcomes of pairs: ``levels[f]`` per field, ``cells[g]`` per group (mixed-radix number of the levels)."""

    left: Integers
    right: Integers
    levels: tuple[NDArray[np.int8], ...]
    crossed: NDArray[np.int8]
    cells: tuple[NDArray[Any], ...]

    def __len__(self) -> int:
        return len(self.left)

    def taken(self, chosen: Integers | slice) -> Compared:
        """Some of the pairs, in the order given."""
        return Compared(
            self.left[chosen],
            self.right[chosen],
            tuple(level[chosen] for level in self.levels),
            self.crossed[chosen],
            tuple(cell[chosen] for cell in self.cells),
        )

    def with_more(self, other: Compared) -> Compared:
        """Both sets of pairs, one after the other."""
        return Compared(
            np.r_[self.left, other.left],
            np.r_[self.right, other.right],
            tuple(np.r_[a, b] for a, b in zip(self.levels, other.levels, strict=True)),
            np.r_[self.crossed, other.crossed],
            tuple(np.r_[a, b] for a, b in zip(self.cells, other.cells, strict=True)),
        )


def compare(records: Records, left: Integers, right: Integers) -> Compared:
    """Compare pairs of records in every field."""
    levels = tuple(_field_levels(item, left, right) for item in records.fields)
    crossed = _crossed(records, levels, left, right)
    for role in (Role.GIVEN, Role.FAMILY):
        if (number := records.numbered(role)) is not None:
            levels[number][crossed > 1] = 0
    cells: list[NDArray[Any]] = []
    for group in records.groups:
        members = [crossed] if group.is_crossing else [levels[number] for number in group.fields]
        sizes = group.sizes(records.fields)
        cell: NDArray[Any] = np.zeros(len(left), dtype=np.int32 if prod(sizes) <= _MOST_IN_32_BITS else np.int64)
        for level, size in zip(members, sizes, strict=True):
            np.multiply(cell, size, out=cell)
            np.add(cell, level, out=cell)
        cells.append(cell)
    return Compared(left, right, levels, crossed, tuple(cells))


def unpacked(group: Group, fields: tuple[Field, ...], cells: Integers) -> NDArray[np.int64]:
    """Levels of a group's members per cell: one column per member."""
    sizes = group.sizes(fields)
    found = np.empty((len(cells), len(sizes)), dtype=np.int64)
    rest = cells
    for place in range(len(sizes) - 1, -1, -1):
        found[:, place] = rest % sizes[place]
        rest = rest // sizes[place]
    return found


def _field_levels(item: Field, left: Integers, right: Integers) -> NDArray[np.int8]:
    one, other = item.codes[left], item.codes[right]
    both = (one > 0) & (other > 0)
    level = np.where(both & (one == other), item.agreed[one], np.int8(0))
    unequal = np.flatnonzero(both & (one != other))
    if not len(unequal):
        return level
    if item.inexact == 1:
        level[unequal] = 1
        return level
    a, b = one[unequal], other[unequal]
    low, high, where = pair_keys(np.minimum(a, b), np.maximum(a, b), len(item.dictionary))
    parts = [slice(start, start + _AT_ONCE) for start in range(0, len(low), _AT_ONCE)]
    found = [levels_of(item.role, item.dictionary, low[part], high[part]) for part in parts]
    level[unequal] = np.concatenate(found)[where]
    return level


def _crossed(
    records: Records, levels: tuple[NDArray[np.int8], ...], left: Integers, right: Integers
) -> NDArray[np.int8]:
    """1: names do not cross, 2: one crosses, 3: both do. Asked only where neither name agrees straight.

    Where names cross, the straight comparison says nothing.
    """
    found = np.ones(len(left), dtype=np.int8)
    given, family = records.numbered(Role.GIVEN), records.numbered(Role.FAMILY)
    if given is None or family is None:
        return found
    open_pairs = np.flatnonzero((levels[given] <= 2) & (levels[family] <= 2))
    g, f = records.fields[given], records.fields[family]
    g_l, f_r = g.codes[left[open_pairs]], f.codes[right[open_pairs]]
    f_l, g_r = f.codes[left[open_pairs]], g.codes[right[open_pairs]]
    one = (g_l == f_r) & (g_l > 0)
    other = (f_l == g_r) & (f_l > 0)
    both = one & other
    for crosses, a, b in ((one & ~other, f_l, g_r), (other & ~one, g_l, f_r)):
        asked = np.flatnonzero(crosses & (a > 0) & (b > 0))
        if len(asked):
            both[asked] |= crossing(g.dictionary, a[asked].astype(np.int64), b[asked].astype(np.int64))
    found[open_pairs] = 1 + (one | other) + both
    return found
