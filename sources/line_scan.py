"""One pass over JSON lines, compiled: which lines are surely what the tree allows, and where its values stand.

A line is walked once, byte by byte, as the grammar of JSON says. Whatever is not plainly right (a key that the tree
does not know or that comes twice, a kind of value that its place does not take, a number that Python would write in
another way, an odd escape) makes the line unsure, never wrong: who called looks at it again. Bytes must be valid UTF-8.
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias

import numba
import numpy as np

Numbers: TypeAlias = Any
"""A numpy array."""

TEXT, WHOLE_NUMBER, FRACTION, TRUTH, NOTHING, OBJECT, LIST = 1, 2, 4, 8, 16, 32, 64
"""What may stand in a place, added up."""

ANYTHING: Final = 127

AS_TEXT, AS_PRESENCE, AS_JSON = 0, 1, 2
"""What is told of a place: its text, without quotes and escapes; that something stands there; its JSON as it stands."""

VISIBLE, ENDING, DOUBTFUL = 1, 2, 4
"""What a byte is in a text: the first of a visible character; the end, or what stands for another (quotes, backslashes
and control characters); the first of what may be a control character."""

UNSURE, SURE, BLANK = 0, 1, 2
"""What is known of a line."""

_DEEPEST = 60
_LONGEST_NUMBER = 15
"""Digits that a floating point number keeps, so that its text is the one Python writes."""
_MOST_DIGITS = 60

_compiled = numba.njit(cache=True, nogil=True)
_at: Any = np.uint64
"""A place that is never counted from the end, which the compiler would have to ask of every signed number."""


@_compiled
def scan(  # noqa: C901 - one loop over the bytes; a function per branch would have to share its places
    data: Numbers, offsets: Numbers, tree: Numbers, keys: Numbers, begins: Numbers, ends: Numbers, said: Numbers,
    plain: Numbers, spill: Numbers, letters: Numbers, longest: int,
) -> int:  # fmt: skip
    """Walk all lines: line ``i`` is ``data[offsets[i]:offsets[i + 1]]``.

    ``tree``: a row per place: its first child, the number of its children, where its key begins and ends in ``keys``,
    what may stand there, its column or -1, what is told of it, the place around. ``said``: what is known of each line.
    Of the sure lines, which are counted: ``begins`` and ``ends``, by column, say where a value stands; -1: there is
    none. What had escapes stands in ``spill``, counted from the end of the data. ``plain``: whether every text of the
    line is: empty, or of at most ``longest`` bytes of which the first is visible and none is a control character's;
    ``letters`` says what each byte means there.

    Programs write their keys in one order: behind each, the one that came there last is tried first.
    """
    stamps, followers = np.zeros(len(tree), np.int64), np.zeros(len(tree), np.int64)
    place, is_list, serials = np.zeros(_DEEPEST, np.int64), np.zeros(_DEEPEST, np.bool_), np.zeros(_DEEPEST, np.int64)
    told = np.zeros(_DEEPEST, np.int64)
    serial = spilt = row = 0
    for line in range(len(offsets) - 1):
        at, end = offsets[line], offsets[line + 1]
        while end > at and _is_space(data[end - 1]):
            end -= 1
        at = _skip(data, at, end)
        if at == end:
            said[line] = BLANK
            continue
        said[line] = UNSURE
        if data[at] != 123:
            continue
        for column in range(len(begins)):
            begins[column, row] = ends[column, row] = -1
        serial += 1
        before = 0
        depth, place[0], is_list[0], serials[0], told[0] = 0, 0, False, serial, -1
        at, is_first, is_plain = at + 1, True, True
        while True:
            at = _skip(data, at, end)
            if at >= end:
                break
            if data[at] == (93 if is_list[depth] else 125):
                at, is_first = at + 1, False
                if told[depth] >= 0:
                    ends[told[depth], row] = at
                depth -= 1
                if depth < 0:
                    if at == end:
                        said[line], plain[row] = SURE, is_plain
                        row += 1
                    break
                continue
            if not is_first:
                if data[at] != 44:
                    break
                at = _skip(data, at + 1, end)
            node, column, allowed = place[depth], -1, ANYTHING
            if not is_list[depth]:
                begin = at + 1
                likely = followers[before]
                if node >= 0 and likely > 0 and tree[likely, 7] == node and _is_key(data, at, end, tree, keys, likely):
                    at, node = begin + tree[likely, 3] - tree[likely, 2] + 1, likely
                else:
                    at = _end_of_name(data, at, end, letters)
                    if at < 0:
                        break
                    if node >= 0:
                        node = _child(data, begin, at - 1, tree, keys, node)
                        if node < 0:
                            break
                        followers[before] = node
                if node >= 0:
                    if stamps[node] == serials[depth]:
                        break
                    stamps[node] = serials[depth]
                    before, allowed, column = node, tree[node, 4], tree[node, 5]
                at = _skip(data, at, end)
                if at >= end or data[at] != 58:
                    break
                at = _skip(data, at + 1, end)
            if at >= end:
                break
            is_first = False
            whole = -1
            if column >= 0 and tree[node, 6] != AS_TEXT:
                begins[column, row] = ends[column, row] = at
                whole, column = column if tree[node, 6] == AS_JSON else -1, -1
            first = data[at]
            if first == 34:
                if not allowed & TEXT:
                    break
                begin = at + 1
                at, has_escapes, is_clear = _end_of_text(data, at, end, letters)
                if at < 0:
                    break
                if column >= 0:
                    is_plain &= is_clear
                    begins[column, row], ends[column, row] = begin, at - 1
                    if has_escapes:
                        begins[column, row] = len(data) + spilt
                        spilt, is_clear = _unescape(data, begin, at - 1, spill, spilt)
                        ends[column, row] = len(data) + spilt
                        is_plain &= is_clear
                        if spilt < 0:
                            spilt = begins[column, row] - len(data)
                            break
                    length = ends[column, row] - begins[column, row]
                    if length > 0:
                        letter = spill[begins[column, row] - len(data)] if has_escapes else data[_at(begin)]
                        is_plain &= letters[letter] & VISIBLE > 0 and length <= longest
                elif has_escapes and not _has_good_escapes(data, begin, at - 1, spill, spilt):
                    break
            elif first == 123 or first == 91:
                if depth + 1 >= _DEEPEST or not allowed & (OBJECT if first == 123 else LIST):
                    break
                is_nested = first == 91 and is_list[depth]
                depth, is_first, at = depth + 1, True, at + 1
                place[depth] = -1 if node < 0 or tree[node, 1] == 0 or is_nested else node
                is_list[depth] = first == 91
                serial += 1
                serials[depth], told[depth] = serial, whole
                whole = -1
            elif first == 116 or first == 102 or first == 110:
                begin = at
                at = _end_of_word(data, at, end)
                if at < 0 or not allowed & (NOTHING if first == 110 else TRUTH):
                    break
                if column >= 0 and first != 110:
                    begins[column, row], ends[column, row] = begin, at
            else:
                begin = at
                at, kind, kept = _end_of_number(data, at, end)
                if at < 0 or not allowed & kind or (column >= 0 and kept < 0):
                    break
                if column >= 0:
                    begins[column, row], ends[column, row] = begin, kept
            if whole >= 0:
                ends[whole, row] = at
    return row


@_compiled
def _is_space(letter: int) -> bool:
    return letter == 32 or letter == 10 or letter == 13 or letter == 9


@_compiled
def _skip(data: Numbers, at: int, end: int) -> int:
    while at < end and _is_space(data[_at(at)]):
        at += 1
    return at


@_compiled
def _end_of_name(data: Numbers, at: int, end: int, letters: Numbers) -> int:
    """Behind the quote that ends a key; -1 where it is not as plain as it should be."""
    if at >= end or data[_at(at)] != 34:
        return -1
    at += 1
    while at < end and not letters[data[_at(at)]] & ENDING:
        at += 1
    return at + 1 if at < end and data[_at(at)] == 34 else -1


@_compiled
def _is_key(data: Numbers, at: int, end: int, tree: Numbers, keys: Numbers, child: int) -> bool:
    """Whether the key of this place, in quotes, stands there."""
    first, last = tree[child, 2], tree[child, 3]
    if at + last - first + 1 >= end or data[_at(at)] != 34 or data[_at(at + last - first + 1)] != 34:
        return False
    at += 1
    for key in range(first, last):  # noqa: SIM110 - the compiler knows loops only
        if data[_at(at + key - first)] != keys[_at(key)]:
            return False
    return True


@_compiled
def _child(data: Numbers, begin: int, end: int, tree: Numbers, keys: Numbers, node: int) -> int:
    """The place below ``node`` with this key; -1 when the tree does not have it."""
    for child in range(tree[node, 0], tree[node, 0] + tree[node, 1]):
        key = tree[child, 2]
        if tree[child, 3] - key == end - begin:
            same = 0
            while same < end - begin and data[_at(begin + same)] == keys[_at(key + same)]:
                same += 1
            if same == end - begin:
                return child
    return -1


@_compiled
def _end_of_text(data: Numbers, at: int, end: int, letters: Numbers) -> tuple[int, bool, bool]:
    """Behind the quote that ends a text (-1: it does not), whether it has escapes, whether no control character."""
    at += 1
    has_escapes, is_clear = False, True
    while at < end:
        kind = letters[data[_at(at)]]
        at += 1
        if kind & ENDING:
            letter = data[_at(at - 1)]
            if letter == 34:
                return at, has_escapes, is_clear
            if letter != 92:
                return -1, False, False
            has_escapes = True
            at += 1
        elif kind & DOUBTFUL:
            is_clear = False
    return -1, False, False


@_compiled
def _has_good_escapes(data: Numbers, at: int, end: int, spill: Numbers, spilt: int) -> bool:
    found, _ = _unescape(data, at, end, spill, spilt)
    return bool(found >= 0)


@_compiled
def _unescape(data: Numbers, at: int, end: int, spill: Numbers, to: int) -> tuple[int, bool]:
    """Write the text that is meant into ``spill``; behind its end (-1: no such escape), whether it has no controls."""
    is_clear = True
    while at < end:
        letter = data[at]
        at += 1
        if letter == 92:
            escape = data[at]
            at += 1
            if escape == 117:
                code = _hex(data, at, end)
                at += 4
                if 0xD800 <= code < 0xDC00 and at + 6 <= end and data[at] == 92 and data[at + 1] == 117:
                    low = _hex(data, at + 2, end)
                    at += 6
                    code = 0x10000 + ((code - 0xD800) << 10) + low - 0xDC00 if 0xDC00 <= low < 0xE000 else -1
                if code < 0 or 0xD800 <= code < 0xE000:
                    return -1, False
                is_clear &= not (code < 32 or 127 <= code < 160)
                to = _spell(code, spill, to)
                continue
            letter = _meaning(escape)
            if letter == 0:
                return -1, False
            is_clear &= letter >= 32
        spill[to] = letter
        to += 1
    return to, is_clear


@_compiled
def _meaning(escape: int) -> int:
    """The letter that an escape of one letter means; 0: none."""
    if escape == 34 or escape == 92 or escape == 47:
        return escape
    if escape == 110:
        return 10
    if escape == 116:
        return 9
    if escape == 114:
        return 13
    if escape == 98:
        return 8
    return 12 if escape == 102 else 0


@_compiled
def _hex(data: Numbers, at: int, end: int) -> int:
    """Four hexadecimal digits; -1: they are none."""
    if at + 4 > end:
        return -1
    code = 0
    for letter in data[at : at + 4]:
        if 48 <= letter <= 57:
            digit = letter - 48
        elif 65 <= letter <= 70 or 97 <= letter <= 102:
            digit = (letter & 31) + 9
        else:
            return -1
        code = code * 16 + digit
    return code


@_compiled
def _spell(code: int, spill: Numbers, to: int) -> int:
    """Write a character as UTF-8."""
    if code < 0x80:
        spill[to] = code
        return to + 1
    if code < 0x800:
        spill[to], spill[to + 1] = 0xC0 | code >> 6, 0x80 | code & 63
        return to + 2
    if code < 0x10000:
        spill[to], spill[to + 1], spill[to + 2] = 0xE0 | code >> 12, 0x80 | code >> 6 & 63, 0x80 | code & 63
        return to + 3
    spill[to], spill[to + 1] = 0xF0 | code >> 18, 0x80 | code >> 12 & 63
    spill[to + 2], spill[to + 3] = 0x80 | code >> 6 & 63, 0x80 | code & 63
    return to + 4


@_compiled
def _end_of_word(data: Numbers, at: int, end: int) -> int:
    """Behind ``true``, ``false`` or ``null``; -1: it is none of them."""
    if at + 4 <= end and data[at] == 116 and data[at + 1] == 114 and data[at + 2] == 117 and data[at + 3] == 101:
        return at + 4
    if at + 4 <= end and data[at] == 110 and data[at + 1] == 117 and data[at + 2] == 108 and data[at + 3] == 108:
        return at + 4
    if at + 5 <= end and data[at] == 102 and data[at + 1] == 97 and data[at + 2] == 108 and data[at + 3] == 115:
        return at + 5 if data[at + 4] == 101 else -1
    return -1


@_compiled
def _end_of_number(data: Numbers, at: int, end: int) -> tuple[int, int, int]:
    """Behind a number (-1: it is none, or a monstrous one), its kind, and where the text ends that Python writes of it.

    Zeros at the end of a fraction are not part of that text. -1: Python may write the number in another way.
    """
    begin = at
    if data[at] == 45:
        at += 1
    digits = at
    at = _behind_digits(data, at, end)
    whole = at - digits
    if whole == 0 or whole > _MOST_DIGITS or (data[digits] == 48 and whole > 1):
        return -1, 0, 0
    if at == end or (data[at] != 46 and data[at] | 32 != 101):
        is_written_so = whole <= _LONGEST_NUMBER and (data[digits] != 48 or digits == begin)
        return at, WHOLE_NUMBER, at if is_written_so else -1
    point = kept = at
    if data[at] == 46:
        at = kept = _behind_digits(data, at + 1, end)
        if at == point + 1 or at - point > _MOST_DIGITS:
            return -1, 0, 0
    if at < end and data[at] | 32 == 101:
        at += 1
        if at < end and (data[at] == 43 or data[at] == 45):
            at += 1
        exponent, at = at, _behind_digits(data, at, end)
        return (at, FRACTION, -1) if 0 < at - exponent < 3 else (-1, 0, 0)
    while kept > point + 2 and data[kept - 1] == 48:
        kept -= 1
    is_small = data[digits] == 48 and kept > point + 5 and data[point + 1] == 48 and data[point + 2] == 48
    is_small = is_small and data[point + 3] == 48 and data[point + 4] == 48  # written with an exponent
    return at, FRACTION, -1 if is_small or whole + kept - point - 1 > _LONGEST_NUMBER else kept


@_compiled
def _behind_digits(data: Numbers, at: int, end: int) -> int:
    while at < end and 48 <= data[at] <= 57:
        at += 1
    return at
