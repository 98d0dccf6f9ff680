"""Where a file seems to come from: the clock, country and money of rows that name none, told by what it holds."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sources.operations.operation import Value
from sources.trial.sample import SourceRow

Settings = Mapping[str, str | None]
"""Time zone, country and currency."""

NOTHING_SAID: Final[Settings] = {"time_zone": "UTC", "country": None, "currency": None}

_HAN = re.compile("[\u3400-\u9fff]")
_NOT_CHINESE = re.compile("[\u3040-\u30ff\uac00-\ud7af]")
_PHONE = re.compile(r"(?:\+|00)?86[- ]?1[3-9][0-9]{9}\Z|1[3-9][0-9]{9}\Z")
_MONEY = re.compile(r"[¥￥]|\b(?:CNY|RMB)\b|[0-9]元|[(（]元[)）]")
_MOSTLY: Final = 0.5


@dataclass(frozen=True)
class Place:
    """A country's settings, and the signs that the file comes from there."""

    settings: Settings
    why: str


def place_of(rows: Sequence[SourceRow]) -> Place | None:
    """China, where headings or values say so; None where nothing does.

    Chinese characters, mobile numbers of China and its money are signs; Japanese and Korean texts are none.
    """
    columns: dict[str, list[str]] = {}
    for row in rows:
        for name, text in _texts(row.value, ""):
            columns.setdefault(name, []).append(text)
    names = list(columns)
    if _share(names, _NOT_CHINESE) or any(_share(texts, _NOT_CHINESE) >= _MOSTLY for texts in columns.values()):
        return None
    signs = {
        "Chinese headings": _share(names, _HAN) >= _MOSTLY,
        "values in Chinese": any(_share(texts, _HAN) >= _MOSTLY for texts in columns.values()),
        "mobile numbers of China": any(_share(texts, _PHONE) >= _MOSTLY for texts in columns.values()),
        "amounts in CNY": any(
            _MONEY.search(name) or _share(texts, _MONEY) >= _MOSTLY for name, texts in columns.items()
        ),
    }
    found = [sign for sign, holds in signs.items() if holds]
    china = {"time_zone": "Asia/Shanghai", "country": "CN", "currency": "CNY"}
    return Place(china, ", ".join(found)) if found else None


def _share(texts: Sequence[str], pattern: re.Pattern[str]) -> float:
    return sum(bool(pattern.search(text)) for text in texts) / len(texts) if texts else 0.0


def _texts(value: Value, at: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _texts(inner, f"{at}.{key}" if at else key)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item, at)
    elif value is not None and str(value).strip():
        yield at, str(value).strip()
