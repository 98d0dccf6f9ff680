"""The persons of the sample business: households, companies, names, contacts, and how each counter knows them."""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from cdp.demo.calendar import Calendar
from cdp.demo.dice import coins
from cdp.demo.difficulty import Difficulty
from cdp.demo.person import Address, Kind, Names, Person
from cdp.demo.scribe import Scribe
from cdp.demo.spelling import mailbox, romanised
from cdp.demo.vocabulary import Vocabulary

BANDS = ("low", "lower middle", "middle", "upper middle", "high")
INTERESTS = ("tea", "ceramics", "lighting", "textiles", "fragrance", "cooking", "gifts", "design")
MAIL_HOSTS = {"zh": ("qqyou.example", "163net.example", "126net.example"), "en": ("inbox.example", "mailbox.example")}
COUNTRIES = {"zh": "CN", "en": "GB"}
NEVER = 2**60
_NOBODY = Names("", "")
_NOWHERE = Address("", "", "", "", "")


@dataclass
class Registry:
    """Builds persons one after the other; remembers which e-mails and phones are taken."""

    calendar: Calendar
    difficulty: Difficulty
    coins: random.Random
    vocabularies: dict[str, Vocabulary]
    mailboxes: set[str] = field(default_factory=set)
    phones: set[str] = field(default_factory=set)
    people: list[Person] = field(default_factory=list)
    customers: int = 0
    scribe: Scribe = field(init=False)

    def __post_init__(self) -> None:
        self.scribe = Scribe(self.difficulty, self.coins, homophones_of(self.vocabularies["zh"]))

    def has(self, rate: float) -> bool:
        """True at the given rate."""
        return self.coins.random() < rate


def build_people(
    identified: int,
    visitors: int,
    vocabularies: dict[str, Vocabulary],
    calendar: Calendar,
    difficulty: Difficulty,
    seed: int,
) -> list[Person]:
    """``identified`` persons with a name in households of one to four, then ``visitors`` who never say who they are."""
    registry = Registry(calendar, difficulty, coins(seed, "people"), vocabularies)
    household = 0
    while len(registry.people) < identified:
        household += 1
        size = registry.coins.choices((1, 2, 3, 4), (0.68, 0.2, 0.08, 0.04))[0]
        _add_household(registry, household, min(size, identified - len(registry.people)))
    for _ in range(visitors):
        registry.people.append(_visitor(registry, household := household + 1))
    return registry.people


def _add_household(registry: Registry, household: int, size: int) -> None:
    language = "zh" if registry.has(0.58) else "en"
    words = registry.vocabularies[language]
    family = registry.coins.choices(words.families, words.family_weights.tolist())[0]
    home, later_home = _address(registry, words), _address(registry, words)
    moves_at = _moment(registry) if registry.has(registry.difficulty.moves) else NEVER
    head: Person | None = None
    for _ in range(size):
        own_family = family
        if head and registry.has(0.45 if language == "zh" else 0.1):  # Chinese spouses keep their names
            own_family = registry.coins.choices(words.families, words.family_weights.tolist())[0]
        person = _resident(registry, household, language, own_family)
        person = replace(person, home=home, later_home=later_home, moves_at=moves_at)
        if head:
            person = _sharing(registry, person, head)
        head = head or person
        registry.people.append(person)


def _sharing(registry: Registry, person: Person, head: Person) -> Person:
    """A member of a household who has no phone, or no mailbox, of their own and uses the one of the head."""
    if registry.has(registry.difficulty.shared_contact):
        person = replace(
            person,
            shares_phone=True,
            phone=head.phone,
            later_phone=head.later_phone,
            phone_changes_at=head.phone_changes_at,
        )
    if registry.has(registry.difficulty.shared_contact / 2):
        person = replace(person, shares_email=True, email=head.email, other_email=head.email, crm_email=head.email)
    return person


