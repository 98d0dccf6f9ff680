"""An unknown file is told by its content, and the declaration guessed for it loads."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from openpyxl import Workbook

from sources.feed import Feed
from sources.mapped_feed import map_feed
from sources.trial.declaration import declaration_text, feed_name
from sources.trial.form import form_of
from sources.trial.trial import try_file
from warehouse.declaration import Problems, parse_declaration
from warehouse.errors import InputError

SETTINGS = {"time_zone": "Asia/Shanghai", "country": "CN", "currency": "CNY"}
REAL = Path(os.environ.get("CDP_REAL_DATA", "../shared/data"))
SAMPLES = sorted(path for path in (REAL / "vendor_samples").rglob("*") if path.is_file())

needs_samples = pytest.mark.skipif(not SAMPLES, reason="the vendors' samples are not there: set CDP_REAL_DATA")

ROWS = [
    {
        "会员编号": f"M{n}",
        "姓名": "王小明",
        "手机号": f"1380013800{n}",
        "注册时间": f"2026/1/{n + 1} 10:0{n}",
        "等级": "金卡",
    }
    for n in range(5)
]
ORDERS = [
    {
        "Order No": f"A{n // 2}",
        "Order Date": f"1{n}/02/2026",
        "SKU": f"S{n}",
        "Qty": 1,
        "Price": "9.50",
        "Buyer": f"c{n}",
    }
    for n in range(6)
]


def table_of(rows, delimiter=",", line_end="\n"):
    lines = [delimiter.join(rows[0]), *(delimiter.join(map(str, row.values())) for row in rows)]
    return line_end.join(lines) + line_end


def a_file(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def declared(trial, file: Path, name: str = "guess") -> Feed:
    """The feed that the guessed text declares."""
    problems = Problems()
    feed = parse_declaration(declaration_text(trial, file), Feed, problems, shown_as="guess.yml")
    problems.raise_if_any()
    assert feed is not None
    return feed.with_name(name)


@pytest.mark.parametrize(
    ("data", "format_", "encoding", "delimiter"),
    [
        (table_of(ROWS).encode(), "csv", None, None),
        (table_of(ROWS).encode("utf-8-sig"), "csv", None, None),
        (table_of(ROWS).encode("utf-16"), "csv", None, None),
        (table_of(ROWS).encode("gb18030"), "csv", None, None),
        (table_of(ROWS, ";").encode(), "csv", None, ";"),
        (table_of(ROWS, "|", "\r\n").encode(), "csv", None, "|"),
        (table_of(ROWS, "\t").encode(), "tsv", None, None),
        (gzip.compress(table_of(ROWS).encode()), "csv", None, None),
        (zstandard.ZstdCompressor().compress(table_of(ROWS, "\t").encode()), "tsv", None, None),
        ("\n".join(map(json.dumps, ROWS)).encode(), "jsonl", None, None),
        (json.dumps(ROWS, indent=1).encode("utf-16"), "json", None, None),
        (json.dumps({"data": ROWS}).encode(), "json", None, None),
    ],
)
def test_the_form_is_told_by_content_not_by_name(tmp_path, shop, data, format_, encoding, delimiter):
    path = a_file(tmp_path, "export.dat", data)
    form = form_of(path)
    assert (form.format, form.encoding, form.delimiter, form.has_header) == (format_, encoding, delimiter, True)
    trial = try_file(path, SETTINGS)
    assert (trial.feed.kind, trial.accepted, len(trial.judged)) == ("contacts", 5, 5)
    shop.land("guess", "dt=2026-01-05/export.dat", data)
    shop.load(declared(trial, path))
    assert shop.ask("select contact_id, phone, full_name, loyalty_tier from staging._contacts_versions order by 1")[
        0
    ] == ("M0", "13800138000", "王小明", "金卡")


WESTERN = [
    "Hélène Lefèvre;Société Générale;crème brûlée",
    "Jürgen Groß;Königstraße 5;fünf Stück",
    "José Núñez;Ávila, España;¿qué tal?",
    "João Conceição;São Paulo;à vista",
    "Søren Kjær;Åbenrå;rødgrød",
    "Müller;François;Muñoz – Håkan’s €",
]
OTHERS = [
    ("Dvořák;Jiří Němec;Růžena", "cp1250"),
    ("Erdős;Győr;fűzfa", "cp1250"),
    ("Łukasz Wójcik;gęś;żółć", "cp1250"),
    ("Şükrü;Çağrı;ışık", "cp1254"),
    ("Иван Петров;Москва;улица", "cp1251"),
    ("陳小明;台北;訂單", "big5"),
    ("김철수;서울;주문", "euc_kr"),
    ("山田太郎;東京;注文", "shift_jis"),
    ("彡丨;丶丿;亅", "gb18030"),
    ("Müller;José;Hélène", "cp850"),
    ("Müller;José;Hélène", "mac_roman"),
]


@pytest.mark.parametrize("line", WESTERN)
@pytest.mark.parametrize("encoding", ["cp1252", "latin-1"])
def test_western_accents_are_read_as_such_and_never_as_hanzi(tmp_path, line, encoding):
    text = "customer_id;full_name;city;occupation\n" + "".join(f"c{n};{line}\n" for n in range(3))
    path = a_file(tmp_path, "kunden.csv", text.encode(encoding, "ignore"))
    assert form_of(path).encoding == "cp1252"


def test_a_western_file_loads_with_the_declaration_that_was_guessed(tmp_path, shop):
    text = "customer_id;full_name;city;occupation\n" + "".join(f"c{n};{WESTERN[0]}\n" for n in range(3))
    path = a_file(tmp_path, "clients.csv", text.encode("cp1252"))
    trial = try_file(path, SETTINGS)
    assert trial.accepted == 3
    shop.land("guess", "dt=2026-01-05/clients.csv", path.read_bytes())
    shop.load(declared(trial, path))
    assert shop.ask("select distinct full_name from staging._contacts_versions") == [("Hélène Lefèvre",)]


@pytest.mark.parametrize(("line", "encoding"), OTHERS)
def test_an_encoding_that_the_bytes_do_not_say_is_refused_until_it_is_named(tmp_path, line, encoding):
    text = f"customer_id;full_name;city;occupation\nc1;{line}\n"
    path = a_file(tmp_path, "list.csv", text.encode(encoding))
    with pytest.raises(InputError, match="--encoding"):
        try_file(path, SETTINGS)
    trial = try_file(path, SETTINGS, encoding=encoding)
    assert trial.form.encoding == encoding
    assert [item.value["full_name"] for item in trial.judged] == [line.split(";")[0]]


def test_a_broken_line_among_readable_ones_changes_no_encoding(tmp_path):
    rows = [b"customer_id,full_name", *(f"c{n},王小明".encode() for n in range(5)), b"c9,\xe9t\xe9"]
    assert form_of(a_file(tmp_path, "list.csv", b"\n".join(rows))).encoding is None


def test_names_that_every_file_has_make_no_vendor(tmp_path):
    refund = {"id": "re_1", "amount": 5, "currency": "eur", "created": 1700000000, "status": "succeeded", "reason": "x"}
    trial_of = a_file(tmp_path, "refunds.jsonl", "\n".join(json.dumps(refund) for _ in range(3)).encode())
    mailing = {
        "email_address": "a@b.example",
        "id": "m1",
        "status": "subscribed",
        "last_changed": "2026-01-05T10:00:00Z",
    }
    ranked = try_file(trial_of, SETTINGS, kind="deals").candidates
    assert not any(item.score >= 0.25 for item in ranked)
    trial = try_file(a_file(tmp_path, "members.json", json.dumps({"members": [mailing]}).encode()), SETTINGS)
    assert trial.feed.mapping == "mailchimp_members"


@needs_samples
def test_a_table_with_headings_in_chinese_is_recognised():
    trial = try_file(REAL / "vendor_samples" / "fxiaoke" / "contacts_export_gb18030.csv", SETTINGS)
    assert (trial.feed.mapping, trial.accepted) == ("fxiaoke_contacts", 7)


def test_fields_are_guessed_by_values_where_names_say_nothing(tmp_path):
    rows = [{"a": f"x{n}@shop.example", "b": f"+4479460000{n:02d}", "record_id": n} for n in range(30)]
    trial = try_file(a_file(tmp_path, "people.csv", table_of(rows).encode()), SETTINGS)
    assert {name: guess.expression for name, guess in trial.guesses.items()} == {
        "contact_id": "record_id",
        "email": "a",
        "phone": "b",
    }


def test_rows_of_one_order_become_its_lines(tmp_path, shop):
    path = a_file(tmp_path, "orders.csv", table_of(ORDERS).encode())
    trial = try_file(path, SETTINGS)
    assert (trial.feed.kind, trial.feed.group_by, trial.accepted) == ("purchases", "Order No", 3)
    shop.land("guess", "dt=2026-02-20/orders.csv", path.read_bytes())
    shop.load(declared(trial, path))
    shop.stage("purchases")
    assert shop.ask("select count(*), sum(quantity), min(unit_amount) from staging.purchase_lines") == [(6, 6, 9.5)]
    assert shop.ask("select placed_at::date::varchar, currency from staging.purchases order by 1 limit 1") == [
        ("2026-02-09", "CNY")
    ]


def test_a_file_without_a_header_gets_column_names(tmp_path):
    lines = "".join(f"{n},x{n}@shop.example,2026-01-0{n}T10:00:00Z\n" for n in range(1, 9))
    path = a_file(tmp_path, "list.csv", lines.encode())
    trial = try_file(path, SETTINGS)
    assert (trial.form.has_header, len(trial.judged)) == (False, 8)
    assert declared(trial, path).columns == ("column_1", "column_2", "column_3")


def test_parquet_is_tried_too(tmp_path, shop):
    path = tmp_path / "people.parquet"
    pq.write_table(pa.table({"customer_id": [1, 2], "email": ["a@b.example", None], "signup_date": [1, 2]}), path)
    trial = try_file(path, SETTINGS)
    assert (trial.feed.kind, trial.feed.mapping, trial.accepted) == ("contacts", "parquet", 2)
    shop.land("guess", "dt=2026-01-05/people.parquet", path.read_bytes())
    shop.load(declared(trial, path))
    assert shop.ask("select count(*) from staging._contacts_versions") == [(2,)]


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "holds nothing"),
        (b"<x/>", "XML"),
        (b"a,b\n1,2\n", "identifies"),
        (b'{"errors": [{"message": "Not authorized"}]}', "error of the interface"),
    ],
)
def test_what_cannot_be_guessed_is_told(tmp_path, data, told):
    with pytest.raises(InputError, match=told):
        try_file(a_file(tmp_path, "odd.csv", data), SETTINGS)


def test_rejected_rows_stand_beside_accepted_ones_and_nothing_personal_is_shown(tmp_path):
    rows = [{"id": n, "email": f"x{n}@shop.example", "created": "2026-01-05"} for n in range(9)] + [
        {"id": "", "email": "secret@shop.example", "created": "2026-01-05"}
    ]
    trial = try_file(a_file(tmp_path, "people.csv", table_of(rows).encode()), SETTINGS)
    shown = trial.shown(4)
    assert [bool(row.accepted) for row in shown] == [True, True, True, False]
    assert shown[-1].rejected.startswith("contact_id: ")
    assert "shop.example" not in repr(shown)


CHINESE_ORDERS = "订单编号,下单时间,手机号,实付金额\n" + "".join(
    f"D{n},2026/9/{n} {n}:30{':05' if n % 2 else ''},1380013800{n},{n}.50\n" for n in range(1, 9)
)


def test_clock_and_money_are_the_business_s_else_what_the_file_says(tmp_path):
    path = a_file(tmp_path, "订单_gbk.csv", CHINESE_ORDERS.encode("gbk"))
    alone = try_file(path, None)
    assert (alone.feed.time_zone, alone.feed.country, alone.feed.currency) == ("Asia/Shanghai", "CN", "CNY")
    text = declaration_text(alone, path)
    assert "a guess, because of Chinese headings, mobile numbers of China; check" in text
    here = try_file(path, SETTINGS)
    assert (here.feed.time_zone, here.feed.currency) == (SETTINGS["time_zone"], SETTINGS["currency"])
    english = a_file(
        tmp_path, "people.csv", b"id,name,email\n" + b"".join(b"%d,Ann,a%d@b.example\n" % (n, n) for n in range(9))
    )
    told = declaration_text(try_file(english, None), english)
    assert "time_zone: UTC    # of moments without an offset: nothing says it; check" in told
    assert "country:" not in told


def test_moments_with_the_year_first_are_read_whichever_marks_and_digits_they_have(tmp_path, shop):
    path = a_file(tmp_path, "orders.csv", CHINESE_ORDERS.encode())
    trial = try_file(path, None)
    assert (trial.feed.kind, trial.accepted, len(trial.judged)) == ("purchases", 8, 8)
    shop.land("guess", "dt=2026-09-30/orders.csv", CHINESE_ORDERS)
    shop.load(declared(trial, path))
    assert shop.ask(
        "select cast(placed_at as varchar) from staging._purchases_versions order by placed_at limit 2"
    ) == [
        ("2026-08-31 17:30:05",),
        ("2026-09-01 18:30:00",),
    ]


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("contacts_export_gb18030.csv", "contacts_export"),
        ("订单_gbk.csv", "dingdan"),
        ("2026年9月会员_20260930_utf-8.xlsx", "feed_2026_nian_9_yuehuiyuan"),
        ("gbk.csv", "gbk"),
        ("Orders 2026-01-31.jsonl.gz", "orders"),
        ("2026.csv", "feed_2026"),
        ("导出.csv", "daochu"),
        ("Заказы.csv", "feed"),
    ],
)
def test_a_feed_is_named_after_its_file(file, name):
    assert feed_name(Path(file)) == name


WITHOUT_ROWS = {
    "batch_get_by_user.json",
    "change_external_contact_events.xml.txt",
    "contact_query_response.json",
    "data_dictionary_examples.json",
    "enriched_columns.txt",
    "externalcontact_get.json",
    "groupchat_get.json",
}
"""Samples that hold no rows of any contract, or whose envelope only a vendor's mapping knows."""

