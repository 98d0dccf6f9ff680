"""The gate: every object is decoded once, strictly, and comes out as columns of what the mapping reads.

The model it decodes with is generated from the source shape. That proves that a line is JSON (the database's own parser
takes trailing commas and NaN), that every place holds a kind of value that statements read as Python would, and shows
fields that nobody mentions: one pass for all. Of equal keys the last counts, as in ``parse_row``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final, TypeAlias, Union

import msgspec
import pyarrow as pa

from sources.evaluation import walk
from sources.globs import is_ignored
from sources.leaves import Segments
from sources.operations.operation import Value
from sources.shape import Node, Standing, stands_in, strangers

if TYPE_CHECKING:
    from sources.line_scan import Numbers
    from sources.scanner import Scanned, Scanner

MOST_UNKNOWN: Final = 300
"""New fields told one by one in a file; an object used as a dictionary would have any number of them."""

_LARGEST: Final = 2**63 - 1
_LEARNT_FROM: Final = 200
"""Lines of a block that are looked at for new fields before the others are gone through again."""

_WORTH_SCANNING: Final = 1 << 20
"""Bytes of lines of one feed for which it pays to wake the compiled pass."""

_FAULTS: Final = (msgspec.MsgspecError, UnicodeError, RecursionError)
_ANY_BUT_NULL: Any = str | int | float | bool | list[Any] | dict[str, Any]
_ANY_SCALAR: Any = str | int | float | bool | None
_Row: TypeAlias = Any  # a struct made for the tree at hand
_Kind: TypeAlias = Any  # a union made of values


@dataclass(frozen=True)
class Opened:
    """Some objects as columns of text by name; ``is_sure``: which of them need no closer look.

    ``unknown``: by field that nobody mentions, in which of the objects it stands.
    """

    columns: dict[str, pa.Array]
    is_sure: list[bool]
    unknown: dict[str, list[bool]]
    plain: pa.Array | None = None
    """Which of the objects hold no control character in these columns; None: nobody looked."""


@dataclass(frozen=True)
class _Place:
    """A seen place: how its value is got out of its parent, and which column its values make.

    ``inside`` decodes what stands in places that are read whole, only to look at it.
    """

    get: Callable[[_Row], Any]
    column: str | None
    is_whole: bool
    model: type[msgspec.Struct] | None
    members: tuple[_Place, ...]
    inside: msgspec.json.Decoder[Any] | None

    def values(self, parents: Sequence[_Row]) -> Iterator[tuple[_Place, list[Any]]]:
        """This place and those below it, each with its value in every row."""
        found = list(map(self.get, parents))
        if self.column is not None:
            yield self, found
        if self.members and self.model is not None and found.count(None) < len(found):
            model, empty = self.model, self.model()
            held = [value if type(value) is model else empty for value in found]
            for member in self.members:
                yield from member.values(held)


def import_scanner() -> None:
    """Import the compiled pass now; otherwise the first lines do."""
    import sources.scanner  # noqa: F401


class Gate:
    """Opens objects, and finds the fields nobody mentions. ``stems``: the places that make columns ``s0``, ``s1`` …"""

    def __init__(
        self,
        root: Node,
        ignore: tuple[str, ...],
        names: frozenset[str] = frozenset(),
        assumed: frozenset[str] = frozenset(),
        stems: Sequence[Segments] = (),
    ) -> None:
        self.root, self.ignore, self.names, self.assumed = root, ignore, names, assumed
        self._columns = {stem: f"s{index}" for index, stem in enumerate(stems)}
        self._unknown: dict[str, tuple[str, ...] | None] = {}
        self._paths: dict[str, Segments] = {}
        self._lines_seen = 0
        self._prepare()

    def _prepare(self) -> None:
        self._model, self._places = self._built(self.root, ())
        self._decoder = msgspec.json.Decoder(self._model)
        self._list = msgspec.json.Decoder(list[self._model])  # type: ignore[name-defined]  # made of values
        self._empty = self._model()
        self._scanner: Scanner | None = None

    def _built(self, node: Node, at: Segments) -> tuple[type[msgspec.Struct], tuple[_Place, ...]]:
        """The strict model of what was seen below a place, and nothing else; and its places."""
        fields: list[tuple[str, Any, Any]] = []
        names: dict[str, str] = {}
        places: list[_Place] = []
        for index, (key, child) in enumerate(node.children.items()):
            if not child.is_seen or not _is_nameable(key):
                continue
            name, path = f"f{index}", (*at, key)
            model, members = self._built(child, path) if child.children else (None, ())
            names[name] = key
            fields.append((name, _kind(child, model), None))
            inside = msgspec.json.Decoder(list[_held(model)]) if model and child.is_whole else None  # type: ignore[misc]  # likewise
            below = () if child.is_whole else members
            if path in self._columns or below:
                column = self._columns.get(path)
                places.append(_Place(attrgetter(name), column, child.is_whole, model, below, inside))
        model = msgspec.defstruct("Source", fields, rename=names, forbid_unknown_fields=True, gc=False)
        return model, tuple(places)

    def open_lines(self, data: bytes | memoryview, count: int) -> Opened | None:
        """All ``count`` lines at once; None when any of them needs a closer look."""
        try:
            rows: list[_Row] = self._decoder.decode_lines(data)
            if len(rows) != count:
                return None
            columns = self._opened(rows)
        except _FAULTS:
            return None
        raws = bytes(data).split(b"\n")[:count] if self._unknown else ()
        return Opened(columns, [True] * count, self._unknown_in(rows, raws))

    def is_worth_scanning(self, size: int) -> bool:
        """Whether so many bytes more of lines are worth waking the compiled pass; a small feed does not wait for it."""
        self._lines_seen += size
        return self._lines_seen >= _WORTH_SCANNING

    def scan_lines(self, data: bytes, offsets: Numbers) -> Scanned | None:
        """Many lines in one pass; what it is not sure of is for ``open_each``. None when that would be most of them.

        What some unsure lines hold for the first time joins the tree before all lines are looked at once more.
        """
        from sources.scanner import scanner_of

        while True:
            if self._scanner is None:
                self._scanner = scanner_of(
                    self.root, self._columns, {name: self._paths[name] for name in self._unknown}
                )
            if self._scanner is None:
                return None
            try:
                scanned = self._scanner.open(data, offsets)
            except _FAULTS:
                return None
            sample = scanned.unsure[:_LEARNT_FROM]
            if not self._learn(data[offsets[line] : offsets[line + 1]] for line in sample):
                return scanned if len(scanned.unsure) <= len(scanned.sure) else None

    def open_each(self, raws: Sequence[bytes]) -> Opened:
        """Objects one by one, after what was never seen before has joined the model."""
        rows = [self._decoded(raw) for raw in raws]
        doubtful = [raw for raw, row in zip(raws, rows, strict=True) if row is None]
        if self._learn(doubtful):
            rows = [self._decoded(raw) for raw in raws]
        try:
            columns = self._opened([row or self._empty for row in rows])
        except _FAULTS:
            self._learn(raws)
            rows = [row if (row := self._decoded(raw)) is not None and self._is_clear(row) else None for raw in raws]
            columns = self._opened([row or self._empty for row in rows])
        return Opened(columns, [row is not None for row in rows], self._unknown_in(rows, raws))

    def open_elements(self, raws: Sequence[bytes]) -> Opened:
        """Objects of a document."""
        try:
            rows: list[_Row] = self._list.decode(b"[%b]" % b",".join(raws))
            columns = self._opened(rows)
        except _FAULTS:
            return self.open_each(raws)
        return Opened(columns, [True] * len(raws), self._unknown_in(rows, raws))

    def _decoded(self, raw: bytes) -> _Row | None:
        try:
            return self._decoder.decode(raw)
        except _FAULTS:
            return None

    def _opened(self, rows: Sequence[_Row]) -> dict[str, pa.Array]:
        """The columns. What is inside of places that are read whole is looked at for all rows at once."""
        columns: dict[str, pa.Array] = {}
        for place, values in (found for top in self._places for found in top.values(rows)):
            if place.column is None:
                continue
            if not place.is_whole:
                columns[place.column] = _texts(values)
                continue
            whole = [None if value is None else _compact(value) for value in values]
            if place.inside is not None:
                place.inside.decode(b"[%b]" % b",".join(value for value in whole if value is not None))
            columns[place.column] = pa.array(whole, pa.large_binary()).cast(pa.large_string())
        return columns

    def _is_clear(self, row: _Row) -> bool:
        try:
            self._opened([row])
        except _FAULTS:
            return False
        return True

    def _learn(self, raws: Iterable[bytes]) -> bool:
        """Fields not seen before join the tree, and those nobody mentions are known from now on; whether there were."""
        is_news = False
        for raw in raws:
            try:
                is_news = self._note(msgspec.json.decode(raw)) or is_news
            except _FAULTS:
                continue
        if not is_news:
            return False
        self._unknown = {name: self._attributes(self._paths[name]) for name in self._unknown}
        self._prepare()
        return True

    def _note(self, value: object) -> bool:
        """Whether some field of an object was never seen before."""
        if not isinstance(value, dict):
            return False
        news: list[Node] = []
        paths = list(strangers(value, self.root, news))
        for path in paths:
            name = ".".join(path)
            standing: Standing = "ignored" if is_ignored(name, self.ignore) else "unknown"
            if standing == "unknown" and len(self._unknown) >= MOST_UNKNOWN:
                standing = "ignored"
            node = self.root
            for part in path:
                node = node.child(part)
            node.standing, node.is_seen = standing, True
            if standing == "unknown":
                self._unknown[name] = None
                self._paths.setdefault(name, path)
        return bool(news or paths)

    def _attributes(self, path: Sequence[str]) -> tuple[str, ...] | None:
        """The attribute names that lead to a place in the model; None of one inside a place that is read whole."""
        found, node = [], self.root
        for name in path:
            if node.is_whole or not _is_nameable(name):
                return None
            found.append(f"f{list(node.children).index(name)}")
            node = node.children[name]
        return tuple(found)

    def _unknown_in(self, rows: Sequence[_Row | None], raws: Sequence[bytes]) -> dict[str, list[bool]]:
        if not self._unknown:
            return {}
        needs_all = None in self._unknown.values()
        plain = [_plain(raw) if needs_all or row is None else None for row, raw in zip(rows, raws, strict=True)]
        found: dict[str, list[bool]] = {}
        for name, places in self._unknown.items():
            path = self._paths[name]
            stands = [
                stands_in(value, path) if row is None or places is None else _stands(row, places)
                for row, value in zip(rows, plain, strict=True)
            ]
            if any(stands):
                found[name] = stands
        return found

    @property
    def unknown(self) -> frozenset[str]:
        """The fields nobody mentions that were met so far."""
        return frozenset(self._unknown)

    def unknown_values(self, row: Value) -> dict[str, Value]:
        """The values of fields nobody mentions in a row decoded to plain values."""
        found = ((name, walk(row, self._paths[name])) for name in list(self._unknown))
        return {name: value for name, value in found if value is not None}

    def path_of(self, name: str) -> Segments:
        """The keys that lead to a field of an object; a column of a flat file is one key."""
        return self._paths.get(name, (name,))

    def unknown_columns(self, names: Sequence[str]) -> list[str]:
        """Which columns of a flat file nobody mentions."""
        return [name for name in names if self.standing_of(name) == "unknown"]

    def standing_of(self, name: str) -> Standing:
        """What the mapping does with a column of a flat file. Its name is taken whole, dots and all."""
        if name in self.names:
            return "mapped"
        return "ignored" if is_ignored(name, self.ignore) else "unknown"


def _is_nameable(key: str) -> bool:
    """Whether a model may have a member of this name; rows with others are looked at one by one."""
    return key.isprintable() and not {'"', "\\"}.intersection(key)


def _kind(node: Node, model: type[msgspec.Struct] | None) -> _Kind:
    if model is not None and not node.is_whole:
        return _held(model)
    if node.kinds is None or node.is_whole:
        return msgspec.Raw if node.may_be_null else _ANY_BUT_NULL
    kind: _Kind = str | int | None if node.may_be_null else str | int
    kind = kind | float if "number" in node.kinds else kind
    return kind | bool if "boolean" in node.kinds else kind


def _held(model: type[msgspec.Struct]) -> _Kind:
    """An object, a list of objects, or no object at all."""
    made: _Kind = model
    return Union[made, list[Union[made, list[Any], _ANY_SCALAR]], _ANY_SCALAR]  # noqa: UP007 - made of values


def _compact(value: Any) -> bytes | None:  # noqa: ANN401 - raw JSON, or what it means
    """JSON without spaces, of equal keys the last."""
    if not isinstance(value, msgspec.Raw):
        return msgspec.json.encode(value)
    text = bytes(value)
    if len(text) <= len(b"null"):
        text = text.strip()
        return None if text == b"null" else text
    return msgspec.json.encode(msgspec.json.decode(text))


def _texts(values: list[Any]) -> pa.Array:
    """Text as it is, numbers and truth values as Python writes them."""
    kinds = set(map(type, values)) - {type(None)}
    if not kinds:
        return pa.nulls(len(values), pa.large_string())
    if kinds == {str}:
        return pa.array(values, pa.large_string())
    if kinds == {int} and max(map(abs, filter(None, values)), default=0) <= _LARGEST:
        return pa.array(values, pa.int64()).cast(pa.large_string())
    return pa.array([_text(value) for value in values], pa.large_string())


def _text(value: Any) -> str | None:  # noqa: ANN401 - a scalar
    if value is None or type(value) is str:
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) else repr(value) if isinstance(value, float) else None


def _plain(raw: bytes) -> object:
    try:
        return msgspec.json.decode(raw)
    except _FAULTS:
        return None


def _stands(row: _Row, places: Sequence[str]) -> bool:
    for index, place in enumerate(places):
        if isinstance(row, list):
            return any(_stands(item, places[index:]) for item in row)
        row = getattr(row, place, None)
        if row is None:
            return False
    return True
