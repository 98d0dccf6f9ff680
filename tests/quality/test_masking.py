"""What of a source row is shown to somebody who has not asked for personal values."""

from __future__ import annotations

import json

import pytest

from quality.masking import mask_raw
from warehouse.personal_text import MASK


def shown(key: str, value: object) -> object:
    return json.loads(mask_raw("purchases", json.dumps({key: value}, default=str)))[key]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("gross_amount", "514.0000"),
        ("gross_amount", "1197.0000"),
        ("gross_amount", "-99.00"),
        ("Total", "12345678.90 EUR"),
        ("total", "¥1197.0000"),
        ("amount", 1197.5),
        ("exchange_rate", "7.12345678"),
        ("currency", "CNY"),
        ("Status", "Refunded"),
        ("order status", "Cancelled"),
        ("Order Date", "2026-01-05 10:00:00"),
        ("order", "A-17"),
        ("下单时间", "2026/3/1 8:05"),
        ("买家付款时间", "2026-03-01 08:05:00"),
        ("币种", "CNY"),
        ("实付金额", "1197.0000"),
        ("买家实付金额（元）", "88.5"),
        ("数量", "2"),
        ("订单状态", "已付款"),
        ("订单状态", "退款中"),
        ("支付方式", "alipay"),
        ("商品编码", "SKU-17"),
        ("商品ID", 17),
        ("物流单号", "SF1234567890123"),
        ("商户订单号", "4507894691234"),
    ],
)
def test_moments_amounts_statuses_and_ids_of_things_are_shown(key: str, value: object) -> None:
    assert shown(key, value) == value


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("会员编号", "77"),
        ("用户ID", "77"),
        ("客户编号", "77"),
        ("推荐人编号", "77"),
        ("抖音ID", "lamp"),
        ("买家", "lin"),
        ("客户类型", "vip"),
        ("收货人", "lin"),
        ("联系方式", "lin88"),
        ("微信号", "lin88"),
        ("QQ", "10001"),
        ("出生日期", "1990-02-01"),
        ("邮政编码", "310000"),
        ("手机号", "2"),
        ("订单备注", "paid"),
        ("年龄", 41),
        ("member_id", "77"),
    ],
)
def test_what_describes_or_numbers_a_person_is_masked_whatever_it_looks_like(key: str, value: object) -> None:
    assert shown(key, value) == MASK


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("订单状态", "王芳"),
        ("订单状态", "请尽快处理"),
        ("支付方式", "让我先生付"),
        ("status", "Marta"),
        ("order status", "Marta"),
        ("下单时间", "13912345678"),
        ("amount", "139.12345678"),
        ("amount", "1391234.5678"),
        ("amount", "415.555.1234"),
        ("amount", "020 7946 0011"),
        ("物流单号", "13912345678"),
    ],
)
def test_a_value_that_is_not_what_its_key_promises_is_masked(key: str, value: object) -> None:
    assert shown(key, value) == MASK
