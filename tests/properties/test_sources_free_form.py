"""Whatever senders write into free properties, their event is accepted, and nothing of it is lost."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from quality.contracts.check import Accepted
from sources.evaluation import RowScope
from sources.feed_declaration import Feed
from sources.judgement import judge
from sources.mapped_feed import map_feed
from sources.operations.text import BLANKS
from tests.properties.test_sources_rows import VALUES

EVENT = {"messageId": "m-1", "type": "track", "event": "Tried", "timestamp": "2026-01-05T10:00:00Z"}
COLUMN_OF = {
    "value": "value_amount",
    "category": "category",
    "product_id": "product_id",
    "query": "search_term",
    "order_id": "order_id",
    "session_id": "session_id",
    "currency": "currency",
}
FEED = map_feed(Feed.named("feed", kind="web_events", mapping="segment"))


@given(properties=st.dictionaries(st.sampled_from(sorted(COLUMN_OF)), VALUES))
def test_a_property_fills_its_column_or_stays_in_extra(properties: dict[str, Any]) -> None:
    verdict = judge(FEED, [RowScope(EVENT | {"properties": properties}, FEED.setting, 1)])
    assert isinstance(verdict, Accepted), verdict
    extra = json.loads(str(verdict.values["extra"] or "{}"))
    for name, value in properties.items():
        kept = extra.get(f"properties.{name}")
        if value is None or (isinstance(value, str) and not value.strip(BLANKS).strip()):
            assert kept is None
        elif kept is None:
            assert verdict.values[COLUMN_OF[name]] is not None
        else:
            assert kept == value
            assert verdict.values[COLUMN_OF[name]] is None


def test_what_is_no_free_property_is_refused_as_before() -> None:
    calls = [{"userId": {"id": 1}}, {"traits": {"email": ["li@shop.example"]}}, {"context": {"page": {"url": [1]}}}]
    for call in calls:
        scope = RowScope(EVENT | call | {"properties": {"value": "blue"}}, FEED.setting, 1)
        assert not isinstance(judge(FEED, [scope]), Accepted)
