"""``cdp customer find``: who is meant, for whoever knows a name, an address or a number and no id."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Final
from zoneinfo import ZoneInfo

import typer

from cdp.settings import find_project
from cdp.terminal import JsonOption, ProjectOption, counted, on_clock, say, show, show_json
from cdp.warehouses import reading
from warehouse.business import load_business

_COLUMNS: Final = ("customer_id", "name", "email", "phone", "city", "country", "record_count", "last_seen_at")


def find(
    text: Annotated[
        str, typer.Argument(metavar="TEXT", help="A name or some of its words, an e-mail, phone, order, account or id.")
    ],
    limit: Annotated[int, typer.Option("--limit", min=1, help="Most customers listed; the last seen first.")] = 20,
    project: ProjectOption = None,
    json: JsonOption = False,
) -> None:
    """The customers a name, e-mail, phone or id of a source may mean, personal values masked."""
    from profiles.search import find as found_by

    where = find_project(project)
    business = load_business(where)
    with reading(where) as cursor:
        found = found_by(cursor, text, default_country=business.default_country)
    rows = [asdict(item) for item in found[:limit]]
    if json:
        show_json(rows)
        return
    zone = ZoneInfo(business.time_zone)
    for row in rows:
        row["last_seen_at"] = on_clock(row["last_seen_at"], zone) if row["last_seen_at"] else None
    show(rows, _COLUMNS, as_json=False, may_turn=True)
    more = len(found) - len(rows)
    if more:
        say(f"{counted(more, 'more customer')} not listed; write more of the name, or raise --limit.")
    say(f"\nnext: cdp customer show {rows[0]['customer_id']}")
