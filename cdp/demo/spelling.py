"""Other ways to write the same thing: pinyin, traditional script, short names, typos, phones, e-mails."""

from __future__ import annotations

import functools
import random
import re

from opencc import OpenCC
from pypinyin import lazy_pinyin

_TO_TRADITIONAL = OpenCC("s2t")
_KEYS = "qwertyuiopasdfghjklzxcvbnm"
_SHORT_FORM = re.compile(r"^[^aeiouy]*[aeiouy]+[^aeiouy]+", re.IGNORECASE)


@functools.lru_cache(maxsize=20_000)
def romanised(name: str) -> str:
    """A Chinese name in pinyin without tones, as one capitalised word; other names as they are."""
    return "".join(lazy_pinyin(name)).capitalize() if is_chinese(name) else name


@functools.lru_cache(maxsize=20_000)
def traditional(name: str) -> str:
    """The name in traditional characters."""
    return str(_TO_TRADITIONAL.convert(name))


def is_chinese(name: str) -> bool:
    """Whether a name is written in Han characters."""
    return bool(name) and "\u4e00" <= name[0] <= "\u9fff"


def short_form(given: str) -> str:
    """What friends say: 小明 for 晓明, and the first closed syllable of an English name (Daniel: Dan)."""
    if is_chinese(given):
        return "小" + given[-1]
    found = _SHORT_FORM.match(given)
    return found.group() if found and 3 <= len(found.group()) < len(given) else given


def mistyped(text: str, coins: random.Random) -> str:
    """One slip of the fingers: a letter swapped with the next, left out, doubled or hit beside."""
    if len(text) < 4 or is_chinese(text):
        return text
    at = coins.randrange(1, len(text) - 1)
    slip = coins.randrange(4)
    if slip == 0 and text[at] != text[at + 1]:
        return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    if slip == 1:
        return text[:at] + text[at + 1 :]
    if slip == 2:
        return text[:at] + text[at] + text[at:]
    if text[at].isdigit():
        return text[:at] + str((int(text[at]) + coins.randrange(1, 10)) % 10) + text[at + 1 :]
    return text[:at] + coins.choice(_KEYS) + text[at + 1 :]


def homophone(given: str, characters: dict[str, tuple[str, ...]], coins: random.Random) -> str:
    """The name with its last character replaced by another one that sounds the same, where there is one."""
    others = [other for other in characters.get(romanised(given[-1]), ()) if other != given[-1]]
    return given[:-1] + coins.choice(others) if others else given


def written_phone(number: str, coins: random.Random) -> str:
    """An E.164 number as people write it in forms of the two countries."""
    if number.startswith("+86"):
        local = number[3:]
        spaced = f"{local[:3]} {local[3:7]} {local[7:]}"
        return coins.choice((local, local, number, f"+86 {spaced}", spaced, spaced.replace(" ", "-"), f"86{local}"))
    local = "0" + number[3:]
    spaced = f"{local[:5]} {local[5:]}"
    return coins.choice((local, spaced, number, f"+44 {spaced[1:]}", f"({local[:5]}) {local[5:]}", f"0044{local[1:]}"))


def written_email(email: str, coins: random.Random) -> str:
    """The same mailbox with a capital, or with a tag after a plus sign."""
    style = coins.randrange(20)
    if style == 0:
        return email[:1].upper() + email[1:]
    return email.replace("@", "+shop@") if style == 1 else email


def mailbox(given: str, family: str, year: int, coins: random.Random) -> str:
    """A local part made of a romanised name: jane.doe, janedoe84, doe_jane, jdoe1984."""
    first, last = given.lower().replace(" ", ""), family.lower().replace(" ", "").replace("'", "")
    return coins.choice(
        (
            f"{first}.{last}",
            f"{first}{last}{year % 100:02d}",
            f"{last}_{first}",
            f"{first[:1]}{last}{year}",
            f"{first}.{last}{coins.randrange(2, 999)}",
            f"{last}{first}{coins.randrange(10, 9999)}",
        )
    )
