"""Words and numbers of unknown files: amounts with thousands marks, the states of orders, what stands for neither."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

_THOUSANDS: Final = re.compile(r"[+-]?([0-9]{1,3}(,[0-9]{3})+|[0-9]+)(\.[0-9]+)?\Z")
_DECIMAL_COMMA: Final = re.compile(r"[+-]?([0-9]{1,3}(\.[0-9]{3})+|[0-9]+)(,[0-9]{1,2})?\Z")
_SPACES: Final = (" ", "\u00a0", "\u202f")
_BROKEN: Final = re.compile("[0-9][ \u00a0\u202f](?![0-9]{3}(?![0-9]))[0-9]")
"""Two numbers rather than one: blanks stand between thousands only."""
MONEY: Final = (("¥", "￥", "元", "CNY", "RMB"), ("€", "EUR"), ("£", "GBP"), ("$", "USD"))
"""What amounts of one currency are marked with."""
_SHOWN: Final = 5
_LONGEST: Final = 30

UNKNOWN_WORDS: Final = "NOT KNOWN, add them to the table: "
"""Begins the reason of a guess that leaves words to whoever declares the feed."""

ENVELOPES: Final = (
    "data",
    "items",
    "results",
    "records",
    "rows",
    "list",
    "response",
    "value",
    "result",
    "payload",
    "body",
)
"""Keys under which documents keep their rows, or an object that keeps them."""
FIRST_CHOICE: Final[Mapping[str, str]] = {
    "event_kind": "track",
    "status": "paid",
    "interaction_kind": "post",
    "feedback_kind": "survey",
    "message_channel": "email",
    "message_event": "sent",
    "entry_kind": "adjust",
    "activity_kind": "note",
}
"""What stands for a word that no column says."""

_STATES: Final[Mapping[str, tuple[str, ...]]] = {
    "pending": (
        "unpaid", "pending payment", "awaiting payment", "on-hold", "on hold", "created", "new", "open",
        "待付款", "未付款", "待支付", "未支付", "等待买家付款",
    ),
    "paid": (
        "processing", "payment received", "confirmed", "已付款", "已支付", "支付成功", "待发货", "买家已付款",
        "等待卖家发货",
    ),
    "fulfilled": (
        "shipped", "delivered", "complete", "completed", "已发货", "已签收", "已收货", "待收货", "已完成",
        "交易成功", "交易完成", "卖家已发货", "已送达",
    ),
    "cancelled": (
        "canceled", "cancel", "void", "voided", "expired", "failed", "已取消", "取消", "已关闭", "交易关闭", "已作废",
    ),
    "refunded": ("refund", "fully refunded", "returned", "chargeback", "已退款", "退款成功", "退款完成", "已退货"),
}  # fmt: skip


_EVENT_KINDS: Final[Mapping[str, tuple[str, ...]]] = {
    "page": ("page", "page_view", "pageview", "page view", "page_viewed", "$pageview", "pv", "页面浏览", "浏览页面"),
    "screen": ("screen", "screen_view", "screenview", "screen view", "$screen"),
    "identify": ("identify", "$identify"),
    "alias": ("alias",),
    "group": ("group",),
}  # fmt: skip

_SUBJECT: Final = (
    "page|screen|product|item|category|list|cart|wishlist|basket|checkout|order|payment|coupon|search|video|app|session|"
    "form|button|link|account|profile|promotion"
)
_DEED: Final = (
    "view|click|tap|scroll|add|remove|start|begin|complete|place|submit|open|close|search|share|play|impression|exit"
)
_ALONE: Final = (
    "click|view|search|login|logout|signup|register|purchase|add_?to_?cart|checkout|scroll|tap|impression|exposure|"
    "pv|fav|buy|cart|share|sign[ _-](?:up|in|out)|log[ _-](?:in|out)|identify|heartbeat|"
    "浏览|访问|点击|搜索|加购|加入购物车|收藏|下单|购买|支付|登录|登陆|注册|分享|曝光|页面浏览|浏览商品|商品浏览|页面访问"
)
EVENT_NAME: Final = re.compile(
    rf"\$?(?:(?:{_SUBJECT})[ _-]?(?:{_DEED})(?:e?s|e?d)?"
    rf"|(?:{_DEED})(?:e?d)?[ _-]?(?:(?:to|from)[ _-]?)?(?:{_SUBJECT})|{_ALONE})\Z",
    re.IGNORECASE,
)
"""What sites and apps call what is done in them."""


def event_kinds(texts: Sequence[str]) -> dict[str, str]:
    """The names among these that say more of an event than that something was done, and what they say."""
    known = {word: kind for kind, words in _EVENT_KINDS.items() for word in words}
    return {text: known[text] for text in sorted({text.lower() for text in texts}) if text in known}


def amount_expression(name: str, texts: Sequence[str]) -> object | None:
    """How numbers that come with marks are read: of money, between thousands, a decimal comma; None where there are no
    marks, other texts too, or the money of several countries."""
    money = [marks for marks in MONEY if any(mark in text for mark in marks for text in texts)]
    if len(money) > 1 or any(_BROKEN.search(text) for text in texts):
        return None
    taken = {mark: "" for mark in (*(money[0] if money else ()), *_SPACES) if any(mark in text for text in texts)}
    bare = [_without(text, taken) for text in texts]
    if all(_THOUSANDS.match(text) for text in bare):
        commas = {",": ""} if any("," in text for text in bare) else {}
    elif all(_DECIMAL_COMMA.match(text) for text in bare):
        commas = {".": "", ",": "."}
    else:
        return None
    return {"path": name, "then": [{"replace": taken | commas}]} if taken or commas else None


def money_of(texts: Sequence[str]) -> str | None:
    """The mark of money that amounts bear, if any."""
    return next((mark for marks in MONEY for mark in marks if any(mark in text for text in texts)), None)


def _without(text: str, marks: Mapping[str, str]) -> str:
    for mark in marks:
        text = text.replace(mark, "")
    return text


def state_guess(name: str, texts: Sequence[str], allowed: Sequence[str]) -> tuple[object, str]:
    """How a column says what became of an order, and why. Words that nothing is known of are kept as they are: their
    rows are refused until somebody says what they mean, for a guess might count money that was paid back."""
    found = {text.lower() for text in texts}
    if found <= set(allowed):
        return name, f"called {name}"
    is_ascii = all(text.isascii() for text in found)
    known = {word: state for state, words in _STATES.items() for word in words}
    table = {word: state for word, state in known.items() if word in found or (not is_ascii) != word.isascii()}
    unknown = sorted(found - known.keys() - set(allowed))
    shown = ", ".join(repr(" ".join(text.split())[:_LONGEST]) for text in unknown[:_SHOWN])
    more = f" and {len(unknown) - _SHOWN} more" if len(unknown) > _SHOWN else ""
    why = f"called {name}; one of {', '.join(allowed)}"
    written = {"path": name, "then": ["strip", "lower", {"lookup": table, "else": "keep"}]}
    return written, f"{UNKNOWN_WORDS}{shown}{more}; {why}" if unknown else f"{why}: check"