KNOWN = {
    "segment/track.json": "segment",
    "rudderstack/common-fields.json": "rudderstack",
    "shopify/order.json": "shopify_orders",
    "shopify/customers_search.json": "shopify_customers",
    "zendesk/tickets.json": "zendesk_tickets",
    "delighted/survey_responses.json": "delighted",
    "hubspot/contacts_v3_page.json": "hubspot_contacts",
    "mastodon/Status.json": "mastodon",
    "snowplow/enriched_event.tsv": "snowplow_tsv",
}


TABLES = {
    "shopify_orders": "Name,Email,Financial Status,Created at,Currency,Total,Lineitem quantity,Lineitem name,"
    "Lineitem price\n"
    "#1,m@b.example,paid,2026-01-05 10:00:00 +0100,EUR,5.00,1,Tea,5.00\n",
    "stripe_charges": "id,Created date (UTC),Amount,Amount Refunded,Currency,Captured,Status,Customer ID,"
    "Customer Email\n"
    "ch_1,2026-01-05 10:00,5.00,0.00,eur,true,Paid,cus_1,m@b.example\n",
}
"""What vendors export as tables, whose columns are not the members of their objects."""


@pytest.mark.parametrize(("mapping", "table"), TABLES.items())
def test_the_table_a_vendor_exports_is_recognised_and_loads(tmp_path, shop, mapping, table):
    path = tmp_path / "export.csv"
    path.write_text(table)
    trial = try_file(path, SETTINGS)
    assert (trial.feed.mapping, trial.feed.format, trial.accepted, trial.unread) == (mapping, "csv", 1, ())
    shop.land("guess", "dt=2026-01-05/export.csv", path.read_bytes())
    [batch] = shop.load(declared(trial, path).with_name("guess")).batches
    assert (batch.accepted, batch.rejected) == (1, 0)


