"""Whether a feed can read what its origin brings."""

from __future__ import annotations

from typing import Final

from sources.feed_check import Lacks
from sources.feed_declaration import Feed
from sources.globs import globs_pattern
from sources.mapping import Mapping
from sources.origin_declaration import HttpOrigin, S3Origin, SqlOrigin, WebhookOrigin
from warehouse.declaration import Location, Problems

_RESTS_ON: Final[tuple[Location, ...]] = (("origin", "kind"), ("origin", "cursor"), ("format",))
_JSON: Final = ("json", "jsonl")


def check_origin(feed: Feed, mapping: Mapping, problems: Problems, lacks: Lacks = lambda _: False) -> None:
    """Add a problem where the form or the globs of the feed would leave unread what its origin brings."""
    origin = feed.origin
    if origin is None or isinstance(origin, S3Origin) or any(map(lacks, _RESTS_ON)):
        return
    file = feed.declared_in or f"config/feeds/{feed.name}.yml"
    form = feed.format or mapping.format
    can_be = (*_JSON, "parquet") if isinstance(origin, SqlOrigin) else _JSON
    if form not in can_be:
        problems.add(
            file,
            feed.line_of("format" if feed.format else "origin"),
            f"A {origin.kind} origin brings {' or '.join(can_be[1:])}, and the feed reads {form}.",
            f"Write `format: {can_be[-1]}`.",
        )
    landed = _example(origin, is_json=form in _JSON)
    if not lacks(("files",)) and not globs_pattern(feed.files).fullmatch(landed):
        problems.add(
            file,
            feed.line_of("files"),
            f"`files` does not name what the origin brings, such as {landed}.",
            "Leave `files` out, or add a glob for it.",
        )


def _example(origin: HttpOrigin | SqlOrigin | WebhookOrigin, *, is_json: bool) -> str:
    if isinstance(origin, WebhookOrigin):
        return "dt=2026-01-05/deliveries-20260105T101500123456-1-1.jsonl"
    ending = "jsonl" if is_json or isinstance(origin, HttpOrigin) else "parquet"
    return f"rows.{ending}" if origin.cursor is None else f"dt=2026-01-05/rows-000001.{ending}"
