"""Values in the form in which they are compared: one function per role, over the distinct values of a column at once.

An empty text means that nothing is left of a value: it counts as absent.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from identity.chinese import simplified
from identity.linker.roles import Role
from identity.names import normalise_name
from identity.normalise import normalise_email, normalise_gender

_ABSENT: Final = pa.array(
    [
        "",
        "null",
        "none",
        "nan",
        "n/a",
        "na",
        "#n/a",
        "(null)",
        "(not set)",
        "unknown",
        "nil",
        "-",
        "--",
        "无",
        "未知",
        "\\n",
        "<na>",
    ]
)
_PHONE_DIGITS: Final = 10
_SEPARATOR: Final = "\t"
_MASKED = re.compile(r"[*＊×某]+")
_LETTERS: Final = (
    ("ł", "l"),
    ("ß", "ss"),
    ("ø", "o"),
    ("đ", "d"),
    ("æ", "ae"),
    ("œ", "oe"),
    ("ı", "i"),
    ("þ", "th"),
    ("ð", "d"),
)
_STREET_WORDS: Final = (
    ("street", "st"),
    ("road", "rd"),
    ("avenue", "ave"),
    ("drive", "dr"),
    ("lane", "ln"),
    ("court", "ct"),
    ("place", "pl"),
    ("square", "sq"),
    ("crescent", "cres"),
    ("close", "cl"),
    ("circuit", "cct"),
    ("circle", "cir"),
    ("parkway", "pkwy"),
    ("highway", "hwy"),
    ("boulevard", "blvd"),
    ("terrace", "ter"),
    ("gardens", "gdns"),
    ("apartment", "apt"),
    ("flat", "apt"),
    ("unit", "apt"),
    ("suite", "apt"),
    ("saint", "st"),
    ("mount", "mt"),
    ("north", "n"),
    ("south", "s"),
    ("east", "e"),
    ("west", "w"),
    ("strasse", "str"),
)
_TITLES: Final = "mr|mrs|ms|miss|mx|dr|prof|professor|sir|rev|herr|frau|mme|mlle"
_MONTHS: Final = {
    name: f"{number:02d}"
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1
    )
}


def present(texts: pa.Array) -> pa.Array:
    """Texts without surrounding space; what only says that nothing is known becomes empty."""
    trimmed = pc.utf8_trim_whitespace(pc.fill_null(texts, ""))
    return pc.if_else(pc.is_in(pc.utf8_lower(trimmed), value_set=_ABSENT), "", trimmed)


def plain(texts: pa.Array) -> pa.Array:
    """Compatible characters, lower case, without accents: the first step for most roles."""
    lower = pc.utf8_lower(pc.utf8_normalize(texts, form="NFKC"))
    if _is_ascii(lower):
        return lower
    bare = pc.replace_substring_regex(pc.utf8_normalize(lower, form="NFKD"), r"\p{Mn}", "")
    for letter, written in _LETTERS:
        bare = pc.replace_substring(bare, letter, written)
    return pc.utf8_normalize(bare, form="NFKC")


def words(texts: pa.Array) -> pa.Array:
    """Letters and digits; everything else is one space."""
    return pc.utf8_trim_whitespace(pc.replace_substring_regex(plain(texts), r"[^\p{L}\p{N}]+", " "))


def name_words(texts: pa.Array) -> pa.Array:
    """Words of a name; apostrophes and hyphens join, titles go."""
    joined = pc.replace_substring_regex(plain(texts), r"['’`´]", "")
    spaced = pc.replace_substring_regex(joined, r"[^\p{L}]+", " ")
    titled = pc.replace_substring_regex(spaced, rf"^ ?(?:{_TITLES}) (.+)$", r"\1")
    return pc.utf8_trim_whitespace(titled)


def letters_and_digits(texts: pa.Array) -> pa.Array:
    """Only letters and digits (and ``*``, which stands for hidden ones)."""
    return pc.replace_substring_regex(plain(texts), r"[^\p{L}\p{N}*]+", "")


def phone_digits(texts: pa.Array) -> pa.Array:
    """The last ten digits, without what countries put in front; ``*`` where the source hid digits."""
    digits = pc.replace_substring_regex(pc.utf8_normalize(texts, form="NFKC"), r"(?:\.0$|[^0-9*]+)", "")
    bare = pc.replace_substring_regex(digits, r"^0+", "")
    return pc.if_else(pc.greater_equal(pc.utf8_length(bare), 5), pc.utf8_slice_codeunits(bare, -_PHONE_DIGITS), "")


def eight_digits(texts: pa.Array) -> pa.Array:
    """A date as YYYYMMDD from any order of its parts, told by where the year stands; unknown digits are ``?``."""
    return pa.array([_eight_digits(text) for text in pc.utf8_normalize(texts, form="NFKC").to_pylist()], pa.string())


def _eight_digits(text: str) -> str:
    if not text:
        return ""
    head = re.split(r"[T ]\d{1,2}:", text, maxsplit=1)[0]
    parts: list[str] = re.findall(r"\d+", head)
    word = re.search(r"[a-zA-Z]{3,}", head)
    if word and (month := _MONTHS.get(word.group()[:3].lower())):
        parts = [part for part in parts if part]
        if len(parts) == 2:
            year, day = (parts[0], parts[1]) if len(parts[0]) == 4 else (parts[1], parts[0])
            return year.rjust(4, "?")[-4:] + month + day.zfill(2)[-2:]
    if "?" in head and len(head) == 8:
        return head
    if len(parts) == 1:
        digits = parts[0]
        return digits if len(digits) == 8 else (digits + "????" if len(digits) == 4 else digits)
    if len(parts) < 3:
        return "".join(parts).ljust(8, "?")[:8] if len(parts) == 2 and len(parts[0]) == 4 else "".join(parts)
    parts = parts[:3]
    if len(parts[0]) == 4:
        return parts[0] + parts[1].zfill(2)[-2:] + parts[2].zfill(2)[-2:]
    if len(parts[2]) == 4:
        day, month = (parts[1], parts[0]) if int(parts[1]) > 12 else (parts[0], parts[1])
        return parts[2] + month.zfill(2)[-2:] + day.zfill(2)[-2:]
    return "".join(part.zfill(2)[-2:] for part in parts)


def addresses(texts: pa.Array) -> pa.Array:
    """Words and numbers of a street address in short forms; Chinese simplified, one character a word."""
    found = plain(texts)
    if not _is_ascii(found):
        han = pc.match_substring_regex(found, r"\p{Han}")
        found = pa.array(
            [
                simplified(text) if is_han else text
                for text, is_han in zip(found.to_pylist(), han.to_pylist(), strict=True)
            ],
            pa.string(),
        )
        found = pc.replace_substring_regex(found, r"(\p{Han})", r" \1 ")
    found = pc.replace_substring_regex(found, r"(\d)([^\W\d_])", r"\1 \2")
    found = pc.replace_substring_regex(found, r"([^\W\d_])(\d)", r"\1 \2")
    found = pc.replace_substring_regex(found, r"[^\p{L}\p{N}]+", "  ")
    found = pc.binary_join_element_wise("", found, "", " ")
    for word, short in _STREET_WORDS:
        found = pc.replace_substring(found, f" {word} ", f" {short} ")
    return pc.utf8_trim_whitespace(pc.replace_substring_regex(found, r" +", " "))


def cities(texts: pa.Array) -> pa.Array:
    """Words; Chinese simplified, without province in front and 市 behind."""
    found = words(texts)
    if _is_ascii(found):
        return found
    han = pc.match_substring_regex(found, r"\p{Han}")
    simple = pa.array(
        [
            simplified(text.replace(" ", "")) if is_han else text
            for text, is_han in zip(found.to_pylist(), han.to_pylist(), strict=True)
        ],
        pa.string(),
    )
    without = pc.replace_substring_regex(simple, r"^\p{Han}{2,3}(?:省|自治区)(\p{Han})", r"\1")
    return pc.replace_substring_regex(without, r"^(\p{Han}{2,})市$", r"\1")


def _emails(texts: pa.Array) -> pa.Array:
    lower = pc.utf8_lower(pc.utf8_normalize(texts, form="NFKC"))
    return pa.array([normalise_email(text) or text.replace(" ", "") for text in lower.to_pylist()], pa.string())


def _genders(texts: pa.Array) -> pa.Array:
    return pa.array([normalise_gender(text) or text for text in words(texts).to_pylist()], pa.string())


def full_names(texts: pa.Array) -> pa.Array:
    """``family<tab>given<tab>han<tab>width``: sounds or Latin, Chinese characters, the width of a masked name."""
    return pa.array([_full_name(text) for text in texts.to_pylist()], pa.string())


def _full_name(text: str) -> str:
    name = normalise_name(text, None, None)
    if name is None:
        return ""
    compact = re.sub(r"\s", "", text)
    has_han = re.search(r"[\u3400-\u9fff]", compact) is not None
    masked = _MASKED.search(compact) is not None
    return _SEPARATOR.join((name.family, name.given, name.han, str(len(compact) if has_han and masked else 0)))


def split_names(texts: pa.Array) -> Mapping[Role, pa.Array]:
    """Given, middle and family name of full names in Latin letters: ``Family, Given`` or given name first."""
    plain_names = plain(texts)
    turned = pc.replace_substring_regex(plain_names, r"^([^,]+),\s*(.+)$", r"\2 \1")
    names = name_words(turned)
    given = pc.replace_substring_regex(names, r"^(\S+).*$", r"\1")
    family = pc.if_else(pc.match_substring(names, " "), pc.replace_substring_regex(names, r"^.* (\S+)$", r"\1"), "")
    middle = pc.if_else(
        pc.match_substring_regex(names, r"^\S+ .+ \S+$"),
        pc.replace_substring_regex(names, r"^\S+ (.+) \S+$", r"\1"),
        "",
    )
    return {Role.GIVEN: given, Role.MIDDLE: middle, Role.FAMILY: family}


def middle_of(full: pa.Array, given: pa.Array, family: pa.Array) -> list[str]:
    """What a full name holds beyond the given and family name beside it. Takes aligned, normalised texts."""
    found: list[str] = []
    for whole, one, other in zip(full.to_pylist(), given.to_pylist(), family.to_pylist(), strict=True):
        left = Counter((whole or "").split()) - Counter((one or "").split()) - Counter((other or "").split())
        found.append(" ".join(word for word in (whole or "").split() if left[word]))
    return found


NORMALISE: Final[Mapping[Role, Callable[[pa.Array], pa.Array]]] = {
    Role.GIVEN: name_words,
    Role.FAMILY: name_words,
    Role.MIDDLE: name_words,
    Role.FULL: full_names,
    Role.BIRTH: eight_digits,
    Role.PHONE: phone_digits,
    Role.EMAIL: _emails,
    Role.ID: letters_and_digits,
    Role.ADDRESS: addresses,
    Role.HOUSE: letters_and_digits,
    Role.UNIT: letters_and_digits,
    Role.POSTCODE: letters_and_digits,
    Role.CITY: cities,
    Role.REGION: words,
    Role.GENDER: _genders,
    Role.CATEGORY: words,
}


def normalised(role: Role, distinct: pa.Array) -> pa.Array:
    """The distinct values of a column in the form in which the role compares them."""
    return NORMALISE[role](present(distinct))


def _is_ascii(texts: pa.Array) -> bool:
    return bool(pc.all(pc.string_is_ascii(texts)).as_py() is not False)
