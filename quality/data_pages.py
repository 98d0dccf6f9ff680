"""How findings look as pages: one style, inline; words beside every colour; nothing is loaded from elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from html import escape
from importlib.resources import files

from quality.findings import Found, Status, TableFound
from quality.sparkline import sparkline

_WORDS: dict[Status, str] = {"held": "✓ holds", "warned": "! warns", "broken": "✕ blocks"}


def index_page(tables: Sequence[TableFound]) -> str:
    """All tables, with how many expectations hold, warn and block."""
    if not tables:
        body = "<h1>Data quality</h1><p>Nothing was asked yet: the next run fills this page.</p>"
        return _page("Data quality", body)
    newest = max((item for table in tables for item in table.found), key=lambda item: (item.checked_at, item.as_of))
    rows = "".join(_index_row(table) for table in tables)
    body = f"""<h1>Data quality</h1>
<p class="soft">As of {newest.as_of}, run <code>{escape(newest.run_id)}</code>.
An expectation that <em>blocks</em> holds back what is made from its table; one that <em>warns</em> is told.</p>
{_counts(tables)}
<div class="scroll"><table><caption>Tables: {len(tables)}</caption>
<thead><tr><th scope="col">Table</th><th scope="col">Status</th><th scope="col" class="number">Hold</th>
<th scope="col" class="number">Warn</th><th scope="col" class="number">Block</th>
<th scope="col" class="number">Rows</th><th scope="col">Not held, recent dates</th></tr></thead>
<tbody>{rows}</tbody></table></div>"""
    return _page("Data quality", body)


def table_page(table: TableFound) -> str:
    """All expectations of a table, worst first, with what was found and where."""
    newest = max(table.found, key=lambda item: (item.checked_at, item.as_of))
    rows = "".join(_table_row(item, newest) for item in table.found)
    body = f"""<p><a href="index.html">All tables</a></p><h1>{escape(table.table)}</h1>
<p class="soft">As of {newest.as_of}, run <code>{escape(newest.run_id)}</code>.</p>
{_counts([table])}
<div class="scroll"><table><caption>Expectations: {len(table.found)}, those that do not hold first</caption>
<thead><tr><th scope="col">Expectation</th><th scope="col">Status</th>
<th scope="col">What must hold, what was found</th><th scope="col" class="number">Breaches</th>
<th scope="col" class="number">Rows</th><th scope="col">Recent dates</th></tr></thead>
<tbody>{rows}</tbody></table></div>"""
    return _page(f"{table.table} · Data quality", body)


def _index_row(table: TableFound) -> str:
    counts = "".join(f'<td class="number">{table.count(status)}</td>' for status in _WORDS)
    rows = max(item.element_count for item in table.found)
    return (
        f'<tr class="{table.status}-row"><th scope="row"><a href="{escape(table.file, quote=True)}">'
        f"{escape(table.table)}</a></th>{_status(table.status)}{counts}"
        f'<td class="number">{rows:,}</td><td>{sparkline(table.trend, "Expectations that did not hold")}</td></tr>'
    )


def _table_row(item: Found, newest: Found) -> str:
    about = " · ".join(filter(None, (item.expects.replace("_", " "), item.column, item.feed and f"feed {item.feed}")))
    asked = "" if item.run_id == newest.run_id else f'<div class="soft">Last asked as of {item.as_of}.</div>'
    graveness = "blocks" if item.severity == "error" else "warns"
    label = "Observed" if item.expects in {"row_count", "median"} else "Breaches"
    return (
        f'<tr class="{item.status}-row"><th scope="row">{escape(item.name)}'
        f'<div class="soft">{escape(about)} · {graveness}</div></th>{_status(item.status)}'
        f'<td class="says">{escape(item.description)}<div class="soft">{escape(item.message)}</div>{asked}'
        f'{_places(item.places)}</td><td class="number">{item.unexpected_count:,}</td>'
        f'<td class="number">{item.element_count:,}</td><td>{sparkline(item.trend, label)}</td></tr>'
    )


def _status(status: Status) -> str:
    return f'<td class="status {status}">{_WORDS[status]}</td>'


def _places(places: Sequence[str]) -> str:
    if not places:
        return ""
    items = "".join(f'<li class="place">{escape(place)}</li>' for place in places)
    rows = "1 row" if len(places) == 1 else f"{len(places)} rows"
    return f"<details><summary>Where: {rows}</summary><ul>{items}</ul></details>"


def _counts(tables: Sequence[TableFound]) -> str:
    words: dict[Status, str] = {"held": "hold", "warned": "warn", "broken": "block"}
    items = "".join(
        f'<li class="{status}"><b>{sum(table.count(status) for table in tables):,}</b>{word}</li>'
        for status, word in words.items()
    )
    return f'<ul class="counts">{items}</ul>'


def _page(title: str, body: str) -> str:
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{escape(title)}</title>
<style>
{_style()}</style>
</head>
<body>
<main>
{body}
</main>
</body>
</html>
"""


@cache
def _style() -> str:
    return (files("quality") / "data_docs.css").read_text(encoding="utf-8")
