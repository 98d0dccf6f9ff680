"""Rows of an HTTP API, page after page, as JSON lines.

Each page is asked for again, with growing pauses or the pause the server names, when it throttles (429), fails (5xx),
does not answer, or breaks off in the middle. Credentials go to the declared address and nowhere else: an answer that
leads to another host ends the fetch.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from sources.origin_declaration import HttpOrigin, Login, Pages
from sources.origins.extraction import State, require_dlt
from sources.origins.fetched import OriginError, causes_of, disk_error
from sources.origins.row_file import Read
from sources.secret import Secrets, filled

if TYPE_CHECKING:
    from requests import PreparedRequest, Response, Session

_FIRST_PAUSE_SECONDS = 1.0


def read_api(origin: HttpOrigin, secrets: Secrets, path: Path, cursor: str) -> Read:
    """Write the rows from ``cursor`` on into ``path``, durably.

    Raises:
        OriginError: the API refuses, keeps failing, or answers with something else than rows.
    """
    require_dlt()
    state = State(cursor)
    guard = _Guard(origin)
    session = _session(origin, guard)
    try:
        resource = _resource(origin, secrets, session)
        with path.open("wb") as file:
            rows = 0
            for row in state.items(resource):
                file.write(json.dumps(row, ensure_ascii=False, separators=(",", ":"), default=str).encode() + b"\n")
                rows += 1
            file.flush()
            os.fsync(file.fileno())
    except Exception as error:  # noqa: BLE001 - told below in our own words: theirs repeat addresses and answers
        failure = guard.told(error)
    else:
        return Read(rows, state.text)
    finally:
        session.close()
    raise failure


class _LeftHostError(Exception):
    """An answer led to another host than the declared one."""


class _Guard:
    """Watches requests: none leaves the declared host, and the last answer's status is known."""

    def __init__(self, origin: HttpOrigin) -> None:
        self._origin = origin
        self._place = _place(origin.url)
        self._status: int | None = None

    def watch(self, send: Callable[..., Response]) -> Callable[..., Response]:
        """Send a request only to the declared host; read the answer whole, so that its connection is free again."""

        def watched(request: PreparedRequest, **options: object) -> Response:
            if _place(request.url or "") != self._place:
                raise _LeftHostError
            self._status = None
            answer = send(request, **options)
            _ = answer.content
            self._status = answer.status_code
            return answer

        return watched

    def told(self, error: Exception) -> OriginError:
        """What went wrong, in words that repeat nothing secret."""
        where = f"{self._place[0]}://{self._place[1]}{urlsplit(self._origin.url).path}"
        causes = causes_of(error)
        if (of_the_disk := disk_error(error)) is not None:
            return of_the_disk
        if any(isinstance(item, _LeftHostError) for item in causes):
            return OriginError(
                f"{where} led to another host; nothing was sent there.", "Declare the address that answers itself."
            )
        if self._status is not None and self._status >= 400:
            return OriginError(f"{where} answered {self._status}.", _REMEDIES.get(self._status, _WAIT))
        names = {type(item).__name__ for item in causes}
        if "IncrementalCursorPathMissing" in names or "IncrementalCursorPathHasValueNone" in names:
            return OriginError(
                f"A row of {where} has no `{self._origin.cursor and self._origin.cursor.field}`.",
                "Correct `cursor.field`, or say `missing: keep`.",
            )
        if self._status is not None:
            return OriginError(f"{where} did not answer with rows ({type(causes[-1]).__name__}).", _ROWS)
        return OriginError(f"{where} does not answer, or breaks off.", _WAIT)


_WAIT = "Fetch again later; nothing was lost: the next fetch begins where the last one that succeeded ended."
_ROWS = "Check `rows`, `pages` and `cursor` of the origin against the API's documentation."
_REMEDIES = {
    400: "Check `query`, `pages` and `cursor` of the origin.",
    401: "Check `login` or `headers`, and the environment variables they name.",
    403: "The credentials are known but not allowed to read this: ask for the right.",
    404: "Check `url` of the origin.",
}


def _place(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc.lower()


def _session(origin: HttpOrigin, guard: _Guard) -> Session:
    """A session that repeats what failed and goes nowhere else."""
    from dlt.sources.helpers.requests.retry import Client

    session = Client(
        raise_for_status=False,
        request_timeout=origin.timeout_seconds,
        request_max_attempts=origin.attempts,
        request_backoff_factor=min(_FIRST_PAUSE_SECONDS, origin.longest_wait_seconds),
        request_max_retry_delay=origin.longest_wait_seconds,
    ).session
    adapter = session.get_adapter(origin.url)
    adapter.send = guard.watch(adapter.send)  # type: ignore[method-assign]
    return session


def _resource(origin: HttpOrigin, secrets: Secrets, session: Session) -> Iterable[object]:
    from dlt.sources.rest_api import rest_api_source

    parts = urlsplit(origin.url)
    endpoint: dict[str, Any] = {
        "path": origin.url,
        "params": {name: _filled(value, secrets) for name, value in origin.query.items()},
        "data_selector": origin.rows or "$",
        "paginator": _paginator(origin.pages),
    }
    if origin.cursor is not None:
        endpoint["incremental"] = {
            "cursor_path": origin.cursor.field,
            "start_param": origin.cursor.parameter,
            "initial_value": origin.cursor.start,
            "on_cursor_value_missing": "include" if origin.cursor.missing == "keep" else "raise",
        }
    client: dict[str, Any] = {
        "base_url": f"{parts.scheme}://{parts.netloc}",
        "headers": {name: filled(value, secrets) for name, value in origin.headers.items()},
        "session": session,
    }
    if origin.login is not None:
        client["auth"] = _auth(origin.login, secrets)
    config: Any = {"client": client, "resources": [{"name": "rows", "endpoint": endpoint}]}
    return rest_api_source(config, name="origin").resources["rows"]


def _filled(value: str | int | float, secrets: Secrets) -> str | int | float:
    return filled(value, secrets) if isinstance(value, str) else value


def _auth(login: Login, secrets: Secrets) -> dict[str, str]:
    if login.bearer is not None:
        return {"type": "bearer", "token": filled(login.bearer, secrets)}
    assert login.user is not None
    assert login.password is not None
    return {
        "type": "http_basic",
        "username": filled(login.user, secrets),
        "password": filled(login.password, secrets),
    }


def _paginator(pages: Pages | None) -> dict[str, Any]:
    if pages is None:
        return {"type": "single_page"}
    match pages.by:
        case "link_header":
            return {"type": "header_link"}
        case "link":
            return {"type": "json_link", "next_url_path": pages.field}
        case "cursor":
            return {"type": "cursor", "cursor_path": pages.field, "cursor_param": pages.parameter}
        case "offset":
            return {
                "type": "offset",
                "limit": pages.size,
                "offset_param": pages.parameter or "offset",
                "limit_param": pages.size_parameter or "limit",
                "total_path": None,
            }
        case "number":
            return {
                "type": "page_number",
                "base_page": pages.first,
                "page_param": pages.parameter or "page",
                "total_path": None,
            }
