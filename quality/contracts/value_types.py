"""The types a contract field may have: how each reads what arrives, and which SQL type it becomes.

Every type reads the scalars of JSON, CSV and Parquet (text, numbers, booleans, lists, objects) and refuses with a
code of the quarantine. None of its messages repeats the value it refuses.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Final, Literal

from pydantic import BeforeValidator, JsonValue, StringConstraints
from pydantic_core import PydanticCustomError

from quality.contracts.year_first import iso_text

ShapeName = Literal["id", "line", "text", "code", "timestamp", "day", "decimal", "count", "double", "flag", "json"]

FIRST_MOMENT: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - contract timestamps are naive UTC
LAST_MOMENT: Final = datetime(2100, 1, 1)  # noqa: DTZ001 - likewise; itself excluded
FIRST_DAY: Final = date(1880, 1, 1)
LAST_DAY: Final = date(2099, 12, 31)
AMOUNT_LIMIT: Final = Decimal(10) ** 14
COUNT_LIMIT: Final = 2**63 - 1
_EXACT_FLOAT: Final = 2**53

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_CONTROL_IN_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")

_MOMENT = re.compile(
    r"(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?:[T ](?P<clock>[0-9]{2}:[0-9]{2})(?P<seconds>:[0-9]{2}(?:\.[0-9]+)?)?"
    r" ?(?P<zone>Z|UTC|[+-][0-9]{2}:?[0-9]{2}|[+-][0-9]{2})?)?"
)
_COMMON_LENGTHS = frozenset({len("2026-01-01T00:00:00Z"), len("2026-01-01T00:00:00.000Z")})
_DAY = re.compile(r"(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})(?:[T ]00:00(?::00(?:\.0+)?)?Z?)?")
_UNDECIDED = re.compile(r"[0-9]{1,2}([/-])[0-9]{1,2}\1[0-9]{4}([ ,T].*)?")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?")
_INTEGRAL_TEXT = re.compile(r"(-?[0-9]+)\.0+")
_DAMAGED_ID = re.compile(r"[+-]?[0-9](?:\.[0-9]+[eE]\+?|[eE]\+)[0-9]{1,3}")
_TRUE = frozenset({"true", "1", "yes", "t", "y"})
_FALSE = frozenset({"false", "0", "no", "f", "n"})


@dataclass(frozen=True)
class Shape:
    """What the SQL side must know of a type: its name here, its SQL type, its bounds."""

    name: ShapeName
    sql_type: str
    max_length: int | None = None
    pattern: str | None = None
    scale: int = 0
    minimum: int | None = None


@dataclass(frozen=True)
class Personal:
    """Marks a field that identifies a person or holds their own words: masked wherever it is shown."""


PERSONAL: Final = Personal()


def refuse(code: str, message: str) -> PydanticCustomError:
    """An error whose type is a quarantine code."""
    return PydanticCustomError(code, message)


def read_id(value: object) -> object:
    """An id is text on one line, however it arrives: 17850, 17850.0 and "17850.0" are all "17850"."""
    if isinstance(value, str):
        return _id_of(value)
    if isinstance(value, float | Decimal):
        if not math.isfinite(value) or value != int(value):
            raise refuse("wrong_type", "an id is text or a whole number")
        if isinstance(value, float) and abs(value) >= _EXACT_FLOAT:
            raise refuse("bad_format", "an id this long does not survive as a floating point number")
        return str(int(value))
    return read_text(value)


def _id_of(text: str) -> str:
    if not text.isprintable() and _CONTROL.search(text):
        raise refuse("bad_format", "an id holds no control characters")
    if "." in text and (integral := _INTEGRAL_TEXT.fullmatch(text)):
        return integral[1]
    if ("e" in text or "E" in text) and _DAMAGED_ID.fullmatch(text):
        raise refuse("bad_format", "an id in scientific notation has lost its digits")
    return text


def read_text(value: object) -> object:
    """Numbers become their text; truth values, lists and objects are no text. Control characters are refused."""
    if isinstance(value, str):
        if not value.isprintable() and _CONTROL_IN_TEXT.search(value):
            raise refuse("bad_format", "text holds no control characters but tabs and line ends")
        return value
    if isinstance(value, bool):
        raise refuse("wrong_type", "text is expected")
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float | Decimal) and math.isfinite(value):
        is_whole = value == int(value) and -_EXACT_FLOAT < value < _EXACT_FLOAT
        return str(int(value)) if is_whole else str(value)
    raise refuse("wrong_type", "text is expected")


def read_answer(value: object) -> object:
    """An answer may be a truth value or a list of choices too; it is kept as text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return "; ".join(str(read_answer(item)) for item in value)
    return read_text(value)


