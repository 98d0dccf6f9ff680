"""What other accounts of the same vendors export: older versions, other languages, tables instead of objects."""

from __future__ import annotations

import json
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

NOON = datetime(2026, 1, 5, 12)
CALL = {"messageId": "1", "anonymousId": "a", "timestamp": "2026-01-05T12:00:00Z"}


@pytest.mark.parametrize("mapping", ["segment", "rudderstack"])
def test_the_tables_a_warehouse_loads_are_read_like_the_calls(deliver, mapping: str) -> None:
    table = (
        "id,anonymous_id,user_id,received_at,timestamp,event,event_text,name,email,revenue,currency,context_ip\n"
        "1,a,u,2026-01-05 12:00:01,2026-01-05 12:00:00 UTC,order_completed,Order Completed,,,9.5,usd,192.0.2.1\n"
        "2,a,u,2026-01-05 12:00:01,2026-01-05 12:00:00.000,,,Marta Lind,m@b.example,,,\n"
    )
    found = deliver(mapping, table, format="csv")
    order, person = found.rows
    assert (found.refused, found.unknown) == ({}, set())
    assert (order["event_kind"], order["event_name"], order["occurred_at"], order["value_amount"]) == (
        "track", "Order Completed", NOON, Decimal("9.5"),
    )  # fmt: skip
    assert (person["event_kind"], person["full_name"], person["email"]) == ("identify", "Marta Lind", "m@b.example")


def test_a_trait_is_cleared_however_it_is_spelled_and_wherever_it_stands(deliver) -> None:
    rows = deliver(
        "segment",
        [
            CALL | {"type": "identify", "traits": {"first_name": None}},
            CALL | {"messageId": "2", "type": "identify", "context": {"traits": {"email": None}}},
        ],
    ).rows
    assert [json.loads(row["extra"])["cleared"] for row in rows] == ["given_name", "email"]


def test_an_order_that_names_neither_total_nor_revenue_is_worth_its_parts(deliver) -> None:
    order = {"order_id": "7", "subtotal": 20, "tax": "2", "shipping": 3.5}
    rows = deliver(
        "segment",
        [
            CALL | {"type": "track", "event": "Order Completed", "properties": order},
            CALL
            | {"messageId": "2", "type": "track", "event": "Order Completed", "properties": order | {"revenue": 19}},
        ],
    ).rows
    assert [row["value_amount"] for row in rows] == [Decimal("25.5"), Decimal(19)]


def _ga4(**more: Any) -> dict[str, Any]:
    params = [
        {"key": "transaction_id", "value": {"string_value": "T1"}},
        {"key": "currency", "value": {"string_value": "(not set)"}},
        {"key": "source", "value": {"string_value": "newsletter"}},
    ]
    event = {"event_timestamp": "1767614400000000", "event_name": "purchase", "user_pseudo_id": "3.4"}
    return event | {"event_params": params, "ecommerce": {"transaction_id": "(not set)"}} | more


def test_ga4s_parameters_stand_in_for_what_older_exports_do_not_have(deliver) -> None:
    repeated = {"list": [{"element": {"key": "transaction_id", "value": {"string_value": "T2"}}}]}
    found = deliver("ga4_events", [_ga4(), _ga4(event_params=repeated, event_timestamp=1767614400000001)])
    first, second = found.rows
    assert (first["order_id"], first["utm_source"], first.get("currency")) == ("T1", "newsletter", None)
    assert second["order_id"] == "T2"


def test_a_charge_of_an_early_version_says_paid_instead_of_a_status(deliver) -> None:
    charge = {"id": "ch_1", "object": "charge", "amount": 999, "currency": "usd", "created": 1400000000, "paid": True,
              "captured": True, "refunded": False, "fee": 59, "fee_details": [], "card": {"name": "Marta"},
              "amount_refunded": 100, "refunds": [{"id": "re_1", "amount": 100}], "livemode": True}  # fmt: skip
    found = deliver("stripe_charges", charge)
    [row] = found.rows
    assert (found.unknown, row["status"], row["full_name"]) == (set(), "paid", "Marta")
    assert [refund["amount"] for refund in row["refunds"]] == [Decimal(1)]


