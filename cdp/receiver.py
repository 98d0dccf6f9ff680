"""Takes deliveries of webhooks over HTTP and answers when they are durable.

Deliveries that arrive together are written together: one flush to the disk answers all of them. Nothing is stored of a
delivery that is refused, and nothing of a delivery is ever logged.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sources.feed import Feed
from sources.origin_declaration import WebhookOrigin
from sources.origins.delivery_log import DeliveryError, DeliveryLog, delivery_lines, land_left_behind
from sources.origins.signature import Delivery, is_signed
from sources.secret import Secrets, filled, require_secrets
from warehouse.project import Project

Clock = Callable[[], datetime]

_LOG = logging.getLogger("cdp.receive")
_MOST_WAITING = 2_000
_BODY_SECONDS = 30
_CLOSING_SECONDS = 1
_WOOCOMMERCE_PING = re.compile(rb"webhook_id=[0-9]{1,20}")


@dataclass(frozen=True)
class _Refused(Exception):  # noqa: N818 - an answer, not an error of ours
    status: int
    reason: str


class _Door:
    """One feed: its secrets, its log, and the deliveries that wait to be written."""

    def __init__(self, project: Project, feed: Feed, secrets: Secrets, clock: Clock) -> None:
        assert isinstance(feed.origin, WebhookOrigin)
        require_secrets(feed, "origin", secrets)
        self.name, self.origin, self._clock = feed.name, feed.origin, clock
        named = (feed.origin.signature.secret, feed.origin.signature.also)
        self._secrets = [filled(name, secrets) for name in named if name is not None]
        self._folder = project.landing / feed.name
        self._log = DeliveryLog(self._folder, feed.origin)
        self._waiting: list[tuple[tuple[bytes, ...], asyncio.Future[bool]]] = []
        self._arrived = asyncio.Event()
        self._writer: asyncio.Task[None] | None = None
        self._is_ending = False

    async def begin(self) -> None:
        """Land what a receiver before this one left behind, and begin to write."""
        for left in await asyncio.to_thread(land_left_behind, self._folder):
            _LOG.warning("%s: a receiver died; landed %s, cut %d bytes", self.name, left.file, left.cut_bytes)
        self._writer = asyncio.create_task(self._write())

    def check(self, delivery: Delivery) -> tuple[bytes, ...]:
        """The lines of a delivery whose signature is right.

        Raises:
            _Refused: it is not signed, or no JSON.
        """
        if not is_signed(self.origin.signature, delivery, self._secrets, self._clock()):
            raise _Refused(401, "The signature is missing, wrong or too old.")
        try:
            return delivery_lines(delivery.body)
        except DeliveryError as error:
            raise _Refused(400, error.reason) from None

    async def store(self, lines: tuple[bytes, ...]) -> None:
        """Return when the lines are on the disk.

        Raises:
            _Refused: too many wait, or the disk does not take them; the sender shall try again.
        """
        if len(self._waiting) >= _MOST_WAITING or self._is_ending:
            raise _Refused(503, "Too many deliveries wait; try again.")
        done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((lines, done))
        self._arrived.set()
        if not await done:
            raise _Refused(503, "The delivery could not be written; try again.")

    async def end(self) -> None:
        """Write what waits, and close the file."""
        self._is_ending = True
        self._arrived.set()
        if self._writer is not None:
            await self._writer

    async def _write(self) -> None:
        """The one task that writes: whatever waits, together; and closes the file when it is time."""
        while not self._is_ending:
            with suppress(TimeoutError):
                async with asyncio.timeout(_CLOSING_SECONDS):
                    await self._arrived.wait()
            self._arrived.clear()
            await self._write_waiting()
            await self._close(self._log.close_if_due, self._clock())
        await self._write_waiting()
        await self._close(self._log.close)

    async def _write_waiting(self) -> None:
        batch, self._waiting = self._waiting, []
        if not batch:
            return
        lines = [line for found, _ in batch for line in found]
        try:
            await asyncio.to_thread(self._log.append, lines, self._clock())
            is_written = True
        except OSError as error:
            _LOG.error("%s: deliveries could not be written: %s", self.name, os.strerror(error.errno or 0))
            is_written = False
        for _, done in batch:
            if not done.done():
                done.set_result(is_written)

    async def _close(self, close: Callable[..., None], *arguments: datetime) -> None:
        try:
            await asyncio.to_thread(close, *arguments)
        except OSError:
            _LOG.exception("%s: a landing file could not be closed; the next fetch lands it", self.name)


def receiver(project: Project, feeds: Mapping[str, Feed], secrets: Secrets, clock: Clock) -> Starlette:
    """The application: ``POST /feeds/<name>`` for every feed with a webhook origin, and ``GET /health``.

    Raises:
        DeclarationError: an environment variable that a signature names is not set.
    """
    doors = {
        name: _Door(project, feed, secrets, clock)
        for name, feed in feeds.items()
        if isinstance(feed.origin, WebhookOrigin)
    }

    @asynccontextmanager
    async def open_and_close(_: Starlette) -> AsyncIterator[None]:
        for door in doors.values():
            await door.begin()
        try:
            yield
        finally:
            for door in doors.values():
                await door.end()

    async def deliver(request: Request) -> Response:
        door = doors.get(request.path_params["feed"])
        if door is None:
            return JSONResponse({"error": "There is no such feed."}, 404)
        if request.method == "HEAD":
            return Response()
        try:
            return await _take(door, request)
        except _Refused as refused:
            _LOG.warning("%s: %s %s", door.name, refused.status, refused.reason)
            headers = {"Retry-After": "30"} if refused.status == 503 else None
            return JSONResponse({"error": refused.reason}, refused.status, headers)

    async def health(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    routes = [Route("/feeds/{feed}", deliver, methods=["POST", "HEAD"]), Route("/health", health)]
    return Starlette(routes=routes, lifespan=open_and_close)


async def _take(door: _Door, request: Request) -> Response:
    body = await _body(request, door.origin.max_bytes)
    is_woocommerce = door.origin.signature.by == "woocommerce"
    if is_woocommerce and _WOOCOMMERCE_PING.fullmatch(body):
        return JSONResponse({"stored": 0})  # sent unsigned when the webhook is made, to see whether somebody is there
    delivery = Delivery(request.method, str(request.url), dict(request.headers), body)
    lines = await asyncio.to_thread(door.check, delivery)
    if lines:
        await door.store(lines)
    return JSONResponse({"stored": len(lines)})


async def _body(request: Request, most: int) -> bytes:
    """The body, never more of it in memory than allowed."""
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > most:
        raise _Refused(413, "The delivery is too large.")
    body = bytearray()
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > most:
                    raise _Refused(413, "The delivery is too large.")
    except TimeoutError:
        raise _Refused(408, "The delivery took too long to arrive.") from None
    except ClientDisconnect:
        raise _Refused(400, "The delivery broke off.") from None
    return bytes(body)
