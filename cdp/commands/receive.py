"""``cdp receive``: the server that takes webhooks."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from cdp.settings import find_project
from cdp.terminal import ProjectOption, say
from sources.feed import load_feeds
from sources.origin_declaration import WebhookOrigin
from warehouse.business import load_business
from warehouse.declaration import Problems
from warehouse.errors import InputError

_MOST_AT_ONCE = 1_000


def receive(
    project: ProjectOption = None,
    host: Annotated[
        str, typer.Option("--host", help="Address to listen on; default: this machine only.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", help="Port to listen on.", min=1, max=65535)] = 8787,
) -> None:
    """Take webhooks at /feeds/NAME, check who signed them, and answer when they are durable; Ctrl-C stops it."""
    where = find_project(project)
    zone = ZoneInfo(load_business(where).time_zone)
    problems = Problems()
    feeds = load_feeds(where, problems)
    problems.raise_if_any()
    names = [name for name, feed in feeds.items() if isinstance(feed.origin, WebhookOrigin)]
    if not names:
        raise InputError("No feed has a webhook origin.", "Declare one: see docs/origins.md.")
    import uvicorn

    from cdp.receiver import receiver

    app = receiver(where, feeds, os.environ, lambda: datetime.now(UTC).astimezone(zone))
    for name in names:
        say(f"http://{host}:{port}/feeds/{name}")
    uvicorn.run(
        app,
        host=host,
        port=port,
        access_log=False,
        log_level="warning",
        server_header=False,
        proxy_headers=False,
        ws="none",
        limit_concurrency=_MOST_AT_ONCE,
        timeout_graceful_shutdown=10,
    )
