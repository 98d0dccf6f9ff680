"""The words of the vocabulary and how each is written in a mapping.

``then: [strip, {lookup: {paid: paid}, else: null}, {time: iso}]``: a plain word, or a word with its argument (and,
for ``lookup``, ``else``). Unknown words and wrong arguments raise MappingError in words for the person who wrote it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final

from sources.operations.collection import FirstOfList, Split
from sources.operations.country import CountryCode
from sources.operations.damage import NotVirtual, Undamaged
from sources.operations.identifier import Md5, SalesforceId
from sources.operations.markup import HtmlText, Unescape
from sources.operations.moment import Day, Epoch, OnServersClock, Time
from sources.operations.number import Absolute, Integral, MinorUnits, Negate
from sources.operations.operation import MappingError, Operation
from sources.operations.since_1970 import EpochDay, TimeOrEpoch
from sources.operations.snowflake import Snowflake
from sources.operations.text import (
    AfterLast,
    Before,
    Containing,
    Digits,
    First,
    Lacking,
    Lower,
    Part,
    Prefix,
    RemovePrefix,
    Replace,
    SpreadsheetText,
    Strip,
    Upper,
)
from sources.operations.time_as_seen import TimeAsSeen
from sources.operations.words import Lookup, NullIf
from warehouse.codes import check_code
from warehouse.declaration import suggestion

_PLAIN: Final[Mapping[str, Operation]] = MappingProxyType(
    {
        operation.name: operation
        for operation in (
            Strip(),
            SpreadsheetText(),
            SalesforceId(),
            Md5(),
            CountryCode(),
            Lower(),
            Upper(),
            Digits(),
            HtmlText(),
            Unescape(),
            Integral(),
            Negate(),
            Absolute(),
            FirstOfList(),
            Undamaged(),
            NotVirtual(),
            Snowflake(),
        )
    }
)


def word(constant: object) -> str | None:
    """A constant of a declaration as the text that stands for it; None stays None."""
    if constant is None:
        return None
    if isinstance(constant, bool):
        return "true" if constant else "false"
    if isinstance(constant, str | int | float):
        return str(constant)
    raise MappingError("a constant is text, a number, true, false or null")


def _known_word(constant: object) -> str:
    text = word(constant)
    if text is None:
        raise MappingError("null needs no word here")
    return text


def _words(argument: object) -> tuple[str, ...]:
    if not isinstance(argument, list):
        raise MappingError("null_if takes a list of values")
    return tuple(_known_word(item) for item in argument if item is not None)


def _text(argument: object) -> str:
    if not isinstance(argument, str) or not argument:
        raise MappingError("a text is expected")
    return argument


def _count(argument: object) -> int:
    if not isinstance(argument, int) or isinstance(argument, bool) or argument < 1:
        raise MappingError("a whole number above zero is expected")
    return argument


def _pairs(argument: object) -> tuple[tuple[str, str], ...]:
    if not isinstance(argument, dict) or not argument:
        raise MappingError("old text: new text is expected")
    return tuple((str(old), word(new) or "") for old, new in argument.items())


def _unit(argument: object) -> str:
    if argument not in {"seconds", "milliseconds", "microseconds"}:
        raise MappingError("epoch is seconds, milliseconds or microseconds")
    return str(argument)


def _epoch_day(argument: object) -> EpochDay:
    if not isinstance(argument, dict) or argument.keys() != {"unit", "zone"}:
        raise MappingError("epoch_day takes `unit` and `zone`, such as {unit: milliseconds, zone: Asia/Shanghai}")
    return EpochDay(_unit(argument["unit"]), check_code("time zone", str(argument["zone"])))


def _part(argument: object) -> Part:
    if not isinstance(argument, dict) or set(argument) != {"mark", "number"}:
        raise MappingError("part takes `mark`, the text between the parts, and `number`, counted from 1")
    return Part(_text(argument["mark"]), _count(argument["number"]))


def _time_forms(argument: object) -> tuple[str, ...]:
    if isinstance(argument, list) and argument:
        return tuple(_time_form(item) for item in argument)
    return (_time_form(argument),)


def _servers_clock(argument: object) -> OnServersClock:
    if not isinstance(argument, dict) or set(argument) != {"made", "sent"}:
        raise MappingError("on_servers_clock takes `made` and `sent`, the paths of two moments on the device's clock")
    return OnServersClock(_text(argument["made"]), _text(argument["sent"]))


def _time_as_seen(argument: object) -> TimeAsSeen:
    if not isinstance(argument, dict) or set(argument) != {"at", "forms"}:
        raise MappingError("time_as_seen takes `at`, paths that say when it was seen, and `forms` of moments")
    at = argument["at"] if isinstance(argument["at"], list) else [argument["at"]]
    return TimeAsSeen(tuple(_text(path) for path in at), _time_forms(argument["forms"]))


def _time_form(argument: object) -> str:
    form = _text(argument)
    if form not in {"iso", "utc", "weibo"} and not _is_format(form):
        raise MappingError('a form is iso, utc, weibo or a strptime format such as "%Y-%m-%d %H:%M:%S"')
    return form


def _time_or_epoch(argument: list[object]) -> TimeOrEpoch:
    unit, *forms = argument or [None]
    return TimeOrEpoch(_unit(unit), tuple(_time_form(form) for form in forms) or ("iso",))


def _day_forms(argument: object) -> tuple[str, ...]:
    if isinstance(argument, list) and argument:
        return tuple(_day_form(item) for item in argument)
    return (_day_form(argument),)


def _day_form(argument: object) -> str:
    form = _text(argument)
    if form != "iso" and not _is_format(form):
        raise MappingError('a form is iso or a strptime format such as "%d/%m/%Y"')
    return form


def _is_format(form: str) -> bool:
    if not re.search("%[a-zA-Z]", form):
        return False
    try:
        datetime.strptime(datetime(2001, 2, 3, 4, 5, 6, tzinfo=UTC).strftime(form), form)  # noqa: DTZ007 - only tried
    except ValueError:
        return False
    return True


_WITH_ARGUMENT: Final[Mapping[str, Callable[[object], Operation]]] = MappingProxyType(
    {
        "null_if": lambda argument: NullIf(_words(argument)),
        "time": lambda argument: Time(_time_forms(argument)),
        "epoch": lambda argument: Epoch(_unit(argument)),
        "time_or_epoch": lambda argument: _time_or_epoch(argument if isinstance(argument, list) else [argument]),
        "epoch_day": _epoch_day,
        "date": lambda argument: Day(_day_forms(argument)),
        "minor_units": lambda argument: MinorUnits(_text(argument)),
        "split": lambda argument: Split(_text(argument)),
        "prefix": lambda argument: Prefix(_text(argument)),
        "remove_prefix": lambda argument: RemovePrefix(_text(argument)),
        "replace": lambda argument: Replace(_pairs(argument)),
        "first": lambda argument: First(_count(argument)),
        "before": lambda argument: Before(_text(argument)),
        "part": _part,
        "containing": lambda argument: Containing(_text(argument)),
        "lacking": lambda argument: Lacking(_text(argument)),
        "after_last": lambda argument: AfterLast(_text(argument)),
        "on_servers_clock": _servers_clock,
        "time_as_seen": _time_as_seen,
    }
)

WORDS: Final = tuple(sorted([*_PLAIN, *_WITH_ARGUMENT, "lookup"]))


def parse_operation(written: object) -> Operation:
    """The operation a mapping names.

    Raises:
        MappingError: it is no word of the vocabulary, or its argument is wrong.
    """
    if isinstance(written, str):
        return _plain(written)
    if not isinstance(written, dict) or not written:
        raise MappingError("an operation is a word, or a word with its argument")
    arguments = {str(key): value for key, value in written.items()}
    if "lookup" in arguments:
        return _lookup(arguments)
    if len(arguments) != 1:
        raise MappingError(f"one operation at a time, not {', '.join(arguments)}", "Write them as a list.")
    [(name, argument)] = arguments.items()
    if name in _PLAIN and argument is True:
        return _PLAIN[name]
    if name not in _WITH_ARGUMENT:
        raise MappingError(f"`{name}` is not an operation with an argument", suggestion(name, list(WORDS)))
    return _WITH_ARGUMENT[name](argument)


def _plain(name: str) -> Operation:
    if name in _PLAIN:
        return _PLAIN[name]
    if name in _WITH_ARGUMENT or name == "lookup":
        raise MappingError(f"`{name}` needs an argument", f"Write {{{name}: …}}.")
    raise MappingError(f"`{name}` is not an operation", suggestion(name, list(WORDS)))


def _lookup(arguments: Mapping[str, object]) -> Lookup:
    table, rest = arguments["lookup"], arguments.get("else", "keep")
    unknown = arguments.keys() - {"lookup", "else"}
    if unknown or not isinstance(table, dict):
        raise MappingError("lookup takes a table of words, and `else: keep`, null or a constant beside it")
    pairs = tuple((str(key), word(meaning)) for key, meaning in table.items())
    return Lookup(pairs, keep=rest == "keep", otherwise=None if rest == "keep" else word(rest))
