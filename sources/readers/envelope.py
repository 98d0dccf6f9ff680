"""What vendors wrap their objects in: pages, webhooks, deliveries; and objects that stand inside objects.

An envelope is an object that holds others under one of the keys a mapping names. It is opened as often as there is one
inside: a delivery of a page of events. What is read out of the envelope itself (``_envelope.created``), out of the
object around (``_parent.id``), of another list of the page (``author``), and the day of the batch (``_batch_on``) is
put into each object, so that a row is complete in itself, in quarantine too.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final, TypeAlias

import msgspec

from sources.evaluation import walk
from sources.mapped_feed import MappedFeed, source_paths
from sources.mapping import Attached
from sources.operations.operation import Value, text_of

AROUND: Final = "_envelope"
PARENT: Final = "_parent"
BATCH_DAY: Final = "_batch_on"

_DEEPEST: Final = 8
_SPACE: Final = b" \t\r\n"

Members: TypeAlias = dict[str, msgspec.Raw]
Chain: TypeAlias = tuple["_Opened", ...]


@dataclass(frozen=True)
class Envelope:
    """How the objects of one mapping are taken out of what they come in."""

    keys: tuple[tuple[str, ...], ...] = ()
    nested: tuple[tuple[str, ...], ...] = ()
    attached: Mapping[str, Attached] = field(default_factory=dict)
    page: frozenset[str] = frozenset()
    values: Mapping[str, str] = field(default_factory=dict)
    around: tuple[tuple[str, ...], ...] = ()
    parent: tuple[tuple[str, ...], ...] = ()
    batch_on: date | None = None

    @classmethod
    def of(cls, mapped: MappedFeed, batch_on: date | None = None) -> Envelope:
        """The envelope of a feed, in a batch."""
        read = [path.segments for path in source_paths(mapped)]
        return cls(
            keys=tuple(tuple(key.split(".")) for key in mapped.envelope),
            nested=tuple(tuple(path.split(".")) for path in mapped.nested),
            attached=mapped.attach,
            page=frozenset(mapped.page),
            values=mapped.values,
            around=tuple(path[1:] for path in read if path[0] == AROUND and len(path) > 1),
            parent=tuple(path[1:] for path in read if path[0] == PARENT and len(path) > 1),
            batch_on=batch_on if (BATCH_DAY,) in read else None,
        )

    @property
    def is_plain(self) -> bool:
        """Whether nothing can be inside anything, and nothing is put into objects."""
        return not (self.keys or self.nested or self.page or self.values or self.batch_on)

    @property
    def changes_objects(self) -> bool:
        """Whether an object that is known through and through may still be more than itself."""
        return bool(self.nested or self.batch_on)

    def key_names(self) -> Iterator[str]:
        """The names under which a list of objects may stand."""
        return (key[-1] for key in self.keys)

    def objects(self, raw: bytes, *, is_document: bool = False) -> list[bytes]:
        """The objects in ``raw``, itself when it is one. In a document, a null or missing list is an empty one.

        Raises:
            msgspec.MsgspecError, UnicodeDecodeError, RecursionError: it is no JSON.
        """
        if self.is_plain or not self._may_hold(raw):
            return [self._dated(raw)]
        return list(self._opened(raw, (), is_document=is_document))

    def _may_hold(self, raw: bytes) -> bool:
        """Not certain, but cheap."""
        if raw[:1] != b"{":
            return False
        named = (*(key[-1] for key in (*self.keys, *self.nested)), *self.values.values())
        return bool(self.page) or any(f'"{name}"'.encode() in raw for name in named)

    def _opened(self, raw: bytes, chain: Chain, *, is_document: bool = False) -> Iterator[bytes]:
        raw = raw.strip(_SPACE)
        if raw[:1] != b"{" or len(chain) > _DEEPEST:
            yield self._placed(raw, chain)
            return
        members: Members = msgspec.json.decode(raw, type=Members)
        inside = self._inside(members, is_document=is_document)
        if inside is None:
            yield from self._with_nested(raw, members, chain)
            return
        around = (_Opened(members), *chain)
        for item in inside:
            yield from self._opened(item, around)

    def _inside(self, members: Members, *, is_document: bool) -> list[bytes] | None:
        """The objects an envelope holds; None when it is none."""
        found: list[bytes] = []
        taken: list[tuple[str, ...]] = []
        for key in self.keys:
            if any(longer[: len(key)] == key for longer in taken):
                continue
            held = _held(members, key, takes_null=is_document)
            if held is not None:
                taken.append(key)
                found += held
        if taken:
            return found
        return [] if members and self.page.issuperset(members) else None

    def _with_nested(self, raw: bytes, members: Members, chain: Chain) -> Iterator[bytes]:
        """An object, then those inside it, each after the one it stands in."""
        yield self._placed(raw, chain)
        for path in self.nested:
            for item in _held(members, path, takes_null=True) or ():
                inner = _with_member(item, PARENT, _picked([_Opened(members)], self.parent))
                yield from self._opened(inner, chain)

    def _placed(self, raw: bytes, chain: Chain) -> bytes:
        """The object with what belongs to it."""
        raw = self._valued(raw)
        if not chain or raw[:1] != b"{":
            return self._dated(raw)
        raw = _with_member(raw, AROUND, _picked(chain, self.around))
        for name, attached in self.attached.items():
            raw = _with_member(raw, name, _partner(raw, attached, chain))
        return self._dated(raw)

    def _valued(self, raw: bytes) -> bytes:
        """The object with the values of its members, where those stand in objects of their own."""
        for name, inner in self.values.items():
            if raw[:1] != b"{" or f'"{inner}"'.encode() not in raw:
                continue
            members: Members = msgspec.json.decode(raw, type=Members)
            held = bytes(members.get(name, b"")).lstrip(_SPACE)
            if held[:1] == b"{":
                values = {
                    key: _value_in(value, inner) for key, value in msgspec.json.decode(held, type=Members).items()
                }
                raw = msgspec.json.encode(members | {name: msgspec.Raw(msgspec.json.encode(values))})
        return raw

    def _dated(self, raw: bytes) -> bytes:
        return raw if self.batch_on is None else _with_member(raw, BATCH_DAY, self.batch_on.isoformat())


@dataclass
class _Opened:
    """The members of an opened envelope, decoded when they are asked for, and its lists by a key of their objects."""

    members: Members
    _values: dict[str, Value] = field(default_factory=dict)
    _indexes: dict[tuple[str, str], dict[str, Value]] = field(default_factory=dict)

    def read(self, path: Sequence[str]) -> Value:
        """The value at a path; None where there is none."""
        name = path[0]
        if name not in self.members:
            return None
        if name not in self._values:
            self._values[name] = json.loads(bytes(self.members[name]))
        return walk(self._values[name], path[1:])

    def partner(self, attached: Attached, wanted: str) -> Value:
        """The object of a list that bears this id."""
        place = (attached.list, attached.key)
        if place not in self._indexes:
            items = self.read(attached.list.split("."))
            self._indexes[place] = _by_key(items, attached.key.split("."))
        return self._indexes[place].get(wanted)


def _by_key(items: Value, key: Sequence[str]) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for item in items if isinstance(items, list) else []:
        text = text_of(walk(item, key))
        if text is not None:
            found.setdefault(text, item)
    return found


def _held(members: Members, path: Sequence[str], *, takes_null: bool) -> list[bytes] | None:
    """The objects at a path inside an object, as they are written; None when no list or object stands there."""
    raw: msgspec.Raw | None = members.get(path[0])
    for name in path[1:]:
        if raw is None or bytes(raw).lstrip(_SPACE)[:1] != b"{":
            return None
        raw = msgspec.json.decode(raw, type=Members).get(name)
    if raw is None:
        return None
    text = bytes(raw).strip(_SPACE)
    if text[:1] == b'"':
        text = _written_in(text)
    if text[:1] == b"[":
        return [bytes(item) for item in msgspec.json.decode(text, type=list[msgspec.Raw])]
    if text[:1] == b"{":
        return [text]
    return [] if takes_null and text == b"null" else None


def _value_in(raw: msgspec.Raw, name: str) -> msgspec.Raw:
    """The member of an object that holds its value; itself where there is none."""
    if bytes(raw).lstrip(_SPACE)[:1] != b"{":
        return raw
    members: Members = msgspec.json.decode(raw, type=Members)
    return members.get(name, raw)


def _written_in(text: bytes) -> bytes:
    """The JSON that stands in JSON as text, as the answers of a batch do; the text itself where it is none."""
    inner = msgspec.json.decode(text, type=str).strip().encode()
    if inner[:1] not in {b"{", b"["}:
        return text
    try:
        msgspec.json.decode(inner, type=msgspec.Raw)
    except msgspec.MsgspecError:
        return text
    return inner


def _picked(chain: Sequence[_Opened], paths: Sequence[Sequence[str]]) -> Value:
    """What is read of what lies around an object: of each path the value nearest to it."""
    made: dict[str, Any] = {}
    for path in paths:
        value = next((found for item in chain if (found := item.read(path)) is not None), None)
        if value is None:
            continue
        place = made
        for name in path[:-1]:
            place = place.setdefault(name, {})
            if not isinstance(place, dict):
                break
        else:
            place[path[-1]] = value
    return made or None


def _partner(raw: bytes, attached: Attached, chain: Chain) -> Value:
    wanted = text_of(walk(json.loads(raw), attached.by.split(".")))
    if wanted is None:
        return None
    return next((found for item in chain if (found := item.partner(attached, wanted)) is not None), None)


def _with_member(raw: bytes, name: str, value: Value) -> bytes:
    """The object with one more member; a member of its own counts first."""
    if value is None or raw[:1] != b"{":
        return raw
    body = raw.rstrip(_SPACE)[1:-1].strip(_SPACE)
    member = json.dumps(name).encode() + b":" + json.dumps(value, ensure_ascii=False).encode()
    return b"{" + body + (b"," if body else b"") + member + b"}"
