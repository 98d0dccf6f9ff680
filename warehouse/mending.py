"""A misshapen declaration mended in memory, so that all that is wrong with it is seen at once.

What is wrong is told and then put right: a misspelt key or word is taken for the one that is surely meant, an unknown
key is taken out, and a value that cannot stand gives way to a *stand-in* that can. So places of lists and lines stay
what they are, and what is right is checked for what it means, beside whatever is wrong. What rests on a stand-in, or
on the absence of a key that an unknown one may have been meant for, is not told: it may be right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError

from warehouse.explained import Wrong, explained
from warehouse.slot import PARTLY, Slot, keys_of, part_of, slot_at, tag_of
from warehouse.yaml_tree import Location, Tree

M = TypeVar("M", bound=BaseModel)
Tell = Callable[[Wrong], None]

_MOST_ROUNDS: Final = 200
_ROOT: Final[Location] = ()


@dataclass
class Mended:
    """What a text holds once what is misshapen in it is mended."""

    value: dict[str, object]
    lines: dict[Location, int]
    written: Mapping[str, object] = field(default_factory=dict)
    stand_ins: set[Location] = field(default_factory=set)
    unknown: dict[Location, str | None] = field(default_factory=dict)
    """Keys that were taken out → the key that each may have been meant for; None: whichever."""
    guessed: set[Location] = field(default_factory=set)
    """Where the word that was surely meant was put."""

    @classmethod
    def of(cls, tree: Tree) -> Mended:
        """A text as it is written."""
        return cls(deepcopy(tree.value), dict(tree.lines), tree.value)

    def lacks(self, location: Location) -> bool:
        """Whether what is meant at a location is not known: a stand-in is there, above or below, or a misspelt key."""
        if any(_is_in(location, other) or _is_in(other, location) for other in self.stand_ins):
            return True
        absent = self._first_absent(location)
        return any(meant == absent[-1] for meant in self._unknown_beside(absent))

    def is_made_up(self, location: Location) -> bool:
        """Whether a location is, or is part of, a stand-in."""
        return any(_is_in(location, other) for other in self.stand_ins)

    def knows(self, wrong: Wrong) -> bool:
        """Whether something wrong was told, or is only wrong because of something that was."""
        if any(map(self.lacks, wrong.about)):
            return True
        absent = map(self._first_absent, wrong.about)
        return wrong.sort != "missing" and any(None in self._unknown_beside(location) for location in absent)

    def _unknown_beside(self, absent: Location) -> list[str | None]:
        """For what the unknown keys may have been meant that stand beside an absent one."""
        return [meant for other, meant in self.unknown.items() if absent and other[:-1] == absent[:-1]]

    def line_of(self, location: Location) -> int:
        """The line of a location, or of the nearest one above it."""
        while location and location not in self.lines:
            location = location[:-1]
        return self.lines.get(location, 1)

    def at(self, location: Location) -> Any:  # noqa: ANN401 - whatever the file holds
        """What stands at a location."""
        value: object = self.value
        for part in location:
            value = part_of(value, part)
        return value

    def _first_absent(self, location: Location) -> Location:
        value: object = self.value
        for deep, part in enumerate(location):
            if not (isinstance(value, dict) and part in value) and part_of(value, part) is None:
                return location[: deep + 1]
            value = part_of(value, part)
        return _ROOT

    def mend(self, wrong: Wrong, model: type[BaseModel]) -> bool:
        """Put one wrong thing right; False when nothing can stand there."""
        at = wrong.place
        if at and not isinstance(self.at(at[:-1]), dict | list):
            return True  # what is around it gave way in the meantime
        if wrong.sort == "unknown":
            self._mend_key(at, wrong.meant, wrong.surely)
            return True
        if wrong.sort == "tag":
            self._choose_model(at, wrong, slot_at(model, self.value, at))
            return True
        if wrong.sort == "key" or at in self.stand_ins:
            return self._put_aside(at, model)
        if wrong.surely is not None and at not in self.guessed:
            self.guessed.add(at)
            self._put(at, wrong.surely)
            return True
        return self._stand_in(at, model)

    def _stand_in(self, at: Location, model: type[BaseModel]) -> bool:
        slot = slot_at(model, self.value, at)
        if at == _ROOT or slot is None:
            return self._put_aside(at, model)
        try:
            self._put(at, slot.stand_in())
        except LookupError:
            return self._put_aside(at, model)
        self.stand_ins.add(at)
        return True

    def _put_aside(self, at: Location, model: type[BaseModel]) -> bool:
        """Where no value fits, a key that need not be written is taken out; else what is around it gives way."""
        if at == _ROOT:
            return False
        slot, around = slot_at(model, self.value, at), self.at(at[:-1])
        if isinstance(around, dict) and at[-1] in around and (slot is None or not slot.is_required):
            del around[at[-1]]
            self.stand_ins.add(at)
            return True
        return self._stand_in(at[:-1], model)

    def _put(self, at: Location, value: object) -> None:
        around = self.at(at[:-1])
        around[at[-1]] = deepcopy(value)

    def _mend_key(self, at: Location, meant: str | None, surely: str | None) -> None:
        around, key = self.at(at[:-1]), at[-1]
        if surely is None or surely in around:
            del around[key]
            self.unknown[at] = meant
            return
        renamed = {surely if name == key else name: item for name, item in around.items()}
        around.clear()
        around.update(renamed)
        moved = {(*at[:-1], surely, *other[len(at) :]): line for other, line in self.lines.items() if _is_in(other, at)}
        self.lines.update(moved)

    def _choose_model(self, at: Location, wrong: Wrong, slot: Slot | None) -> None:
        """Of an entry that does not say what it is, only the keys that all such entries have are known."""
        assert slot is not None, "only one of several models has a tag"
        around = self.at(at)
        tag = tag_of(slot.models[0])[0]
        if wrong.surely is not None:
            around[tag] = wrong.surely
            return
        model = slot.model_of(around)
        assert model is not None
        around[tag] = tag_of(model)[1]
        common = set.intersection(*(set(keys_of(choice)) for choice in slot.models))
        every = set.union(*(set(keys_of(choice)) for choice in slot.models))
        for key in (every - common) | {tag}:
            if key not in keys_of(model):
                around.pop(key, None)
            self.stand_ins.add((*at, key))


def mend(mended: Mended, model: type[M], tell: Tell) -> M | None:
    """Tell what is misshapen and mend it, again and again, until all the rest is right; None when nothing can be."""
    for _ in range(_MOST_ROUNDS):
        try:
            return model.model_validate(mended.value, context=PARTLY)
        except ValidationError as error:
            wrong = _innermost(list(explained(error, model, mended.value)))
        for item in wrong:
            if not mended.knows(item):
                tell(item)
        if not all(mended.mend(item, model) for item in {item.place: item for item in reversed(wrong)}.values()):
            return None
    return None


def _innermost(wrong: Iterable[Wrong]) -> list[Wrong]:
    """Without what is wrong only because of something wrong inside; first of all, unknown keys get out of the way."""
    found = list(wrong)
    unknown = [item for item in found if item.sort == "unknown"]
    places = [item.place for item in found]
    return unknown or [
        item for item in found if not any(_is_in(place, item.place) and place != item.place for place in places)
    ]


def _is_in(location: Location, around: Location) -> bool:
    return location[: len(around)] == around
