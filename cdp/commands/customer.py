"""``cdp customer``: one customer, and why these records are one person. Shows personal data on purpose."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import typer

from cdp.actor import ByOption, attempt_of
from cdp.commands import customer_decisions, customer_find
from cdp.commands.run import parse_day
from cdp.settings import find_project
from cdp.terminal import JsonOption, ProjectOption, counted, on_clock, say, show, show_json
from cdp.warehouses import open_to_read, reading, writing
from identity.explain import Branch, Explanation, explain
from identity.history import history
from identity.picture import picture
from identity.resolve import resolve
from quality.access_log import Access, log_access
from quality.resolution import Attempt
from warehouse.business import load_business
from warehouse.database import Connection
from warehouse.foreign_text import visible
from warehouse.project import Project
from warehouse.whole_file import write_whole

app = typer.Typer(help="One customer.", no_args_is_help=True)

WhoArgument = Annotated[str, typer.Argument(metavar="WHO", help="Customer id, or any e-mail, phone, order or account.")]

_ACTIVITIES_SHOWN = 15
_NOT_EVIDENCE = """
    select distinct identifiers.identifier_kind as kind, coalesce(identifiers.raw_value, identifiers.value) as value,
        blocked.reason
    from identity.customer_links as links
    inner join identity.identifiers as identifiers on links.record_id = identifiers.record_id
    inner join identity.blocked_identifiers as blocked
        on identifiers.identifier_kind = blocked.identifier_kind and identifiers.value = blocked.value
    where links.customer_id = $customer_id and identifiers.is_blocked
    order by 1, 2"""


@app.command("show")
def show_customer(who: WhoArgument, project: ProjectOption = None, json: JsonOption = False) -> None:
    """Golden record, segments, orders and the newest activities."""
    where = find_project(project)
    with reading(where) as cursor:
        business = load_business(where)
        customer_id = resolve(cursor, who, default_country=business.default_country)
        found = _profile(cursor, customer_id)
    if json:
        show_json(found)
        return
    zone = ZoneInfo(business.time_zone)
    found |= {name: _readable(found[name], zone) for name in ("profile", "orders", "activities")}
    say(f"customer {customer_id}; times are those of {business.time_zone}")
    facts = [{"attribute": name, "value": value} for name, value in found["profile"].items() if value not in (None, [])]
    show(facts, ["attribute", "value"], as_json=False, empty="An anonymous visitor: no golden record.")
    for item in found["not_evidence"]:
        say(f"not used as evidence: {item['kind']} {visible(str(item['value']))} ({item['reason']})")
    say(f"\nsegments: {', '.join(found['segments']) or 'none'}")
    if found["lives_with"]:
        say(f"lives with: {', '.join(found['lives_with'])}")
    say("\nOrders")
    show(found["orders"], ["placed_at", "order_id", "feed", "status", "net_amount", "currency"], as_json=False)
    say(f"\nNewest {_ACTIVITIES_SHOWN} activities")
    show(found["activities"], ["occurred_at", "kind", "feed", "channel", "summary"], as_json=False)
    say(f"\nnext: cdp customer explain {customer_id}")


app.command("find")(customer_find.find)
app.command("merge")(customer_decisions.merge)
app.command("split")(customer_decisions.split)
app.command("forbid")(customer_decisions.forbid)
app.command("allow")(customer_decisions.allow)
app.command("undo")(customer_decisions.undo)
app.command("decisions")(customer_decisions.decisions)
app.command("import")(customer_decisions.import_file)


def _readable(value: object, zone: ZoneInfo) -> object:
    """Moments of UTC on the business's clock to the minute, amounts with two digits; all else as it is."""
    match value:
        case dict():
            return {name: _readable(item, zone) for name, item in value.items()}
        case list():
            return [_readable(item, zone) for item in value]
        case datetime():
            return on_clock(value, zone)
        case Decimal():
            return f"{value:,.2f}"
        case _:
            return value


@app.command("explain")
def explain_customer(
    who: WhoArgument,
    project: ProjectOption = None,
    drawn: Annotated[
        Path | None, typer.Option("--picture", metavar="FILE.svg", help="Draw it; personal values are masked.")
    ] = None,
    language: Annotated[
        Literal["en", "zh"] | None, typer.Option("--language", help="Of the picture; default: the business's first.")
    ] = None,
    reveal: Annotated[
        bool, typer.Option("--reveal", help="Show personal values in the picture; noted in ops.access_log.")
    ] = False,
    why: Annotated[str, typer.Option("--why", help="Why personal values are looked at, for ops.access_log.")] = "",
    by: ByOption = None,
    json: JsonOption = False,
) -> None:
    """The records of a customer, their identifiers, and the evidence that ties them, strongest first."""
    where = find_project(project)
    business = load_business(where)
    with open_to_read(where) as warehouse:
        explanation = explain(warehouse, who, default_country=business.default_country)
    if drawn is not None:
        chosen = language or ("zh" if business.languages[:1] and business.languages[0].startswith("zh") else "en")
        if reveal:
            _log(where, explanation, attempt_of(by, why))
        write_whole(drawn, picture(explanation, language=chosen, reveal=reveal).encode())
        said = {"picture": str(drawn), "customer_id": explanation.customer_id, "is_masked": not reveal}
        if json:
            show_json(said)
        else:
            say(f"drew {explanation.customer_id} into {drawn}" + ("" if reveal else "; personal values are masked"))
        return
    if json:
        show_json(asdict(explanation))
        return
    for line in _in_words(explanation, business.time_zone):
        say(line)


