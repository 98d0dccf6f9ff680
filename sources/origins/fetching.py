"""Fetches a feed: brings what is new at its origin into ``landing/<feed>/``.

Fetching again costs little and is safe, whatever moment the last fetch was stopped at.
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from functools import partial

from sources.feed_declaration import Feed
from sources.mapped_feed import map_feed
from sources.origin_declaration import HttpOrigin, Origin, S3Origin, SqlOrigin, WebhookOrigin
from sources.origins.database import Form, read_table
from sources.origins.delivery_log import land_left_behind
from sources.origins.fetched import Fetched
from sources.origins.memory import Ending, Memory, only_one, recall, remember
from sources.origins.object_store import fetch_objects
from sources.origins.row_file import RowFile, finish_landing
from sources.origins.web_api import read_api
from sources.secret import Secrets, require_secrets
from warehouse.errors import CdpError
from warehouse.project import Project


def fetch_feed(
    project: Project, feed: Feed, secrets: Secrets, now: datetime, *, again: bool = False, wait_seconds: float = 600
) -> Fetched:
    """Bring what is new. ``now`` is in the business's time zone: its day is the batch of rows that come without files.

    ``again`` forgets how far the origin was read, and fetches everything it has.

    Raises:
        DeclarationError: an environment variable that the origin names is not set.
        OriginError: the origin failed; what had landed stays, and the next fetch goes on from there.
        WarehouseBusyError: another fetch of the feed takes too long.
    """
    if feed.origin is None:
        return Fetched(feed.name)
    with only_one(project, feed.name, wait_seconds):
        memory = recall(project, feed.name)
        try:
            require_secrets(feed, "origin", secrets)
            finish_landing(project, feed.name, memory)
            _begin(memory, feed.origin, again)
            fetched = _fetch(project, feed, feed.origin, secrets, now, memory)
        except CdpError as error:
            memory.last = Ending(now.isoformat(), reason=error.reason, fix=error.fix)
            remember(project, feed.name, memory)
            raise
        memory.last = Ending(now.isoformat(), len(fetched.files), fetched.bytes, fetched.rows)
        remember(project, feed.name, memory)
    return fetched


def _begin(memory: Memory, origin: Origin, again: bool) -> None:
    about = _about(origin)
    if memory.about != about or again:
        memory.start_anew(about)


def _about(origin: Origin) -> str:
    """Names what is read and by which cursor; how one logs in, or how many rows a page has, makes no difference."""
    match origin:
        case S3Origin():
            read: list[object] = [origin.endpoint, origin.url]
        case HttpOrigin():
            read = [origin.url, origin.rows, sorted(origin.query.items()), origin.cursor and origin.cursor.model_dump()]
        case SqlOrigin():
            read = [origin.url, origin.table, origin.columns, origin.cursor and origin.cursor.model_dump()]
        case _:
            read = []
    return hashlib.sha256(json.dumps([origin.kind, *read], default=str).encode()).hexdigest()


def _fetch(project: Project, feed: Feed, origin: Origin, secrets: Secrets, now: datetime, memory: Memory) -> Fetched:
    match origin:
        case S3Origin():
            return fetch_objects(project, feed, origin, secrets, memory)
        case HttpOrigin():
            file = RowFile(project, feed.name, ".jsonl", origin.cursor is not None)
            return file.land(memory, now.date(), partial(read_api, origin, secrets))
        case SqlOrigin():
            form = form_of(feed)
            file = RowFile(project, feed.name, f".{form}", origin.cursor is not None)
            return file.land(memory, now.date(), partial(read_table, origin, secrets, form))
        case WebhookOrigin():
            left = land_left_behind(project.landing / feed.name)
            files = tuple(item.file for item in left if item.file)
            cut = tuple(f"half a delivery of {item.cut_bytes} bytes" for item in left if item.cut_bytes)
            return Fetched(feed.name, files, refused=cut)


def form_of(feed: Feed) -> Form:
    """The form in which rows of a database land: JSON lines where the feed reads JSON, else Parquet."""
    return "jsonl" if map_feed(feed).format in {"json", "jsonl"} else "parquet"
