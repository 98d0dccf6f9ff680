"""Values in the one form in which they are compared. Each function takes one distinct value; None: nothing is left."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from identity.chinese import simplified
from sources.operations.damage import LENT_NUMBER, SCIENTIFIC

_EMAIL = re.compile(r"[^@\s,;<>\"]+@[^@\s,;<>\"]+\.[^@\s,;<>\"]+")
_DOTS_IGNORED = frozenset({"gmail.com", "googlemail.com"})
_PLUS_IGNORED = frozenset(
    {"gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "live.com", "icloud.com", "fastmail.com", "proton.me"}
)
_PHONE_SHORTEST = 5
_CHINESE_PHONE = re.compile(r"1[3-9][0-9]{9}|[48]00[0-9]{7}")
_NORTH_AMERICA = 1
_STREET_WORDS = {
    "street": "st",
    "road": "rd",
    "avenue": "ave",
    "drive": "dr",
    "lane": "ln",
    "court": "ct",
    "place": "pl",
    "square": "sq",
    "crescent": "cres",
    "close": "cl",
    "boulevard": "blvd",
    "terrace": "ter",
    "gardens": "gdns",
    "apartment": "flat",
    "apt": "flat",
    "unit": "flat",
    "suite": "flat",
    "saint": "st",
    "mount": "mt",
    "north": "n",
    "south": "s",
    "east": "e",
    "west": "w",
}
_ADDRESS_SPLIT = re.compile(r"\d+|[a-z]+|[\u3400-\u9fff]")


@dataclass(frozen=True)
class Phone:
    """A number as compared: E.164, or digits with ``*`` where the source hid some. ``is_valid``: it can exist."""

    value: str
    is_valid: bool

    @property
    def is_masked(self) -> bool:
        """The source hid digits: it can support a match, never name a person."""
        return "*" in self.value


def normalise_email(text: str) -> str | None:
    """Lower case; dots and ``+tag`` go where the provider ignores them. The domain is never rewritten otherwise."""
    plain = unicodedata.normalize("NFKC", text).strip().strip("<>").removeprefix("mailto:").casefold()
    if _EMAIL.fullmatch(plain) is None:
        return None
    local, _, domain = plain.rpartition("@")
    if domain in _PLUS_IGNORED:
        local = local.split("+", 1)[0]
    if domain in _DOTS_IGNORED:
        local, domain = local.replace(".", ""), "gmail.com"
    return f"{local}@{domain}" if local else None


def normalise_phone(text: str, country: str) -> Phone | None:
    """E.164 with the country where the number names none (source: libphonenumber's metadata).

    Who writes from abroad often leaves +86 out. Chinese mobiles and 400 numbers are known by their form, so they are
    read as such where the country knows no such number; but in North America, where a number may begin with a 1 too.
    None where it names nobody: a spreadsheet took its digits (1.38E+10), or a platform lent it for one delivery.
    """
    import phonenumbers  # heavy, and only phones need it

    plain = unicodedata.normalize("NFKC", text).strip()
    is_chinese = country == "CN" or plain.startswith(("+86", "0086"))
    if re.fullmatch(SCIENTIFIC, plain) or (is_chinese and re.fullmatch(LENT_NUMBER, plain)):
        return None
    plain = re.sub(r"(?<=[0-9])\.0+\Z", "", plain)
    if "*" in plain:
        digits = re.sub(r"[^0-9*]", "", plain)[-11:]
        return Phone(digits, False) if sum(c.isdigit() for c in digits) >= _PHONE_SHORTEST else None
    digits = re.sub(r"[^0-9]", "", plain)
    if len(digits) < _PHONE_SHORTEST:
        return None
    if country == "CN" and len(digits) == 13 and digits.startswith("86"):
        plain = f"+{digits}"
    try:
        number = phonenumbers.parse(plain, country)
    except phonenumbers.NumberParseException:
        number = None
    is_valid = number is not None and phonenumbers.is_valid_number(number)
    looks_chinese = _CHINESE_PHONE.fullmatch(digits) and not plain.startswith(("+", "00"))
    if not is_valid and looks_chinese and phonenumbers.country_code_for_region(country) != _NORTH_AMERICA:
        number = phonenumbers.parse(digits, "CN")
        is_valid = phonenumbers.is_valid_number(number)
    if number is None:
        return Phone(digits, False)
    return Phone(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164), is_valid)


def normalise_handle(text: str) -> str | None:
    """A social handle without ``@`` and server, lower case."""
    plain = unicodedata.normalize("NFKC", text).strip().casefold().lstrip("@").split("@", 1)[0]
    return plain or None


def normalise_address(text: str) -> str | None:
    """Tokens of a street address: numbers, words (short forms of street words), single Chinese characters."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    if not plain.isascii():
        plain = simplified(plain)
        decomposed = unicodedata.normalize("NFD", plain)
        plain = "".join(c for c in decomposed if not unicodedata.combining(c))
    plain = plain.replace("'", "")
    tokens = [_STREET_WORDS.get(token, token) for token in _ADDRESS_SPLIT.findall(plain)]
    return " ".join(tokens) or None


def normalise_postcode(text: str) -> str | None:
    """Letters and digits, upper case."""
    plain = re.sub(r"[^0-9A-Z]", "", unicodedata.normalize("NFKC", text).upper())
    return plain or None


def normalise_city(text: str) -> str | None:
    """Lower case without accents; Chinese: simplified, without province in front and 市 behind."""
    plain = unicodedata.normalize("NFKC", text).strip().casefold()
    if not plain.isascii():
        plain = simplified(re.sub(r"\s+", "", plain)) if re.search(r"[\u3400-\u9fff]", plain) else plain
        plain = re.sub(r"^.{2,3}(省|自治区)(?=.)", "", plain)
        plain = re.sub(r"(?<=.{2})市$", "", plain)
        plain = "".join(c for c in unicodedata.normalize("NFD", plain) if not unicodedata.combining(c))
    plain = " ".join(re.sub(r"[^\w]+", " ", plain).split())
    return plain or None


def normalise_gender(text: str) -> str | None:
    """f or m; anything else says nothing."""
    plain = unicodedata.normalize("NFKC", text).strip().casefold()
    if plain in {"f", "female", "woman", "女", "女士", "女性"}:
        return "f"
    if plain in {"m", "male", "man", "男", "先生", "男性"}:
        return "m"
    return None
