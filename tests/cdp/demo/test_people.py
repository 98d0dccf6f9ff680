from __future__ import annotations

import random
from collections import Counter, defaultdict

import pytest

from cdp.demo.calendar import Calendar
from cdp.demo.dice import dice
from cdp.demo.difficulty import LEVELS
from cdp.demo.people import NEVER, build_people
from cdp.demo.person import Names, Person
from cdp.demo.spelling import mistyped, romanised, short_form, traditional, written_phone
from cdp.demo.vocabulary import build_vocabulary


@pytest.fixture(scope="module")
def people() -> list[Person]:
    vocabularies = {language: build_vocabulary(language, dice(5, language)) for language in ("zh", "en")}
    return build_people(1_500, 100, vocabularies, Calendar(400), LEVELS["normal"], 5)


def test_both_languages_are_there_with_their_scripts_phones_and_addresses(people: list[Person]) -> None:
    named = [person for person in people if person.kind != "visitor"]
    assert len(named) == 1_500
    for person in named:
        assert (romanised(person.names.family) != person.names.family) == (person.language == "zh")
        assert person.phone.startswith("+86" if person.language == "zh" else "+44")
        assert person.home.city
        assert person.home.country == person.country
    assert 0.4 < sum(person.language == "zh" for person in named) / len(named) < 0.75


def test_mailboxes_and_phones_are_shared_in_households_only(people: list[Person]) -> None:
    for contact in ("email", "phone"):
        homes: defaultdict[str, set[int]] = defaultdict(set)
        users = Counter(getattr(person, contact) for person in people if getattr(person, contact))
        for person in people:
            homes[getattr(person, contact)].add(person.household)
        shared = [value for value, count in users.items() if count > 1]
        assert shared
        assert all(len(homes[value]) == 1 for value in shared)


def test_families_live_together_and_move_together(people: list[Person]) -> None:
    homes: defaultdict[int, set[tuple[object, int]]] = defaultdict(set)
    for person in people:
        if person.kind != "visitor":
            homes[person.household].add((person.home, person.moves_at))
    assert all(len(places) == 1 for places in homes.values())
    assert any(person.moves_at < NEVER for person in people)
    assert any(person.phone_changes_at < NEVER for person in people)


def test_colleagues_share_the_domain_of_their_company(people: list[Person]) -> None:
    domains: defaultdict[str, set[str]] = defaultdict(set)
    for person in people:
        if person.company and person.other_email and not person.shares_email:
            domains[person.company].add(person.other_email.partition("@")[2])
    assert domains
    assert all(len(hosts) == 1 for hosts in domains.values())


def test_some_write_their_name_in_another_way_at_some_counter(people: list[Person]) -> None:
    ways = Counter(
        "pinyin"
        if person.language == "zh"
        and person.shop_names == Names(romanised(person.names.given), romanised(person.names.family))
        else "other"
        for person in people
        if person.shop_names != person.names
    )
    assert ways["pinyin"] > 50
    assert ways["other"] > 50


def test_other_spellings_follow_rules() -> None:
    assert romanised("晓明") == "Xiaoming"
    assert romanised("Alice") == "Alice"
    assert traditional("刘伟") == "劉偉"
    assert [short_form(name) for name in ("Daniel", "Timothy", "晓明", "Al")] == ["Dan", "Tim", "小明", "Al"]
    coins = random.Random(1)
    assert all(0 < abs(len(mistyped("wilkinson", coins)) - 9) < 2 or mistyped("wilkinson", coins) for _ in range(50))
    assert mistyped("王", coins) == "王"
    written = {written_phone("+8613812345678", coins) for _ in range(80)}
    assert {"13812345678", "+86 138 1234 5678"} <= written
    assert {"07712 345678", "(07712) 345678"} <= {written_phone("+447712345678", coins) for _ in range(80)}
