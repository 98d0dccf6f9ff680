"""Whatever a vendor's objects come in, alone, listed, line by line, in any envelope, packed or not: the same rows."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import zstandard

from quality.contracts.check import Accepted, Rejected
from sources.feed_declaration import Feed
from sources.mapped_feed import map_feed
from sources.mapping import mapping_ids, read_mapping
from sources.trial.sample import judge_rows, read_rows

Row = dict[str, Any]
Form = Callable[[Row, Row], bytes]

AT = "2026-01-05T10:00:00Z"
SECONDS = 1767607200
MONEY = {"amount": 500, "currency": "GBP"}
PROFILE = {"email": "li@shop.example", "phone": "+442079460000", "name": "Li Wang"}
TAOBAO_TIME = "2026-01-05 10:00:00"

OBJECTS: dict[str, Callable[[int], Row]] = {
    "delighted": lambda n: {
        "id": f"{n}", "person": "7", "survey_type": "nps", "score": 9, "created_at": SECONDS, "comment": "good",
    },
    "email_messages": lambda n: {
        "message_id": f"m{n}", "event": "open", "occurred_at": AT, "email": "li@shop.example", "customer_id": "7",
    },
    "fxiaoke_contacts": lambda n: {
        "_id": f"65f{n}", "name": "沈若溪", "mobile1": "19900000003", "create_time": 1750262400000,
        "last_modified_time": 1771343999000, "owner": ["1005"], "life_status": "normal",
    },
    "fxiaoke_deals": lambda n: {
        "_id": f"65d{n}", "name": "年单", "sales_stage": "5", "amount": "100.01", "close_date": 1771343999000,
        "create_time": 1750262400000, "last_modified_time": 1771343999000,
    },
    "ga4_events": lambda n: {
        "event_timestamp": SECONDS * 1_000_000 + n, "event_name": "page_view", "user_pseudo_id": "386.412",
        "event_params": [{"key": "page_location", "value": {"string_value": "https://shop.example/"}}],
    },
    "hubspot_contacts": lambda n: {
        "id": f"{n}", "createdAt": AT, "updatedAt": AT, "archived": False,
        "properties": {"email": "li@shop.example", "firstname": "Li", "phone": None},
    },
    "hubspot_deals": lambda n: {
        "id": f"{n}", "createdAt": AT, "updatedAt": AT, "archived": False,
        "properties": {"amount": "12.50", "dealstage": "closedwon", "closedate": AT, "deal_currency_code": "GBP"},
    },
    "hubspot_email_events": lambda n: {
        "id": f"{n}", "created": SECONDS * 1000, "type": "OPEN", "recipient": "li@shop.example",
        "sentBy": {"id": "s1", "created": SECONDS * 1000}, "filteredEvent": False,
    },
    "instagram_comments": lambda n: {
        "id": f"178{n}", "text": "Nice", "timestamp": "2026-01-05T10:00:00+0000", "from": {"id": "9", "username": "li"},
    },
    "intercom_contacts": lambda n: {
        "type": "contact", "id": f"{n}", "role": "user", "created_at": SECONDS, "updated_at": SECONDS,
    } | PROFILE,
    "intercom_conversations": lambda n: {
        "type": "conversation", "id": f"{n}", "created_at": SECONDS, "updated_at": SECONDS, "state": "open",
        "source": {"type": "email", "body": "<p>Late</p>", "author": {"type": "user", "id": "7"}},
    },
    "loyalty_entries": lambda n: {
        "id": f"e{n}", "type": "ACCUMULATE_POINTS", "created_at": AT, "loyalty_account_id": "la1",
        "accumulate_points": {"points": 12, "order_id": "o1"},
    },
    "mailchimp_activity": lambda n: {
        "campaign_id": "c1", "list_id": "l1", "email_id": f"{n}", "email_address": "li@shop.example",
        "activity": [{"action": "open", "timestamp": AT}, {"action": "click", "timestamp": AT, "url": "https://a.b"}],
    },
    "mailchimp_members": lambda n: {
        "id": f"{n}", "list_id": "l1", "email_address": "li@shop.example", "status": "subscribed", "last_changed": AT,
        "timestamp_signup": "", "timestamp_opt": AT, "merge_fields": {"FNAME": "Li", "LNAME": "Wang"},
    },
    "marketo_activities": lambda n: {
        "marketoGUID": f"{n}", "leadId": 3301, "activityDate": AT, "activityTypeId": 11, "primaryAttributeValueId": 8,
        "primaryAttributeValue": "News", "attributes": [{"name": "Link", "value": "https://a.b"}],
    },
    "mastodon": lambda n: {
        "id": f"{n}", "uri": f"https://m.example/users/li/statuses/{n}", "created_at": AT, "content": "<p>Hi</p>",
        "visibility": "public", "account": {"id": "9", "acct": "li@m.example"}, "mentions": [],
    },
    "rudderstack": lambda n: {
        "messageId": f"{n}", "type": "track", "event": "Order Completed", "originalTimestamp": AT, "anonymousId": "a",
        "properties": {"order_id": "o1", "total": 5, "currency": "GBP"}, "context": {"traits": PROFILE},
    },
    "salesforce_contacts": lambda n: {
        "attributes": {"type": "Contact"}, "Id": f"003Qv00000x1yZ{n}", "LastName": "Wang", "Email": "li@shop.example",
        "SystemModstamp": "2026-03-04T09:15:22.000+0000", "IsDeleted": False,
    },
    "salesforce_leads": lambda n: {
        "attributes": {"type": "Lead"}, "Id": f"00QQv00000x1yZ{n}", "LastName": "Wang", "Company": "[not provided]",
        "SystemModstamp": "2026-03-04T09:15:22.000+0000", "IsDeleted": False,
    },
    "salesforce_opportunities": lambda n: {
        "attributes": {"type": "Opportunity"}, "Id": f"006Qv00000x1yZ{n}", "StageName": "Won", "Amount": 12.5,
        "CurrencyIsoCode": "GBP", "CloseDate": "2026-03-04", "IsClosed": True, "IsWon": True, "CreatedDate": AT,
        "SystemModstamp": "2026-03-04T09:15:22.000+0000",
    },
    "segment": lambda n: {
        "messageId": f"{n}", "type": "identify", "timestamp": AT, "userId": "7", "traits": PROFILE,
    },
    "shopify_customers": lambda n: {
        "id": n, "email": "li@shop.example", "created_at": AT, "updated_at": AT, "first_name": "Li",
        "email_marketing_consent": {"state": "subscribed", "consent_updated_at": None},
    },
    "shopify_orders": lambda n: {
        "id": n, "created_at": AT, "updated_at": AT, "financial_status": "paid", "currency": "GBP",
        "total_price": "12.50", "customer": {"id": 7}, "refunds": [],
        "line_items": [{"id": 1, "title": "Tea", "quantity": 2, "price": "6.25"}],
    },
    "square_orders": lambda n: {
        "id": f"o{n}", "location_id": "L1", "state": "COMPLETED", "created_at": AT, "total_money": MONEY,
        "line_items": [{"uid": "1", "name": "Tea", "quantity": "1", "total_money": MONEY}],
    },
    "stripe_charges": lambda n: {
        "id": f"ch_{n}", "object": "charge", "amount": 1999, "amount_captured": 1999, "amount_refunded": 0,
        "captured": True, "refunded": False, "currency": "gbp", "status": "succeeded", "created": SECONDS,
    },
    "stripe_customers": lambda n: {"id": f"cus_{n}", "object": "customer", "created": SECONDS} | PROFILE,
    "taobao_orders": lambda n: {
        "tid": f"200000000000000010{n}", "status": "TRADE_FINISHED", "created": TAOBAO_TIME, "payment": "5.00",
        "buyer_open_uid": "u1", "orders": {"order": [{"oid": "1", "title": "茶", "num": 1, "price": "5.00"}]},
    },
    "typeform": lambda n: {
        "token": f"{n}", "landed_at": AT, "submitted_at": AT, "hidden": {"email": "li@shop.example"},
        "answers": [{"type": "number", "number": 9, "field": {"id": "f", "ref": "r", "type": "nps"}}],
    },
    "wecom_contacts": lambda n: {
        "external_contact": {"external_userid": f"wm{n}", "name": "若溪", "type": 1, "gender": 2},
        "follow_info": {"userid": "TaoHuaiJin", "createtime": SECONDS, "remark_mobiles": ["19900000003"]},
    },
    "weibo": lambda n: {
        "created_at": "Wed Apr 16 18:58:11 +0800 2014", "id": n, "idstr": f"{n}", "text": "好茶",
        "user": {"idstr": "9", "screen_name": "王小明", "followers_count": 5},
    },
    "woocommerce_customers": lambda n: {
        "id": n, "date_created_gmt": "2026-01-05T10:00:00", "email": "li@shop.example", "billing": {"phone": ""},
    },
    "woocommerce_orders": lambda n: {
        "id": n, "status": "processing", "currency": "GBP", "date_created_gmt": "2026-01-05T10:00:00", "total": "5.00",
        "customer_id": 0, "line_items": [{"id": 1, "name": "Tea", "quantity": 1, "total": "5.00"}], "refunds": [],
    },
    "woocommerce_reviews": lambda n: {
        "id": n, "date_created_gmt": "2026-01-05T10:00:00", "product_id": 5, "rating": 5, "review": "<p>Good</p>",
        "reviewer": "Li", "reviewer_email": "li@shop.example", "status": "approved",
    },
    "x_v2": lambda n: {"id": f"{n}", "text": "Hi", "created_at": AT, "author_id": "9"},
    "zendesk_ratings": lambda n: {
        "id": n, "score": "good", "ticket_id": 5, "requester_id": 7, "created_at": AT, "updated_at": AT,
    },
    "zendesk_tickets": lambda n: {
        "id": n, "status": "open", "created_at": AT, "updated_at": AT, "requester_id": 7, "description": "Late",
    },
    "zoho_contacts": lambda n: {
        "id": f"55500000000001{n}", "Last_Name": "沈", "Email": "ruoxi@haitang.example", "$approved": True,
        "Modified_Time": "2026-02-17T21:29:59+05:30", "Email_Opt_Out": False,
    },
    "zoho_deals": lambda n: {
        "id": f"55500000000002{n}", "Deal_Name": "D", "Stage": "Closed Won", "Amount": 12.5, "Currency": "GBP",
        "Closing_Date": "2026-02-17", "Created_Time": "2026-02-17T21:29:59+05:30",
        "Modified_Time": "2026-02-17T21:29:59+05:30",
    },
}  # fmt: skip
NO_OBJECTS = {"csv", "excel", "jsonl", "nps_csv", "parquet", "snowplow_tsv"}


def _json(value: object, **options: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, **options).encode()


def _around(key: str, held: object) -> dict[str, Any]:
    """``held`` at a path of an envelope."""
    for name in reversed(key.split(".")):
        held = {name: held}
    assert isinstance(held, dict)
    return held


FORMS: dict[str, Form] = {
    "a pretty list": lambda a, b: _json([a, b], indent=2),
    "a list after a byte order mark": lambda a, b: b"\xef\xbb\xbf" + _json([a, b]),
    "lines": lambda a, b: _json(a) + b"\n" + _json(b) + b"\n",
    "lines of CRLF without a last end": lambda a, b: _json(a) + b"\r\n" + _json(b),
    "a packed list": lambda a, b: gzip.compress(_json([a, b])),
    "packed lines": lambda a, b: zstandard.compress(_json(a) + b"\n" + _json(b) + b"\n"),
    "a list in UTF-16": lambda a, b: json.dumps([a, b], ensure_ascii=False).encode("utf-16"),
}


def _enveloped(mapping: str) -> Iterator[tuple[str, Form]]:
    for key in read_mapping(mapping).envelope:
        yield f"a page under {key}", lambda a, b, key=key: _json(_around(key, [a, b]))
        yield (
            f"deliveries under {key}",
            lambda a, b, key=key: _json(_around(key, a)) + b"\n" + _json(_around(key, b)) + b"\n",
        )


Made = list[dict[str, Any]]


@pytest.fixture
def read(tmp_path: Path) -> Callable[[str, bytes], Made]:
    """``read(mapping, content)``: the contract rows of a file, all of them accepted."""

    def read_file(mapping: str, content: bytes) -> Made:
        path = tmp_path / "2026-03-05.data"
        path.write_bytes(content)
        feed = Feed.named("feed", kind=str(read_mapping(mapping).kind), mapping=mapping, country="GB", currency="GBP")
        mapped = map_feed(feed)
        verdicts = [item.verdict for item in judge_rows(mapped, read_rows(path, mapped))]
        assert [word for word in verdicts if isinstance(word, Rejected)] == []
        return [{"row": word.values, "nested": word.children} for word in verdicts if isinstance(word, Accepted)]

    return read_file


def test_every_mapping_of_objects_is_tried() -> None:
    assert set(mapping_ids()) - NO_OBJECTS == set(OBJECTS)


@pytest.mark.parametrize("mapping", sorted(OBJECTS))
def test_every_form_gives_the_same_rows(read, mapping: str) -> None:
    first, second = (OBJECTS[mapping](n) for n in (1, 2))
    expected = read(mapping, _json([first, second]))
    assert len(expected) == (4 if mapping == "mailchimp_activity" else 2)
    for name, form in (*FORMS.items(), *_enveloped(mapping)):
        assert (name, read(mapping, form(first, second))) == (name, expected)
    for alone in (_json(first), _json(first, indent=2), _json(first) + b"\n", _json([first])):
        assert read(mapping, alone) == expected[: len(expected) // 2]
