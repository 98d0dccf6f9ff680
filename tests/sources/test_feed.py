"""A feed is declared in one file; everything that is wrong is told at once, with its line and what to do."""

from __future__ import annotations

import pytest

from sources.feed import Feed, load_feeds
from sources.mapped_feed import map_feed
from warehouse.declaration import Problems
from warehouse.project import Project

GOOD = """
kind: messages
mapping: csv
files: mail/*.csv
fields:
  message_id: id
  message_event: event
  occurred_at: {path: at, then: [strip, {time: iso}]}
constants: {message_channel: email}
"""


def declared(tmp_path, **files):
    folder = tmp_path / "config" / "feeds"
    folder.mkdir(parents=True)
    for name, text in files.items():
        (folder / f"{name}.yml").write_text(text, encoding="utf-8")
    problems = Problems()
    return load_feeds(Project(tmp_path), problems), [
        f"{problem.file}:{problem.line}: {problem.what} {problem.fix}" for problem in problems.found
    ]


def test_a_good_feed_is_named_after_its_file_and_has_sane_defaults(tmp_path):
    feeds, problems = declared(tmp_path, mail=GOOD)
    assert problems == []
    feed = feeds["mail"]
    assert (feed.name, feed.ids_from, feed.files, feed.max_reject_ratio) == ("mail", "mail", ("mail/*.csv",), 0.2)
    assert (feed.duplicates, feed.on_new_column, feed.time_zone) == ("collapse", "report", "UTC")


def test_a_project_without_feeds_has_none(tmp_path):
    assert load_feeds(Project(tmp_path), Problems()) == {}


@pytest.mark.parametrize(
    ("change", "line", "told"),
    [
        (("kind: messages", "kind: mesages"), 2, "Did you mean `messages`?"),
        (("mapping: csv", "mapping: cvs"), 3, "Did you mean `csv`?"),
        (("mapping: csv", "mapping: segment"), 2, "makes web_events, not messages"),
        (("message_id: id", "mesage_id: id"), 6, "Did you mean `message_id`?"),
        (("constants: {message_channel", "constants: {message_chanel"), 9, "not a field of messages"),
        (("strip,", "stripp,"), 8, "Did you mean `strip`?"),
        (("{time: iso}", "{time: isoo}"), 8, "strptime"),
        (("{path: at,", "{pathh: at,"), 8, "Did you mean `path`?"),
        (("files: mail/*.csv", "files: ../*.csv"), 4, "below the feed's landing folder"),
        (("files: mail", "encoding: utf-99\nfiles: mail"), 4, "not an encoding"),
        (("files: mail", "time_zone: Europe/Lundun\nfiles: mail"), 4, "Did you mean `Europe/London`?"),
        (("files: mail", "max_reject_ratio: 2\nfiles: mail"), 4, "must be at most 1, and is `2`"),
        (("files: mail", "duplicate: keep\nfiles: mail"), 4, "Did you mean `duplicates`?"),
        (("files: mail", "on_new_column: panic\nfiles: mail"), 4, "cannot be `panic`. Known: keep, report, stop."),
    ],
)
def test_each_mistake_is_told_with_its_line(tmp_path, change, line, told):
    _, problems = declared(tmp_path, mail=GOOD.replace(*change))
    assert any(text.startswith(f"config/feeds/mail.yml:{line}: ") and told in text for text in problems), problems


def test_all_mistakes_of_all_feeds_are_told_at_once(tmp_path):
    wrong = GOOD.replace("message_id: id", "mesage_id: id").replace("message_event", "event")
    _, problems = declared(tmp_path, mail=wrong, other=GOOD.replace("csv", "cvs", 1), 订单=GOOD)
    assert len([text for text in problems if text.startswith("config/feeds/mail.yml")]) == 2
    assert any("config/feeds/other.yml:3" in text for text in problems)
    assert any("not a feed name" in text for text in problems)


