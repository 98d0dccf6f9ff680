"""Columns that say where records come from are recognised, whatever they are called, and never compared."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pytest

from cdp.command import run_command
from identity.linker.guess import guess_columns
from identity.linker.judges import SOURCE
from identity.linker.people import link_people
from identity.linker.suggestion import suggest

TOWNS = ("北京市", "上海市", "广州市", "成都市", "杭州市", "南京市", "武汉市", "西安市", "大连市")
SHOPS = ("淘宝", "京东", "微信", "门店")
NAMED = ("来源", "数据来源", "渠道", "系统", "data_source", "Source System", "channel", "file_name", "platform")


def people(persons: int, places: Sequence[str | None], called: str, seed: int = 1) -> pa.Table:
    """Everybody twice, from places that have nothing to do with who it is; ``person`` is the truth."""
    rng = random.Random(seed)
    surnames, names = "王李张刘陈杨黄赵吴周曾单", "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超霞平刚"
    rows = []
    for person in range(persons):
        name = rng.choice(surnames) + "".join(rng.sample(names, 2))
        phone, city = f"13{rng.randrange(10**9):09}", rng.choice(TOWNS)
        rows += [
            {"person": str(person), called: rng.choice(places), "姓名": name, "手机号": phone, "城市": city}
            for _ in range(2)
        ]
    return pa.Table.from_pylist(rows)


def meaning_of(column: str, table: pa.Table) -> str:
    return next(guess.meaning for guess in guess_columns(table, frozenset({"person"})) if guess.column == column)


@pytest.mark.parametrize("called", NAMED)
@pytest.mark.parametrize("persons", [6, 40])
def test_a_column_that_is_called_so_says_where_records_come_from(called: str, persons: int) -> None:
    assert meaning_of(called, people(persons, SHOPS, called)) == SOURCE


@pytest.mark.parametrize("places", [(*SHOPS, None), ("ABC", "DEF", "GHI"), ("1", "2", "3"), ("东区", "西区", "总部")])
def test_what_it_is_called_weighs_more_than_what_its_values_may_be(places: tuple[str | None, ...]) -> None:
    assert meaning_of("来源", people(40, places, "来源")) == SOURCE


@pytest.mark.parametrize(
    "places",
    [
        SHOPS,
        (*SHOPS, None),
        ("CRM", "ERP", "WEB"),
        ("web_form", "OnlineStore", "call center", "Salesforce"),
        ("天猫旗舰店", "微信小程序", "线下门店", "官网"),
        tuple(f"export_{number:02}.csv" for number in range(30)),
    ],
)
@pytest.mark.parametrize("persons", [20, 40])
def test_words_of_systems_and_names_of_files_are_known_under_any_name(
    places: tuple[str | None, ...], persons: int
) -> None:
    assert meaning_of("c7", people(persons, places, "c7")) == SOURCE


@pytest.mark.parametrize(
    ("called", "values", "meaning"),
    [
        ("origin", ("China", "Germany", "日本", "France"), "region"),
        ("ethnic_origin", ("Black", "Latino", "White"), "category"),
        ("c7", ("single", "married", "partner", "divorced"), "category"),
        ("c7", ("广东", "北京", "四川", "浙江"), "region"),
        ("system_user", tuple(f"u{number:06}x" for number in range(0, 90_000, 7)), "id"),
    ],
)
def test_what_a_person_has_is_no_place_of_origin(called: str, values: tuple[str, ...], meaning: str) -> None:
    table = people(100, values, called)
    assert meaning_of(called, table.drop_columns(["城市"])) == meaning


def test_codes_that_no_town_tells_are_no_region() -> None:
    table = people(100, ("abc", "def", "ghi"), "c7")
    assert meaning_of("c7", table) == "category"
    told = pa.array([["abc", "def", "ghi"][TOWNS.index(town) % 3] for town in table.column("城市").to_pylist()])
    assert meaning_of("c7", table.drop_columns(["c7"]).append_column("c7", told)) == "region"


@pytest.mark.parametrize("called", ["来源", "c7"])
def test_where_records_come_from_is_no_evidence_for_and_none_against(called: str) -> None:
    table = people(100, SHOPS, called)
    rules = suggest(table, frozenset({"person"}))
    assert rules.source == called
    assert not any(called in rule.columns for rule in rules.fields)


def test_a_second_column_of_the_kind_is_left_out_with_its_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = people(60, SHOPS, "来源")
    further = pa.array(["APP", "WEB", "POS"] * 40)
    rows = table.append_column("channel", further).drop_columns(["person"]).to_pylist()
    file = tmp_path / "people.csv"
    lines = [",".join(rows[0]), *(",".join(row.values()) for row in rows)]
    file.write_text("\n".join([*lines, ""]), encoding="utf-8")
    assert run_command(["identity", "suggest", str(file)]) == 0
    told = capsys.readouterr().out
    assert 'source: "来源"' in told
    assert '- {column: "channel"}    # ' in told


def test_many_sources_that_hold_people_twice_by_chance_keep_nobody_apart() -> None:
    table = people(2500, [f"file_{number}.csv" for number in range(30)], "file")
    rules = suggest(table, frozenset({"person"}))
    ids = pa.array([f"{row:05}" for row in range(table.num_rows)])
    found = link_people(table, rules, ids=ids, source=table.column("file").combine_chunks())
    assert found.scores(table.column("person").combine_chunks())["recall"] > 0.999
