"""The order export of Taobao sellers as it lies on disk, and trades of the open platform."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from pathlib import Path

SNAPSHOT = datetime(2026, 3, 4, 16)  # the day of the batch began in Shanghai


def test_the_sellers_export_is_read_as_it_is_and_the_destroyed_row_is_refused(deliver, samples: Path) -> None:
    found = deliver("taobao_orders", samples / "taobao/ExportOrderList_gbk.csv")
    assert found.unknown == set()
    assert found.refused == {7: [("order_id", "bad_format")]}
    assert [(row["order_id"], row["status"], row["gross_amount"]) for row in found.rows] == [
        ("2000000000000000101", "fulfilled", Decimal(598)),
        ("2000000000000000102", "fulfilled", Decimal("134.90")),
        ("2000000000000000103", "refunded", Decimal(59)),
        ("2000000000000000104", "cancelled", Decimal(0)),
        ("2000000000000000105", "pending", Decimal(1299)),
        ("2000000000000000106", "paid", Decimal(88)),
    ]
    assert found.rows[1] == {
        "order_id": "2000000000000000102",
        "placed_at": datetime(2026, 2, 20, 2),
        "updated_at": SNAPSHOT,
        "status": "fulfilled",
        "is_test": False,
        "source_customer_id": "示例小店铺99",
        "phone": "19900000004",
        "full_name": "陆知远",
        "address_line": "上海市 上海市 黄浦区 南京东路街道 示例路1号 2单元",
        "region": "上海市",
        "city": "上海市",
        "postcode": "200000",
        "country": "CN",
        "sales_channel": "taobao",
        "store_id": "海棠家居旗舰店",
        "currency": "CNY",
        "gross_amount": Decimal("134.90"),
        "discount_amount": Decimal(5),
        "shipping_amount": Decimal(10),
        "lines": [
            {
                "line_id": "goods",
                "product_name": "海棠 台灯，暖光",
                "quantity": Decimal(1),
                "line_amount": Decimal("129.90"),
            }
        ],
        "refunds": [],
    }


def test_a_closed_order_was_given_back_if_it_was_ever_paid(deliver, samples: Path) -> None:
    rows = {
        row["order_id"][-3:]: row for row in deliver("taobao_orders", samples / "taobao/ExportOrderList_gbk.csv").rows
    }
    assert rows["103"]["refunds"] == [
        {"refund_id": "refunded", "refunded_at": datetime(2026, 2, 18, 1, 1), "amount": Decimal(59)}
    ]
    assert json.loads(rows["103"]["extra"]) == {"close_reason": "买家申请退款"}
    assert rows["104"]["refunds"] == []
    assert json.loads(rows["105"]["extra"]) == {"steps": "阶段1:已付款 299.00;阶段2:未付款 1000.00"}


def test_what_the_platform_masked_is_nobodys_id_and_a_lent_number_nobodys_phone(deliver, samples: Path) -> None:
    rows = {
        row["order_id"][-3:]: row for row in deliver("taobao_orders", samples / "taobao/ExportOrderList_gbk.csv").rows
    }
    masked, lent = rows["101"], rows["106"]
    assert not masked.keys() & {"source_customer_id", "email", "postcode"}
    assert (masked["full_name"], masked["phone"], masked["city"]) == ("沈**", "199****0003", "杭州市")
    assert "phone" not in lent
    assert lent["address_line"] == "江苏省 苏州市 姑苏区 示****"  # the buyer changed it


NEWER = [
    "订单编号,买家会员名,买家实付金额,总金额,订单状态,联系手机,买家下单时间,买家付款时间,宝贝标题,宝贝总数量,退款金额,新列",
    "'3000000000000000001,小王,200.50元,,交易成功,1.99E+10,2016/5/23 22:02,2016/5/23 22:05,茶,2,100.50元,x",
    '"=""3000000000000000002""",小李,"1,200.50元",,"卖家已发货,等待买家确认",13800000000,2016-05-23 22:02:01,,茶,2,,',
]


def test_newer_names_other_forms_of_moments_and_unknown_columns(deliver) -> None:
    found = deliver("taobao_orders", "\r\n".join(NEWER).encode("gb18030"), encoding="gb18030")
    assert (found.unknown, found.refused) == ({"新列"}, {})
    first, second = found.rows
    assert (first["order_id"], first["placed_at"]) == ("3000000000000000001", datetime(2016, 5, 23, 14, 2))
    assert (first["gross_amount"], first["source_customer_id"]) == (Decimal("200.50"), "小王")
    assert "phone" not in first
    assert [refund["amount"] for refund in first["refunds"]] == [Decimal("100.50")]
    assert (second["order_id"], second["status"], second["phone"]) == (
        "3000000000000000002",
        "fulfilled",
        "13800000000",
    )
    assert second["gross_amount"] == Decimal("1200.50")


def test_the_export_of_items_cannot_stand_for_orders(deliver, samples: Path) -> None:
    found = deliver("taobao_orders", samples / "taobao/ExportOrderDetailList_gbk.csv")
    assert found.rows == []
    assert all(("placed_at", "missing") in reasons for reasons in found.refused.values())


def test_trades_of_the_open_platform_have_a_line_per_item(deliver) -> None:
    trade = {
        "tid": 2000000000000000201, "status": "WAIT_SELLER_SEND_GOODS", "created": "2026-03-01 08:00:00",
        "modified": "2026-03-01 09:00:00", "pay_time": "2026-03-01 08:00:05", "payment": "98.00", "post_fee": "10.00",
        "buyer_open_uid": "AAF8", "buyer_nick": "小**", "receiver_name": "沈**", "receiver_mobile": "199****0003",
        "receiver_state": "浙江省", "receiver_city": "杭州市", "receiver_zip": "000000",
        "orders": {"order": [{"oid": 1, "num_iid": 77, "title": "茶", "num": 2, "price": "44", "total_fee": "88"}]},
    }  # fmt: skip
    page = {"trades_sold_get_response": {"trades": {"trade": [trade]}, "total_results": 1}}
    found = deliver("taobao_orders", page, format="json")
    assert (found.unknown, found.refused) == (set(), {})
    [row] = found.rows
    assert (row["order_id"], row["source_customer_id"], row["status"]) == ("2000000000000000201", "AAF8", "paid")
    assert (row["updated_at"], row["city"]) == (datetime(2026, 3, 1, 1), "杭州市")
    assert [(line["line_id"], line["product_id"], line["line_amount"]) for line in row["lines"]] == [
        ("1", "77", Decimal(88))
    ]
