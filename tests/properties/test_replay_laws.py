"""Whatever was loaded, corrected, replayed and discarded before: staging is what a rebuild from the files gives."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quality.quarantine import RowFilter, list_rows
from quality.resolution import Attempt, discard_rows
from sources.feed import Feed
from sources.loading import load_feed
from sources.replay import replay_rows
from sources.staging import staging_step
from warehouse.business import Business
from warehouse.database import Warehouse, open_warehouse
from warehouse.project import Project
from warehouse.step import Run, materialise

BUSINESS = Business(name="A shop", base_currency="GBP", time_zone="Europe/London", default_country="GB")
RUN = Run("run-1", date(2026, 1, 31), datetime(2026, 2, 1, 6), BUSINESS)
FEED = Feed.named("answers", kind="feedback", mapping="jsonl", max_reject_ratio=1)
FEEDS = {"answers": FEED}

ROWS = st.builds(
    lambda number, kind, at, text: {
        "feedback_id": f"f{number}",
        "feedback_kind": kind,
        "submitted_at": at,
        "text": text,
    },
    st.integers(1, 3),
    st.sampled_from(["survey", "poll", "quiz"]),
    st.sampled_from(["2026-01-01T00:00:00Z", "soon"]),
    st.sampled_from(["good", "bad"]),
)
FILE = st.sampled_from([f"dt=2026-01-0{day}/{name}.jsonl" for day in (1, 2) for name in "ab"])
ENTRIES = st.sampled_from(
    [
        {"lookup": {"feedback_kind": {"poll": "survey"}}},
        {"where": {"feedback_kind": "quiz"}, "set": {"feedback_kind": "survey"}},
        {"where": {"text": "bad"}, "set": {"submitted_at": "2026-01-02T00:00:00Z"}},
        {"file": "dt=2026-01-01/a.jsonl", "row": 1, "set": {"feedback_kind": "survey", "text": "mended"}},
        {"batch": "2026-01-02", "remove": ["text"]},
    ]
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("land"), FILE, st.lists(ROWS, min_size=1, max_size=4)),
        st.tuples(st.just("correct"), st.lists(ENTRIES, max_size=3), st.none()),
        st.tuples(st.just("load"), st.sampled_from([None, 1, 2]), st.booleans()),
        st.tuples(st.just("replay"), st.sampled_from([None, "not_in_set", "bad_format"]), st.none()),
        st.tuples(st.just("discard"), st.integers(0, 3), st.none()),
    ),
    min_size=3,
    max_size=9,
)


def step(warehouse: Warehouse, root: Path, number: int, what: str, first: Any, second: Any) -> None:
    project, run = Project(root), replace(RUN, run_id=f"run-{number}")
    attempt = Attempt(run.now, run.run_id, "mei", "a try")
    if what == "land":
        path = root / "landing" / "answers" / first
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(json.dumps(row) + "\n" for row in second), encoding="utf-8")
    elif what == "correct":
        path = root / "config" / "corrections" / "some.yml"
        path.parent.mkdir(parents=True, exist_ok=True)
        said = {"feed": "answers", "author": "mei", "on": "2026-02-01", "why": "a try"}
        path.write_text(json.dumps({"corrections": [entry | said for entry in first]}), encoding="utf-8")
    elif what == "load":
        day = first and date(2026, 1, first)
        load_feed(warehouse, project, FEED, run, first=day, last=day, full_refresh=second)
    elif what == "replay":
        replay_rows(warehouse, project, FEEDS, RowFilter(code=first), run, attempt)
    else:
        with warehouse.transaction() as connection:
            rows = list_rows(connection)[first:]
            discard_rows(connection, "feedback", [row.quarantine_id for row in rows], attempt)


def state(warehouse: Warehouse) -> list[Any]:
    materialise(warehouse, staging_step("feedback"), RUN)
    cursor = warehouse.cursor()
    queries = (
        "select * from staging.feedback order by all",
        "select * from staging._feedback_versions order by all",
        "select * exclude (modified_ns, loaded_at, run_id) from ops.files order by all",
        "select * exclude (loaded_at) from ops.batches order by all",
        """
        select quarantine_id, batch_on, file, row, reasons, raw from quarantine.feedback
        where status <> 'replayed' order by all
        """,
    )
    return [cursor.execute(query).fetchall() for query in queries]


@settings(max_examples=10, suppress_health_check=list(HealthCheck))
@given(steps=STEPS)
def test_staging_is_a_function_of_files_and_configuration(
    tmp_path_factory: Any, steps: list[tuple[str, Any, Any]]
) -> None:
    root = tmp_path_factory.mktemp("law")
    with open_warehouse() as lived, open_warehouse() as rebuilt:
        load_feed(lived, Project(root), FEED, RUN)
        for number, (what, first, second) in enumerate(steps):
            step(lived, root, number, what, first, second)
        load_feed(lived, Project(root), FEED, replace(RUN, run_id="last"))
        load_feed(rebuilt, Project(root), FEED, RUN)
        assert state(lived) == state(rebuilt)
        cursor = lived.cursor()
        waiting = "select file, count(*) from quarantine.feedback where status <> 'replayed' group by file order by 1"
        rejected = "select file, rows_rejected from ops.files where rows_rejected > 0 order by 1"
        assert cursor.execute(waiting).fetchall() == cursor.execute(rejected).fetchall()