@app.command("history")
def customer_history(
    who: Annotated[
        str,
        typer.Argument(metavar="WHO", help="Customer id (a former one too), record, or any e-mail, phone, account."),
    ],
    on: Annotated[str | None, typer.Option("--on", help="Who it was at the end of this day (YYYY-MM-DD).")] = None,
    project: ProjectOption = None,
    json: JsonOption = False,
) -> None:
    """Who this was, from when to when we held it so, and what changed about the customer."""
    where = find_project(project)
    business = load_business(where)
    day = parse_day(on, "--on")
    zone = ZoneInfo(business.time_zone)
    at = None
    if day is not None:
        midnight = datetime.combine(day + timedelta(days=1), time(), zone)
        at = midnight.astimezone(UTC).replace(tzinfo=None) - timedelta(microseconds=1)
    with reading(where) as cursor:
        found = history(cursor, who, at=at, default_country=business.default_country)
    if json:
        show_json(asdict(found))
        return
    told: dict[str, Any] = {name: _readable(list(rows), zone) for name, rows in asdict(found).items()}
    say(f"Who this was; times are those of {business.time_zone}")
    show(told["links"], ["record_id", "customer_id", "valid_from", "valid_to", "stands_for"], as_json=False)
    say("\nWhat changed")
    columns = ["changed_at", "customer_id", "change", "other_customer_id", "records"]
    show(told["changes"], columns, as_json=False)


def _log(where: Project, found: Explanation, attempt: Attempt) -> None:
    """Note a look at personal values, before they are shown."""
    rows = len(found.records)
    access = Access(attempt.at, attempt.by, "customer explain", found.customer_id, rows, attempt.why)
    with writing(where) as warehouse, warehouse.transaction() as connection:
        log_access(connection, access)


def _in_words(found: Explanation, time_zone: str) -> Iterator[str]:
    former = f", formerly {', '.join(found.former_ids)}" if found.former_ids else ""
    records, edges = counted(len(found.records), "record"), counted(found.edges, "edge")
    yield f"customer {found.customer_id}{former}: {records}, {edges} between them"
    yield f"times are those of {time_zone}"
    zone = ZoneInfo(time_zone)
    names = {record.record_id: f"{record.feed} {record.record_id[:8]}" for record in found.records}
    for record in found.records:
        first, last = (_readable(at, zone) or "?" for at in (record.first_seen_at, record.last_seen_at))
        yield f"\n{names[record.record_id]}  {counted(record.occurrences, 'row')}, {first} – {last}"
        for item in record.identifiers:
            blocked = f"  (no evidence: {item.blocked_because})" if item.blocked_because else ""
            yield f"    {item.kind} ({item.strength}): {item.raw_value or item.value}{blocked}"
    for decision in found.decisions:
        one, other = names[decision.record_id_l], names[decision.record_id_r]
        yield f"\nDecided by people ({decision.decision_id}): {one} and {other} are one person"
    yield "\nWhy they are one person: the strongest evidence for each, weights in bits"
    for tree in found.trees:
        yield from _branch_in_words(tree, names, 0)


def _branch_in_words(branch: Branch, names: Mapping[str, str], depth: int) -> Iterator[str]:
    indent = "    " * depth
    if branch.weight is None:
        yield f"{indent}{names[branch.record_id]}"
    else:
        strength = f"{branch.weight:+.1f} (probability {branch.probability:.4f})"
        yield f"{indent}└ {names[branch.record_id]}: {branch.rule}, {strength}"
        for reason in branch.reasons:
            yield f"{indent}    {reason.weight:+6.1f}  {reason.words}"
    for below in branch.below:
        yield from _branch_in_words(below, names, depth + 1)


def _profile(cursor: Connection, customer_id: str) -> dict[str, Any]:
    who = {"customer_id": customer_id}
    profiles = _rows(cursor, "select * from profiles.customers where customer_id = $customer_id", who)
    return {
        "customer_id": customer_id,
        "profile": profiles[0] if profiles else {},
        "not_evidence": _rows(cursor, _NOT_EVIDENCE, who),
        "segments": [
            row["segment"]
            for row in _rows(
                cursor,
                "select segment from profiles.segment_members where customer_id = $customer_id order by segment",
                who,
            )
        ],
        "lives_with": [
            row["customer_id"]
            for row in _rows(
                cursor,
                "select other.customer_id from profiles.households as own"
                " inner join profiles.households as other on own.household_id = other.household_id"
                " where own.customer_id = $customer_id and other.customer_id <> $customer_id order by 1",
                who,
            )
        ],
        "orders": _rows(
            cursor,
            "select placed_at, order_id, feed, status, net_amount, currency from profiles.orders "
            "where customer_id = $customer_id order by placed_at desc, order_id",
            who,
        ),
        "activities": _rows(
            cursor,
            "select occurred_at, kind, feed, channel, summary from profiles.activities "
            "where customer_id = $customer_id order by occurred_at desc, kind, source_key limit $limit",
            who | {"limit": _ACTIVITIES_SHOWN},
        ),
    }


def _rows(cursor: Connection, question: str, parameters: dict[str, Any]) -> list[dict[str, Any]]:
    cursor.execute(question, parameters)
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
