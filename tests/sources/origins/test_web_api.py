"""Rows of an HTTP API land whole and once, whatever the API does."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn

import pytest

from sources.feed import Feed
from sources.origins.fetched import OriginError
from sources.origins.fetching import fetch_feed
from sources.origins.memory import recall, remember
from tests.sources.origins.api import Api
from warehouse.errors import DeclarationError
from warehouse.project import Project

CURSOR = {"field": "updated_at", "parameter": "since"}
PAGES: dict[str, dict[str, Any]] = {
    "link_header": {"pages": {"by": "link_header"}},
    "link": {"pages": {"by": "link", "field": "paging.next"}, "rows": "data.orders"},
    "cursor": {"pages": {"by": "cursor", "field": "meta.next", "parameter": "cursor"}, "rows": "orders"},
    "offset": {"pages": {"by": "offset", "size": 5}, "rows": "orders"},
    "number": {"pages": {"by": "number"}, "rows": "orders"},
}


def a_feed(api: Api, style: str = "cursor", **changed: Any) -> Feed:
    origin = {"kind": "http", "url": api.url, "query": {"style": style}, "longest_wait_seconds": 0, "attempts": 3}
    origin |= {"cursor": CURSOR} | PAGES[style] | changed
    return Feed.named("orders", kind="messages", mapping="jsonl", origin=origin)


def orders(count: int, *, first: int = 1) -> list[dict[str, Any]]:
    """Two orders share each moment, as they do where clocks tick in seconds."""
    return [
        {"id": number, "updated_at": f"2026-01-01T00:{number // 2:02d}:00Z", "lines": [{"sku": "é"}]}
        for number in range(first, first + count)
    ]


def landed(project: Project) -> list[int]:
    """The ids of all rows that have landed, in order of files and lines."""
    return [row["id"] for _, row in _rows(project)]


def _rows(project: Project) -> Iterator[tuple[Path, dict[str, Any]]]:
    folder = project.landing / "orders"
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.name.startswith("."):
            for line in path.read_text(encoding="utf-8").splitlines():
                yield path, json.loads(line)


@pytest.mark.parametrize("style", PAGES)
def test_every_way_of_paging_brings_every_row_once_and_then_only_what_is_new(
    style: str, api: Api, project: Project, now: datetime
) -> None:
    api.rows = orders(13)
    first = fetch_feed(project, a_feed(api, style), {}, now)
    assert (first.rows, first.files) == (13, ("dt=2026-01-05/rows-000001.jsonl",))
    api.rows += orders(4, first=14)
    second = fetch_feed(project, a_feed(api, style), {}, now + timedelta(days=1))
    assert (second.rows, second.files) == (4, ("dt=2026-01-06/rows-000002.jsonl",))
    assert landed(project) == list(range(1, 18))


def test_a_fetch_that_finds_nothing_new_lands_nothing(api: Api, project: Project, now: datetime) -> None:
    api.rows = orders(3)
    fetch_feed(project, a_feed(api), {}, now)
    assert fetch_feed(project, a_feed(api), {}, now).files == ()
    assert landed(project) == [1, 2, 3]


def test_a_row_that_changes_within_the_moment_seen_last_comes_again(api: Api, project: Project, now: datetime) -> None:
    api.rows = orders(3)
    fetch_feed(project, a_feed(api), {}, now)
    api.rows[-1] = api.rows[-1] | {"note": "paid"}
    assert fetch_feed(project, a_feed(api), {}, now).rows == 1


@pytest.mark.parametrize("trouble", [429, 500, 503, "half"])
def test_a_page_that_fails_is_asked_for_again(trouble: str | int, api: Api, project: Project, now: datetime) -> None:
    api.rows, api.trouble = orders(13), [None, trouble, trouble, None]
    fetch_feed(project, a_feed(api), {}, now)
    assert landed(project) == list(range(1, 14))
    assert len(api.requests) == 5


@pytest.mark.parametrize("trouble", [429, 500, 503, "half", "html"])
def test_an_api_that_keeps_failing_half_way_lands_nothing_and_loses_nothing(
    trouble: str | int, api: Api, project: Project, now: datetime
) -> None:
    api.rows, api.trouble = orders(13), [None, None, *[trouble] * 3]
    with pytest.raises(OriginError):
        fetch_feed(project, a_feed(api), {}, now)
    assert landed(project) == []
    api.trouble = []
    fetch_feed(project, a_feed(api), {}, now)
    assert landed(project) == list(range(1, 14))


def test_a_throttled_fetch_waits_as_long_as_it_is_asked_to_but_not_longer_than_declared(
    api: Api, project: Project, now: datetime
) -> None:
    api.rows, api.trouble = orders(2), [429]
    fetch_feed(project, a_feed(api, longest_wait_seconds=0.01), {}, now)
    assert landed(project) == [1, 2]


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_a_refusal_is_told_with_its_status_and_not_repeated(
    status: int, api: Api, project: Project, now: datetime
) -> None:
    api.trouble = [status]
    with pytest.raises(OriginError, match=str(status)):
        fetch_feed(project, a_feed(api), {}, now)
    assert len(api.requests) == 1


def test_an_api_that_is_not_there_is_told(api: Api, project: Project, now: datetime) -> None:
    with pytest.raises(OriginError, match="does not answer"):
        fetch_feed(project, a_feed(api, url="http://127.0.0.1:1/orders"), {}, now)


def test_a_process_that_died_before_the_file_got_its_name_loses_and_doubles_nothing(
    api: Api, project: Project, now: datetime
) -> None:
    api.rows = orders(7)
    fetch_feed(project, a_feed(api), {}, now)
    after = recall(project, "orders")
    file = project.landing / "orders" / "dt=2026-01-05" / "rows-000001.jsonl"
    _as_before_the_name(project, after.cursor, file)
    api.rows += orders(2, first=8)
    fetch_feed(project, a_feed(api), {}, now + timedelta(days=1))
    assert landed(project) == list(range(1, 10))


def test_a_process_that_died_after_the_file_got_its_name_loses_and_doubles_nothing(
    api: Api, project: Project, now: datetime
) -> None:
    api.rows = orders(7)
    fetch_feed(project, a_feed(api), {}, now)
    _noted_but_not_done(project, recall(project, "orders").cursor)
    fetch_feed(project, a_feed(api), {}, now + timedelta(days=1))
    assert landed(project) == list(range(1, 8))


@pytest.mark.parametrize("rename", [1, 2, 3, 4])
def test_a_process_that_is_gone_before_any_of_its_renames_loses_and_doubles_nothing(
    rename: int, api: Api, project: Project, now: datetime
) -> None:
    api.rows = orders(3)
    fetch_feed(project, a_feed(api), {}, now)
    api.rows += orders(4, first=4)
    child = os.fork()
    if child == 0:
        _fetch_until(rename, lambda: fetch_feed(project, a_feed(api), {}, now))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    api.rows += orders(2, first=8)
    fetch_feed(project, a_feed(api), {}, now + timedelta(days=1))
    assert landed(project) == list(range(1, 10))


def _fetch_until(rename: int, fetch: Callable[[], object]) -> NoReturn:
    """End this process, without a word, when a file is about to get its name for the so many-th time."""
    count, replace = 0, os.replace

    def dying(source: Path, target: Path) -> None:
        nonlocal count
        count += 1
        if count == rename:
            os._exit(9)
        replace(source, target)

    os.replace = dying  # type: ignore[assignment]
    try:
        fetch()
    finally:
        os._exit(0)


def test_a_declaration_that_changes_after_a_process_died_replaces_nothing_that_landed(
    api: Api, project: Project, now: datetime
) -> None:
    api.rows = orders(3)
    fetch_feed(project, a_feed(api), {}, now)
    _noted_but_not_done(project, recall(project, "orders").cursor)
    other = a_feed(api, cursor={"field": "id", "parameter": "since_id"})
    assert fetch_feed(project, other, {}, now).files == ("dt=2026-01-05/rows-000002.jsonl",)
    assert landed(project) == [1, 2, 3, 1, 2, 3]


def _noted_but_not_done(project: Project, cursor: str) -> None:
    from sources.origins.memory import Waiting

    memory = recall(project, "orders")
    memory.cursor, memory.number = "", 0
    memory.waiting = Waiting("dt=2026-01-05/rows-000001.jsonl", "", cursor)
    remember(project, "orders", memory)


def _as_before_the_name(project: Project, cursor: str, file: Path) -> None:
    _noted_but_not_done(project, cursor)
    file.rename(project.landing / "orders" / ".fetched")


def test_without_a_cursor_the_file_is_what_the_api_says_now(api: Api, project: Project, now: datetime) -> None:
    api.rows = orders(4)
    feed = a_feed(api, cursor=None)
    assert fetch_feed(project, feed, {}, now).files == ("rows.jsonl",)
    assert fetch_feed(project, feed, {}, now).unchanged == 1
    api.rows = orders(2)
    assert fetch_feed(project, feed, {}, now).files == ("rows.jsonl",)
    assert landed(project) == [1, 2]


def test_fetching_again_brings_everything_and_replaces_nothing(api: Api, project: Project, now: datetime) -> None:
    api.rows = orders(3)
    fetch_feed(project, a_feed(api), {}, now)
    fetch_feed(project, a_feed(api), {}, now, again=True)
    assert landed(project) == [1, 2, 3, 1, 2, 3]


def test_secrets_are_sent_and_shown_nowhere(api: Api, project: Project, now: datetime) -> None:
    api.rows = orders(3)
    feed = a_feed(api, login={"bearer": "${TOKEN}"}, headers={"X-Api-Key": "${KEY}"}, query={"api_key": "${KEY}"})
    secrets = {"TOKEN": "tok-9f3a", "KEY": "key-77b1"}
    fetch_feed(project, feed, secrets, now)
    assert api.headers[0]["authorization"] == "Bearer tok-9f3a"
    assert api.headers[0]["x-api-key"] == "key-77b1"
    api.trouble = [500] * 3
    with pytest.raises(OriginError) as caught:
        fetch_feed(project, feed, secrets, now)
    told = f"{caught.value!r} {caught.value.__cause__!r} {caught.value.__context__!r} {feed!r} {feed.model_dump()}"
    written = "".join(path.read_text() for path in project.root.rglob("*") if path.is_file())
    assert not [secret for secret in secrets.values() if secret in told + written]


def test_credentials_never_go_to_another_host(api: Api, project: Project, now: datetime) -> None:
    api.rows = orders(13)
    with Api.serving() as other:
        api.elsewhere = other.url
        with pytest.raises(OriginError, match="led to another host"):
            fetch_feed(project, a_feed(api, "link_header", login={"bearer": "${T}"}), {"T": "x"}, now)
        assert other.requests == []


def test_a_variable_that_is_not_set_is_told_before_anything_is_asked(api: Api, project: Project, now: datetime) -> None:
    with pytest.raises(DeclarationError, match=r"config/feeds|made in code.*TOKEN is not set"):
        fetch_feed(project, a_feed(api, login={"bearer": "${TOKEN}"}), {"TOKEN": ""}, now)
    assert api.requests == []
