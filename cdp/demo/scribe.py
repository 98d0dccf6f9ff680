"""How values get dirty on their way into a form: the hand that writes a name, a mailbox, a number or a street."""

from __future__ import annotations

import random
from dataclasses import dataclass

from cdp.demo.difficulty import Difficulty
from cdp.demo.person import Address, Names
from cdp.demo.spelling import (
    homophone,
    is_chinese,
    mistyped,
    romanised,
    short_form,
    traditional,
    written_email,
    written_phone,
)

PLACEHOLDER_EMAILS = ("test@test.com", "N/A", "noreply@example.com")
PLACEHOLDER_PHONES = ("13800138000", "400-820-8820", "N/A", "0000000000", "4008208820")


@dataclass(frozen=True)
class Scribe:
    """Writes with the error rates of a difficulty, from one stream of chance."""

    difficulty: Difficulty
    coins: random.Random
    homophones: dict[str, tuple[str, ...]]

    def happens(self, rate: float) -> bool:
        """True at the given rate."""
        return self.coins.random() < rate

    def names(self, names: Names) -> Names:
        """The name as its owner, or a clerk, writes it at one counter."""
        if self.happens(self.difficulty.other_spelling):
            return self._otherwise(names)
        if self.happens(self.difficulty.typo):
            return self._misspelled(names)
        return names

    def _otherwise(self, names: Names) -> Names:
        """Short form in English; pinyin, traditional characters or a short form in Chinese."""
        if not is_chinese(names.given):
            return Names(short_form(names.given), names.family)
        way = self.coins.random()
        if way < 0.7:
            return Names(romanised(names.given), romanised(names.family))
        if way < 0.9:
            return Names(traditional(names.given), traditional(names.family))
        return Names(short_form(names.given), names.family)

    def _misspelled(self, names: Names) -> Names:
        """One error of the ear (Chinese) or of the fingers."""
        if is_chinese(names.given):
            return Names(homophone(names.given, self.homophones, self.coins), names.family)
        if self.happens(0.5):
            return Names(mistyped(names.given, self.coins), names.family)
        return Names(names.given, mistyped(names.family, self.coins))

    def email(self, email: str) -> str:
        """A mailbox as typed into a form; empty stays empty."""
        if email and self.happens(self.difficulty.typo / 2):
            local, _, host = email.partition("@")
            return f"{mistyped(local, self.coins)}@{host}"
        return written_email(email, self.coins) if email and self.happens(0.3) else email

    def phone(self, number: str) -> str:
        """A number as typed into a form; empty stays empty."""
        if number and self.happens(self.difficulty.typo / 2):
            return mistyped(number.removeprefix("+86"), self.coins)
        return written_phone(number, self.coins) if number else ""

    def street(self, home: Address) -> str:
        """The street line of an address."""
        return mistyped(home.street, self.coins) if self.happens(self.difficulty.typo) else home.street

    def placeholder(self) -> tuple[str, str]:
        """(e-mail, phone) made up by somebody in a hurry; one of the two may be empty."""
        if self.happens(0.4):
            return self.coins.choice(PLACEHOLDER_EMAILS), ""
        return "", self.coins.choice(PLACEHOLDER_PHONES)