def test_what_was_seen_hours_ago_is_tried_as_of_the_batch_it_would_land_in(tmp_path):
    path = tmp_path / "posts 2026-01-05.json"
    post = {"mid": "7", "created_at": "2小时前", "text": "好", "user": {"id": 1, "screen_name": "a"}}
    path.write_text(json.dumps({"statuses": [post]}))
    trial = try_file(path, SETTINGS)
    assert (trial.feed.mapping, trial.accepted) == ("weibo", 1)


@needs_samples
@pytest.mark.parametrize(("sample", "mapping"), KNOWN.items())
def test_the_vendor_of_a_sample_is_recognised(sample, mapping):
    trial = try_file(REAL / "vendor_samples" / sample, SETTINGS)
    assert trial.feed.mapping in {mapping, {"segment": "rudderstack", "rudderstack": "segment"}.get(mapping)}


@needs_samples
def test_samples_of_all_vendors_give_declarations_that_are_in_order():
    told = set()
    for path in SAMPLES[::3]:
        try:
            trial = try_file(path, SETTINGS)
        except InputError:
            told.add(path.name)
            continue
        assert trial.judged, path.name
        map_feed(declared(trial, path, feed_name(path)))
    assert told <= WITHOUT_ROWS


@needs_samples
@pytest.mark.parametrize("path", SAMPLES[::9], ids=lambda path: path.name)
def test_a_sample_loads_as_it_was_tried(shop, path):
    trial = try_file(path, SETTINGS)
    feed = declared(trial, path).model_copy(update={"max_reject_ratio": 1.0}).with_name("guess")
    shop.land("guess", f"dt=2026-01-05/{path.name}", path.read_bytes())
    [batch] = shop.load(feed).batches
    assert trial.feed.group_by is not None or batch.rejected == len(trial.judged) - trial.accepted


