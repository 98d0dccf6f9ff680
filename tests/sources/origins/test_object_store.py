"""Objects of an S3-compatible store become landing files: new ones, changed ones, and no others."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest

from sources.feed import Feed
from sources.landing import discover
from sources.origins.fetched import OriginError
from sources.origins.fetching import fetch_feed
from warehouse.project import Project

KEYS = {"KEY": "test-key", "SECRET": "test-secret-51d0"}


class Bucket:
    """A bucket of its own for a test."""

    def __init__(self, address: str) -> None:
        import urllib.request

        from obstore.store import S3Store

        self.address, self.name = address, f"exports-{uuid4().hex[:12]}"
        request = urllib.request.Request(f"{address}/{self.name}", method="PUT")
        urllib.request.urlopen(request).close()
        options: dict[str, Any] = {"allow_http": True}
        self._store = S3Store(
            self.name,
            endpoint=address,
            region="us-east-1",
            access_key_id="test-key",
            secret_access_key="test-secret",
            client_options=options,
        )

    def put(self, key: str, content: bytes) -> None:
        import obstore

        obstore.put(self._store, key, content)

    def delete(self, key: str) -> None:
        import obstore

        obstore.delete(self._store, key)

    def feed(self, **changed: Any) -> Feed:
        origin = {
            "kind": "s3",
            "url": f"s3://{self.name}/shop/orders",
            "endpoint": self.address,
            "access_key": "${KEY}",
            "secret_key": "${SECRET}",
        }
        return Feed.named("orders", kind="messages", mapping="jsonl", **({"origin": origin} | changed))


@pytest.fixture
def bucket(s3_server: str) -> Bucket:
    return Bucket(s3_server)


def content(project: Project) -> dict[str, bytes]:
    folder = project.landing / "orders"
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_new_objects_are_fetched_under_their_names_and_unchanged_ones_are_not_again(
    bucket: Bucket, project: Project, now: datetime
) -> None:
    bucket.put("shop/orders/dt=2026-01-04/a.jsonl", b"1\n")
    bucket.put("shop/orders/dt=2026-01-04/with blank é.jsonl", b"2\n")
    bucket.put("shop/customers/dt=2026-01-04/a.jsonl", b"not mine")
    first = fetch_feed(project, bucket.feed(), KEYS, now)
    assert content(project) == {"dt=2026-01-04/a.jsonl": b"1\n", "dt=2026-01-04/with blank é.jsonl": b"2\n"}
    bucket.put("shop/orders/dt=2026-01-05/b.jsonl", b"3\n")
    second = fetch_feed(project, bucket.feed(), KEYS, now)
    assert (len(first.files), first.bytes) == (2, 4)
    assert (second.files, second.unchanged) == (("dt=2026-01-05/b.jsonl",), 2)


def test_a_changed_object_replaces_its_file(bucket: Bucket, project: Project, now: datetime) -> None:
    bucket.put("shop/orders/a.jsonl", b"old\n")
    fetch_feed(project, bucket.feed(), KEYS, now)
    bucket.put("shop/orders/a.jsonl", b"new\n")
    assert fetch_feed(project, bucket.feed(), KEYS, now).files == ("a.jsonl",)
    assert content(project) == {"a.jsonl": b"new\n"}


def test_an_object_that_went_away_is_reported_and_its_file_stays(
    bucket: Bucket, project: Project, now: datetime
) -> None:
    bucket.put("shop/orders/a.jsonl", b"1\n")
    fetch_feed(project, bucket.feed(), KEYS, now)
    bucket.delete("shop/orders/a.jsonl")
    assert fetch_feed(project, bucket.feed(), KEYS, now).gone == ("a.jsonl",)
    assert content(project) == {"a.jsonl": b"1\n"}


def test_only_what_the_globs_name_is_fetched_and_never_markers_or_hidden_names(
    bucket: Bucket, project: Project, now: datetime
) -> None:
    for key in ("dt=2026-01-04/a.jsonl", "dt=2026-01-04/a.csv", "dt=2026-01-04/_SUCCESS", "x/dt=2026-01-04/a.jsonl"):
        bucket.put(f"shop/orders/{key}", b"1\n")
    fetch_feed(project, bucket.feed(files=["dt=*/*.jsonl"]), KEYS, now)
    assert list(content(project)) == ["dt=2026-01-04/a.jsonl"]


def test_a_name_that_is_both_file_and_folder_is_refused_and_told(
    bucket: Bucket, project: Project, now: datetime
) -> None:
    bucket.put("shop/orders/a", b"1\n")
    bucket.put("shop/orders/a/b.jsonl", b"2\n")
    assert fetch_feed(project, bucket.feed(), KEYS, now).refused == ("a",)
    assert content(project) == {"a/b.jsonl": b"2\n"}


def test_the_batch_of_an_object_is_the_day_it_was_changed_wherever_it_is_fetched(
    bucket: Bucket, project: Project, now: datetime
) -> None:
    bucket.put("shop/orders/a.jsonl", b"1\n")
    fetch_feed(project, bucket.feed(), KEYS, now)
    (file,) = discover(project, bucket.feed())
    again = Project(project.root.parent / "other")
    fetch_feed(again, bucket.feed(), KEYS, now)
    (same,) = discover(again, bucket.feed())
    assert file.modified_ns == same.modified_ns


def test_a_file_that_was_lost_is_fetched_again(bucket: Bucket, project: Project, now: datetime) -> None:
    bucket.put("shop/orders/a.jsonl", b"1\n")
    fetch_feed(project, bucket.feed(), KEYS, now)
    (project.landing / "orders" / "a.jsonl").unlink()
    assert fetch_feed(project, bucket.feed(), KEYS, now).files == ("a.jsonl",)


def test_a_bucket_that_is_not_there_is_told_without_a_secret(s3_server: str, project: Project, now: datetime) -> None:
    origin = {"kind": "s3", "url": "s3://nowhere-at-all", "endpoint": s3_server}
    origin |= {"access_key": "${KEY}", "secret_key": "${SECRET}"}
    feed = Feed.named("orders", kind="messages", mapping="jsonl", origin=origin)
    with pytest.raises(OriginError, match="NoSuchBucket") as caught:
        fetch_feed(project, feed, KEYS, now)
    assert KEYS["SECRET"] not in f"{caught.value!r} {caught.value.__context__!r} {feed!r}"
