"""纷享销客 and 企业微信: replies of the interfaces and exported tables, as they are."""

from __future__ import annotations

import json
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

MOMENT = 1771343999000  # 2026-02-17 23:59:59 in Shanghai


def test_a_reply_of_fxiaoke_is_read_and_no_field_but_the_companys_own_is_unknown(deliver, samples: Path) -> None:
    found = deliver("fxiaoke_contacts", samples / "fxiaoke/contact_query_response.json")
    assert (len(found.rows), found.refused, found.unknown) == (5, {}, {"budget__c"})
    ruoxi, zhiyuan, yingxue, tian, void = found.rows
    assert {name: ruoxi[name] for name in ruoxi if name != "extra"} == {
        "contact_id": "65f0a1b2c3d4e5f600010001",
        "created_at": datetime(2025, 6, 18, 16),
        "updated_at": datetime(2026, 2, 17, 15, 59, 59),
        "email": "ruoxi.shen@haitang.example",
        "phone": "19900000003",
        "full_name": "沈若溪",
        "gender": "female",
        "birth_on": date(1993, 11, 8),  # its midnight in Shanghai is the day before in UTC
        "occupation": "买手",
        "company": "海棠家居（杭州）有限公司",
        "interests": ["home", "outdoor"],
    }
    assert zhiyuan["lead_source"] == "朋友推荐"  # the free text of "other"
    assert json.loads(zhiyuan["extra"])["further_phones"] == "19900000044;021-55500104"
    assert json.loads(yingxue["extra"])["is_held"] == "true"
    assert (tian["full_name"], json.loads(tian["extra"])) == ("田𠮷", {"record_type": "record_dealer__c"})
    assert (void["deleted_at"], "deleted_at" in ruoxi) == (datetime(2025, 6, 20, 1), False)


def test_fxiaokes_exported_table_says_the_same_in_its_labels(deliver, samples: Path) -> None:
    file = samples / "fxiaoke/contacts_export_gb18030.csv"
    found = deliver("fxiaoke_contacts", file, encoding="gb18030")
    assert (len(found.rows), found.refused, found.unknown) == (7, {}, set())
    ruoxi, zhiyuan, yingxue, gong, tian, void, marta = found.rows
    assert {name: ruoxi[name] for name in ruoxi if name != "extra"} == {
        "contact_id": "65f0a1b2c3d4e5f600010001",
        "created_at": datetime(2025, 6, 18, 16),
        "updated_at": datetime(2026, 2, 17, 15, 59),
        "email": "ruoxi.shen@haitang.example",
        "phone": "19900000003",
        "full_name": "沈若溪",
        "gender": "female",
        "birth_on": date(1993, 11, 8),
        "occupation": "买手",
        "company": "海棠家居（杭州）有限公司",
        "interests": ["家居", "户外"],
        "lead_source": "企业微信",
    }
    assert zhiyuan["phone"] == "+86-19900000004"
    assert yingxue["phone"] == "1.99E+10"  # destroyed by a spreadsheet: kept as it came, never an identity
    assert (gong["full_name"], gong["phone"]) == ("龚䶮", "199****0008")
    assert (tian["full_name"], "gender" in tian) == ("田𠮷", False)
    assert void["deleted_at"] == datetime(2025, 6, 20, 1)
    assert (marta["phone"], json.loads(marta["extra"])["is_held"]) == ("0012025550101", "true")


@pytest.mark.parametrize(
    "envelope",
    [lambda row: row, lambda row: [row], lambda row: {"dataList": [row]}, lambda row: {"data": {"data": row}}],
)
def test_every_form_of_fxiaokes_replies_holds_the_same_record(deliver, envelope: Any) -> None:
    found = deliver("fxiaoke_contacts", envelope({"_id": "65f0", "name": "沈若溪", "last_modified_time": MOMENT}))
    assert [(row["contact_id"], row["updated_at"]) for row in found.rows] == [
        ("65f0", datetime(2026, 2, 17, 15, 59, 59))
    ]


@pytest.mark.parametrize(
    ("fields", "won", "lost"),
    [
        ({}, None, None),
        ({"sales_stage": "5"}, datetime(2026, 2, 16, 16), None),
        ({"sales_status": "输单"}, None, datetime(2026, 2, 16, 16)),
        ({"life_status": "invalid"}, None, datetime(2026, 2, 17, 15, 59, 59)),
    ],
)
def test_a_deals_stage_or_its_status_says_how_it_ended(
    deliver, fields: dict[str, Any], won: datetime | None, lost: datetime | None
) -> None:
    deal = {
        "_id": "d1", "name": "春季选品", "sales_stage": "2", "amount": "100.01", "close_date": 1771257600000,
        "owner": ["1005"], "account_id": "a1", "probability": "30", "object_describe_api_name": "NewOpportunityObj",
        "create_time": 1750262400000, "last_modified_time": MOMENT, "life_status": "normal", "sales_stage__r": None,
    }  # fmt: skip
    found = deliver("fxiaoke_deals", {"errorCode": 0, "data": {"dataList": [deal | fields], "total": 0}})
    [row] = found.rows
    assert found.unknown == set()
    assert (row.get("won_at"), row.get("lost_at")) == (won, lost)
    assert (row["amount"], row["currency"], row["owner_id"]) == (Decimal("100.01"), "CNY", "1005")
    assert json.loads(row["extra"])["close_on"] == "2026-02-17"