def test_rows_need_a_group_and_known_fields(tmp_path):
    orders = """
kind: purchases
mapping: csv
fields:
  order_id: no
  placed_at: at
  status: {constant: paid}
  currency: {setting: currency}
  lines: {rows: true, fields: {line_id: {position: true}, quantitty: count}}
"""
    _, problems = declared(tmp_path, orders=orders)
    assert [text.split(": ", 1)[1].split(".")[0] for text in problems] == [
        "`lines` is made of the rows of a group, but nothing says `group_by`",
        "`lines",
        "Nothing fills `lines",
    ]


def test_a_mapping_of_any_kind_reads_columns_named_like_the_contract(tmp_path):
    feeds, problems = declared(tmp_path, mail="kind: messages\nmapping: csv\n")
    assert problems == []
    assert "message_id" in map_feed(feeds["mail"]).fields


def test_what_the_feed_says_wins_over_the_mapping(tmp_path):
    text = "kind: web_events\nmapping: segment\nfields: {event_name: name}\nconstants: {locale: zh}\nignore: [debug]\n"
    feeds, _ = declared(tmp_path, web=text)
    mapped = map_feed(feeds["web"])
    assert repr(mapped.fields["event_name"]) == "Path(text='name')"
    assert repr(mapped.fields["locale"]) == "Constant(text='zh')"
    assert "debug" in mapped.ignore


def test_a_renamed_column_is_read_where_the_mapping_expects_another(shop, a_message_feed):
    shop.land("mail", "2026-01-05.csv", "Nr,message_channel,message_event,occurred_at\nm1,email,sent,2026-01-05\n")
    shop.load(a_message_feed(mapping="csv", rename={"Nr": "message_id"}))
    assert shop.ask("select message_id from staging._messages_versions") == [("m1",)]


def test_what_only_people_read_does_not_make_batches_stale(a_message_feed):
    before = map_feed(a_message_feed()).declaration_hash
    assert map_feed(a_message_feed(owner="x", purpose="y", description="z", files=["*.x"])).declaration_hash == before
    assert map_feed(a_message_feed(id_space="shop")).declaration_hash == before  # every run tells it anew, unread
    for changed in (
        {"ignore": ["debug"]},
        {"on_new_column": "stop"},
        {"max_reject_ratio": 0.5},
        {"time_zone": "Asia/Shanghai"},
        {"duplicates": "keep"},
        {"constants": {"email": "a"}},
        {"format": "json"},
    ):
        assert map_feed(a_message_feed(**changed)).declaration_hash != before


@pytest.mark.parametrize("mapping", ["csv", "jsonl"])
def test_the_feeds_currency_country_and_zone_are_those_of_a_row_that_names_none(shop, mapping):
    rows = [
        {"Order": "1", "Date": "2026-01-05 10:00", "currency": "", "Land": ""},
        {"Order": "2", "Date": "2026-01-05 10:00", "currency": "USD", "Land": "US"},
    ]
    lines = [",".join(rows[0]), *(",".join(row.values()) for row in rows)]
    shop.land("orders", "2026-01-05.txt", "\n".join(lines) + "\n" if mapping == "csv" else rows)
    fields = {"order_id": "Order", "placed_at": "Date", "status": {"constant": "paid"}, "country": "Land"}
    settings = {"time_zone": "Europe/Berlin", "country": "DE", "currency": "EUR"}
    shop.load(Feed.named("orders", kind="purchases", mapping=mapping, fields=fields, **settings))
    found = shop.ask("select currency, country, placed_at::varchar from staging._purchases_versions order by order_id")
    assert found == [("EUR", "DE", "2026-01-05 09:00:00"), ("USD", "US", "2026-01-05 09:00:00")]


def test_the_feeds_currency_fills_a_column_that_the_file_does_not_have(shop):
    shop.land("orders", "2026-01-05.csv", "Order,Date\n1,2026-01-05\n")
    fields = {"order_id": "Order", "placed_at": "Date", "status": {"constant": "paid"}}
    shop.load(Feed.named("orders", kind="purchases", mapping="csv", currency="GBP", fields=fields))
    assert shop.ask("select currency, country from staging._purchases_versions") == [("GBP", None)]


