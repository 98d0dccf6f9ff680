"""What a column means: one entry per role, with everything about it that the stages need to know.

A role's ``levels`` are the outcomes of comparing two unequal values, worst first; agreement comes after them, one level
per frequency bin. ``usual`` is how often records of one person come out so, before anything is learnt from data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Role(StrEnum):
    """The meaning of a field."""

    GIVEN = "given_name"
    FAMILY = "family_name"
    MIDDLE = "middle_name"
    FULL = "full_name"
    BIRTH = "birth_on"
    PHONE = "phone"
    EMAIL = "email"
    ID = "id"
    ADDRESS = "address"
    HOUSE = "house_number"
    UNIT = "unit"
    POSTCODE = "postcode"
    CITY = "city"
    REGION = "region"
    GENDER = "gender"
    CATEGORY = "category"


class Learning(StrEnum):
    """How a class of pairs treats a field."""

    RANDOM = "random"
    """As two people at random."""
    FREE = "free"
    """Learnt from data, starting between a match and two people at random."""
    TIED = "tied"
    """Learnt, but held near two people at random."""
    LEANING = "leaning"
    """Learnt, starting and weakly held near two people at random."""
    SURNAME = "surname"
    """As two people at random, but the family name usually agrees."""
    AGREED = "agreed"
    """Values agree or nearly do, on common ones as chance has it."""


@dataclass(frozen=True)
class Meaning:
    """How one role is compared: its group of dependent fields, its levels, and what to expect of them."""

    group: str
    levels: tuple[str, ...]
    usual: tuple[float, ...]
    household: Learning
    community: Learning = Learning.RANDOM
    namesake: Learning = Learning.RANDOM
    most_different: float | None = None
    """A person's own values are never totally different more often than this."""


NAME_LEVELS: Final = ("different", "alike", "initial", "near", "one_off")
FULL_LEVELS: Final = ("different", "same_family", "masked_family", "short", "near", "reordered", "same_sound")

MEANINGS: Final[Mapping[Role, Meaning]] = {
    Role.GIVEN: Meaning(
        "name", NAME_LEVELS, (0.05, 0.03, 0.03, 0.05, 0.06), Learning.TIED, namesake=Learning.AGREED, most_different=0.2
    ),
    Role.FAMILY: Meaning(
        "name", NAME_LEVELS, (0.05, 0.03, 0.03, 0.05, 0.06), Learning.FREE, namesake=Learning.AGREED, most_different=0.2
    ),
    Role.MIDDLE: Meaning("name", ("different", "same_initial", "near"), (0.05, 0.08, 0.06), Learning.TIED),
    Role.FULL: Meaning(
        "name", FULL_LEVELS, (0.02, 0.02, 0.02, 0.04, 0.04, 0.04, 0.04), Learning.SURNAME, namesake=Learning.AGREED
    ),
    Role.BIRTH: Meaning(
        "birth_on",
        ("different", "same_year", "alike", "default_day", "two_parts", "one_off"),
        (0.03, 0.02, 0.02, 0.03, 0.04, 0.06),
        Learning.RANDOM,
        Learning.FREE,
        most_different=0.2,
    ),
    Role.PHONE: Meaning("phone", ("different", "alike", "masked", "one_off"), (0.12, 0.01, 0.02, 0.05), Learning.FREE),
    Role.EMAIL: Meaning(
        "email",
        ("different", "similar_local", "alike", "same_local", "two_off", "one_off"),
        (0.1, 0.02, 0.02, 0.02, 0.02, 0.04),
        Learning.LEANING,
        namesake=Learning.FREE,
    ),
    Role.ID: Meaning("", ("different", "alike", "masked", "one_off"), (0.04, 0.01, 0.03, 0.05), Learning.RANDOM),
    Role.ADDRESS: Meaning(
        "address",
        ("different", "alike", "same_street", "same_number", "near"),
        (0.15, 0.03, 0.05, 0.1, 0.12),
        Learning.FREE,
    ),
    Role.HOUSE: Meaning("address", ("different", "one_off"), (0.15, 0.05), Learning.FREE),
    Role.UNIT: Meaning("address", ("different",), (0.15,), Learning.FREE),
    Role.POSTCODE: Meaning(
        "address", ("different", "same_area", "same_district", "one_off"), (0.1, 0.04, 0.05, 0.05), Learning.FREE
    ),
    Role.CITY: Meaning("address", ("different", "alike"), (0.15, 0.06), Learning.FREE, Learning.FREE),
    Role.REGION: Meaning("address", ("different",), (0.1,), Learning.FREE, Learning.FREE),
    Role.GENDER: Meaning("gender", ("different",), (0.03,), Learning.RANDOM, Learning.FREE),
    Role.CATEGORY: Meaning("", ("different",), (0.1,), Learning.FREE),
}
"""An empty group: the field is a group of its own."""

PLACES: Final = frozenset({Role.ADDRESS, Role.PHONE, Role.POSTCODE, Role.CITY, Role.REGION})
"""A household shares one of these."""
PERSONAL: Final = frozenset({Role.GIVEN, Role.BIRTH, Role.FULL, Role.ID})
"""What tells the members of a household apart."""
CLOSED: Final = frozenset({Role.GENDER, Role.CATEGORY, Role.REGION, Role.UNIT, Role.HOUSE})
"""Few values make up the whole world, however small the table."""
NAMES: Final = frozenset({Role.GIVEN, Role.FAMILY, Role.FULL})