def test_payments_as_stripes_dashboard_exports_them_are_in_whole_units(deliver) -> None:
    table = (
        "id,Created date (UTC),Amount,Amount Refunded,Currency,Captured,Status,Refunded date (UTC),Mode,Customer ID,"
        'Customer Email\nch_1,2026-01-05 12:00,"1,000.00",5.00,usd,true,Paid,2026-01-06 12:00,Live,cus_1,m@b.example\n'
        "ch_2,2026-01-05 12:00,10.00,0.00,jpy,false,Uncaptured,,Test,,\n"
    )
    found = deliver("stripe_charges", table, format="csv")
    first, second = found.rows
    assert (found.refused, found.unknown) == ({}, set())
    assert (first["gross_amount"], first["status"], first["is_test"]) == (Decimal(1000), "paid", False)
    [refund] = first["refunds"]
    assert (refund["amount"], refund["refunded_at"]) == (Decimal(5), datetime(2026, 1, 6, 12))
    assert (second["status"], second["is_test"], second["currency"], second["refunds"]) == ("pending", True, "JPY", [])


def test_a_refund_paid_in_the_buyers_currency_is_counted_in_the_shops(deliver) -> None:
    def order(number: int, currency: str | None) -> dict[str, Any]:
        money = {"id": 1, "amount": "40.00", "kind": "refund", "status": "success", "currency": currency}
        refund = {"id": 5, "created_at": "2026-01-06T12:00:00Z", "transactions": [money]}
        prices = {"shop_money": {"amount": "409.94"}, "presentment_money": {"amount": "400.00"}}
        return {"id": number, "created_at": "2026-01-05T12:00:00Z", "currency": "USD", "total_price": "409.94",
                "total_price_set": prices, "financial_status": "partially_refunded", "refunds": [refund]}  # fmt: skip

    found = deliver("shopify_orders", {"orders": [order(1, "USD"), order(2, "EUR"), order(3, None)]})
    amounts = [row["refunds"][0]["amount"] for row in found.rows]
    assert (found.unknown, amounts) == (set(), [Decimal(40), Decimal("40.994"), Decimal(40)])


def test_of_two_customers_merged_in_shopify_one_is_gone_and_names_the_other(deliver) -> None:
    ids = {"admin_graphql_api_customer_kept_id": "gid://shopify/Customer/1",
           "admin_graphql_api_customer_deleted_id": "gid://shopify/Customer/2"}  # fmt: skip
    found = deliver("shopify_customers", ids | {"status": "completed", "errors": [], "admin_graphql_api_job_id": None})
    [row] = found.rows
    assert (found.unknown, row["contact_id"], row["merged_ids"]) == (set(), "2", ["1"])
    assert row["deleted_at"] < row["updated_at"]


def test_a_redemption_at_square_that_names_no_reward_moves_no_points(deliver) -> None:
    event = {"id": "e", "type": "REDEEM_REWARD", "created_at": "2026-01-05T12:00:00Z", "loyalty_account_id": "l",
             "redeem_reward": {"loyalty_program_id": "p"}}  # fmt: skip
    [row] = deliver("loyalty_entries", {"events": [event]}, format="json").rows
    assert row["points"] == 0


def test_taobao_says_in_words_that_nothing_was_given_back_and_items_are_no_orders(deliver) -> None:
    orders = "订单编号,订单状态,订单创建时间,退款金额\n2000000000000000101,交易成功,2026-01-05 20:00:00,无退款申请\n"
    items = "订单编号,订单状态,订单创建时间,标题,购买数量\n2000000000000000101,交易成功,2026-01-05 20:00:00,灯,1\n"
    [row] = deliver("taobao_orders", orders.encode("gb18030")).rows
    assert (row["placed_at"], row["refunds"]) == (NOON, [])
    assert deliver("taobao_orders", items.encode("gb18030")).refused == {1: [("order_id", "missing")]}


