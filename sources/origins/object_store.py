"""Objects of an S3-compatible store become files of the same name below ``landing/<feed>/``.

An object is known by its entity tag, size and time of change, as the listing tells them: what is as before is not
fetched again, what changed replaces its file, what went away is reported and its file stays. The file gets the
object's time of change, so that its batch is the same wherever and whenever it is fetched.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sources.feed_declaration import Feed
from sources.globs import globs_pattern
from sources.origin_declaration import S3Origin
from sources.origins.fetched import Fetched, OriginError, disk_error
from sources.origins.landed_file import whole_file
from sources.origins.memory import Memory, SeenObject, remember
from sources.secret import Secrets, filled
from warehouse.project import Project

if TYPE_CHECKING:
    from obstore.store import S3Store

_CHUNK_BYTES = 4 << 20
_REMEMBER_EVERY = 200
_LONGEST_NAME = 240
_CODE = re.compile(r"<Code>(\w{1,64})</Code>")
_STATUS = re.compile(r"status code: (\d{3})")


@dataclass(frozen=True)
class _Listed:
    """One object of the listing; ``file`` is its path below the prefix."""

    file: str
    seen: SeenObject
    modified: datetime


def fetch_objects(project: Project, feed: Feed, origin: S3Origin, secrets: Secrets, memory: Memory) -> Fetched:
    """Fetch what is new or changed. ``memory`` is written down as files land, so that a stopped fetch goes on.

    Raises:
        OriginError: the store cannot be reached, refuses, or an object cannot be fetched.
    """
    folder = project.landing / feed.name
    store = _store(origin, secrets)
    wanted = _Wanted(feed.files)
    listed, refused = _split(wanted.only(_listing(store, origin)))
    changed = [item for item in listed if memory.objects.get(item.file) != item.seen or not _is_there(folder, item)]
    for batch in _batches(changed, _REMEMBER_EVERY):
        _fetch_all(store, origin, folder, batch, memory)
        remember(project, feed.name, memory)
    gone = _note_gone(memory, {item.file for item in listed})
    return Fetched(
        feed=feed.name,
        files=tuple(item.file for item in changed),
        bytes=sum(item.seen.size for item in changed),
        unchanged=len(listed) - len(changed),
        gone=gone,
        refused=tuple(refused),
    )


def _store(origin: S3Origin, secrets: Secrets) -> S3Store:
    from obstore.store import S3Store

    options: dict[str, Any] = {"region": origin.region}
    if origin.access_key and origin.secret_key:
        options["access_key_id"] = filled(origin.access_key, secrets)
        options["secret_access_key"] = filled(origin.secret_key, secrets)
    if origin.session_token:
        options["session_token"] = filled(origin.session_token, secrets)
    if origin.anonymous:
        options["skip_signature"] = True
    if origin.endpoint:
        options |= {"endpoint": origin.endpoint, "virtual_hosted_style_request": False}
    return S3Store(
        origin.bucket,
        prefix=origin.prefix,
        client_options={"allow_http": (origin.endpoint or "").startswith("http://"), "timeout": "10m"},
        retry_config={"max_retries": 6, "retry_timeout": timedelta(minutes=5)},
        **options,
    )


def _listing(store: S3Store, origin: S3Origin) -> Iterator[_Listed]:
    import obstore

    try:
        for page in obstore.list(store, chunk_size=1000):
            for item in page:
                modified = item["last_modified"]
                seen = SeenObject(item["e_tag"], item["size"], modified.isoformat())
                yield _Listed(str(item["path"]), seen, modified)
    except Exception as error:  # noqa: BLE001 - told below in our own words: theirs repeat requests
        failure = _told(error, f"s3://{origin.bucket} could not be listed")
    else:
        return
    raise failure


class _Wanted:
    """The objects that the feed's globs name."""

    def __init__(self, globs: Sequence[str]) -> None:
        self._pattern = globs_pattern(globs)

    def only(self, listed: Iterator[_Listed]) -> Iterator[_Listed]:
        """Leave out folder markers, hidden names, and what no glob names."""
        for item in listed:
            parts = item.file.split("/")
            is_hidden = any(part.startswith((".", "_")) and part != ".." for part in parts)
            if not is_hidden and not item.file.endswith("/") and self._pattern.fullmatch(item.file):
                yield item


