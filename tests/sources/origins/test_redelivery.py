"""A sender that gets no answer sends again: what comes twice is one row."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sources.feed import Feed
from sources.origins.delivery_log import DeliveryLog, delivery_lines
from tests.sources.conftest import Shop


def test_a_delivery_that_comes_twice_is_one_row(shop: Shop, now: datetime, a_message: Callable[..., Any]) -> None:
    import json

    origin = {"kind": "webhook", "signature": {"by": "segment", "secret": "${S}"}}
    feed = Feed.named("mail", kind="messages", mapping="jsonl", origin=origin)
    assert feed.origin is not None
    assert feed.origin.kind == "webhook"
    log = DeliveryLog(shop.project.landing / "mail", feed.origin)
    for number in (1, 2, 1):
        log.append(delivery_lines(json.dumps(a_message(number), indent=2).encode()), now)
        log.close()
    shop.load(feed)
    shop.stage("messages")
    assert shop.ask("select message_id from staging.messages order by 1") == [("m1",), ("m2",)]
