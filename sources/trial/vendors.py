"""How well each mapping of the house explains a file: the share of its fields it knows, and of its rows it accepts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Mapping as Fields
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from quality.contracts.check import Accepted
from sources.expression import element_paths, paths_of
from sources.feed_declaration import Feed
from sources.globs import is_ignored
from sources.mapped_feed import MappedFeed, map_feed, source_paths
from sources.mapping import Mapping, mapping_ids, read_mapping
from sources.operations.operation import Value
from sources.trial.form import FileForm
from sources.trial.sample import SourceRow, judge_rows, read_rows
from warehouse.errors import DeclarationError

_TRIED_ROWS: Final = 40
_LEAST_NAMES: Final = 2
_LEAST_READ: Final = 0.15
"""A mapping that reads less of a file has met names that many files have, such as ``id``."""
_SETTINGS: Final = ("time_zone", "country", "currency")


@dataclass(frozen=True)
class Candidate:
    """A mapping that was tried on a file. ``explained``: share of the file's fields that it reads or leaves out on
    purpose; ``read``: share that it reads; ``found``: share of the contract fields it fills from source fields that
    the file gives an accepted row, on average; ``known``: share of the fields it reads that the file has."""

    mapping: str
    kind: str
    feed: Feed
    rows: int
    accepted: int
    explained: float
    read: float
    found: float
    known: float

    @property
    def score(self) -> float:
        """Between 0 and 1: the share of rows accepted, of how much of the file is understood, and of how much of what
        the mapping could tell the file does tell. What is always the same, or the feed's to say, counts nothing."""
        if not self.rows or not self.accepted:
            return 0.0
        return self.accepted / self.rows * (self.explained + self.read) / 2 * (1 + self.found) / 2


def vendor_candidates(path: Path, form: FileForm, settings: Fields[str, str | None]) -> list[Candidate]:
    """Every mapping that reads some part of the file, the best first."""
    tried = [found for name in mapping_ids() if (found := _tried(path, form, name, settings)) is not None]
    return sorted(
        (item for item in tried if item.read >= _LEAST_READ),
        key=lambda item: (-item.score, -item.explained, -item.known, item.mapping),
    )


def feed_for(name: str, kind: str, mapping: str, form: FileForm, **declared: object) -> Feed:
    """A feed of files of this form."""
    known = read_mapping(mapping)
    is_natural = form.format in {known.format, *known.also} or {known.format, form.format} <= {"json", "jsonl"}
    written = {
        "format": None if is_natural else form.format,
        "encoding": form.encoding,
        "delimiter": form.delimiter,
    }
    kept = {key: value for key, value in (written | declared).items() if value}
    return Feed.named(name, kind=kind, mapping=mapping, **kept)


def _tried(path: Path, form: FileForm, name: str, settings: Fields[str, str | None]) -> Candidate | None:
    mapping = read_mapping(name)
    if mapping.kind is None or not mapping.fields or not _may_have(mapping, form):
        return None
    if form.format in {"csv", "tsv"} and (form.has_header == bool(mapping.columns)):
        return None
    if mapping.columns and len(mapping.columns) != form.width:
        return None
    try:
        feed = feed_for("trial", mapping.kind, name, form, **settings)
        mapped = map_feed(feed)
    except DeclarationError:
        return None
    if not _may_read(mapped, form):
        return None
    rows = read_rows(path, mapped, _TRIED_ROWS)
    if len(_read_names(mapped) & set(_names_of(rows))) < _LEAST_NAMES:
        return None
    return _candidate(name, mapped, rows)


def _may_have(mapping: Mapping, form: FileForm) -> bool:
    """Whether files of the mapping may be of this form, as they are or as the table that the vendor exports."""
    if form.is_flat and mapping.table is not None:
        return True
    return bool(set(form.alike) & {mapping.format, *mapping.also})


def _may_read(mapped: MappedFeed, form: FileForm) -> bool:
    """Whether names that the mapping reads stand in the file at all: asked first, because it costs next to nothing."""
    if not form.head or not form.has_header:
        return True
    head = form.head.casefold()
    stems = {name if form.is_flat else name.partition(".")[0] for name in _read_names(mapped)}
    stems |= set(mapped.headings) if form.is_flat else set()
    return sum(name.casefold() in head for name in stems) >= _LEAST_NAMES


def _candidate(name: str, mapped: MappedFeed, rows: Sequence[SourceRow]) -> Candidate:
    judged = list(judge_rows(mapped, rows))
    accepted = [item.verdict for item in judged if isinstance(item.verdict, Accepted)]
    drawn = [name for name, item in mapped.fields.items() if next(paths_of(item), None)]
    found = sum(sum(verdict.values.get(name) is not None for name in drawn) for verdict in accepted)
    names = set(_names_of(rows))
    read = _read_names(mapped)
    return Candidate(
        mapping=name,
        kind=mapped.kind,
        feed=mapped.feed,
        rows=len(judged),
        accepted=len(accepted),
        explained=explained(mapped, rows),
        read=len(names & read) / max(1, len(names)),
        found=found / max(1, len(accepted) * len(drawn)),
        known=len(names & read) / max(1, len(read)),
    )


def explained(mapped: MappedFeed, rows: Sequence[SourceRow]) -> float:
    """The share of the fields in these rows that the mapping reads or leaves out on purpose."""
    names = set(_names_of(rows))
    read = _read_names(mapped)
    known = [name for name in names if name in read or is_ignored(name, mapped.ignore)]
    return len(known) / len(names) if names else 0.0


def unread_names(mapped: MappedFeed, rows: Sequence[SourceRow]) -> list[str]:
    """The fields in these rows that nobody mentions."""
    read = _read_names(mapped)
    return [name for name in dict.fromkeys(_names_of(rows)) if name not in read and not is_ignored(name, mapped.ignore)]


def _read_names(mapped: MappedFeed) -> set[str]:
    """The paths that are read, and all places above them; of those inside lists without an index."""
    found: set[str] = set()
    paths = [path.text for path in source_paths(mapped)]
    for expression in (*mapped.fields.values(), *mapped.rows.values()):
        paths += [f"{each.text}.{inner.text}" for each, inner in element_paths(expression)]
    for path in paths:
        found.add(path)
        if set(mapped.forms) & {"json", "jsonl"}:
            found.add(".".join(part for part in path.split(".") if not part.isdecimal()))
    return found


def _names_of(rows: Sequence[SourceRow]) -> Iterator[str]:
    """The fields that hold something, as paths; those of objects in lists stand below the list."""
    for row in rows:
        yield from _leaves(row.value, "")


def _leaves(value: Value, at: str) -> Iterator[str]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _leaves(inner, f"{at}.{key}" if at else key)
    elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
        for item in value:
            yield from _leaves(item, at)
    elif at and value is not None and value != "" and value != [] and value != {}:
        yield at