def test_statuses_stand_in_webhooks_and_in_the_text_of_a_stream_and_may_hide_their_followers(deliver) -> None:
    status = {"id": "7", "uri": "https://m.example/7", "created_at": "2026-01-05T12:00:00.000Z", "content": "<p>a</p>",
              "account": {"id": "1", "acct": "m", "followers_count": -1}}  # fmt: skip
    for content in ({"event": "status.created", "object": status}, {"event": "update", "payload": json.dumps(status)}):
        found = deliver("mastodon", content)
        [row] = found.rows
        assert (found.refused, row["text"], row.get("followers_count")) == ({}, "a", None)


def test_the_mobile_site_of_weibo_has_cards_and_rounds_followers(deliver) -> None:
    status = {"id": "7", "mid": "7", "created_at": "1小时前", "text": "好", "mblogid": "x",
              "user": {"id": 1, "screen_name": "a", "followers_count": "12.3万"}}  # fmt: skip
    cards = [{"card_type": 9, "mblog": status}, {"card_type": 11, "card_group": [{"mblog": status | {"mid": "8"}}]}]
    found = deliver("weibo", {"ok": 1, "data": {"cards": cards}})
    assert (found.refused, found.unknown, [row["interaction_id"] for row in found.rows]) == ({}, set(), ["7", "8"])
    assert not any("followers_count" in row for row in found.rows)


def test_a_medium_without_comments_is_no_comment(deliver) -> None:
    medium = {"id": "m", "caption": "c", "timestamp": "2026-01-05T12:00:00+0000", "media_type": "IMAGE"}
    comment = {"id": "7", "text": "a", "timestamp": "2026-01-05T12:00:00+0000"}
    found = deliver("instagram_comments", {"data": [medium, medium | {"comments": {"data": [comment]}}]})
    assert [row["interaction_id"] for row in found.rows] == ["7"]


def test_tickets_name_people_loaded_beside_them_and_whether_they_were_merged(deliver) -> None:
    ticket = {"id": 1, "created_at": "2026-01-05T12:00:00Z", "updated_at": "2026-01-05T12:00:00Z", "requester_id": 9,
              "status": "closed", "tags": ["vip", "closed_by_merge"], "via": {"channel": "web", "source": {"from": {}}},
              "dates": {}, "slas": {}}  # fmt: skip
    people = [{"id": 9, "name": "Marta", "email": "m@b.example", "phone": None}]
    found = deliver("zendesk_tickets", {"tickets": [ticket], "users": people, "count": 1})
    [row] = found.rows
    assert found.unknown == set()
    assert (row["email"], row["full_name"], row["resolution"]) == ("m@b.example", "Marta", "merged")


def test_a_contact_deleted_at_intercom_wins_over_what_was_known_of_it(deliver) -> None:
    [row] = deliver("intercom_contacts", {"type": "contact", "id": "5", "external_id": "x", "deleted": True}).rows
    assert row["deleted_at"] < row["updated_at"]


def test_intercoms_users_of_the_first_version_are_contacts(deliver) -> None:
    user = {"type": "user", "id": "5", "user_id": "25", "email": "m@b.example", "updated_at": 1767614400}
    [row] = deliver("intercom_contacts", {"type": "user.list", "users": [user], "pages": {}, "total_count": 1}).rows
    assert (row["contact_id"], json.loads(row["extra"])["external_id"], row["updated_at"]) == ("5", "25", NOON)


def test_salesforce_tells_moments_in_milliseconds_deletions_in_lists_and_persons_by_two_ids(deliver) -> None:
    records = [
        {"Id": "003Qv00000x1yZaIAI", "LastName": "Lind", "SystemModstamp": 1767614400000, "Birthdate": 446860800000},
        {"Id": "001Qv00000x1yZaIAI", "LastName": "Lind", "PersonContactId": "003Qv00000x1yZa", "BillingCity": "Rom"},
    ]
    contact, account = deliver("salesforce_contacts", {"records": records}).rows
    assert (contact["updated_at"], contact["birth_on"]) == (NOON, date(1984, 2, 29))
    assert (account["merged_ids"], account["city"]) == (["003Qv00000x1yZaIAI"], "Rom")
    deleted = {"deletedRecords": [{"id": "00QQv00000x1yZa", "deletedDate": "2026-01-05T12:00:00.000+0000"}]}
    [gone] = deliver("salesforce_leads", deleted).rows
    assert (gone["contact_id"], gone["deleted_at"], gone["updated_at"]) == ("00QQv00000x1yZaMAI", NOON, NOON)


