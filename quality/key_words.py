"""What the words of a key say that it holds: a value of a person, an id, something harmless.

English keys are taken apart into words. Chinese is written without spaces: there words are looked for inside a key, and
its last ones tell what it is, as `时间` in `下单时间`.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final, Literal, TypeAlias

Held: TypeAlias = Literal["personal", "id", "harmless", "unknown"]

_WORD = re.compile(r"[\u4e00-\u9fff]+|[^\W_\u4e00-\u9fff]+")
_CHINESE = re.compile(r"[\u4e00-\u9fff]+")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_PERSONAL_WORDS: Final = frozenset(
    {
        *("address", "age", "gender", "sex", "marital", "income", "salary", "city", "occupation", "company", "job"),
        *("birth", "birthday", "birthdate", "dob", "born", "body", "card", "comment", "content", "customer"),
        *("description", "display", "email", "firstname", "handle", "ip", "lastname", "mail", "mobile", "name"),
        *("national", "nickname", "note", "openid", "owner", "passport", "phone", "postcode", "screen", "street"),
        *("subject", "tel", "text", "title", "unionid", "user", "userid", "username", "zip", "qq", "wechat"),
        *("weixin",),
    }
)
_ID_WORDS: Final = frozenset({"id", "ids", "idstr", "mid", "order", "sku"})
_HARMLESS_WORDS: Final = frozenset(
    {
        *("amount", "amounts", "total", "subtotal", "price", "quantity", "qty", "count", "tax", "discount"),
        *("discounts", "currency", "rate", "cents", "status", "event", "type", "kind", "channel", "stage"),
        *("variant", "version", "created", "updated", "placed", "occurred", "sent", "received", "processed"),
        *("cancelled", "at", "on", "date", "day", "time", "timestamp", "sku", "score", "rating", "test"),
        *("position", "source", "library"),
    }
)
"""Words of keys whose values describe a thing or a moment. `Date of birth` is personal by another of its words."""
_PERSON_WORDS: Final = frozenset(
    {
        *("account", "anonymous", "buyer", "client", "contact", "cookie", "device", "guest", "lead", "member"),
        *("person", "receiver", "recipient", "session", "visitor"),
    }
)
"""An id of one of these is an id of a person, or leads to one."""

_CHINESE_PERSONAL: Final = (
    *("姓名", "名字", "称呼", "昵称", "旺旺", "电话", "手机", "邮箱", "微信", "联系", "地址", "住址", "收货"),
    *("邮编", "邮政", "城市", "省份", "地区", "身份", "证件", "护照", "驾照", "车牌", "银行卡", "卡号", "生日"),
    *("出生", "性别", "年龄", "婚姻", "职业", "学历", "收入", "工资", "公司", "备注", "留言"),
)
_CHINESE_PERSONS: Final = (
    *("人", "员", "者", "客户", "用户", "账户", "账号", "帐号", "买家", "顾客", "客服", "主播", "达人", "粉丝"),
    *("访客", "游客", "好友", "单位", "设备", "会话", "支付宝", "店主"),
)
_CHINESE_FIGURES: Final = (
    *("时间", "日期", "金额", "总额", "税额", "价格", "单价", "总价", "原价", "售价", "运费", "折扣", "积分"),
    *("汇率", "税率", "数量", "总数", "件数", "次数", "天数", "库存", "小计", "合计", "评分"),
)
_CHINESE_CODES: Final = ("币种", "货币", "状态", "类型", "类别", "方式", "渠道", "来源", "阶段", "事件", "版本", "商品")
_CHINESE_IDS: Final = ("编号", "编码", "单号", "货号", "款号", "条码", "交易号", "流水号", "批次号")
_CHINESE_THINGS: Final = (
    *("单", "品", "货", "款", "店", "仓", "券", "宝贝", "条码", "物流", "快递", "包裹", "活动", "交易", "支付"),
    *("流水", "渠道", "类目", "批次", "规格"),
)
"""An id of one of these is no person's: where a login or a page of a network is numbered, nobody knows whose."""
_CHINESE_HEADERS: Final = (
    *("订单编号", "订单号", "订单状态", "总金额", "实付金额", "下单时间", "创建时间", "付款时间", "收货人"),
    *("身份证号",),
)

WORDS: Final = (
    _PERSONAL_WORDS
    | _ID_WORDS
    | _HARMLESS_WORDS
    | _PERSON_WORDS
    | {*_CHINESE_PERSONAL, *_CHINESE_FIGURES, *_CHINESE_CODES, *_CHINESE_IDS, *_CHINESE_HEADERS}
)
"""Words that names of columns are made of."""


def words_of(key: str) -> set[str]:
    """The words of a key, in small letters; Chinese stays together."""
    return {word.lower() for word in _WORD.findall(_CAMEL.sub("_", key))}


def held_by(key: str, personal: Collection[str]) -> Held:
    """What a key holds. ``personal``: keys that are known to hold personal values."""
    words = words_of(key)
    chinese = [word for word in words if _CHINESE.match(word)]
    if key.lower() in personal or words & _PERSONAL_WORDS or words >= {"id", "number"}:
        return "personal"
    if _any_inside(chinese, _CHINESE_PERSONAL):
        return "personal"
    is_of_person = bool(words & _PERSON_WORDS)
    names_person = _any_inside(chinese, _CHINESE_PERSONS)
    if _is_id(words, chinese):
        if is_of_person or names_person:
            return "personal"
        return "id" if _is_of_thing(chinese) else "unknown"
    if any(word.endswith(_CHINESE_FIGURES) for word in chinese):
        return "harmless"
    is_harmless = words & _HARMLESS_WORDS or any(word.endswith(_CHINESE_CODES) for word in chinese)
    return "harmless" if is_harmless and not names_person else "unknown"


def _is_id(words: set[str], chinese: Collection[str]) -> bool:
    """`Order` is an id, `order date` is a moment."""
    named = words & _ID_WORDS
    if named == {"order"} and words & _HARMLESS_WORDS:
        return False
    return bool(named) or any(word.endswith(_CHINESE_IDS) for word in chinese)


def _is_of_thing(chinese: Collection[str]) -> bool:
    return all(word in _CHINESE_IDS for word in chinese) or _any_inside(chinese, _CHINESE_THINGS)


def _any_inside(texts: Collection[str], words: Collection[str]) -> bool:
    return any(word in text for text in texts for word in words)
