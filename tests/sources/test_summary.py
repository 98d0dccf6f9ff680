"""How each feed stands, before and after it was loaded."""

from __future__ import annotations

from datetime import date

import pytest

from sources.loading import BatchesStoppedError
from sources.summary import feed_summaries


def test_a_feed_that_was_never_loaded_waits(shop, a_message_feed, a_message):
    shop.land("mail", "dt=2026-01-05/a.jsonl", [a_message(1)])
    [found] = feed_summaries(shop.warehouse.cursor(), shop.project, {"mail": a_message_feed()})
    assert (found.files, found.newest_batch, found.waiting) == (0, None, (date(2026, 1, 5),))


def test_what_came_in_what_waits_and_what_was_stopped_is_told(shop, a_message_feed, a_message):
    feed = a_message_feed(max_reject_ratio=0.5)
    shop.land(
        "mail", "dt=2026-01-05/a.jsonl", [a_message(1, tag="x"), a_message(2, tag="y"), a_message(2, tag="y"), {}]
    )
    gone = shop.land("mail", "dt=2026-01-06/gone.jsonl", [a_message(3)])
    shop.load(feed)
    gone.unlink()
    shop.land("mail", "dt=2026-01-07/bad.jsonl", [{}])
    with pytest.raises(BatchesStoppedError):
        shop.load(feed)
    [found] = feed_summaries(shop.warehouse.cursor(), shop.project, {"mail": feed})
    assert (found.rows_read, found.rows_accepted, found.rows_duplicate, found.rows_rejected) == (6, 3, 1, 2)
    assert (found.stopped, found.vanished) == (("dt=2026-01-07/bad.jsonl",), ("dt=2026-01-06/gone.jsonl",))
    assert (found.unknown, found.waiting, found.stale_files) == ({"tag": 3}, (date(2026, 1, 7),), 0)
    changed = a_message_feed(max_reject_ratio=0.5, rename={"tag": "campaign_id"})
    [found] = feed_summaries(shop.warehouse.cursor(), shop.project, {"mail": changed})
    assert (found.waiting, found.stale_files) == ((date(2026, 1, 5), date(2026, 1, 7)), 2)
    assert found.stranded == ("dt=2026-01-06/gone.jsonl",)