def test_a_report_of_salesforce_has_labels_in_the_language_of_whoever_saves_it(deliver) -> None:
    english = "Contact ID,First Name,Last Name,Account Name,Email Opt Out\n003Qv00000x1yZa,Marta,Lind,Acme,1\n"
    german = "Kontakt-ID,Vorname,Nachname,Accountname\n003Qv00000x1yZa,Marta,Lind,Acme\n"
    for table in (english, german):
        found = deliver("salesforce_contacts", table, format="csv")
        [row] = found.rows
        assert (found.unknown, row["contact_id"], row["company"]) == (set(), "003Qv00000x1yZaIAI", "Acme")


def test_the_first_version_of_hubspots_interface_is_read_like_the_third(deliver) -> None:
    properties = {"email": {"value": "m@b.example", "versions": []}, "phone": {"value": ""},
                  "lastmodifieddate": {"value": "1767614400000", "versions": [{"value": "1"}]}}  # fmt: skip
    contact = {"vid": 7, "canonical-vid": 7, "merged-vids": [5], "is-contact": True, "properties": properties,
               "identity-profiles": []}  # fmt: skip
    for content in ({"contacts": [contact], "has-more": False, "vid-offset": 7}, contact):
        found = deliver("hubspot_contacts", content)
        [row] = found.rows
        assert (found.refused, found.unknown) == ({}, set())
        assert (row["contact_id"], row["email"], row["updated_at"], row["merged_ids"]) == (
            "7",
            "m@b.example",
            NOON,
            ["5"],
        )
        assert "phone" not in row
    deal = {"dealId": 9, "portalId": 1, "isDeleted": False, "associations": {"associatedVids": [7]},
            "properties": {"amount": {"value": "5"}, "closedate": {"value": "1767614400000"},
                           "dealstage": {"value": "closedwon", "timestamp": 1}}}  # fmt: skip
    [row] = deliver("hubspot_deals", {"deals": [deal], "hasMore": False, "offset": 9}, currency="EUR").rows
    assert (row["deal_id"], row["won_at"], row["contact_id"]) == ("9", NOON, "7")


def test_a_deal_deleted_before_it_was_won_is_lost(deliver) -> None:
    void = {"_id": "1", "create_time": 1750262400000, "last_modified_time": 1767614400000, "is_deleted": True}
    rows = deliver("fxiaoke_deals", {"data": {"dataList": [void, void | {"_id": "2", "is_deleted": False}]}}).rows
    assert [row.get("lost_at") for row in rows] == [NOON, None]
    gone = {"dealId": 9, "isDeleted": True, "properties": {"hs_lastmodifieddate": {"value": "1767614400000"}}}
    [row] = deliver("hubspot_deals", {"deals": [gone], "hasMore": False, "offset": 9}).rows
    assert row["lost_at"] == NOON


def test_who_left_all_mail_of_hubspot_is_out_in_every_language(deliver) -> None:
    headings = "ID de registro,Correo,Fecha de creación,Suscripción cancelada a todos los correos"
    spanish = f"{headings}\n7,m@b.example,2026/1/5 13:00,TRUE\n"
    [row] = deliver("hubspot_contacts", spanish, format="csv", time_zone="Europe/Madrid").rows
    assert (row["created_at"], json.loads(row["consents"])[0]["state"]) == (NOON, "out")


def test_a_lead_converted_in_zoho_is_the_contact_it_became(deliver) -> None:
    lead = {"id": "5", "Last_Name": "Lind", "Company": "Acme", "$converted": True, "$state": "draft"}
    forms = ({"$converted_detail": {"contact": "7"}}, {"Converted_Contact": {"id": "7", "name": "L"}})
    for row in deliver("zoho_contacts", {"data": [lead | form for form in forms], "info": {}}).rows:
        assert (row["merged_ids"], json.loads(row["extra"])["is_held"]) == (["7"], "true")


