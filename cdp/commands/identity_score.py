"""``cdp identity score``: how good the partition of the last runs is, figure by figure.

Imports come late: `cdp identity run` is loaded with this module, and must not wait for what a project needs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cdp.terminal import JsonOption, ProjectOption, say, show, show_json

if TYPE_CHECKING:
    from warehouse.database import Connection

_SCORES = """
    with latest as (
        select run_id, as_of, started_at from ops.runs
        where status = 'published'
        order by started_at desc
        limit $runs
    )
    select latest.run_id, latest.as_of, latest.started_at, card.data_set, card.metric, card.value
    from latest
    inner join identity.scorecard as card on latest.run_id = card.run_id
    order by card.data_set, card.metric, latest.started_at
"""


def _scores(cursor: Connection, most: int) -> list[tuple[Any, ...]]:
    """Where `ops.runs` is not there yet, the database would take a variable called `runs` for it."""
    return cursor.execute(_SCORES, {"runs": most}).fetchall()


def score(
    project: ProjectOption = None,
    runs: Annotated[int, typer.Option("--runs", min=1, help="How many of the last runs.")] = 5,
    json: JsonOption = False,
) -> None:
    """How good the partition is: against the truth where there is one, and by its own signals; run by run."""
    from cdp.settings import find_project
    from cdp.warehouses import reading

    with reading(find_project(project)) as cursor:
        rows = _scores(cursor, runs)
    names = ("run_id", "as_of", "started_at", "data_set", "metric", "value")
    found = [dict(zip(names, row, strict=True)) for row in rows]
    if json:
        show_json(found)
        return
    table: dict[tuple[str, str], dict[str, Any]] = {}
    order = {row["run_id"]: row["started_at"] for row in found}
    columns = {run_id: str(number) for number, run_id in enumerate(sorted(order, key=lambda run: order[run]), 1)}
    for row in found:
        line = table.setdefault(
            (row["data_set"], row["metric"]), {"data_set": row["data_set"], "metric": row["metric"]}
        )
        line[columns[row["run_id"]]] = round(row["value"], 4)
    show(table.values(), ["data_set", "metric", *columns.values()], as_json=False, empty="No run has been scored yet.")
    for run_id, column in columns.items():
        as_of = next(row["as_of"] for row in found if row["run_id"] == run_id)
        say(f"{column}: as of {as_of}, run {run_id}")