def test_an_exported_deal_is_read_by_its_labels(deliver) -> None:
    table = (
        "唯一性ID,商机名称（必填）,客户名称,销售阶段,阶段状态,商机金额,预计成交日期,负责人（必填）,创建时间,最后修改时间\n"
        'd1,春季选品,海棠家居,赢单,赢单,"1,200.50",2026/2/17,陶怀瑾,2025/6/19 0:00,2026-02-17 23:59\n'
    )
    [row] = deliver("fxiaoke_deals", table).rows
    assert (row["won_at"], row["amount"], row["stage"]) == (datetime(2026, 2, 16, 16), Decimal("1200.5"), "赢单")
    assert (row["created_at"], json.loads(row["extra"])["owner_name"]) == (datetime(2025, 6, 18, 16), "陶怀瑾")


def test_a_reply_about_one_contact_of_wecom_is_one_row(deliver, samples: Path) -> None:
    found = deliver("wecom_contacts", samples / "wecom/externalcontact_get.json")
    [row] = found.rows
    assert (found.refused, found.unknown) == ({}, set())
    assert {name: row[name] for name in row if name != "extra"} == {
        "contact_id": "wmExAmpLeAAA01xYz0123456789abcdefg",
        "created_at": datetime(2025, 6, 18, 15, 58, 12),
        "updated_at": datetime(2026, 3, 4, 16),  # nothing says when: the day of the batch
        "phone": "19900000003",
        "gender": "female",
        "company": "海棠家居",
        "wechat_unionid": "oExAmPlE_uNiOnId000000000001",
        "wecom_external_userid": "wmExAmpLeAAA01xYz0123456789abcdefg",
        "lead_source": "qr_code",
    }
    assert json.loads(row["extra"])["followed_by"] == "TaoHuaiJin,jianzhi"
    assert json.loads(row["extra"])["tags"] == "重要; 爱聊天"


def test_a_page_of_wecoms_contacts_holds_each_once_per_employee(deliver, samples: Path) -> None:
    found = deliver("wecom_contacts", samples / "wecom/batch_get_by_user.json")
    assert (len(found.rows), found.refused, found.unknown) == (5, {}, set())
    ruoxi, zhiyuan, xue, dot, jiro = found.rows
    assert json.loads(ruoxi["extra"])["tags"] == "etExAmPlEtAg0001"
    assert ("full_name" in ruoxi, json.loads(ruoxi["extra"])["nickname"]) == (False, "若溪🌸")
    assert (zhiyuan["full_name"], zhiyuan["company"], zhiyuan["phone"]) == (
        "陆知远", "示例贸易（上海）有限公司", "021-55500104"
    )  # fmt: skip
    assert (xue["lead_source"], "gender" in xue, "wechat_unionid" in xue) == ("acquisition_link", False, False)
    assert (dot["gender"], dot["lead_source"]) == ("male", "unknown")  # a number came as text
    assert (jiro["wechat_unionid"], "phone" in jiro) == ("oExAmPlE_uNiOnId000000000005", False)


def test_an_ended_relation_of_wecom_is_marked_a_handover_is_not(deliver) -> None:
    event = {
        "ToUserName": "ww", "FromUserName": "sys", "CreateTime": 1770696000, "MsgType": "event",
        "UserID": "TaoHuaiJin",
        "Event": "change_external_contact", "ChangeType": "del_follow_user", "ExternalUserID": "wmExAmpLeAAA05",
    }  # fmt: skip
    handover = event | {"ChangeType": "del_external_contact", "Source": "DELETE_BY_TRANSFER", "ExternalUserID": "wmB"}
    added = event | {
        "ChangeType": "add_external_contact",
        "State": "qr",
        "WelcomeCode": "secret",
        "ExternalUserID": "wmC",
    }
    failed = event | {"ChangeType": "transfer_fail", "FailReason": "customer_refused", "ExternalUserID": "wmD"}
    provider = {
        "SuiteId": "s", "AuthCorpId": "ww", "InfoType": "change_external_contact", "TimeStamp": "1770696000",
        "ChangeType": "del_external_contact", "UserID": "TaoHuaiJin", "ExternalUserID": "wmE",
    }  # fmt: skip
    found = deliver("wecom_contacts", [event, handover, added, failed, provider])
    assert (found.refused, found.unknown) == ({}, set())
    # What only tells that something happened must not come before a reply that tells who they are.
    ended = datetime(2026, 2, 10, 4)
    assert [(row["contact_id"], row.get("updated_at"), row.get("deleted_at")) for row in found.rows] == [
        ("wmExAmpLeAAA05", ended, ended), ("wmB", None, None), ("wmC", None, None), ("wmD", None, None),
        ("wmE", ended, ended),
    ]  # fmt: skip
    assert "secret" not in str(found.rows)


def test_a_refusal_of_wecom_that_came_with_success_is_no_contact(deliver) -> None:
    found = deliver("wecom_contacts", {"errcode": 84061, "errmsg": "not external contact"})
    assert found.refused == {1: [("", "unreadable")]}