def unreadable_moment(text: str, operation: Literal["time", "date"]) -> str:
    """What is wrong with a text that is no moment, or no day, as it must be written."""
    if _UNDECIDED.fullmatch(text.strip()):
        return (
            "a day such as 3/4/2026 may begin with the day or with the month: declare which in the feed, "
            f"`then: [{{{operation}: '%d/%m/%Y'}}]` or `'%m/%d/%Y'`"
        )
    written = "YYYY-MM-DDTHH:MM:SS with Z or an offset" if operation == "time" else "YYYY-MM-DD"
    return f"a {'moment' if operation == 'time' else 'day'} is written {written}"


def read_timestamp(value: object) -> object:
    """A moment as naive UTC: ISO 8601 with an offset, or without one when it is UTC already.

    Other marks between the parts, and parts of one digit, are read where the year comes first.
    """
    if isinstance(value, datetime):
        moment = value
    elif isinstance(value, date):
        moment = datetime(value.year, value.month, value.day)  # noqa: DTZ001 - naive UTC by contract
    elif isinstance(value, str):
        moment = _moment_of(value.strip())
    else:
        raise refuse("wrong_type", "a moment is expected as ISO 8601 text")
    try:
        moment = moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
    except OverflowError as error:
        raise refuse("out_of_range", "a moment lies between the years 1970 and 2100") from error
    if not FIRST_MOMENT <= moment < LAST_MOMENT:
        raise refuse("out_of_range", "a moment lies between the years 1970 and 2100")
    return moment


def _moment_of(text: str) -> datetime:
    """The two commonest shapes go straight to the parser, which alone would take stranger ones too."""
    if len(text) in _COMMON_LENGTHS and text[-1] == "Z" and text[7:11:3] == "-T" and text[19] in "Z.":
        try:
            return datetime.fromisoformat(text).replace(tzinfo=None)
        except ValueError as error:
            raise refuse("bad_format", "there is no such day or time of day") from error
    match = _MOMENT.fullmatch(text) or _MOMENT.fullmatch(iso_text(text))
    if match is None:
        raise refuse("bad_format", unreadable_moment(text, "time"))
    zone = {None: "", "Z": "+00:00", "UTC": "+00:00"}.get(match["zone"], match["zone"])
    try:
        return datetime.fromisoformat(f"{match['day']}T{match['clock'] or '00:00'}{match['seconds'] or ''}{zone}")
    except ValueError as error:
        raise refuse("bad_format", "there is no such day or time of day") from error


def read_day(value: object) -> object:
    """A calendar day, written YYYY-MM-DD or otherwise with the year first; midnight may be written behind it."""
    if isinstance(value, datetime):
        day = value.date()
    elif isinstance(value, date):
        day = value
    elif isinstance(value, str):
        text = value.strip()
        match = _DAY.fullmatch(text) or _DAY.fullmatch(iso_text(text))
        if match is None:
            raise refuse("bad_format", unreadable_moment(value, "date"))
        try:
            day = date.fromisoformat(match["day"])
        except ValueError as error:
            raise refuse("bad_format", "there is no such day") from error
    else:
        raise refuse("wrong_type", "a day is expected as YYYY-MM-DD")
    if not FIRST_DAY <= day <= LAST_DAY:
        raise refuse("out_of_range", "a day lies between the years 1880 and 2099")
    return day


_NO_NUMBER: Final = (
    "a plain number such as 1250.00 is expected; `then: [{replace: {£: ''}}]` in the feed takes other marks out"
)


def read_number(value: object) -> Decimal:
    """A finite number, exactly as written."""
    if isinstance(value, bool):
        raise refuse("wrong_type", _NO_NUMBER)
    if isinstance(value, int | Decimal):
        number = Decimal(value)
    elif isinstance(value, float):
        number = Decimal(repr(value))
    elif isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        number = Decimal(value.strip())
    else:
        raise refuse("wrong_type", _NO_NUMBER)
    if not number.is_finite():
        raise refuse("out_of_range", "a finite number is expected")
    return number


