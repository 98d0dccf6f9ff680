"""Source rows shown without what identifies a person: keys and shapes stay, values of persons do not.

A value is shown only where its key says that it is harmless (an amount, a moment, a status, an id of a thing) and the
value is written like one: a number, a moment, a code. People write whole sentences into a column called `status`.
Whatever a key may hold that nobody has called harmless is masked: cities, bands of income and gender describe persons
too. A row that cannot be read as JSON is shown as a shape only: letters as x, digits as 9.

Names of columns and keys are shown, unless they are values themselves, as in an object with a key for each person, or
in a file whose first row was taken for its header.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from functools import cache
from typing import Final

from quality.contracts.registry import CONTRACTS
from quality.contracts.table import tables
from quality.key_words import WORDS, Held, held_by, words_of
from warehouse.personal_text import MASK, is_day_or_moment, mask_certain, mask_name, mask_text

_MOMENT_WORDS: Final = frozenset(
    {
        *("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "sept", "oct", "nov", "dec"),
        *("january", "february", "march", "april", "june", "july", "august", "september", "october", "november"),
        *("december", "mon", "tue", "wed", "thu", "fri", "sat", "sun", "am", "pm", "z", "t", "utc", "gmt"),
        *("年", "月", "日", "时", "分", "秒", "上午", "下午", "元", "万元"),
    }
)
_LETTERS = re.compile(r"[^\W\d_]+")
_CURRENCY = re.compile(r"[A-Z]{3}")
_CODE = re.compile(r"[a-z][a-z0-9]*(?:[_.:/-][a-z0-9]+)*|[A-Z][A-Z0-9]*(?:[_.:/-][A-Z0-9]+)*")
"""`paid`, `order_completed`, `SMS`. Words that begin with a capital letter may be names."""
_LONG_NUMBER = re.compile(r"[0-9]{10,}")
_STAMP = re.compile(r"(19|20)[0-9]{2}[01][0-9][0-3][0-9][0-2][0-9][0-5][0-9][0-5][0-9]")
_ID = re.compile(r"[A-Za-z0-9_.:/+=#-]{1,100}")
_LONGEST_CODE: Final = 40
_SUM = re.compile(
    r"(?:(?:[A-Z]{3}|[¥￥$€£]) ?)?"
    r"[+-]?(?:(?:0|[1-9][0-9]{0,8})\.[0-9]{1,4}|[0-9]{1,2}\.[0-9]{5,10})"
    r"(?: ?(?:[A-Z]{3}|元))?"
)
"""`1197.0000`, a rate: as many digits as a phone number may have, with one point between them."""
_COMMON_VALUES: Final = frozenset(
    {
        *("Paid", "Unpaid", "Pending", "Processing", "Fulfilled", "Unfulfilled", "Shipped", "Delivered"),
        *("Completed", "Cancelled", "Canceled", "Refunded", "Returned", "Failed", "Closed", "已付款", "已支付"),
        *("未付款", "待付款", "待支付", "等待买家付款", "买家已付款", "待发货", "已发货", "卖家已发货", "待收货"),
        *("已收货", "已签收", "处理中", "已完成", "交易成功", "已取消", "已关闭", "交易关闭", "退款中", "已退款"),
        *("退货中", "已退货", "退款成功", "支付宝", "微信支付", "货到付款", "人民币", "美元", "欧元"),
    }
)
"""Words that stand in orders everywhere, and are written as a name could be."""


def mask_raw(kind: str, raw: str, personal_keys: Iterable[str] = ()) -> str:
    """A source row as it may be shown. ``personal_keys``: further source keys that hold personal values."""
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError):
        return _shape(raw)
    if not isinstance(value, dict | list):
        return _shape(raw)
    keys = personal_fields(kind) | {key.lower() for key in personal_keys}
    return json.dumps(_mask(value, keys, "unknown"), ensure_ascii=False)


@cache
def personal_fields(kind: str) -> frozenset[str]:
    """The contract's fields that hold personal values."""
    columns = (column for table in tables(kind) for column in table.columns)
    return frozenset(column.name for column in columns if column.is_personal) if kind in CONTRACTS else frozenset()


def mask_names(names: Iterable[str], known: Collection[str] = ()) -> dict[str, str]:
    """How names that stand side by side may be shown: columns of a file, keys of an object. ``known``: what a mapping
    reads.

    Where one of them is a value, they are values all: of the others only those are shown that somebody knows.
    """
    found = {name: mask_name(name) for name in names}
    is_header = any(name in known for name in found) or not any(map(is_day_or_moment, found))
    if is_header and all(name == shown for name, shown in found.items()):
        return found
    return {name: shown if name in known or _is_word(name) else MASK for name, shown in found.items()}


def mask_paths(paths: Mapping[str, tuple[str, ...]], known: Collection[str] = ()) -> dict[str, str]:
    """How source fields may be shown that stand inside each other: name → names of the keys that lead to it."""
    inside: dict[tuple[str, ...], dict[str, None]] = {}
    for path in paths.values():
        for depth, part in enumerate(path):
            inside.setdefault(path[:depth], {})[part] = None
    parts = {place: mask_names(names, known) for place, names in inside.items()}
    return {
        name: ".".join(parts[path[:depth]][part] for depth, part in enumerate(path)) for name, path in paths.items()
    }


@cache
def _known_words() -> frozenset[str]:
    columns = {column.name for kind in CONTRACTS for table in tables(kind) for column in table.columns}
    words = {word for name in columns for word in name.split("_")}
    return WORDS | words


def _is_word(name: str) -> bool:
    return bool(words := words_of(name)) and words <= _known_words()


def _mask(value: object, keys: frozenset[str], held: Held) -> object:
    if isinstance(value, dict):
        shown = _numbered(mask_names(value, keys))
        return {
            shown[key]: _mask(item, keys, "personal" if held == "personal" else held_by(key, keys))
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [_mask(item, keys, held) for item in value]
    if value is None or isinstance(value, bool):
        return value
    return value if _is_harmless(str(value), held) else MASK


def _numbered(shown: Mapping[str, str]) -> dict[str, str]:
    """Keys that are masked alike, told apart, lest an object lose some."""
    taken: Counter[str] = Counter()
    found: dict[str, str] = {}
    for key, name in shown.items():
        taken[name] += name != key
        found[key] = name if taken[name] < 2 else f"{name}{taken[name]}"
    return found


def _is_harmless(text: str, held: Held) -> bool:
    """Whether a value is what its key promises. An id may have as many digits as a phone number."""
    if held == "id":
        return not text or (_ID.fullmatch(text) is not None and mask_certain(text) == text)
    if held != "harmless":
        return False
    return text in _COMMON_VALUES or _is_figure(text) or (len(text) <= _LONGEST_CODE and _is_code(text))


def _is_figure(text: str) -> bool:
    """A number, a sum of money, a moment: in words of these only."""
    words = _LETTERS.findall(text)
    if not all(word.lower() in _MOMENT_WORDS or _CURRENCY.fullmatch(word) for word in words):
        return False
    if _SUM.fullmatch(text):
        digits = "".join(filter(str.isdigit, text))
        return mask_certain(digits) == digits
    return _STAMP.fullmatch(text) is not None or (not _LONG_NUMBER.search(text) and mask_text(text) == text)


def _is_code(text: str) -> bool:
    return _CODE.fullmatch(text) is not None and not _LONG_NUMBER.search(text)


def _shape(text: str) -> str:
    return "".join("9" if letter.isdigit() else "x" if letter.isalpha() else letter for letter in text)