def test_events_of_wecom_keep_the_root_of_their_xml(deliver) -> None:
    event = {"CreateTime": "1767614400", "MsgType": "event", "Event": "change_external_contact",
             "ChangeType": "del_follow_user", "UserID": "z", "ExternalUserID": "wmA"}  # fmt: skip
    [row] = deliver("wecom_contacts", {"xml": event}).rows
    assert (row["contact_id"], row["deleted_at"]) == ("wmA", NOON)


def test_the_answers_of_a_batch_of_mailchimp_stand_in_text(deliver) -> None:
    activity = [{"action": "open", "timestamp": "2026-01-05T12:00:00+00:00"}]
    email = {"campaign_id": "c", "list_id": "l", "email_id": "e", "email_address": "m@b.example", "activity": activity}
    answer = {"status_code": 200, "operation_id": "x", "response": json.dumps({"emails": [email], "total_items": 1})}
    [row] = deliver("mailchimp_activity", [answer, answer | {"response": json.dumps({"emails": []})}]).rows
    assert (row["message_id"], row["message_event"]) == ("c/e", "opened")


def test_the_attributes_of_marketos_bulk_files_are_named_in_an_object(deliver) -> None:
    table = (
        "marketoGUID,leadId,activityDate,activityTypeId,campaignId,primaryAttributeValueId,primaryAttributeValue,attributes\n"
        '1,6,2026-01-05T12:00:00Z,11,null,812,Spring,"{""Campaign Run ID"":""5"",""Link"":""https://a.example"",'
        '""Is Bot Activity"":true}"\n'
    )
    [row] = deliver("marketo_activities", table, format="csv").rows
    assert (row["message_id"], row["is_bot"], json.loads(row["extra"])["url"]) == ("6/812/5", True, "https://a.example")


def test_surveymonkeys_second_headings_name_choices_too(deliver) -> None:
    table = "Respondent ID,Start Date,Score,Which colours?,\n,,Response,Red,Blue\n118,01/05/2026 12:00:00 PM,10,Red,\n"
    [row] = deliver("nps_csv", table).rows
    assert (row["feedback_id"], row["submitted_at"], row["score"]) == ("118", NOON, 10.0)


@pytest.mark.parametrize("written", ["IRL", "Irland", "Irlande", "爱尔兰"])
def test_countries_are_known_in_the_languages_of_exports(deliver, written: str) -> None:
    [row] = deliver("intercom_contacts", {"id": "5", "location": {"country": written}}).rows
    assert row["country"] == "IE"


@pytest.mark.parametrize(
    ("headings", "values"),
    [
        ("工单 ID,请求者,主题,状态,优先级,创建时间,更新时间,满意度",
         "已解决,高,2026-01-05 12:00,2026-01-05 12:00,良好"),
        ("Ticket-ID,Anfragender,Betreff,Status,Priorität,Erstellt,Aktualisiert,Zufriedenheit",
         "Gelöst,Hoch,2026-01-05 12:00,2026-01-05 12:00,Gut"),
    ],
)  # fmt: skip
def test_a_view_of_zendesk_is_read_in_the_language_of_whoever_saves_it(deliver, headings: str, values: str) -> None:
    found = deliver("zendesk_tickets", f"{headings}\n1,Li,Tee,{values}\n")
    [row] = found.rows
    assert (found.refused, found.unknown) == ({}, set())
    assert (row["full_name"], row["topic"], row["ticket_status"], row["priority"], row["score"], row["updated_at"]) == (
        "Li", "Tee", "solved", "high", 1.0, NOON,
    )  # fmt: skip


def test_a_conversation_of_intercoms_first_version_has_its_message_elsewhere(deliver) -> None:
    said = {"body": "<p>Hi</p>", "subject": "", "author": {"type": "user", "id": "9"}}
    conversation = {"type": "conversation", "id": "1", "created_at": 1767614400, "user": {"type": "user", "id": "9"},
                    "assignee": {"type": "admin", "id": "25"}, "conversation_message": said}  # fmt: skip
    found = deliver("intercom_conversations", conversation)
    [row] = found.rows
    assert found.unknown == set()
    assert (row["text"], row["source_customer_id"], row["agent_id"]) == ("Hi", "intercom:9", "25")