def test_a_vendors_mapping_that_forgets_the_setting_takes_it_all_the_same(tmp_path):
    text = "kind: contacts\nmapping: csv\ncountry: DE\nfields: {contact_id: id}\n"
    feeds, _ = declared(tmp_path, club=text, deals=text.replace("contacts", "deals").replace("contact_id", "deal_id"))
    assert "FeedSetting(name='country')" in repr(map_feed(feeds["club"]).fields["country"])
    assert "country" not in map_feed(feeds["deals"]).fields


def test_what_the_feed_says_is_absent_stays_absent_and_a_device_is_nowhere_unless_told(tmp_path):
    mail = GOOD.replace("constants: {", "currency: EUR\nconstants: {currency: null, ")
    web = "kind: web_events\nmapping: segment\ncountry: DE\ncurrency: EUR\n"
    feeds, _ = declared(tmp_path, mail=mail, web=web)
    assert repr(map_feed(feeds["mail"]).fields["currency"]) == "Constant(text=None)"
    assert "FeedSetting" not in repr(map_feed(feeds["web"]).fields["country"])


def test_a_source_field_that_is_ignored_from_now_on_is_unknown_no_more(shop, a_message_feed, a_message):
    shop.land("mail", "dt=2026-01-05/a.jsonl", [a_message(1, debug="x")])
    shop.load(a_message_feed())
    shop.load(a_message_feed(ignore=("debug",)))
    assert shop.ask("select source_column from ops.source_columns where status = 'unknown'") == []
    shop.load(a_message_feed())
    assert shop.ask("select source_column from ops.source_columns where status = 'unknown'") == [("debug",)]


def test_names_of_feeds_may_have_hyphens_and_capitals(tmp_path):
    feeds, problems = declared(tmp_path, **{"online-orders": GOOD, "Shop_2": GOOD, "9lives": GOOD})
    assert problems == []
    assert set(feeds) == {"online-orders", "Shop_2", "9lives"}


def test_feeds_that_would_be_one_asset_are_refused(tmp_path):
    _, problems = declared(tmp_path, **{"online-orders": GOOD, "online_orders": GOOD})
    told = "`online_orders` and `online-orders` differ by hyphens or case only. Rename one of them."
    assert problems == [f"config/feeds/online_orders.yml:1: {told}"]


def test_a_wrong_key_hides_no_field_that_is_wrong_too(tmp_path):
    text = "kind: contacts\nmapping: csv\nownr: x\nmax_reject_ratio: 7\nfields: {contact_id: id, emial: mail}\n"
    _, problems = declared(tmp_path, club=text)
    assert sorted(problems) == [
        "config/feeds/club.yml:3: `ownr` is not a key here. Did you mean `owner`?",
        "config/feeds/club.yml:4: `max_reject_ratio` must be at most 1, and is `7`. Write a number that is at most 1.",
        "config/feeds/club.yml:5: `emial` is not a field of contacts. Did you mean `email`?",
    ]


def test_a_key_that_is_meant_to_say_how_rows_are_made_is_told_alone(tmp_path):
    _, problems = declared(tmp_path, club="kind: contacts\nmapping: csv\nfeilds: {contact_id: id}\n")
    assert problems == ["config/feeds/club.yml:3: `feilds` is not a key here. Did you mean `fields`?"]


@pytest.mark.parametrize("ending", ["yaml", "YML"])
def test_a_declaration_with_another_ending_is_told_instead_of_passed_over(tmp_path, ending):
    declared(tmp_path, mail=GOOD)
    (tmp_path / "config" / "feeds" / f"orders.{ending}").write_text(GOOD, encoding="utf-8")
    problems = Problems()
    load_feeds(Project(tmp_path), problems)
    told = f"config/feeds/orders.{ending}:1: The file is not read: its name ends in .{ending}. Rename it to orders.yml."
    assert [str(item) for item in problems.found] == [told]