def _read_decimal(value: object, scale: int) -> Decimal:
    number = read_number(value)
    if number and number.adjusted() >= AMOUNT_LIMIT.adjusted():
        raise refuse("out_of_range", "the number has more than 14 digits before the point")
    step = Decimal(1).scaleb(-scale)
    rounded = number.quantize(step)
    if rounded != number and not isinstance(value, float):
        raise refuse("out_of_range", f"the number has more than {scale} digits behind the point")
    if abs(rounded) >= AMOUNT_LIMIT:
        raise refuse("out_of_range", "the number has more than 14 digits before the point")
    return rounded or Decimal(0).scaleb(-scale)


def read_amount(value: object) -> Decimal:
    """A decimal of four places. Text must hold no more; floating point is rounded to them (half to even)."""
    return _read_decimal(value, 4)


def read_rate(value: object) -> Decimal:
    """A positive decimal of eight places: what one unit of a currency is worth in another."""
    rate = _read_decimal(value, 8) if read_number(value).adjusted() < _RATE_DIGITS else AMOUNT_LIMIT
    if not 0 < rate < 10**_RATE_DIGITS:
        raise refuse("out_of_range", "a rate is above zero and below ten thousand million")
    return rate


_RATE_DIGITS: Final = 10


def read_count(value: object) -> int:
    """A whole number within 64 bits."""
    number = read_number(value)
    if number.adjusted() > 18 or number != int(number) or abs(number) > COUNT_LIMIT:
        raise refuse("out_of_range", "a whole number within 64 bits is expected")
    return int(number)


def read_double(value: object) -> float:
    """A finite floating point number."""
    number = float(read_number(value))
    if not math.isfinite(number):
        raise refuse("out_of_range", "a finite number is expected")
    return number


def read_flag(value: object) -> bool:
    """True or false, as a truth value, 1 or 0, or the usual words."""
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower() if isinstance(value, str | int) else ""
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise refuse("wrong_type", "true or false is expected")


Id = Annotated[str, StringConstraints(max_length=255), BeforeValidator(read_id), Shape("id", "VARCHAR", 255)]
Line = Annotated[
    str,
    StringConstraints(max_length=1000),
    BeforeValidator(read_text),
    Shape("line", "VARCHAR", 1000),
]
Url = Annotated[
    str,
    StringConstraints(max_length=8192),
    BeforeValidator(read_text),
    Shape("line", "VARCHAR", 8192),
]
Text = Annotated[
    str,
    StringConstraints(max_length=1_000_000),
    BeforeValidator(read_text),
    Shape("text", "VARCHAR", 1_000_000),
]
Answer = Annotated[
    str,
    StringConstraints(max_length=1_000_000),
    BeforeValidator(read_answer),
    Shape("text", "VARCHAR", 1_000_000),
]
Currency = Annotated[
    str, StringConstraints(pattern="^[A-Z]{3}$"), BeforeValidator(read_text), Shape("code", "VARCHAR", 3, "[A-Z]{3}")
]
Timestamp = Annotated[datetime, BeforeValidator(read_timestamp), Shape("timestamp", "TIMESTAMP")]
Day = Annotated[date, BeforeValidator(read_day), Shape("day", "DATE")]
Amount = Annotated[Decimal, BeforeValidator(read_amount), Shape("decimal", "DECIMAL(18,4)", scale=4)]
Rate = Annotated[Decimal, BeforeValidator(read_rate), Shape("decimal", "DECIMAL(18,8)", scale=8, minimum=0)]
Count = Annotated[int, BeforeValidator(read_count), Shape("count", "BIGINT")]
Double = Annotated[float, BeforeValidator(read_double), Shape("double", "DOUBLE")]
Flag = Annotated[bool, BeforeValidator(read_flag), Shape("flag", "BOOLEAN")]
JsonObject = Annotated[dict[str, JsonValue], Shape("json", "JSON")]

PersonalId = Annotated[Id, PERSONAL]
PersonalLine = Annotated[Line, PERSONAL]
PersonalText = Annotated[Text, PERSONAL]
PersonalDay = Annotated[Day, PERSONAL]
