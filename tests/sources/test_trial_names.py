"""A trial knows columns that nobody listed: by the parts of their names, and by what their values look like."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from sources.feed import Feed
from sources.trial.declaration import declaration_text
from sources.trial.trial import Trial, try_file
from warehouse.declaration import Problems, parse_declaration

SETTINGS = {"time_zone": "Asia/Shanghai", "country": "CN", "currency": "CNY"}
MOMENTS = ("2026-01-02 10:00:00", "2026-01-03 11:00:00", "2026-01-04 12:00:00")
PHONES = ("138 0013 8001", "139-0013-8002", "010-62345678")
EMAILS = ("a1@x.example", "a2@x.example", "a3@x.example")

CONTACTS: dict[str, tuple[str, ...]] = {
    "客户编号": ("C1", "C2", "C3"),
    "姓名": ("王小明", "李小红", "张大明"),
    "英文名": ("Ming Wang", "Hong Li", "Da Zhang"),
    "移动电话": PHONES,
    "客户邮箱": EMAILS,
    "所在城市": ("上海", "北京", "广州"),
    "建档时间": MOMENTS,
    "可发邮件": ("是", "否", "是"),
}


def tried(folder: Path, columns: dict[str, tuple[str, ...]], name: str = "file.csv", **known: str) -> Trial:
    path = folder / name
    with path.open("w", encoding="utf-8", newline="") as table:
        writer = csv.writer(table)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))
    return try_file(path, SETTINGS, **known)


def sources(trial: Trial) -> dict[str, Any]:
    """Field → the column that fills it."""
    found = {name: guess.expression for name, guess in trial.guesses.items()}
    return {name: item.get("path", item) if isinstance(item, dict) else item for name, item in found.items()}


def declared(trial: Trial, file: Path) -> Feed:
    problems = Problems()
    feed = parse_declaration(declaration_text(trial, file), Feed, problems, shown_as="guess.yml")
    problems.raise_if_any()
    assert feed is not None
    return feed.with_name("guess")


def test_everyday_headings_in_chinese_lose_no_phone_and_no_consent(tmp_path, shop):
    trial = tried(tmp_path, CONTACTS, "kehu.csv")
    assert (trial.feed.kind, trial.accepted, trial.unread) == ("contacts", 3, ("英文名",))
    shop.land("guess", "dt=2026-01-05/kehu.csv", (tmp_path / "kehu.csv").read_bytes())
    shop.load(declared(trial, tmp_path / "kehu.csv"))
    told = shop.ask(
        "select phone, email, full_name, city, cast(created_at as varchar), consents ->> '$[0].channel',"
        " consents ->> '$[0].state' from staging._contacts_versions order by contact_id limit 2"
    )
    assert told == [
        ("138 0013 8001", "a1@x.example", "王小明", "上海", "2026-01-02 02:00:00", "email", "in"),
        ("139-0013-8002", "a2@x.example", "李小红", "北京", "2026-01-03 03:00:00", "email", "out"),
    ]


@pytest.mark.parametrize(
    ("kind", "column", "values", "field"),
    [
        ("purchases", "会员编号", ("M1", "M2", "M1"), "source_customer_id"),
        ("purchases", "顾客ID", ("M1", "M2", "M1"), "source_customer_id"),
        ("purchases", "customer_code", ("M1", "M2", "M1"), "source_customer_id"),
        ("purchases", "收货人手机号", PHONES, "phone"),
        ("purchases", "billing_phone", PHONES, "phone"),
        ("purchases", "收货城市", ("上海", "北京", "广州"), "city"),
        ("purchases", "Shipping City", ("Bonn", "Köln", "Trier"), "city"),
        ("purchases", "实付金额(元)", ("9.5", "8", "7"), "gross_amount"),
        ("purchases", "支付日期", MOMENTS, "placed_at"),
        ("purchases", "发货时间", MOMENTS, "fulfilled_at"),
        ("contacts", "入会日期", MOMENTS, "created_at"),
        ("contacts", "registration_date", MOMENTS, "created_at"),
        ("contacts", "会员生日", ("1990-01-02", "1991-01-02", "1992-01-02"), "birth_on"),
        ("contacts", "customer_email", EMAILS, "email"),
        ("contacts", "英文名", ("Ming Wang", "Hong Li", "Da Zhang"), "full_name"),
        ("web_events", "事件类型", ("浏览", "加购", "下单"), "event_name"),
        ("web_events", "行为时间", MOMENTS, "occurred_at"),
    ],
)
def test_a_name_is_known_by_its_parts(tmp_path, kind, column, values, field):
    key = {"purchases": "订单编号", "contacts": "contact_id", "web_events": "event_id"}[kind]
    trial = tried(tmp_path, {key: ("1", "2", "3"), column: values, "何时": MOMENTS}, kind=kind)
    assert sources(trial)[field] == column


@pytest.mark.parametrize(
    ("kind", "column", "values"),
    [
        ("contacts", "可发邮件", ("明天", "以后", "再说")),
        ("contacts", "邮件", ("是", "否", "是")),
        ("contacts", "联系方式", ("微信", "短信", "微信")),
        ("contacts", "店铺城市", ("上海", "北京", "广州")),
        ("contacts", "会员类型", ("甲", "乙", "甲")),
        ("contacts", "拒收短信", ("否", "否", "否")),
        ("contacts", "created by", ("Ann", "Bo", "Cy")),
        ("purchases", "物流单号", ("S1", "S2", "S3")),
        ("purchases", "退款金额", ("9.5", "8", "7")),
        ("purchases", "销售价", ("9.5", "8", "7")),
        ("purchases", "payment method", ("card", "cash", "card")),
    ],
)
def test_what_only_sounds_alike_is_left_alone(tmp_path, kind, column, values):
    key = {"purchases": "订单编号", "contacts": "contact_id"}[kind]
    known = {key: ("1", "2", "3"), "email": EMAILS, "date": MOMENTS}
    trial = tried(tmp_path, {**known, column: values}, kind=kind)
    assert column in trial.unread
    assert "consents" not in trial.guesses


@pytest.mark.parametrize(
    ("column", "told"),
    [
        ("email_opt_in", [("email", "in"), ("email", "out")]),
        ("同意短信营销", [("sms", "in"), ("sms", "out")]),
        ("do not call", [("call", "out")]),
    ],
)
def test_who_may_be_written_to_is_a_consent_and_silence_is_none(tmp_path, shop, column, told):
    columns = {"contact_id": ("1", "2", "3"), "email": EMAILS, column: ("yes", "no", "")}
    trial = tried(tmp_path, columns)
    shop.land("guess", "dt=2026-01-05/file.csv", (tmp_path / "file.csv").read_bytes())
    shop.load(declared(trial, tmp_path / "file.csv"))
    consents = "select unnest(cast(consents as json[])) as said, contact_id from staging._contacts_versions"
    assert shop.ask(f"select said ->> 'channel', said ->> 'state' from ({consents}) order by contact_id") == told


def test_values_speak_where_the_name_says_nothing_and_a_second_phone_is_pointed_out(tmp_path):
    columns = {"客户编号": ("1", "2", "3"), "甲": PHONES, "乙": (*EMAILS[:2], "无"), "备用": PHONES}
    trial = tried(tmp_path, columns)
    assert (sources(trial)["phone"], sources(trial)["email"]) == ("甲", "乙")
    assert trial.looks == {"备用": "its values are phone numbers"}
    assert '  - "备用"    # its values are phone numbers' in declaration_text(trial, tmp_path / "file.csv")


@pytest.mark.parametrize("column", ["type", "event", "action", "事件", "事件类型", "what_happened"])
def test_what_was_done_is_the_name_of_an_event_and_a_page_its_kind(tmp_path, shop, column):
    words = ("page_view", "add_to_cart", "purchase")
    rows = [
        {"id": f"e{n}", column: word, "ts": f"2026-05-01T10:0{n}:00Z", "user_id": "u1", "url": "https://s.example/"}
        for n, word in enumerate(words)
    ]
    path = tmp_path / "events.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    trial = try_file(path, SETTINGS)
    assert (trial.feed.kind, trial.accepted, "category" in trial.guesses) == ("web_events", 3, False)
    shop.land("guess", "dt=2026-05-01/events.jsonl", path.read_bytes())
    shop.load(declared(trial, path))
    told = shop.ask("select event_name, event_kind from staging._web_events_versions order by event_id")
    assert told == [("page_view", "page"), ("add_to_cart", "track"), ("purchase", "track")]


def test_a_type_that_is_a_kind_of_event_stays_one_beside_the_name(tmp_path):
    trial = tried(
        tmp_path,
        {
            "id": ("1", "2", "3"),
            "type": ("page", "track", "track"),
            "event": ("Home", "Order Completed", "Login"),
            "timestamp": MOMENTS,
            "user_id": ("u1", "u2", "u1"),
        },
        kind="web_events",
    )
    assert (sources(trial)["event_kind"], sources(trial)["event_name"]) == ("type", "event")


ORDERS: dict[str, tuple[str, ...]] = {
    "订单号": ("D1", "D1", "D2"),
    "会员编号": ("M1", "M1", "M2"),
    "收货人电话": PHONES,
    "下单时间": MOMENTS,
    "商品编码": ("S1", "S2", "S1"),
    "件数": ("1", "2", "1"),
    "商品单价": ("9.50", "8", "9.50"),
    "实付金额(元)": ("25.50", "25.50", "9.50"),
    "交易状态": ("已付款", "已付款", "已退款"),
}


@pytest.mark.parametrize("without", ["", "件数"])
def test_orders_stay_orders_also_where_no_column_says_how_many_were_bought(tmp_path, without):
    trial = tried(tmp_path, {name: values for name, values in ORDERS.items() if name != without})
    assert (trial.feed.kind, trial.accepted) == ("purchases", 3 if without else 2)
    assert ("lines" in trial.guesses) == (not without)
    assert sources(trial)["source_customer_id"] == "会员编号"


@pytest.mark.parametrize(
    ("amounts", "read"),
    [
        (("¥1,299.00", "￥99", "¥ 15.50"), ["1299.0000", "99.0000", "15.5000"]),
        (("1.234,50 €", "12,00 €", "7 €"), ["1234.5000", "12.0000", "7.0000"]),
        (("1\u202f234,5", "12", "0,99"), ["1234.5000", "12.0000", "0.9900"]),
        (("12.00元", "1,299元", "99"), ["12.0000", "1299.0000", "99.0000"]),
    ],
)
def test_amounts_are_read_with_their_marks(tmp_path: Path, amounts: tuple[str, ...], read: list[str]) -> None:
    found = tried(tmp_path, {"订单号": ("A1", "A2", "A3"), "下单时间": MOMENTS, "实付金额": amounts}, kind="purchases")
    assert [str(item.verdict.values["gross_amount"]) for item in found.judged] == read


@pytest.mark.parametrize(
    "amounts", [("¥12", "$12", "12"), ("12 34", "1", "2"), ("1.234,50", "1,234.50", "1"), ("12.5.1", "1", "2")]
)
def test_amounts_that_may_mean_several_things_are_left_out(tmp_path: Path, amounts: tuple[str, ...]) -> None:
    found = tried(tmp_path, {"订单号": ("A1", "A2", "A3"), "下单时间": MOMENTS, "实付金额": amounts}, kind="purchases")
    assert "实付金额" in found.unread


def test_rows_are_found_under_keys_inside_keys(tmp_path: Path) -> None:
    rows = [{"order_id": f"A{n}", "placed_at": moment, "total": "5.00"} for n, moment in enumerate(MOMENTS)]
    path = tmp_path / "file.json"
    path.write_text(json.dumps({"status": "ok", "result": {"count": 3, "list": rows}}), encoding="utf-8")
    found = try_file(path, SETTINGS)
    assert len(found.judged) == 3
    assert "envelope: [result, list]" in declaration_text(found, path)
