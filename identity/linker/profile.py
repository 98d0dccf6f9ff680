"""What the values of a column look like: the figures from which its role is guessed."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import phonenumbers
import pyarrow as pa
import pyarrow.compute as pc

from identity.linker import lexicon
from identity.linker.values import eight_digits, present

_SAMPLE: Final = 3000
_PHONE_SAMPLE: Final = 200
_REGIONS: Final = (
    "US",
    "GB",
    "DE",
    "FR",
    "AU",
    "CN",
    "IN",
    "ES",
    "IT",
    "NL",
    "BR",
    "JP",
    "CA",
    "CH",
    "SE",
    "NO",
    "PL",
    "NZ",
    "IE",
    "HK",
    "TW",
    "SG",
)
_GENDER_TEXT: Final = "f m female male woman man w d u x 女 男 女性 男性 女士 先生 other unknown diverse"
_GENDERS: Final = frozenset(_GENDER_TEXT.split())
_HAN = re.compile(r"[\u3400-\u9fff]")
_CLOCK = re.compile(r"\d{1,2}(?::\d{2}|时\d{1,2})(?::?\d{2})?")
_HAN_PLACE = re.compile(r"(省|市|区|县|州|盟|旗)$")
_HAN_STREET = re.compile(r"(路|街|号|弄|巷|栋|幢|室|单元|小区|花园|大道)")


@dataclass(frozen=True)
class Column:
    """A column's values that are not absent, in order; figures are shares of records unless said otherwise."""

    name: str
    rows: int
    values: tuple[str, ...]
    """Up to some thousand values, evenly taken."""
    filled: float
    distinct: int
    """Distinct values among all that are there."""
    top: float
    """Share of the commonest value."""
    held: int = 0
    """Values that are there."""
    integers: tuple[int, ...] = field(default=(), repr=False)
    """Where every value is one prefix and a whole number: the distinct numbers."""

    def share(self, holds: Callable[[str], object]) -> float:
        """The share of values for which something holds."""
        return sum(bool(holds(value)) for value in self.values) / len(self.values) if self.values else 0.0

    @cached_property
    def novelty(self) -> float:
        """Distinct values per value."""
        return self.distinct / max(self.held, 1)

    @cached_property
    def han(self) -> float:
        """Values with Chinese characters."""
        return self.share(_HAN.search)

    @cached_property
    def digits(self) -> float:
        """Values with a digit."""
        return self.share(lambda value: any(letter.isdigit() for letter in value))

    @cached_property
    def whole_numbers(self) -> float:
        """Values that are whole numbers."""
        return self.share(lambda value: re.fullmatch(r"\d+(\.0)?", value))

    @cached_property
    def words(self) -> float:
        """Mean number of words."""
        return sum(len(value.split()) for value in self.values) / max(len(self.values), 1)

    @cached_property
    def length(self) -> float:
        """Mean number of characters."""
        return sum(map(len, self.values)) / max(len(self.values), 1)

    @cached_property
    def same_length(self) -> float:
        """Values of the commonest length."""
        lengths = Counter(map(len, self.values))
        return max(lengths.values(), default=0) / max(len(self.values), 1)

    @cached_property
    def emails(self) -> float:
        """Values with an @ inside."""
        return self.share(lambda value: 0 < value.find("@") < len(value) - 1)

    @cached_property
    def days(self) -> tuple[str, ...]:
        """The values that are a day between 1850 and 2100, as YYYYMMDD, in order of time."""
        parsed = eight_digits(pa.array(self.values, pa.string())).to_pylist()
        return tuple(sorted(filter(_is_day, parsed)))

    @cached_property
    def dates(self) -> float:
        """Values that are a day between 1850 and 2100."""
        return len(self.days) / max(len(self.values), 1)

    @cached_property
    def clocks(self) -> float:
        """Values with a time of day other than the three commonest: midnights of some zones are none."""
        found = Counter(match.group() for value in self.values if (match := _CLOCK.search(value)))
        usual = sum(count for _, count in found.most_common(3))
        return (found.total() - usual) / max(len(self.values), 1)

    def years_within(self, share: float) -> tuple[int, int]:
        """First and last year of the days but for the same share of the earliest and of the latest."""
        cut = int(len(self.days) * share)
        kept = self.days[cut : len(self.days) - cut]
        return int(kept[0][:4]), int(kept[-1][:4])

    @cached_property
    def phones(self) -> float:
        """Values that are a possible phone number of some one country."""
        sample = self.values[:: max(len(self.values) // _PHONE_SAMPLE, 1)]
        if not sample or self.share(lambda value: 7 <= sum(map(str.isdigit, value)) <= 15) < 0.5:
            return 0.0
        written = self.share(lambda value: re.fullmatch(r"[+0-9() ./*\-]+(\s?(x|ext\.?)\s?\d+)?", value))
        return min(written, max(sum(_is_phone(value, region) for value in sample) / len(sample) for region in _REGIONS))

    @cached_property
    def genders(self) -> float:
        """Values that are a word for a gender."""
        return self.share(lambda value: value.casefold() in _GENDERS) if self.distinct <= 12 else 0.0

    @cached_property
    def streets(self) -> float:
        """Values with a word for a street."""
        return self.share(
            lambda value: (
                not lexicon.STREET_WORDS.isdisjoint(re.findall(r"\w+", value.casefold()))
                or len(_HAN_STREET.findall(value)) > 1
            )
        )

    @cached_property
    def places(self) -> float:
        """Values that are a known town, or end like a Chinese place."""
        return self.share(lambda value: value.casefold() in lexicon.towns() or _HAN_PLACE.search(value))

    @cached_property
    def given(self) -> float:
        """Values whose first word is a known given name."""
        return self.share(lambda value: _first(value) in lexicon.given_names())

    @cached_property
    def family(self) -> float:
        """Values whose last word is a known family name."""
        return self.share(lambda value: _last(value) in lexicon.family_names())

    @cached_property
    def density(self) -> float:
        """How much of the range of its numbers is used: near 1 for keys that a program counted up."""
        numbers = self.integers
        return len(numbers) / (max(numbers) - min(numbers) + 1) if len(numbers) > 1 else 0.0

    def numbers_between(self, low: int, high: int) -> float:
        """The share of values that are whole numbers in a range."""
        found = [int(match.group(1)) for value in self.values if (match := re.fullmatch(r"(\d{1,9})(?:\.0)?", value))]
        return sum(low <= number <= high for number in found) / max(len(self.values), 1)


def profile(name: str, texts: pa.Array | pa.ChunkedArray) -> Column:
    """The figures of a column of texts."""
    whole = texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts
    whole = pa.concat_arrays(whole.chunks) if isinstance(whole, pa.ChunkedArray) else whole
    there = present(whole.cast(pa.string()))
    there = there.filter(pc.not_equal(there, ""))
    counts = pc.value_counts(there)
    held = len(there)
    step = max(held // _SAMPLE, 1)
    sample = tuple(there.take(pa.array(range(0, held, step))).to_pylist())
    top = max(counts.field("counts").to_pylist(), default=0) / max(held, 1)
    return Column(
        name, len(whole), sample, held / max(len(whole), 1), len(counts), top, held, _counted(counts.field("values"))
    )


def _counted(distinct: pa.Array) -> tuple[int, ...]:
    texts: Sequence[str] = distinct.to_pylist()
    found = [re.fullmatch(r"(.*?)(\d{1,12})", text) for text in texts]
    if not found or any(match is None for match in found):
        return ()
    prefixes = {match.group(1) for match in found if match is not None}
    return tuple(sorted({int(match.group(2)) for match in found if match is not None})) if len(prefixes) <= 3 else ()


def _is_day(text: str) -> bool:
    if len(text) != 8 or not text.isdigit():
        return False
    year, month, day = int(text[:4]), int(text[4:6]), int(text[6:])
    return 1850 <= year <= 2100 and month <= 31 and day <= 31 and (1 <= month <= 12 or 1 <= day <= 12)


def _is_phone(text: str, region: str) -> bool:
    if "*" in text:
        return sum(map(str.isdigit, text)) >= 6
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(text, region))
    except phonenumbers.NumberParseException:
        return False


def _first(text: str) -> str:
    return text.casefold().split(" ", 1)[0]


def _last(text: str) -> str:
    return text.casefold().rsplit(" ", 1)[-1]
