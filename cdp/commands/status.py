"""``cdp status``: what came in, who it is, how the customers are, whether the checks hold, where the files are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from cdp.settings import find_project
from cdp.terminal import JsonOption, ProjectOption, counted, say, show, show_json
from cdp.warehouses import reading
from quality.quarantine import count_reasons
from quality.suites import load_jump_rule
from sources.feed import load_feeds
from sources.reason_ledger import found_jumps
from sources.summary import feed_summaries
from warehouse.business import load_business
from warehouse.database import Connection, open_warehouse
from warehouse.declaration import Problems
from warehouse.edition import SNAPSHOT_NAME
from warehouse.project import Project

Rows = list[dict[str, Any]]

_QUESTIONS: Mapping[str, str] = {
    "feeds": """
        select feed, count(*) as files, sum(rows_read) as rows_read,
            coalesce(sum(rows_accepted) filter (where is_taken), 0) as accepted,
            coalesce(sum(rows_duplicate) filter (where is_taken), 0) as duplicate, sum(rows_rejected) as rejected,
            coalesce(sum(rows_accepted + rows_duplicate) filter (where not is_taken), 0) as held_back,
            max(batch_on) as newest_batch
        from (select *, status in ('loaded', 'vanished') as is_taken from ops.files)
        group by feed order by feed""",
    "runs": "select run_id, as_of, started_at, status from ops.runs order by started_at desc limit 1",
    "lifecycle": "select lifecycle_stage, count(*) as customers from profiles.lifecycle group by lifecycle_stage "
    "order by customers desc, lifecycle_stage",
    "segments": "select segment, count(*) as customers from profiles.segment_members group by segment "
    "order by customers desc, segment",
    "checks": """
        select severity, count(*) filter (where passed) as passed, count(*) filter (where not passed) as failed
        from ops.quality_results
        where run_id = (select run_id from ops.runs order by started_at desc limit 1)
        group by severity order by severity""",
    "failed_checks": """
        select table_name as "table", expectation as "check", severity, message from ops.quality_results
        where run_id = (select run_id from ops.runs order by started_at desc limit 1) and not passed
        order by severity, table_name, expectation""",
    "scorecard": """
        select data_set, metric, value from identity.scorecard
        where run_id = (select run_id from ops.runs order by started_at desc limit 1)
            and not (data_set = 'signals' and metric in ('records', 'customers', 'visitors'))
        order by data_set, metric""",
}

_COUNTS: Mapping[str, str] = {
    "records": "select count(*) from identity.records",
    "customers": "select count(*) from profiles.customers",
    "visitors": "select count(*) from profiles.visitors",
    "pairs_in_doubt": "select count(*) from identity.review_queue",
    "decisions_waiting": """
        select count(*) from identity.decisions
        where decided_by = 'person' and action in ('merge', 'split', 'forbid', 'allow', 'retract')
            and decided_at > (select max(started_at) from ops.runs where status = 'published')""",
}


def status(project: ProjectOption = None, json: JsonOption = False) -> None:
    """The state of the project in one page."""
    where = find_project(project)
    found = read_status(where)
    if json:
        show_json(found)
    else:
        show_status(found)


def read_status(project: Project) -> dict[str, Any]:
    """Everything ``cdp status`` shows; tables that were never made answer with nothing, as all do before a run."""
    with reading(project) if project.database.exists() else _nothing_yet() as cursor:
        made = {name for (name,) in cursor.execute(_MADE).fetchall()}
        found: dict[str, Any] = {
            name: _rows(cursor, question) if _reads(question) <= made else [] for name, question in _QUESTIONS.items()
        }
        found |= {
            name: _rows_count(cursor, question) if _reads(question) <= made else None
            for name, question in _COUNTS.items()
        }
        found["quarantine"] = _quarantined(cursor, made)
        found["attention"] = _attention(cursor, project)
        found["reason_jumps"] = _jumps(cursor, project)
    found["feeds"] += _without_files(project, {row["feed"] for row in found["feeds"]})
    link = project.published / SNAPSHOT_NAME
    found["published"] = str(link.relative_to(project.root)) if link.exists() else None
    return found


@contextmanager
def _nothing_yet() -> Iterator[Connection]:
    """The tables of a project in which nothing has run."""
    with open_warehouse() as empty:
        yield empty.cursor()


def show_status(found: Mapping[str, Any]) -> None:
    """The page for a terminal."""
    if not found["runs"]:
        _say_what_to_begin_with(found)
    say("Feeds")
    show(
        found["feeds"],
        ["feed", "files", "rows_read", "accepted", "duplicate", "rejected", "held_back", "newest_batch"],
        as_json=False,
    )
    failed = counted(len(found["failed_checks"]), "check")
    broken = f"{failed} of the last run did not hold: see below" if found["failed_checks"] else ""
    say("\nFeeds: what wants attention")
    rare = [name for name in ("incomplete", "misdated") if any(row[name] for row in found["attention"])]
    shown = ["feed", "waiting_days", "stale_files", "stopped", *rare, "vanished", "stranded", "absent", "unknown"]
    shown += ["broken_fields"]
    show(found["attention"], shown, as_json=False, empty=_NOTHING if not broken else f"{_NOTHING} But {broken}.")
    if found["attention"]:
        say("next: cdp plan · cdp feeds show NAME")
    say("\nQuarantine: rows per reason")
    show(found["quarantine"], ["feed", "code", "field", "rows"], as_json=False, empty="Empty.")
    if found["reason_jumps"]:
        say("Reasons whose share jumped in the last batches")
        columns = ["feed", "batch_on", "field", "code", "rows", "share_ratio", "usual_ratio"]
        show(found["reason_jumps"], columns, as_json=False)
        say("next: cdp quarantine reasons --feed NAME")
    if found["records"] is not None and found["customers"] is not None:
        say(
            f"\nIdentity: {counted(found['records'], 'record')}, {counted(found['customers'], 'customer')}"
            f" and {counted(found['visitors'] or 0, 'anonymous visitor')}"
        )
        show(found["scorecard"], ["data_set", "metric", "value"], as_json=False, empty="No scorecard.")
        _show_stewardship(found)
    say("\nLifecycle")
    show(found["lifecycle"], ["lifecycle_stage", "customers"], as_json=False)
    say("\nSegments")
    show(found["segments"], ["segment", "customers"], as_json=False)
    say("\nChecks of the last run")
    show(found["checks"], ["severity", "passed", "failed"], as_json=False)
    if found["failed_checks"]:
        say("Checks that did not hold")
        show(found["failed_checks"], ["table", "check", "severity", "message"], as_json=False)
        say(f"next: cdp quality check --table {found['failed_checks'][0]['table']}")
    say(f"\nPublished: {found['published'] or 'nothing yet'}")


def _say_what_to_begin_with(found: Mapping[str, Any]) -> None:
    waiting = sum(row["waiting_days"] for row in found["attention"])
    if waiting:
        say(f"Nothing has run yet; files of {counted(waiting, 'day')} are waiting.\nnext: cdp plan · cdp run\n")
    elif found["feeds"]:
        say("Nothing has run yet, and no file is waiting.\nnext: put files into landing/<feed>/, then cdp run\n")
    else:
        say("Nothing has run yet, and no feed is declared.")
        say("next: write config/feeds/<name>.yml; `cdp feeds try FILE` writes one for a file that you have\n")


def _show_stewardship(found: Mapping[str, Any]) -> None:
    """What people are asked about who is who, and what they said that no run has heard yet."""
    if found["decisions_waiting"]:
        say(f"{counted(found['decisions_waiting'], 'decision')} of people waiting for the next run. next: cdp run")
    if found["pairs_in_doubt"]:
        say(f"{counted(found['pairs_in_doubt'], 'pair')} in doubt. next: cdp identity review")


def _attention(cursor: Connection, project: Project) -> Rows:
    """Feeds of which something waits, was stopped, is gone, or lost fields that are read: how much of it."""
    problems = Problems()
    feeds = load_feeds(project, problems)
    business = problems.of(lambda: load_business(project))
    if business is None or problems.found:
        return []
    rows = [
        {
            "feed": item.feed,
            "waiting_days": len(item.waiting),
            "stale_files": item.stale_files,
            "stopped": len(item.stopped),
            "incomplete": len(item.incomplete),
            "misdated": len(item.misdated),
            "vanished": len(item.vanished),
            "stranded": len(item.stranded),
            "absent": len(item.absent),
            "unknown": len(item.unknown),
            "broken_fields": len(item.broken),
        }
        for item in feed_summaries(cursor, project, feeds, business.first_batch_on)
    ]
    return [row for row in rows if any(value for name, value in row.items() if name != "feed")]


def _without_files(project: Project, known: set[str]) -> Rows:
    """Declared feeds of which nothing was ever loaded, in the form of the others."""
    nothing = dict.fromkeys(("files", "rows_read", "accepted", "duplicate", "rejected", "held_back"), 0)
    declared = load_feeds(project, Problems())
    return [{"feed": name} | nothing | {"newest_batch": None} for name in sorted(declared.keys() - known)]


def _jumps(cursor: Connection, project: Project) -> Rows:
    """Reasons whose share jumped in one of a feed's last batches, the newest first."""
    rule = load_jump_rule(project)
    return [
        {"feed": feed} | vars(jump)
        for feed, jumps in found_jumps(cursor, rule, last=_LAST_BATCHES).items()
        for jump in reversed(jumps)
    ]


_LAST_BATCHES = 7
_NOTHING = "Nothing."
_MADE = """
    select schema_name || '.' || table_name from duckdb_tables() where database_name = current_database()
    union all select schema_name || '.' || view_name from duckdb_views() where database_name = current_database()"""


def _reads(question: str) -> set[str]:
    from warehouse.sql_model import tables_read

    return set(tables_read(question))


def _rows(cursor: Connection, question: str) -> Rows:
    cursor.execute(question)
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _rows_count(cursor: Connection, question: str) -> int:
    found = cursor.execute(question).fetchone()
    return int(found[0]) if found else 0


def _quarantined(cursor: Connection, made: set[str]) -> Rows:
    if not any(name.startswith("quarantine.") for name in made):
        return []
    return [vars(count) for count in count_reasons(cursor)]
