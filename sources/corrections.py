"""``config/corrections/*.yml``: source rows that are read otherwise than they arrived, with who decided it and why.

Corrections are configuration: they are applied each time a file is read, landing files stay as they are, and a rebuild
gives the same tables. They are applied in the order of the files' names and of the entries, each to what the one before
it left. A file is read again when the corrections that may concern it change.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Final

from pydantic import Field, JsonValue

from sources.feed import declared_names
from sources.feed_declaration import Feed
from sources.mapped_feed import MappedFeed, map_feed, source_paths
from warehouse.declaration import (
    Declaration,
    Location,
    Problems,
    Reading,
    Text,
    as_meant,
    parse_partly,
    read_partly,
    suggestion,
)
from warehouse.errors import DeclarationError, InputError, Problem
from warehouse.misfit import Misfit
from warehouse.project import Project

FOLDER: Final = "corrections"

Word = str | int | bool | None
Words = dict[Annotated[str, Field(min_length=1)], Word | tuple[Word, ...]]

_CHANGES: Final = ("set", "replace", "lookup", "remove", "becomes")
_PLACES: Final = ("batch", "file", "row", "quarantine_id", "content", "raw_contains", "where")
_NAMING: Final = tuple(place for place in _PLACES if place != "row")
"""What says by itself which rows are meant."""
_NOT_READ: Final = {"author", "on", "why"}
"""What says nothing about how a row is read."""


class Correction(Declaration):
    """One entry: which rows of a feed, what to do with them, and who says so."""

    feed: Text = Field(description="The feed that brings the rows.")
    batch: date | None = Field(None, description="Only rows of the batch of this day.")
    file: Text | None = Field(None, description="Only rows of this file, a path below landing/<feed>/.")
    row: int | None = Field(None, ge=0, description="Only this row of the file, counted as quarantine counts.")
    quarantine_id: Text | None = Field(
        None, description="Only the row of this id. Name its file too, else all files of the feed are read again."
    )
    content: Text | None = Field(
        None, description="Only while the row's text is this one; see `cdp quarantine show ID --json`."
    )
    where: Words = Field(default_factory=dict, description="Source field → its value, or several; null: it is absent.")
    raw_contains: str | None = Field(None, min_length=1, description="Only rows whose text contains this.")
    set: dict[str, JsonValue] = Field(default_factory=dict, description="Source field → its value from now on.")
    replace: dict[str, dict[str, str]] = Field(
        default_factory=dict, description="Source field → part of its text → what stands there instead."
    )
    lookup: dict[str, dict[str, JsonValue]] = Field(
        default_factory=dict, description="Source field → its value → what it is instead; other values stay."
    )
    remove: tuple[Text, ...] = Field((), description="Source fields that are taken out.")
    becomes: dict[str, JsonValue] | None = Field(
        None, description="The whole row, in place of one that cannot be read at all."
    )
    author: Text = Field(description="Who decided it.")
    on: date = Field(description="When.")
    why: Text = Field(description="Why.")

    def misfits(self) -> Iterator[Misfit]:
        """It says which rows, and what becomes of them."""
        if self.row is not None and self.file is None:
            fix = "Add `file:`: a row is counted inside its file."
            yield Misfit("`row` needs `file`", fix, _places("row"), _places("file"))
        if not (self.set or self.replace or self.lookup or self.remove or self.becomes is not None):
            yield Misfit("nothing is corrected", f"Add one of {', '.join(_CHANGES)}.", _places(*_CHANGES))
        if not self.names_rows and (self.set or self.remove or self.becomes is not None):
            what, fix = "it would change every row of the feed", "Say which, by `file` and `row`, or by `where`."
            yield Misfit(what, fix, _places(*_CHANGES, *_PLACES), _places(*_NAMING))
        elif self.becomes is not None and self.row is None and self.quarantine_id is None:
            fix = "Name its `file` and `row`, or its `quarantine_id`."
            yield Misfit("`becomes` is for one row", fix, _places("becomes", *_PLACES), _places("row", "quarantine_id"))

    @property
    def names_rows(self) -> bool:
        """Whether it says which rows it is about; `replace` and `lookup` say so by the values they name."""
        named = (self.batch, self.file, self.quarantine_id, self.content, self.raw_contains)
        return bool(self.where) or any(item is not None for item in named)

    @property
    def targets(self) -> tuple[str, ...]:
        """The source fields that it changes."""
        return (*self.set, *self.replace, *self.lookup, *self.remove)

    def concerns(self, file: str, batch_on: date) -> bool:
        """Whether it may be about rows of a file."""
        return self.file in {None, file} and self.batch in {None, batch_on}

    @property
    def read_as(self) -> str:
        """What it says about how rows are read, as text."""
        return self.model_dump_json(exclude=_NOT_READ, exclude_defaults=True)


def _places(*keys: str) -> tuple[Location, ...]:
    return tuple((key,) for key in keys)


class CorrectionFile(Declaration):
    """One file of ``config/corrections/``."""

    corrections: tuple[Correction, ...] = Field((), description="The entries, in the order in which they are applied.")


@dataclass(frozen=True)
class FeedCorrections:
    """The corrections of one feed, in order."""

    declaration_hash: str
    entries: tuple[Correction, ...] = ()

    def of_file(self, file: str, batch_on: date) -> tuple[Correction, ...]:
        """Those that may be about rows of a file."""
        return tuple(entry for entry in self.entries if entry.concerns(file, batch_on))

    def hash_of(self, file: str, batch_on: date) -> str:
        """Changes when the feed's declarations, or the corrections of this file, would read it differently."""
        found = self.of_file(file, batch_on)
        if not found:
            return self.declaration_hash
        text = "\n".join([self.declaration_hash, *(entry.read_as for entry in found)])
        return hashlib.sha256(text.encode()).hexdigest()


