"""What looks like a personal value, whatever its field is called: e-mail addresses, numbers of phones, cards and ids.

Names of persons and their addresses have no form of their own: nothing here finds them.
"""

from __future__ import annotations

import re
from typing import Final

MASK: Final = "•••"

_EMAIL = re.compile(r"(?<![^\s@<>\"',;:])[^\s@<>\"',;:]+@[^\s@<>\"',;:]+")
"""Anchored at the start of a word: without it a long text takes quadratic time."""
_PHONE = re.compile(r"(?<![\w.-])\+?(?:\(?[0-9]{1,4}\)?[ .\-]?){2,6}[0-9]{2,4}(?![\w.-])")
_PHONE_DIGITS: Final = range(8, 16)
_BARE_PHONE_DIGITS: Final = range(10, 14)

_ADDRESS = re.compile(
    r"(?<![\w.+%-])[\w.+%-]+@(?!(?:odata|microsoft)\.)[\w-]+(?:\.[\w-]+)*\.[^\W\d_]{2,}", re.IGNORECASE
)
"""OData writes annotations as `field@odata.type`."""
_ABROAD = re.compile(r"(?<![\w+])\+[1-9](?:[ .()-]{0,2}[0-9]){7,14}(?![0-9])")
_MOBILE = re.compile(r"(?<![A-Za-z0-9])1[3-9][0-9](?:[ -]?[0-9]{4}){2}(?![A-Za-z0-9])")
_NATIONAL = re.compile(
    r"(?<![A-Za-z0-9])[1-9][0-9]{5}(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])[0-3][0-9][0-9]{3}[0-9Xx](?![A-Za-z0-9])"
)
"""Of China, with the day of birth inside."""
_CARD = re.compile(r"(?<![A-Za-z0-9])[3-6][0-9]{3}(?:[ -]?[0-9]{4}){2}[ -]?[0-9]{3,4}(?![A-Za-z0-9])")
_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK_LETTERS: Final = "10X98765432"


def mask_text(text: str) -> str:
    """A text in which everything is masked that may be an e-mail address or a number of a person."""
    return _PHONE.sub(_mask_phone, _EMAIL.sub(MASK, mask_certain(text)))


def mask_certain(text: str) -> str:
    """A text in which only that is masked which is nothing else: an id of a thing may have as many digits as a phone
    number, and a path holds days and times."""
    if "@" in text:
        text = _ADDRESS.sub(MASK, text)
    if sum(map(str.isdigit, text)) < min(_PHONE_DIGITS):
        return text
    return _MOBILE.sub(MASK, _CARD.sub(_mask_card, _NATIONAL.sub(_mask_national, _ABROAD.sub(MASK, text))))


def mask_name(text: str) -> str:
    """The name of a column or a file as it may be shown."""
    whole = _PHONE.fullmatch(text)
    return MASK if whole and _mask_phone(whole) == MASK and not _has_years(text) else mask_certain(text)


def is_day_or_moment(text: str) -> bool:
    """Whether it begins as a day of our time does, year first."""
    return re.fullmatch(r"(19|20)[0-9]{2}-[01][0-9]-[0-3][0-9].*", text) is not None


def _has_years(text: str) -> bool:
    return re.search(r"(?<![0-9])(19|20)[0-9]{2}(?![0-9])", text) is not None


def _mask_phone(match: re.Match[str]) -> str:
    digits = sum(letter.isdigit() for letter in match[0])
    lengths = _BARE_PHONE_DIGITS if match[0].isdigit() else _PHONE_DIGITS
    return MASK if digits in lengths and not is_day_or_moment(match[0]) else match[0]


def _mask_national(match: re.Match[str]) -> str:
    total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, match[0], strict=False))
    return MASK if _CHECK_LETTERS[total % 11] == match[0][-1].upper() else match[0]


def _mask_card(match: re.Match[str]) -> str:
    digits = [int(letter) for letter in match[0] if letter.isdigit()]
    doubled = sum(sum(divmod(2 * digit, 10)) for digit in digits[-2::-2])
    return MASK if (doubled + sum(digits[-1::-2])) % 10 == 0 else match[0]
