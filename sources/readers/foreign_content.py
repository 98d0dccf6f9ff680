"""Content that is not what a feed's files hold: a page of HTML, an interface's error, JSON where a table should be.

Such a file is refused as a whole, in words that say what it is: taken for rows it would be refused for what it lacks,
or, worse, make a row out of nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from typing import Final

import msgspec

from sources.mapping import Format
from sources.operations.operation import Value

LONGEST_ERROR: Final = 256 << 10
_MARKUP: Final = re.compile(rb"\s*(<!doctype html|<html|<head|<body|<\?xml|<soap|<error)\b", re.IGNORECASE)
_JSON_IN_TABLE: Final = re.compile(rb'\s*(\{\s*["}]|\[\s*[\[{"\]])')
_FAILED: Final = 400

_MARKS: Final = frozenset(
    {"error", "errors", "error_code", "errorCode", "errcode", "error_response", "gw_err_resp", "fault", "exception"}
)
"""Keys that say that something failed, unless they hold nothing or zero."""
_BESIDE: Final = frozenset(
    {
        "category", "code", "context", "correlationId", "correlation_id", "data", "description", "detail", "details",
        "documentation_url", "errmsg", "errorDescription", "errorMessage", "error_description", "error_message",
        "error_type", "extensions", "help",
        "hint", "instance", "link", "links", "message", "meta", "more_info", "msg", "ok", "path", "request",
        "requestId", "request_id", "status", "statusCode", "status_code", "subCategory", "sub_code", "sub_msg",
        "success", "timestamp", "title", "traceId", "trace_id", "type",
    }
)  # fmt: skip
"""Keys that stand beside them. An object with any other key is more than an error."""
_WORDS: Final = frozenset({"message", "msg", "title", "detail", "description", "errmsg", "errorMessage"})
_NOTHING: Final[tuple[Value, ...]] = (None, "", "0", 0, False, [], {}, "ok", "OK")


def foreign_content(text: bytes, form: Format, read: Collection[str]) -> str:
    """What a text is instead of rows in this form; empty when it may be what it should be.

    ``text`` is its beginning, more than ``LONGEST_ERROR`` or all of it; ``read`` are the source fields that the mapping
    reads.
    """
    if _MARKUP.match(text[:LONGEST_ERROR]):
        what = "XML" if text.lstrip()[:2] == b"<?" else "a page of HTML"
        return f"the file is {what}, such as an error of the server, not {'a table' if form in _TABLES else 'JSON'}"
    if form in _TABLES:
        return "the file holds JSON, not a table with columns" if _JSON_IN_TABLE.match(text) else ""
    if len(text) <= LONGEST_ERROR and _may_be_error(text) and _is_error(_decoded(text), read):
        return "the file is an error of the interface, not data"
    return ""


_TABLES: Final = frozenset({"csv", "tsv"})


def _may_be_error(text: bytes) -> bool:
    """Whether the keys of the object, or of a list's first one, allow it: data is told by them without being opened."""
    try:
        if text.lstrip()[:1] == b"[":
            text = bytes(next(iter(msgspec.json.decode(text, type=list[msgspec.Raw])), b"{}"))
        return msgspec.json.decode(text, type=dict[str, msgspec.Raw]).keys() <= _MARKS | _BESIDE
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return True


def _decoded(data: bytes) -> Value:
    try:
        value: Value = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return value


def _is_error(value: Value, read: Collection[str]) -> bool:
    if isinstance(value, list):
        return bool(value) and all(isinstance(item, dict) and _is_error(item, read) for item in value)
    if not isinstance(value, dict) or not value.keys() <= _MARKS | _BESIDE or _holds_data(value.get("data")):
        return False
    marks = {key for key in _MARKS & value.keys() if value[key] not in _NOTHING}
    return not marks & set(read) if marks else _tells_failure(value)


def _holds_data(data: Value) -> bool:
    """Whether there is more under ``data`` than the status of the failure."""
    return bool(data) and not (isinstance(data, dict) and data.keys() <= {"status", "params", "details"})


def _tells_failure(value: Mapping[str, Value]) -> bool:
    if not _WORDS & value.keys():
        return False
    data = value.get("data")
    inner = data.get("status") if isinstance(data, dict) else None
    numbers = (value.get(key) for key in ("status", "statusCode", "status_code", "code"))
    failed = any(_is_failure(number) for number in (*numbers, inner))
    return failed or value.get("success") is False or str(value.get("status")).lower() in {"error", "fail", "failed"}


def _is_failure(number: Value) -> bool:
    return str(number).isdecimal() and _FAILED <= int(str(number)) < 2 * _FAILED