def corrections_of(project: Project, mapped: MappedFeed) -> FeedCorrections:
    """The corrections of one feed.

    Raises:
        DeclarationError: a file of corrections is wrong.
    """
    problems = Problems()
    files = [reading.declaration for reading in _files(project, problems) if reading.declaration is not None]
    entries = [entry for file in files for entry in file.corrections if entry.feed == mapped.feed.name]
    problems.raise_if_any()
    return FeedCorrections(mapped.declaration_hash, tuple(entries))


def check_corrections(project: Project, feeds: Mapping[str, Feed], problems: Problems) -> None:
    """Add everything that is wrong with the corrections of a project, also between them and its feeds.

    Of a feed that is declared but not right, and so not among ``feeds``, nothing can be said but that it exists.
    """
    _check(_files(project, problems), feeds, problems, declared_names(project))


def check_text(text: str, shown_as: str, feeds: Mapping[str, Feed]) -> int:
    """Refuse a text that would be no good file of corrections; how many entries it has.

    Raises:
        DeclarationError: with everything that is wrong.
    """
    problems = Problems()
    reading = parse_partly(text, CorrectionFile, problems, shown_as=shown_as)
    _check([reading], feeds, problems)
    problems.raise_if_any()
    return len(reading.declaration.corrections) if reading.declaration is not None else 0


def check_option(option: str, target: str, feed: Feed) -> None:
    """Refuse a field that an option of a command names and its feed does not read.

    Raises:
        InputError: nothing would change; the nearest name is told.
    """
    known = _SourceFields.of(feed)
    if known is not None and not known.has(target):
        what = f"{option} {target}: feed {feed.name} reads no source field of this name, so nothing would change."
        raise InputError(what, suggestion(target, sorted(known.names)))


def _check(
    readings: Iterable[Reading[CorrectionFile]],
    feeds: Mapping[str, Feed],
    problems: Problems,
    declared: Collection[str] = (),
) -> None:
    fields: dict[str, _SourceFields | None] = {}
    for reading in readings:
        for index, entry in enumerate(reading.declaration.corrections if reading.declaration else ()):
            at: Location = ("corrections", index)
            if reading.lacks(*at, "feed"):
                continue
            names = {*feeds, *declared}
            if entry.feed not in names:
                what = f"`{entry.feed}` is not a feed of this project."
                _add(reading, (*at, "feed"), what, suggestion(entry.feed, names), problems)
            feed = as_meant(entry.feed, names) or ""
            if feed in feeds and feed not in fields:
                fields[feed] = _SourceFields.of(feeds[feed])
            known = fields.get(feed)
            if known is not None:
                _check_targets(entry, at, feed, known, reading, problems)


def _check_targets(
    entry: Correction,
    at: Location,
    feed: str,
    known: _SourceFields,
    reading: Reading[CorrectionFile],
    problems: Problems,
) -> None:
    for key in ("set", "replace", "lookup", "remove"):
        for place, target in enumerate(getattr(entry, key)):
            inside = (*at, key, place if key == "remove" else target)
            if not known.has(target) and not (key == "remove" and reading.lacks(*inside)):
                what = f"`{target}` is no source field that feed {feed} reads, so nothing would change."
                _add(reading, inside, what, suggestion(target, sorted(known.names)), problems)


def _add(reading: Reading[CorrectionFile], at: Location, what: str, fix: str, problems: Problems) -> None:
    assert reading.declaration is not None, "it is about one of its entries"
    problems.add(reading.declaration.declared_in, reading.declaration.line_of(*at), what, fix)


@dataclass(frozen=True)
class _SourceFields:
    """The source fields that a feed reads; below each there may be more."""

    names: frozenset[str] = field(default_factory=frozenset)

    @classmethod
    def of(cls, feed: Feed) -> _SourceFields | None:
        """None when any field may be read, or the feed itself is wrong (which is told elsewhere)."""
        if feed.on_new_column == "keep":
            return None
        try:
            return cls(frozenset(path.text for path in source_paths(map_feed(feed))))
        except DeclarationError:
            return None

    def has(self, target: str) -> bool:
        """Whether changing the field can change what is read."""
        return any(
            target == name or target.startswith(f"{name}.") or name.startswith(f"{target}.") for name in self.names
        )


def _files(project: Project, problems: Problems) -> Iterator[Reading[CorrectionFile]]:
    folder = project.config / FOLDER
    for path in sorted(folder.glob("*.yml")) if folder.is_dir() else []:
        status = path.stat()
        reading, wrong = _read(path, status.st_mtime_ns, status.st_size)
        problems.found.extend(wrong)
        yield reading


@lru_cache(maxsize=256)
def _read(path: Path, modified_ns: int, size: int) -> tuple[Reading[CorrectionFile], tuple[Problem, ...]]:  # noqa: ARG001 - part of the key
    """A file as it lies there: every feed of a run asks for all of them."""
    problems = Problems()
    reading = read_partly(path, CorrectionFile, problems, shown_as=f"config/{FOLDER}/{path.name}")
    return reading, tuple(problems.found)


def described(entry: Correction) -> tuple[str, str]:
    """Who declared it, and why, as a row's history tells it."""
    return entry.author, f"corrected: {entry.why} ({entry.on})"
