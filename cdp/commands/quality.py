"""``cdp quality``: what must hold, and whether it does."""

from __future__ import annotations

from typing import Annotated

import typer

from cdp.settings import find_project
from cdp.terminal import JsonOption, ProjectOption, counted, say, show, show_json
from cdp.warehouses import reading
from quality.results import columns_of
from warehouse.database import Connection
from warehouse.suggestion import suggestion

app = typer.Typer(help="Expectations about tables.", no_args_is_help=True)


_LAST = """
    select table_name, expectation, severity, passed, unexpected_count, element_count, message
    from ops.quality_results
    where
        run_id = (select run_id from ops.runs order by started_at desc limit 1)
        and ($table is null or table_name = $table)
    order by passed, severity, table_name, expectation"""


def _check_name(cursor: Connection, table: str) -> None:
    known = [name for (name,) in cursor.execute("select distinct table_name from ops.quality_results").fetchall()]
    if table not in known:
        told = f"No check asks about a table {table!r}. {suggestion(table, known)}"
        raise typer.BadParameter(told, param_hint="--table")


@app.command("check")
def check(
    project: ProjectOption = None,
    table: Annotated[str | None, typer.Option("--table", help="Only this table (schema.table).")] = None,
    json: JsonOption = False,
) -> None:
    """Results of the last run: every expectation with counts, never with values; what does not hold stands last."""
    with reading(find_project(project)) as cursor:
        is_asked = columns_of(cursor, "ops.quality_results")
        if table is not None and is_asked:
            _check_name(cursor, table)
        found = cursor.execute(_LAST, {"table": table}).fetchall() if is_asked else []
    columns = ["table", "expectation", "severity", "passed", "unexpected", "of", "message"]
    rows = [dict(zip(columns, row, strict=True)) for row in found]
    if json:
        show_json(rows)
    else:
        failed = [row for row in rows if not row["passed"]]
        worst_last = sorted(failed, key=lambda row: row["severity"] == "error")
        shown = [*(row for row in rows if row["passed"]), *worst_last]
        show(shown, columns, as_json=False, empty="No checks yet: cdp run.")
        if rows:
            say(f"{len(failed):,} of {counted(len(rows), 'check')} {'does' if len(failed) == 1 else 'do'} not hold")
    if any(not row["passed"] and row["severity"] == "error" for row in rows):
        raise typer.Exit(12)