def test_workbooks_are_tried_too(tmp_path, shop):
    book = Workbook()
    for row in (["Customer ID", "Full name", "E-Mail"], ["c1", "Ann", "a@b.example"], ["c2", "Bo", "b@b.example"]):
        book.active.append(row)
    path = tmp_path / "people.xlsx"
    book.save(path)
    trial = try_file(path, SETTINGS)
    assert (trial.form.format, trial.feed.mapping, trial.feed.kind, trial.accepted) == ("excel", "excel", "contacts", 2)
    shop.land("guess", "dt=2026-01-05/people.xlsx", path.read_bytes())
    shop.load(declared(trial, path))
    assert shop.ask("select contact_id from staging._contacts_versions order by 1") == [("c1",), ("c2",)]


EN = ("order_id", "order_date", "email", "sku", "quantity", "unit_price", "order_total", "status")
ZH = ("订单编号", "下单时间", "邮箱", "商品编码", "数量", "单价", "订单金额", "状态")


def order_file(names, words, first="A"):
    lines = [
        f'{first}{n},2026-05-0{n} 10:00:00,u{n}@shop.example,S{n},1,"1,29{n}.00","1,29{n}.00",{word}'
        for n, word in enumerate(words, 1)
    ]
    return "\n".join([",".join(names), *lines, ""]).encode()


