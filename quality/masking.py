"""Source rows shown without what identifies a person: keys and shapes stay, values of persons do not.

A value is shown only where its key says that it is harmless (an amount, a moment, a status, an id of a thing) and the
value does not look like an e-mail address or a phone number. Whatever a key may hold that nobody has called harmless is
masked: cities, bands of income and gender describe persons too. A row that cannot be read as JSON is shown as a shape
only: letters as x, digits as 9.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import cache
from typing import Final, Literal, TypeAlias

from quality.contracts.registry import CONTRACTS
from quality.contracts.table import tables

_Held: TypeAlias = Literal["personal", "id", "harmless", "unknown"]

_EMAIL = re.compile(r"(?<![^\s@<>\"',;:])[^\s@<>\"',;:]+@[^\s@<>\"',;:]+")
"""Anchored at the start of a word: without it a long text takes quadratic time."""
_PHONE = re.compile(r"(?<![\w.-])\+?(?:\(?[0-9]{1,4}\)?[ .\-]?){2,6}[0-9]{2,4}(?![\w.-])")
_PHONE_DIGITS: Final = range(8, 16)
_BARE_PHONE_DIGITS: Final = range(10, 14)
_WORD = re.compile(r"[^\W_]+")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_PERSONAL_WORDS: Final = frozenset(
    {
        *(
            "address",
            "age",
            "gender",
            "sex",
            "marital",
            "income",
            "salary",
            "city",
            "occupation",
            "company",
            "job",
            "birth",
            "birthday",
            "birthdate",
            "dob",
            "born",
            "body",
            "card",
            "comment",
            "content",
            "customer",
        ),
        *("description", "display", "email", "firstname", "handle", "ip", "lastname", "mail", "mobile", "name"),
        *("national", "nickname", "note", "openid", "owner", "passport", "phone", "postcode", "screen", "street"),
        *("subject", "tel", "text", "title", "unionid", "user", "userid", "username", "zip"),
        *("姓名", "电话", "手机", "地址", "收货人", "邮箱", "昵称", "备注", "身份证", "身份证号", "证件号"),
    }
)
_ID_WORDS: Final = frozenset({"id", "ids", "idstr", "mid", "order", "sku", "编号", "订单编号"})
_HARMLESS_WORDS: Final = frozenset(
    {
        *(
            "amount",
            "amounts",
            "total",
            "subtotal",
            "price",
            "quantity",
            "qty",
            "count",
            "tax",
            "discount",
            "discounts",
        ),
        *("currency", "rate", "cents", "status", "event", "type", "kind", "channel", "stage", "variant", "version"),
        *("created", "updated", "placed", "occurred", "sent", "received", "processed", "cancelled", "at", "on"),
        *("date", "day", "time", "timestamp", "sku", "score", "rating", "test", "position", "source", "library"),
        *("订单状态", "金额", "总金额", "价格", "单价", "数量", "时间", "日期", "创建时间", "付款时间", "状态"),
    }
)
"""Words of keys whose values describe a thing or a moment. `Date of birth` is personal by another of its words."""
_MASK: Final = "•••"


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


def mask_text(text: str) -> str:
    """A text whose e-mail addresses and phone numbers are masked, everything else as it is."""
    return _PHONE.sub(_mask_phone, _EMAIL.sub(_MASK, text))


def _mask(value: object, keys: frozenset[str], held: _Held) -> object:
    if isinstance(value, dict):
        return {
            mask_text(key): _mask(item, keys, "personal" if held == "personal" else _held_by(key, keys))
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [_mask(item, keys, held) for item in value]
    if value is None or isinstance(value, bool):
        return value
    if held in {"personal", "unknown"}:
        return _MASK
    text = str(value)
    shown = _EMAIL.sub(_MASK, text) if held == "id" else mask_text(text)
    return value if shown == text else shown


def _held_by(key: str, keys: frozenset[str]) -> _Held:
    """What a key holds. An id may have as many digits as a phone number."""
    words = {word.lower() for word in _WORD.findall(_CAMEL.sub("_", key).replace("_", " "))}
    if key.lower() in keys or words & _PERSONAL_WORDS or words >= {"id", "number"}:
        return "personal"
    if words & _ID_WORDS:
        return "id"
    return "harmless" if words & _HARMLESS_WORDS else "unknown"


def _mask_phone(match: re.Match[str]) -> str:
    digits = sum(letter.isdigit() for letter in match[0])
    lengths = _BARE_PHONE_DIGITS if match[0].isdigit() else _PHONE_DIGITS
    return _MASK if digits in lengths and not _is_moment(match[0]) else match[0]


def _is_moment(text: str) -> bool:
    return re.fullmatch(r"(19|20)[0-9]{2}-[01][0-9]-[0-3][0-9].*", text) is not None


def _shape(text: str) -> str:
    return "".join("9" if letter.isdigit() else "x" if letter.isalpha() else letter for letter in text)