def _resident(registry: Registry, household: int, language: str, family: str) -> Person:
    dirt, words, draw = registry.difficulty, registry.vocabularies[language], registry.coins
    gender = draw.choice("fm")
    names = Names(_skewed(draw, words.given[gender]), family)
    birth_on = date(1946, 1, 1) + timedelta(days=int(draw.betavariate(2.2, 2.0) * 22_600))
    kind: Kind = "buyer" if registry.has(0.74) else "lead"
    company = draw.choice(words.companies) if registry.has(0.35) else ""
    email = _new_mailbox(registry, names, birth_on.year, language)
    other_email = _new_mailbox(registry, names, birth_on.year, language, company)
    phone, later_phone = _new_phone(registry, language), _new_phone(registry, language)
    customer = 0
    if kind == "buyer" and registry.has(0.88):
        customer = registry.customers = registry.customers + 1
    one_contact, shows_email = registry.has(dirt.single_contact), registry.has(0.3 if language == "zh" else 0.75)
    return Person(
        number=len(registry.people) + 1,
        kind=kind,
        language=language,
        country=COUNTRIES[language],
        household=household,
        gender=gender,
        birth_on=birth_on,
        names=names,
        email=email,
        other_email=other_email,
        phone=phone,
        later_phone=later_phone,
        phone_changes_at=_moment(registry) if registry.has(dirt.moves) else NEVER,
        home=_NOWHERE,
        later_home=_NOWHERE,
        moves_at=NEVER,
        company=company,
        occupation=draw.choice(words.occupations),
        income_band=draw.choices(BANDS, (2, 4, 6, 4, 2))[0],
        interests=tuple(sorted(draw.sample(INTERESTS, draw.randrange(1, 4)))),
        mood=draw.gauss(0.35, 1.0),
        customer=customer,
        shop_names=registry.scribe.names(names),
        shop_email_shown=shows_email or not one_contact,
        shop_phone_shown=not shows_email or not one_contact,
        in_crm=kind == "lead" or registry.has(0.6),
        crm_names=registry.scribe.names(names),
        crm_email=other_email if registry.has(dirt.other_email) else email,
        crm_phone_shown=registry.has(0.6),
        shares_email=False,
        shares_phone=False,
    )


def _visitor(registry: Registry, household: int) -> Person:
    language = "zh" if registry.has(0.5) else "en"
    person = _resident(registry, household, language, "")
    return replace(
        person, kind="visitor", names=_NOBODY, shop_names=_NOBODY, crm_names=_NOBODY, customer=0, in_crm=False,
        email="", other_email="", crm_email="",
    )  # fmt: skip


def homophones_of(words: Vocabulary) -> dict[str, tuple[str, ...]]:
    """Characters of given names by their reading."""
    by_sound: defaultdict[str, set[str]] = defaultdict(set)
    for given in (*words.given["f"], *words.given["m"]):
        by_sound[romanised(given[-1])].add(given[-1])
    return {sound: tuple(sorted(characters)) for sound, characters in by_sound.items()}


def _skewed(draw: random.Random, ranked: tuple[str, ...]) -> str:
    """The first values of a ranked pool more often than the last ones."""
    return ranked[int(len(ranked) * draw.random() ** 1.6)]


def _moment(registry: Registry) -> int:
    calendar = registry.calendar
    return calendar.start + registry.coins.randrange(calendar.days * 86_400)


def _address(registry: Registry, words: Vocabulary) -> Address:
    draw = registry.coins
    city = draw.choices(words.cities, words.city_weights.tolist())[0]
    street, number = draw.choice(words.streets), draw.randrange(1, 400)
    if words.language == "zh":
        line = f"{street}{number}号{draw.randrange(1, 30)}栋{draw.randrange(101, 3200)}室"
        return Address(line, city.name, city.region, f"{city.postcode_stem}{draw.randrange(100):02d}", "CN")
    inward = f"{draw.randrange(1, 10)}{draw.choice('ABDEFGHJLN')}{draw.choice('PQRSTUWXYZ')}"
    return Address(f"{number} {street}", city.name, city.region, f"{city.postcode_stem} {inward}", "GB")


def _new_mailbox(registry: Registry, names: Names, year: int, language: str, company: str = "") -> str:
    draw = registry.coins
    host = draw.choice(MAIL_HOSTS[language])
    if company:
        host = f"{''.join(filter(str.isalnum, romanised(company).lower()))[:18]}.example"
    local = mailbox(romanised(names.given), romanised(names.family), year, draw)
    local = "".join(letter for letter in local if letter.isalnum() or letter in "._").strip("._") or "me"
    while f"{local}@{host}" in registry.mailboxes or len(local) < 3:
        local += str(draw.randrange(10))
    registry.mailboxes.add(f"{local}@{host}")
    return f"{local}@{host}"


def _new_phone(registry: Registry, language: str) -> str:
    draw = registry.coins
    while True:
        if language == "zh":
            number = f"+86{draw.choice((13, 15, 18))}{draw.choice('1256789')}{draw.randrange(10**8):08d}"
        else:
            number = f"+447{draw.choice(('46', '52', '71', '72', '85', '95'))}{draw.randrange(10**7):07d}"
        if number not in registry.phones:
            registry.phones.add(number)
            return number