@pytest.mark.parametrize(
    ("names", "words"),
    [(EN, ("Paid", "Refunded", "Canceled", "shipped")), (ZH, ("已支付", "已退款", "已取消", "已发货"))],
)
@pytest.mark.parametrize("kind", [None, "purchases"])
def test_plain_orders_are_orders_and_what_was_paid_back_is_not_paid(tmp_path, shop, names, words, kind):
    path = a_file(tmp_path, "orders.csv", order_file(names, words))
    trial = try_file(path, SETTINGS, kind=kind)
    assert (trial.feed.kind, trial.feed.group_by, trial.accepted) == ("purchases", names[0], 4)
    shop.land("guess", "dt=2026-05-20/orders.csv", path.read_bytes())
    shop.load(declared(trial, path))
    shop.stage("purchases")
    assert shop.ask("select status, gross_amount from staging.purchases order by order_id") == [
        ("paid", 1291),
        ("refunded", 1292),
        ("cancelled", 1293),
        ("fulfilled", 1294),
    ]


def test_a_state_nobody_knows_is_left_to_the_user_and_never_paid(tmp_path):
    path = a_file(tmp_path, "orders.csv", order_file(EN, ("paid", "zzz", "zzz", "zzz")))
    trial = try_file(path, SETTINGS)
    assert (trial.feed.kind, trial.accepted) == ("purchases", 1)
    assert trial.reasons() == {"status: not_in_set": 3}
    assert "NOT KNOWN, add them to the table: 'zzz'" in declaration_text(trial, path)


def test_no_address_is_the_id_of_an_event(tmp_path):
    path = a_file(tmp_path, "x.csv", b"email,page,seen\na@b.example,x,2026-01-05\nc@d.example,x,2026-01-05\n")
    made = {"concat": ["email", "page", "seen"], "with": "|", "then": ["md5"]}
    assert try_file(path, SETTINGS, kind="web_events").guesses["event_id"].expression == made


def test_sales_that_nothing_numbers_are_known_by_all_they_say(tmp_path, shop):
    """A person's purchases of one day stay two orders; what an export repeats exactly is one."""
    sales = [("0001", "1997-01-01", 1, "29.33"), ("0001", "1997-01-01", 2, "29.33"), ("0002", "1997-01-18", 1, "9.50")]
    rows = [dict(zip(("customer_id", "date", "quantity", "amount"), sale, strict=True)) for sale in sales]
    file = a_file(tmp_path, "sales.csv", table_of([*rows, rows[0]]).encode())
    trial = try_file(file, SETTINGS)
    assert (trial.feed.kind, trial.accepted) == ("purchases", 4)
    shop.land("guess", "dt=2026-03-01/a.csv", file.read_bytes())
    shop.load(declared(trial, file))
    shop.stage("purchases")
    assert shop.ask("select count(*), sum(gross_amount)::double from staging.purchases") == [(3, 68.16)]


def test_a_named_kind_that_a_file_cannot_be_tells_what_is_missing(tmp_path):
    file = a_file(tmp_path, "reviews.csv", "label,review\n1,好吃\n0,太慢\n".encode())
    with pytest.raises(InputError, match=r"no column can be .*submitted_at") as told:
        try_file(file, SETTINGS, kind="feedback")
    assert "cdp schema feedback" in told.value.fix