def _split(listed: Iterator[_Listed]) -> tuple[list[_Listed], list[str]]:
    """Objects that can be files, by name, and the names of those that cannot."""
    found = sorted(listed, key=lambda item: item.file)
    folders = {parent.as_posix() for item in found for parent in Path(item.file).parents}
    fit = [item for item in found if _can_be_file(item.file) and item.file not in folders]
    names = {item.file for item in fit}
    return fit, [item.file for item in found if item.file not in names]


def _can_be_file(name: str) -> bool:
    parts = name.split("/")
    return all(0 < len(part.encode()) <= _LONGEST_NAME and part not in {".", ".."} for part in parts) and (
        "\0" not in name and "\\" not in name
    )


def _is_there(folder: Path, item: _Listed) -> bool:
    return (folder / item.file).is_file()


def _batches(items: Sequence[_Listed], size: int) -> Iterator[list[_Listed]]:
    remaining = iter(items)
    while batch := list(islice(remaining, size)):
        yield batch


def _fetch_all(store: S3Store, origin: S3Origin, folder: Path, batch: Sequence[_Listed], memory: Memory) -> None:
    with ThreadPoolExecutor(origin.parallel, thread_name_prefix="fetch") as pool:
        try:
            for item, seen in zip(batch, pool.map(lambda item: _fetch(store, folder, item), batch), strict=True):
                memory.objects[item.file] = seen
        except OriginError:
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def _fetch(store: S3Store, folder: Path, item: _Listed) -> SeenObject:
    """Fetch one object. It may have changed since it was listed: what came is what is remembered."""
    import obstore

    try:
        answer = obstore.get(store, item.file)
        size = 0
        with whole_file(folder / item.file) as file:
            for chunk in answer.stream(min_chunk_size=_CHUNK_BYTES):
                size += file.write(chunk)
            meta = answer.meta
            _hold_size(size, meta["size"])
            seconds = meta["last_modified"].timestamp()
            file.flush()
            os.utime(file.fileno(), (seconds, seconds))
    except Exception as error:  # noqa: BLE001 - told below in our own words: theirs repeat requests
        failure = _told(error, f"The object {item.file} could not be fetched")
    else:
        return SeenObject(meta["e_tag"], size, meta["last_modified"].isoformat())
    raise failure


class _ShortError(Exception):
    """The connection ended before the object did."""


def _hold_size(written: int, declared: int) -> None:
    if written != declared:
        raise _ShortError


def _note_gone(memory: Memory, listed: set[str]) -> tuple[str, ...]:
    """The objects that are no longer listed; noted once, so that one that returns unchanged is fetched again."""
    gone = sorted(name for name, seen in memory.objects.items() if name not in listed)
    for name in gone:
        seen = memory.objects[name]
        memory.objects[name] = SeenObject(seen.tag, seen.size, seen.modified, is_gone=True)
    return tuple(gone)


def _told(error: Exception, what: str) -> OriginError:
    text = str(error)
    code, status = _CODE.search(text), _STATUS.search(text)
    if isinstance(error, OriginError):
        return error
    if isinstance(error, _ShortError):
        return OriginError(f"{what}: the connection ended before it did.", "Fetch again; what came before is kept.")
    if (of_the_disk := disk_error(error)) is not None:
        return of_the_disk
    if code or status:
        said = " ".join(part for part in (status and status.group(1), code and code.group(1)) if part)
        return OriginError(f"{what}: the store answered {said}.", "Check bucket, region, keys and their rights.")
    return OriginError(f"{what}: the store does not answer.", "Check endpoint, region and network, then fetch again.")
