"""What ``ops.files`` says of a file is what stands in it, whatever became of it; and staging holds what it says."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sources.feed import Feed
from sources.loading import BatchesStoppedError, load_feed
from warehouse.business import Business
from warehouse.database import Connection, open_warehouse
from warehouse.project import Project
from warehouse.step import Run

RUN = Run(
    "run-1",
    date(2026, 1, 31),
    datetime(2026, 2, 1, 6),
    Business(name="A shop", base_currency="GBP", time_zone="Europe/London", default_country="GB"),
)
FILES = ("dt=2026-01-05/a.jsonl", "dt=2026-01-05/b.jsonl", "dt=2026-01-06/c.jsonl")
BAD = 100
"""Rows from here on break the contract."""

ROWS = st.lists(st.one_of(st.integers(0, 5), st.integers(0, 5), st.integers(BAD, BAD + 2)), max_size=8)
CHANGES = st.lists(st.dictionaries(st.sampled_from(FILES), st.none() | ROWS, max_size=3), min_size=1, max_size=6)
"""What is sent before each load: file → its rows; None takes it away."""

_FILES = """
select file, status, rows_read, rows_accepted, rows_duplicate, rows_rejected, rows_staged from ops.files
"""
_SUMS = """
select batch_on, sum(rows_read), sum(rows_accepted), sum(rows_duplicate), sum(rows_rejected), count(*) from ops.files
group by batch_on order by batch_on
"""
_BATCHES = """
select batch_on, rows_read, rows_accepted, rows_duplicate, rows_rejected, files from ops.batches order by batch_on
"""
_KEPT = "select _file, cast(sum(_source_rows) as bigint) from staging._messages_versions group by _file"
_STAGED = "select _file, list(message_id) from staging._messages_rows group by _file"
_REFUSED = "select file, count(*) from quarantine.messages where status = 'open' group by file"


def send(root: Path, sent: dict[str, list[int] | None], lying: dict[str, list[int]]) -> None:
    for file, rows in sent.items():
        path = root / "landing" / "mail" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        lying.pop(file, None)
        if rows is not None:
            path.write_text("".join(map(line, rows)), encoding="utf-8")
            lying[file] = rows


def line(number: int) -> str:
    channel = "owl" if number >= BAD else "email"
    row = {"message_id": f"m{number}", "message_channel": channel, "message_event": "sent", "occurred_at": "2026-01-05"}
    return json.dumps(row) + "\n"


def good(rows: list[int]) -> list[int]:
    return [row for row in rows if row < BAD]


def check(cursor: Connection, lying: dict[str, list[int]], standing: dict[str, list[int]]) -> None:
    """``standing``: the rows of each file when it was loaded last; those that are loaded now are noted."""
    kept, staged, refused = (dict(cursor.execute(query).fetchall()) for query in (_KEPT, _STAGED, _REFUSED))
    found = cursor.execute(_FILES).fetchall()
    for file, status, read, accepted, duplicate, rejected, stands in found:
        assert read == accepted + duplicate + rejected
        if file not in lying:
            assert status in {"vanished", "withdrawn"}
        else:
            rows = lying[file]
            assert read == max(len(rows), 1)  # a file that is empty is told as a row
            assert rejected == read - len(good(rows)) == refused.get(file, 0)
        if status == "loaded":
            standing[file] = lying[file]
        if status in {"loaded", "vanished"}:
            assert accepted == kept.get(file, 0)
        elif file in lying:
            assert accepted == len(set(good(lying[file])))
        assert stands == len(good(standing.get(file, [])))
        assert set(staged.get(file, [])) == {f"m{row}" for row in good(standing.get(file, []))}
    assert lying.keys() | staged.keys() <= {file for file, *_ in found}
    assert cursor.execute(_BATCHES).fetchall() == cursor.execute(_SUMS).fetchall()


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(CHANGES, st.sampled_from([0, 0.2, 0.5, 1]))
def test_a_file_adds_up_to_its_rows_whatever_was_sent_stopped_mended_or_taken_away(tmp_path_factory, changes, ratio):
    root = tmp_path_factory.mktemp("mail")
    feed = Feed.named("mail", kind="messages", mapping="jsonl", max_reject_ratio=ratio)
    lying: dict[str, list[int]] = {}
    standing: dict[str, list[int]] = {}
    with open_warehouse() as warehouse:
        for sent in changes:
            send(root, sent, lying)
            with suppress(BatchesStoppedError):
                load_feed(warehouse, Project(root), feed, RUN)
            check(warehouse.cursor(), lying, standing)
