"""Staging and its counts are a function of the files that lie there: not of the order, grouping or number of loads."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from sources import loading
from sources.feed import Feed
from sources.loading import load_feed
from sources.staging import staging_step
from warehouse.business import Business
from warehouse.database import Warehouse, open_warehouse
from warehouse.project import Project
from warehouse.step import Run, materialise

BUSINESS = Business(name="A shop", base_currency="GBP", time_zone="Europe/London", default_country="GB")
RUN = Run("run-1", date(2026, 1, 31), datetime(2026, 2, 1, 6), BUSINESS)


@dataclass(frozen=True)
class Case:
    """A feed, the rows its files may hold, and how they are written."""

    feed: Feed
    rows: st.SearchStrategy[dict[str, Any]]
    ending: str
    text: Callable[[list[dict[str, Any]]], str]

    @property
    def files(self) -> st.SearchStrategy[dict[str, list[dict[str, Any]]]]:
        names = [f"dt=2026-01-0{day}/{name}.{self.ending}" for day in (1, 2, 3) for name in "ab"]
        return st.dictionaries(st.sampled_from(names), st.lists(self.rows, max_size=4), min_size=1, max_size=5)

    def write(self, root: Path, file: str, rows: list[dict[str, Any]]) -> None:
        path = root / "landing" / self.feed.name / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.text(rows), encoding="utf-8")


def as_lines(rows: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows) or "\n"


def as_table(rows: list[dict[str, Any]]) -> str:
    made = io.StringIO()
    table = csv.DictWriter(made, CRM_COLUMNS, restval="", extrasaction="ignore")
    table.writeheader()
    table.writerows(rows)
    return made.getvalue()


ANSWERS = Case(
    Feed.named("answers", kind="feedback", mapping="jsonl", max_reject_ratio=1),
    st.builds(
        lambda number, updated, text: {
            "feedback_id": f"f{number}",
            "feedback_kind": "survey",
            "submitted_at": "2026-01-01T00:00:00Z",
            "updated_at": updated,
            "text": text,
        },
        st.integers(1, 3),
        st.sampled_from([None, "2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z", "never"]),
        st.sampled_from(["good", "bad", 17850.0]),
    ),
    "jsonl",
    as_lines,
)
CRM_COLUMNS = ("Id", "LastName", "Email", "SystemModstamp", "IsDeleted", "MasterRecordId")
CRM = Case(
    Feed.named("crm", kind="contacts", mapping="salesforce_contacts", max_reject_ratio=1),
    st.builds(
        lambda number, updated, name, gone: {
            "Id": f"003Qv00000x1yZ{number}IAI",
            "LastName": name,
            "Email": f"{name}@shop.example",
            "SystemModstamp": updated,
            "IsDeleted": gone,
            "MasterRecordId": "003Qv00000x1yZ9IAI" if gone == "true" else "",
        },
        st.integers(1, 3),
        st.sampled_from(["", "2026-01-02T00:00:00.000+0000", "2026-01-03T00:00:00.000Z", "never"]),
        st.sampled_from(["Lind", "Okoro", "a, b"]),
        st.sampled_from(["true", "false", ""]),
    ),
    "csv",
    as_table,
)
BUYERS = Case(
    Feed.named("buyers", kind="contacts", mapping="stripe_customers", max_reject_ratio=1),
    st.builds(
        lambda number, rest: {"id": f"cus_{number}", "object": "customer", **rest},
        st.integers(1, 3),
        st.sampled_from([{"deleted": True}, {"created": 1767225600, "email": "a@shop.example"}, {"created": "never"}]),
    ),
    "jsonl",
    as_lines,
)
"""``deleted`` stands alone and says not when: the day of the batch does."""


def state(warehouse: Warehouse, kind: str) -> list[Any]:
    materialise(warehouse, staging_step(kind), RUN)
    cursor = warehouse.cursor()
    queries = (
        f"select * from staging.{kind} order by all",
        f"select * from staging._{kind}_versions order by all",
        "select * exclude (modified_ns, loaded_at, run_id) from ops.files order by all",
        "select * exclude (loaded_at) from ops.batches order by all",
        "select * from ops.source_columns order by all",
        "select * exclude (run_id, found_at) from ops.schema_changes order by all",
        f"select quarantine_id, batch_on, file, row, reasons, raw, status from quarantine.{kind} order by all",
    )
    return [cursor.execute(query).fetchall() for query in queries]


@pytest.fixture
def small_groups(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(loading, "GROUP_BYTES", 300)
    return


@pytest.mark.parametrize("case", [ANSWERS, CRM, BUYERS], ids=lambda case: case.feed.name)
@settings(max_examples=4, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_way_of_loading_the_same_files_gives_the_same_tables(
    tmp_path_factory: pytest.TempPathFactory, small_groups: None, case: Case, data: st.DataObject
) -> None:
    root = tmp_path_factory.mktemp("any")
    files, earlier = data.draw(case.files), data.draw(case.files)
    with open_warehouse() as at_once, open_warehouse() as piece_by_piece:
        order = data.draw(st.permutations(sorted(files)))
        for file in order:
            if file in earlier:  # first as it was before somebody corrected it
                case.write(root, file, [*earlier[file], {"broken": True}])
                load_feed(piece_by_piece, Project(root), case.feed, RUN)
            case.write(root, file, files[file])
            if data.draw(st.booleans()):
                load_feed(piece_by_piece, Project(root), case.feed, replace(RUN, run_id=f"run-{file}"))
        load_feed(piece_by_piece, Project(root), case.feed, RUN)
        for days in data.draw(st.lists(st.integers(1, 3), max_size=2)):
            day = date(2026, 1, days)
            load_feed(piece_by_piece, Project(root), case.feed, RUN, first=day, last=day, full_refresh=True)
        load_feed(at_once, Project(root), case.feed, RUN)
        assert state(piece_by_piece, case.feed.kind) == state(at_once, case.feed.kind)


@settings(max_examples=3, suppress_health_check=list(HealthCheck))
@given(files=ANSWERS.files, data=st.data())
def test_files_that_vanish_move_and_come_back_leave_the_same_tables_whenever_they_were_loaded(
    tmp_path_factory: pytest.TempPathFactory, small_groups: None, files: dict[str, Any], data: st.DataObject
) -> None:
    assume(
        len({json.dumps(rows) for rows in files.values()}) == len(files)
    )  # of twins, the one that stays longer stands
    root = tmp_path_factory.mktemp("moving")
    folder = root / "landing" / "answers"
    gone = set(data.draw(st.lists(st.sampled_from(sorted(files)), unique=True)))
    moved = set(data.draw(st.lists(st.sampled_from(sorted(files)), unique=True))) - gone
    with open_warehouse() as together, open_warehouse() as one_by_one:
        for file in data.draw(st.permutations(sorted(files))):
            ANSWERS.write(root, file, files[file])
            load_feed(one_by_one, Project(root), ANSWERS.feed, RUN)
        load_feed(together, Project(root), ANSWERS.feed, RUN)
        for file in data.draw(st.permutations(sorted(gone | moved))):
            path = folder / file
            content = path.read_bytes()
            path.unlink()
            if file in moved:
                path.with_name(f"moved-{path.name}").write_bytes(content)
            load_feed(one_by_one, Project(root), ANSWERS.feed, RUN)
            if file in gone and data.draw(st.booleans()):
                path.write_bytes(content)
        load_feed(one_by_one, Project(root), ANSWERS.feed, RUN)
        load_feed(together, Project(root), ANSWERS.feed, RUN)
        assert state(one_by_one, "feedback") == state(together, "feedback")
