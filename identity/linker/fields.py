"""A field: one meaning over all records, as codes into a dictionary of normalised values with their frequencies."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from identity.arrays import Floats, Integers, ordered
from identity.linker.roles import CLOSED, MEANINGS, Meaning, Role

Codes = NDArray[np.int32]
Levels = NDArray[np.int8]

_BITS_PER_BIN: Final = 2.5
_MOST_BINS: Final = 6
_SMALLEST_WHOLE: Final = 300.0
"""A smaller table is a sample of a larger world: a name that two of its three records share is not a common name."""


@dataclass(frozen=True)
class Dictionary:
    """Distinct normalised values; code 0 is the empty one. Given and family names share one."""

    values: pa.Array
    texts: NDArray[np.object_] = field(repr=False)

    @staticmethod
    def of(values: pa.Array) -> Dictionary:
        """A dictionary of these distinct values, the empty one first."""
        texts = np.empty(len(values), dtype=object)
        texts[:] = values.to_pylist()
        return Dictionary(values, texts)

    def __len__(self) -> int:
        return len(self.texts)

    @cached_property
    def lengths(self) -> Integers:
        """Characters of each value."""
        return np.asarray(pc.utf8_length(self.values).to_numpy(zero_copy_only=False), dtype=np.int64)

    @cached_property
    def initials(self) -> Integers:
        """A number for the first character of each value."""
        first = pc.utf8_slice_codeunits(self.values, 0, 1).dictionary_encode()
        return np.asarray(first.indices.to_numpy(zero_copy_only=False), dtype=np.int64)

    @cached_property
    def masked(self) -> NDArray[np.bool_]:
        """Whether a part of a value is hidden by stars."""
        return np.asarray(pc.match_substring(self.values, "*").to_numpy(zero_copy_only=False), dtype=np.bool_)

    @cached_property
    def local_parts(self) -> NDArray[np.object_]:
        """Each value before its last @."""
        found = np.empty(len(self), dtype=object)
        found[:] = [text.rpartition("@")[0] or text for text in self.texts.tolist()]
        return found

    @cached_property
    def areas(self) -> tuple[Integers, Integers, Integers]:
        """Numbers for the first two characters of each value, the first three, and all but the last three (0: none)."""
        return self._part(0, 2), self._part(0, 3), self._part(0, -3)

    def _part(self, start: int, stop: int) -> Integers:
        [codes], _ = encode([pc.utf8_slice_codeunits(self.values, start, stop)])
        return codes.astype(np.int64)

    @cached_property
    def spaced(self) -> NDArray[np.bool_]:
        """Whether a value has several words."""
        return np.asarray(pc.match_substring(self.values, " ").to_numpy(zero_copy_only=False), dtype=np.bool_)

    @cached_property
    def words(self) -> list[str]:
        """Each value without the words that begin with a digit."""
        return [" ".join(word for word in text.split() if not word[0].isdigit()) for text in self.texts.tolist()]

    @cached_property
    def numbers(self) -> list[tuple[str, ...]]:
        """The words of each value that begin with a digit."""
        return [tuple(word for word in text.split() if word[0].isdigit()) for text in self.texts.tolist()]

    @cached_property
    def dates(self) -> tuple[Integers, Integers, Integers]:
        """Year, month and day of values written YYYYMMDD; unknown ones are unlike everything."""
        parts = [pc.utf8_slice_codeunits(self.values, start, stop) for start, stop in ((0, 4), (4, 6), (6, 8))]
        known = [
            pc.and_(pc.match_substring_regex(part, r"^\d+$"), pc.equal(pc.utf8_length(self.values), 8))
            for part in parts
        ]
        numbers = [
            pc.fill_null(pc.if_else(is_known, part, None).cast(pa.int64()), -1).to_numpy(zero_copy_only=False)
            for part, is_known in zip(parts, known, strict=True)
        ]
        apart = -2 - np.arange(len(self), dtype=np.int64) * 4
        year, month, day = (np.where(number < 0, apart - place, number) for place, number in enumerate(numbers))
        return year, month, day


@dataclass(frozen=True)
class Field:
    """One field of all records. ``share`` is how often a value stands there among those that are not absent."""

    name: str
    role: Role
    codes: Codes
    dictionary: Dictionary
    share: Floats
    agreed: NDArray[np.int8]
    """Per code: the level of an exact agreement on it (rare values first)."""
    bins: int

    @property
    def meaning(self) -> Meaning:
        """What the role says."""
        return MEANINGS[self.role]

    @property
    def group(self) -> str:
        """The group of dependent fields it belongs to."""
        return self.meaning.group or self.name

    @property
    def inexact(self) -> int:
        """How many levels unequal values have."""
        return len(self.meaning.levels)

    @property
    def sizes(self) -> int:
        """Number of levels, absent included."""
        return 1 + self.inexact + self.bins

    @property
    def bin_of(self) -> NDArray[np.int8]:
        """Per code its frequency bin."""
        return self.agreed - 1 - self.inexact


def make_field(name: str, role: Role, codes: Codes, dictionary: Dictionary) -> Field:
    """A field with the frequencies and frequency bins of its values."""
    counts = np.bincount(codes, minlength=len(dictionary)).astype(np.float64)
    counts[0] = 0.0
    whole = counts.sum() if role in CLOSED else max(counts.sum(), _SMALLEST_WHOLE)
    share = counts / max(whole, 1.0)
    inexact = len(MEANINGS[role].levels)
    held = share > 0
    bins = np.zeros(len(share), dtype=np.int64)
    if held.any():
        bits = np.log2(share[held])
        bins[held] = np.minimum(np.floor((bits.max() - bits) / _BITS_PER_BIN), _MOST_BINS - 1).astype(np.int64)
    most = int(bins.max(initial=0))
    agreed = (1 + inexact + most - bins).astype(np.int8)
    return Field(name, role, codes, dictionary, share, agreed, most + 1)


def encode(parts: list[pa.Array]) -> tuple[list[Codes], Dictionary]:
    """Aligned text arrays as codes into one shared dictionary whose first value is the empty text."""
    chunks: list[Any] = [pa.array([""], pa.string()), *(part.cast(pa.string()) for part in parts)]
    whole = pc.fill_null(pa.chunked_array(chunks), "").combine_chunks()
    if isinstance(whole, pa.ChunkedArray):
        whole = pa.concat_arrays(whole.chunks)
    encoded = whole.dictionary_encode()
    codes = np.asarray(encoded.indices.to_numpy(zero_copy_only=False), dtype=np.int32)[1:]
    lengths = np.cumsum([len(part) for part in parts])[:-1]
    return list(np.split(codes, lengths)), Dictionary.of(encoded.dictionary)


def mapped(codes: Codes, changed: pa.Array) -> pa.Array:
    """The normalised text of every record: distinct values were changed, records hold codes."""
    return changed.take(pa.array(codes))


def pair_keys(low: Integers, high: Integers, size: int) -> tuple[Integers, Integers, Integers]:
    """Distinct pairs of codes: the lower and the higher code of each, and where each given pair stands among them."""
    keys = low.astype(np.int64) * size + high
    order, in_order = ordered(keys, size * size)
    fresh = np.r_[True, in_order[1:] != in_order[:-1]] if len(in_order) else np.zeros(0, np.bool_)
    distinct = in_order[fresh]
    where = np.empty(len(keys), dtype=np.int64)
    where[order] = np.cumsum(fresh) - 1
    return distinct // size, distinct % size, where
