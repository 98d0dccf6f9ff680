"""Values in the one form in which they are compared."""

from __future__ import annotations

import pytest

from identity.names import Name, normalise_name
from identity.normalise import (
    Phone,
    normalise_address,
    normalise_city,
    normalise_email,
    normalise_gender,
    normalise_handle,
    normalise_phone,
)


@pytest.mark.parametrize(
    ("sent", "compared"),
    [
        ("  Anna.Smith@Shop.Example ", "anna.smith@shop.example"),
        ("anna.smith+tea@gmail.com", "annasmith@gmail.com"),
        ("Anna.Smith@googlemail.com", "annasmith@gmail.com"),
        ("anna+tea@shop.example", "anna+tea@shop.example"),
        ("ａｎｎａ＠qq.com", "anna@qq.com"),
        ("anna@gmial.com", "anna@gmial.com"),
        ("N/A", None),
        ("anna at shop", None),
    ],
)
def test_an_email_loses_only_what_its_provider_ignores(sent: str, compared: str | None) -> None:
    assert normalise_email(sent) == compared


@pytest.mark.parametrize(
    ("sent", "country", "compared"),
    [
        ("138 1234 5678", "CN", Phone("+8613812345678", True)),
        ("+86 138-1234-5678", "GB", Phone("+8613812345678", True)),
        ("8613812345678", "CN", Phone("+8613812345678", True)),
        ("0086-13812345678", "CN", Phone("+8613812345678", True)),
        ("１３８１２３４５６７８", "CN", Phone("+8613812345678", True)),
        ("07700 900123", "GB", Phone("+447700900123", False)),
        ("07911 123456", "GB", Phone("+447911123456", True)),
        ("138****5678", "CN", Phone("138****5678", False)),
        ("13812345678.0", "CN", Phone("+8613812345678", True)),
        ("'13812345678", "CN", Phone("+8613812345678", True)),
        ('="13812345678"', "CN", Phone("+8613812345678", True)),
        ("1.38E+10", "CN", None),
        ("1,3812E10", "GB", None),
        ("18877771111-123", "CN", None),
        ("+86 18877771111转123", "GB", None),
        ("+1 212 555 2368 ext 4", "US", Phone("+12125552368", True)),
        ("139 1287 3465", "GB", Phone("+8613912873465", True)),
        ("13912873465", "ZZ", Phone("+8613912873465", True)),
        ("13800138000", "GB", Phone("+8613800138000", True)),
        ("400-820-8820", "GB", Phone("+864008208820", True)),
        ("1 391 287 3465", "US", Phone("+13912873465", False)),
        ("1 212 555 2368", "US", Phone("+12125552368", True)),
        ("+13912873465", "GB", Phone("+13912873465", False)),
        ("15123456789", "DE", Phone("+4915123456789", True)),
        ("1391287346", "GB", Phone("+441391287346", False)),
        ("N/A", "CN", None),
        ("12", "CN", None),
    ],
)
def test_a_phone_is_read_in_the_country_of_its_record(sent: str, country: str, compared: Phone | None) -> None:
    assert normalise_phone(sent, country) == compared


@pytest.mark.parametrize(
    ("full", "given", "family", "compared"),
    [
        ("王小明", None, None, Name("xiaoming", "wang", "王小明")),
        ("王 小 明", None, None, Name("xiaoming", "wang", "王小明")),
        ("王小明先生", None, None, Name("xiaoming", "wang", "王小明")),
        (None, "小明", "王", Name("xiaoming", "wang", "王小明")),
        ("Wang Xiaoming", None, None, Name("xiaoming", "wang")),
        ("Xiaoming WANG", None, None, Name("xiaoming", "wang")),
        ("WANG Xiao Ming", None, None, Name("xiaoming", "wang")),
        ("WangXiaoming", None, None, Name("xiaoming", "wang")),
        ("張偉", None, None, Name("wei", "zhang", "张伟")),
        ("曾志伟", None, None, Name("zhiwei", "zeng", "曾志伟")),
        ("单田芳", None, None, Name("tianfang", "shan", "单田芳")),
        ("欧阳娜娜", None, None, Name("nana", "ouyang", "欧阳娜娜")),
        ("张*", None, None, Name("", "zhang")),
        ("张女士", None, None, Name("", "zhang")),
        ("辉磊", None, None, Name("huilei", "")),
        ("Mr. John Smith Jr.", None, None, Name("john", "smith")),
        ("Smith, John A.", None, None, Name("john", "smith")),
        ("Jean-Luc van der Berg", None, None, Name("jeanluc", "vanderberg")),
        ("Łukasz Müller", None, None, Name("lukasz", "muller")),
        ("Anna Smith", "Anna", None, Name("anna", "smith")),
        (None, "Anna", None, Name("anna", "")),
    ],
)
def test_names_meet_in_one_form(full: str | None, given: str | None, family: str | None, compared: Name) -> None:
    assert normalise_name(full, given, family) == compared


@pytest.mark.parametrize("sent", ["", "   ", "...", "😀"])
def test_a_name_without_letters_is_none(sent: str) -> None:
    assert normalise_name(sent, None, None) is None


def test_addresses_in_both_languages_become_tokens() -> None:
    assert normalise_address("Flat 3, 12 High Street") == "flat 3 12 high st"
    assert normalise_address("北京市海淀區中山路113號") == "北 京 市 海 淀 区 中 山 路 113 号"


def test_a_chinese_city_loses_its_province_and_suffix() -> None:
    assert normalise_city("山东省青岛市") == normalise_city("青岛") == "青岛"
    assert normalise_city("Saint-Étienne") == "saint etienne"


def test_genders_are_two_or_unknown() -> None:
    assert [normalise_gender(text) for text in ("Female", "男", "other")] == ["f", "m", None]


def test_a_handle_loses_at_sign_and_server() -> None:
    assert normalise_handle("@Anna@mastodon.example") == "anna"
