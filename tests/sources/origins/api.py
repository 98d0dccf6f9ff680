"""An HTTP API that pages in every common way, and misbehaves when told to."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

PAGE_ROWS = 5


@dataclass
class Api:
    """Rows, the trouble each coming request runs into (None: none), and the requests that came."""

    port: int = 0
    rows: list[dict[str, Any]] = field(default_factory=list)
    trouble: list[str | int | None] = field(default_factory=list)
    requests: list[dict[str, str]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    elsewhere: str = ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/orders"

    @classmethod
    @contextmanager
    def serving(cls) -> Iterator[Api]:
        api = cls()
        handler = type("Handler", (_Handler,), {"api": api})
        with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
            api.port = server.server_port
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
            thread.start()
            try:
                yield api
            finally:
                server.shutdown()
                thread.join()

    def answer(self, query: dict[str, str]) -> tuple[Any, dict[str, str]]:
        """The body and headers of a page."""
        rows = [row for row in self.rows if str(row["updated_at"]) >= query.get("since", "")]
        start = int(query.get("cursor") or query.get("offset") or (int(query.get("page", "1")) - 1) * PAGE_ROWS)
        page, end = rows[start : start + PAGE_ROWS], start + PAGE_ROWS
        following = str(end) if end < len(rows) else None
        match query.get("style"):
            case "link_header":
                more = {"style": "link_header", "cursor": following or "", "since": query.get("since", "")}
                address = self.elsewhere or "/orders"
                link = f'<{address}?{"&".join(f"{k}={v}" for k, v in more.items())}>; rel="next"'
                return page, {"Link": link} if following else {}
            case "link":
                link = f"{self.url}?style=link&cursor={following}&since={query.get('since', '')}"
                return {"data": {"orders": page}, "paging": {"next": link if following else None}}, {}
            case "cursor":
                return {"orders": page, "meta": {"next": following}}, {}
            case _:
                return {"orders": page}, {}


class _Handler(BaseHTTPRequestHandler):
    api: Api
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        query = dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
        self.api.requests.append(query)
        self.api.headers.append({name.lower(): value for name, value in self.headers.items()})
        trouble = self.api.trouble.pop(0) if self.api.trouble else None
        if isinstance(trouble, int):
            self.send_response(trouble)
            if trouble == 429:
                self.send_header("Retry-After", "1")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        body, headers = self.api.answer(query)
        data = b"<html>maintenance</html>" if trouble == "html" else json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if trouble == "half":
            self.wfile.write(data[: len(data) // 2])
            self.close_connection = True
            return
        self.wfile.write(data)
