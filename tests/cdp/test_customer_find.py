"""``cdp customer find``: who is meant, for whoever knows no id."""

from __future__ import annotations

import json
import shutil
import sys
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from cdp.command import run_command
from warehouse.business import Business
from warehouse.database import open_warehouse
from warehouse.project import Project
from warehouse.step import Run

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "identity"))

from people import a_record, prepare, resolve

PEOPLE = [
    a_record(email="zoe@a.example", full_name="Zoë Müller", phone="07911123451", source_customer_id="C-77"),
    a_record(email="max@b.example", full_name="Max Müller", phone="07911999999"),
    a_record(email="wang@c.example", full_name="王小明"),
    a_record(email="ou@d.example", full_name="欧阳梅梅"),
    a_record(email="trad@e.example", full_name="歐陽國強"),
    a_record(email="han@f.example", full_name="夏侯佳阳"),
    a_record(email="pinyin@g.example", given_name="Jia Yang", family_name="XIAHOU"),
    a_record(email="like@h.example", full_name="夏侯家洋"),
    a_record(email="zeng@i.example", full_name="曾丽"),
    a_record(email="dots@k.example", full_name="吕布"),
    a_record(email="umlaut@l.example", full_name="Lü Bu"),
    a_record(email="hidden@j.example", full_name="汪**"),
]
BUSINESS = Business(name="A shop", base_currency="GBP", time_zone="Europe/London", default_country="GB")
_CUSTOMERS = """
    create schema if not exists profiles;
    create table profiles.customers as
    select
        links.customer_id,
        any_value(records.full_name) as full_name,
        any_value(records.email) as email,
        any_value(records.phone) as phone,
        'Berlin' as city,
        'DE' as country,
        cast(null as varchar) as company,
        cast(null as varchar) as handle,
        max(records.last_seen_at) as last_seen_at
    from identity.customer_links as links
    inner join identity.records as records on links.record_id = records.record_id
    group by links.customer_id
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("found") / "shop"
    (root / "config").mkdir(parents=True)
    (root / "config" / "business.yml").write_text(
        "name: A shop\nbase_currency: GBP\ntime_zone: Europe/London\ndefault_country: GB\n", encoding="utf-8"
    )
    with open_warehouse(Project(root).database) as warehouse:
        prepare(warehouse)
        resolve(warehouse, Run("run-1", date(2026, 1, 31), datetime(2026, 2, 1), BUSINESS), PEOPLE)
        warehouse.cursor().execute(_CUSTOMERS)
    return root


@pytest.fixture
def project(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "shop"))


def find(project: Path, capsys: pytest.CaptureFixture[str], text: str) -> list[dict[str, Any]]:
    capsys.readouterr()
    assert run_command(["customer", "find", text, "--json", "--project", str(project)]) == 0
    return list(json.loads(capsys.readouterr().out))


@pytest.mark.parametrize(
    ("text", "emails"),
    [
        ("zoe muller", ["z•••@a•••"]),
        ("MÜLLER  Zoë", ["z•••@a•••"]),
        ("ｚｏｅ", ["z•••@a•••"]),
        ("müller", ["m•••@b•••", "z•••@a•••"]),
        ("小明", ["w•••@c•••"]),
        ("Zoe@A.example", ["z•••@a•••"]),
        ("+44 7911 123 451", ["z•••@a•••"]),
        ("(07911) 123451", ["z•••@a•••"]),
        ("C-77", ["z•••@a•••"]),
        ("歐陽梅梅", ["o•••@d•••"]),
        ("歐陽", ["o•••@d•••", "t•••@e•••"]),
        ("欧阳 国强", ["t•••@e•••"]),
        ("欧阳国强", ["t•••@e•••"]),
        ("Ouyang Meimei", ["o•••@d•••"]),
        ("mei-mei", ["o•••@d•••"]),
        ("meimei OUYANG", ["o•••@d•••"]),
        ("夏侯佳阳", ["h•••@f•••", "p•••@g•••"]),
        ("Xiahou Jiayang", ["h•••@f•••", "l•••@h•••", "p•••@g•••"]),
        ("xia hou jia yang", ["h•••@f•••", "l•••@h•••", "p•••@g•••"]),
        ("ｘｉａｈｏｕ，ＪＩＡＹＡＮＧ", ["h•••@f•••", "l•••@h•••", "p•••@g•••"]),
        ("XiaHouJiaYang", ["h•••@f•••", "l•••@h•••", "p•••@g•••"]),
        ("Zēng Lì", ["z•••@i•••"]),
        ("曾麗", ["z•••@i•••"]),
        *((text, ["d•••@k•••", "u•••@l•••"]) for text in ("吕布", "Lǚ Bù", "lv bu", "LYU BU")),
        ("王", ["w•••@c•••"]),
        ("wang", ["h•••@j•••", "w•••@c•••"]),
    ],
)
def test_a_customer_is_found_by_what_a_person_knows(
    project: Path, capsys: pytest.CaptureFixture[str], text: str, emails: list[str]
) -> None:
    assert sorted(item["email"] for item in find(project, capsys, text)) == emails


def test_what_is_found_is_masked_and_leads_on(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (found,) = find(project, capsys, "zoe")
    assert found == {
        "customer_id": found["customer_id"],
        "name": "Z••• M•••",
        "email": "z•••@a•••",
        "phone": "•••51",
        "city": "Berlin",
        "country": "DE",
        "record_count": 1,
        "last_seen_at": "2026-01-01T00:00:00",
    }
    assert run_command(["customer", "find", "zoe", "--project", str(project)]) == 0
    told = capsys.readouterr().out
    assert "2026-01-01 00:00" in told
    assert f"next: cdp customer show {found['customer_id']}" in told
    assert "123451" not in told
    assert find(project, capsys, found["customer_id"]) == [found]


def test_of_many_the_first_are_listed_and_the_rest_counted(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["customer", "find", "müller", "--limit", "1", "--project", str(project)]) == 0
    assert "1 more customer not listed" in capsys.readouterr().out


@pytest.mark.parametrize("text", ["nobody", " ", "%", "·", "先生", "Ceng Li", "Xiahou Jiayan", "夏侯加阳 x"])
def test_nobody_found_is_told_with_what_to_do(project: Path, capsys: pytest.CaptureFixture[str], text: str) -> None:
    assert run_command(["customer", "find", text, "--project", str(project)]) == 11
    told = capsys.readouterr().err
    assert "error: No customer has such a name" in told
    assert "fix: Write less of the name" in told
