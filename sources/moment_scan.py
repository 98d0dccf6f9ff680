"""Reads whole columns of moments in text at once, where they are written as most programs write them.

``YYYY-MM-DD`` or ``YYYY/MM/DD``, ``T`` or a blank, ``HH:MM:SS``, a fraction of at most six digits or none, and ``Z`` or
nothing: what Python and the database read alike. Texts of one length are looked at as a matrix, a letter of all rows
at a time.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.lib.stride_tricks import sliding_window_view

from sources.plain_text import PLAIN

_MOST_OTHERS: Final = 0.1
"""Share of rows up to which texts of another form are left to slower ways; beyond it, all are."""
_WHOLE: Final = 19
"""Letters of a moment without fraction and zone."""
_ZULU, _POINT, _ZERO, _NINE = ord("Z"), ord("."), ord("0"), 9
_MARKS: Final = {4: "-/", 7: "-/", 10: "T ", 13: ":", 16: ":"}
_DIGITS: Final = [at for at in range(_WHOLE) if at not in _MARKS]
_MOST_DIGITS: Final = 6
_DAY: Final = 86_400_000_000
_FIRST_YEAR, _LAST_YEAR = 1970, 2099


def _days() -> Any:  # noqa: ANN401 - an array of numpy
    """Days since 1970 by year, month and day, of which each year has 13 times 32; -1 where there is no such day."""
    year, month, day = np.ogrid[_FIRST_YEAR : _LAST_YEAR + 1, 0:13, 0:32]
    months = ((year - 1970) * 12 + month - 1).astype("datetime64[M]")
    days = months.astype("datetime64[D]") + (day - 1)
    is_day = (month > 0) & (day > 0) & (days.astype("datetime64[M]") == months)
    return np.where(is_day, days.astype(np.int64), -1).ravel()


_DAYS: Final = _days()


@dataclass(frozen=True)
class Moments:
    """The moments of a column of text; ``is_clock``: of a clock whose zone they do not tell, else in UTC.

    ``others``: the rows in which something else stands.
    """

    values: pa.Array
    is_clock: bool
    others: Any


def moment_column(name: str) -> str:
    """The name of the column that holds the moments of a column of text."""
    return f"m{name}"


def with_moments(rows: pa.Table, names: Iterable[str]) -> tuple[pa.Table, dict[str, bool]]:
    """The block with a column of moments for each column of text that holds them, and which do: whether on a clock.

    Rows in which such a column holds anything else count no longer as plain.
    """
    found: dict[str, bool] = {}
    plain = rows.column(PLAIN).to_numpy()
    for name in names:
        moments = read_moments(rows.column(name))
        if moments is not None:
            rows = rows.append_column(moment_column(name), moments.values)
            found[name] = moments.is_clock
            plain = plain & ~moments.others
    if not found:
        return rows, found
    return rows.set_column(rows.column_names.index(PLAIN), PLAIN, pa.array(plain)), found


def read_moments(texts: pa.ChunkedArray) -> Moments | None:
    """The moments of a column; None where it holds none, or too much else."""
    if not (pa.types.is_string(texts.type) or pa.types.is_large_string(texts.type)):
        return None
    read = [_read(chunk.cast(pa.large_string())) for chunk in texts.chunks if len(chunk)]
    if not read:
        return None
    values, is_utc, is_clock, is_filled = (np.concatenate(parts) for parts in zip(*read, strict=True))
    on_clock = int(is_clock.sum()) > int(is_utc.sum())
    is_moment = is_clock if on_clock else is_utc
    others = is_filled & ~is_moment
    if not is_moment.any() or others.sum() > _MOST_OTHERS * len(values):
        return None
    return Moments(pa.array(values, pa.timestamp("us"), mask=~is_moment), on_clock, others)


def _read(texts: pa.Array) -> tuple[Any, Any, Any, Any]:
    """Microseconds since 1970, whether a moment in UTC, whether one on a clock, whether there is text at all."""
    _, offsets_of, data_of = texts.buffers()
    offsets = np.frombuffer(offsets_of, np.int64)[texts.offset : texts.offset + len(texts) + 1]
    data = np.frombuffer(data_of, np.uint8) if data_of is not None else np.zeros(0, np.uint8)
    lengths = np.diff(offsets)
    if texts.null_count:
        lengths = np.where(texts.is_valid().to_numpy(zero_copy_only=False), lengths, 0)
    values = np.zeros(len(texts), np.int64)
    is_utc, is_clock = np.zeros(len(texts), np.bool_), np.zeros(len(texts), np.bool_)
    for length in np.flatnonzero(np.bincount(np.minimum(lengths, _WHOLE + _MOST_DIGITS + 3))).tolist():
        if _WHOLE <= length <= _WHOLE + _MOST_DIGITS + 2:
            rows = np.flatnonzero(lengths == length)
            letters = np.ascontiguousarray(sliding_window_view(data, length)[offsets[:-1][rows]].T)
            values[rows], is_right, has_zone = _values(letters)
            is_utc[rows], is_clock[rows] = is_right & has_zone, is_right & ~has_zone
    return values, is_utc, is_clock, lengths > 0


def _values(letters: Any) -> tuple[Any, Any, Any]:  # noqa: ANN401 - arrays of numpy
    """Of texts of one length, a row for each place: microseconds, whether all is right, whether Z ends it."""
    has_zone = letters[-1] == _ZULU
    digits = letters - np.uint8(_ZERO)
    is_right = (digits[_DIGITS] <= _NINE).all(axis=0)
    is_right &= letters[4] == letters[7]
    for at, marks in _MARKS.items():
        is_mark = letters[at] == ord(marks[0])
        is_right &= is_mark | (letters[at] == ord(marks[-1])) if len(marks) > 1 else is_mark
    month, day, hour, minute, second = (_number(digits[at : at + 2]) for at in (5, 8, 11, 14, 17))
    is_right &= (month <= 12) & (day <= 31) & (hour <= 23) & (minute <= 59) & (second <= 59)
    place = (_number(digits[0:4]) - _FIRST_YEAR) * (13 * 32) + month * 32 + day
    is_right &= (place >= 0) & (place < len(_DAYS))
    days = _DAYS[np.where(is_right, place, 0)]
    is_right &= days >= 0
    fraction, is_fraction = _fraction(letters, digits, has_zone)
    micros = days * _DAY + (hour * 3600 + minute * 60 + second) * np.int64(1_000_000) + fraction
    return micros, is_right & is_fraction, has_zone


def _fraction(letters: Any, digits: Any, has_zone: Any) -> tuple[Any, Any]:  # noqa: ANN401 - likewise
    """Microseconds behind the second, and whether what stands there is a fraction, or nothing."""
    length = len(letters)
    if length <= _WHOLE + 1:
        return 0, has_zone == (length > _WHOLE)
    last = np.where(has_zone, 0, digits[-1])
    places = [*digits[_WHOLE + 1 : -1], last][:_MOST_DIGITS]
    is_fraction = (letters[_WHOLE] == _POINT) & (last <= _NINE) & (digits[_WHOLE + 1 : -1] <= _NINE).all(axis=0)
    is_fraction &= length - _WHOLE - 1 - has_zone <= _MOST_DIGITS if length > _WHOLE + 1 + _MOST_DIGITS else True
    is_fraction &= ~has_zone if length == _WHOLE + 2 else True
    return _number(places) * np.int32(10 ** (_MOST_DIGITS - len(places))), is_fraction


def _number(digits: Any) -> Any:  # noqa: ANN401 - likewise
    made = digits[0].astype(np.int32)
    for digit in digits[1:]:
        made = made * np.int32(10) + digit
    return made
