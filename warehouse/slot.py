"""What may stand at a place of a declaration, and a value that fits there, for going on where a wrong one stands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import Enum
from functools import cache
from itertools import chain
from types import UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from pydantic import BaseModel, TypeAdapter, ValidationError

from warehouse.yaml_tree import Location

PARTLY: Final = "partly"
"""Context of a validation that lets pass what does not fit together, so that all the rest is seen as well."""

_TEXTS: Final = ("stand_in", "x", "true", "EUR", "DE", "en", "UTC", "${STAND_IN}", "https://example.com", "2000-01-01")
_NUMBERS: Final = (1, 2, 0, -1, 0.5, 10, 100, 1000)
_LISTS: Final = frozenset({tuple, list, set, frozenset})


@dataclass(frozen=True)
class Slot:
    """What may stand at a place; of a key of a model, also which."""

    annotation: Any
    owner: type[BaseModel] | None = None
    key: str = ""

    @property
    def is_required(self) -> bool:
        """Whether it is a key that must be written."""
        return self.owner is not None and self.owner.model_fields[_name_of(self.owner, self.key)].is_required()

    @property
    def models(self) -> tuple[type[BaseModel], ...]:
        """The models whose keys may stand there."""
        return tuple(dict.fromkeys(shape for shape in _shapes(self.annotation) if _is_model(shape)))  # type: ignore[misc]

    def model_of(self, value: object) -> type[BaseModel] | None:
        """Of several models, the one whose own word a value says; else the one that has most of its keys."""
        keys: Mapping[object, object] = value if isinstance(value, Mapping) else {}
        said = (model for model in self.models if any(keys.get(key) == word for key, word in _words(model)))
        known = sorted(self.models, key=lambda model: -len(set(keys) & set(keys_of(model))))
        return next(chain(said, known), None)

    def inside(self, value: object, part: str | int) -> Slot | None:
        """What may stand under a key or in a place of a value that stands here; None where nothing may."""
        model = self.model_of(value)
        if model is not None and part in keys_of(model):
            info = model.model_fields[_name_of(model, str(part))]
            return Slot(Annotated[info.annotation, info], model, str(part))
        for shape in _shapes(self.annotation):
            arguments, origin = get_args(shape), get_origin(shape)
            if origin in _LISTS and isinstance(part, int):
                return Slot(arguments[0] if arguments[-1] is Ellipsis else arguments[min(part, len(arguments) - 1)])
            if origin is dict and isinstance(part, str):
                return Slot(arguments[1])
        return None

    def fits(self, value: object) -> bool:
        """Whether a value may stand there."""
        try:
            if self.owner is not None:
                self.owner.model_validate({self.key: value}, context=PARTLY)
            else:
                TypeAdapter(self.annotation).validate_python(value, context=PARTLY)
        except ValidationError as error:
            return self.owner is not None and all(item["loc"][:1] != (self.key,) for item in error.errors())
        return True

    def stand_in(self) -> object:
        """A value that fits.

        Raises:
            LookupError: none was found.
        """
        for value in self._candidates():
            if self.fits(value):
                return value
        raise LookupError(self)

    def _candidates(self) -> Iterator[object]:
        declared: Mapping[str, object] = getattr(self.owner, "stand_ins", {})
        if self.key in declared:
            yield declared[self.key]
        for shape in _shapes(self.annotation):
            yield from _values_of(shape)


def slot_at(model: type[BaseModel], value: object, location: Location) -> Slot | None:
    """What may stand at a location of what is written for a model; None where nothing may."""
    slot: Slot | None = Slot(model)
    for part in location:
        slot = slot.inside(value, part) if slot is not None else None
        value = part_of(value, part)
    return slot


def part_of(value: object, part: str | int) -> Any:  # noqa: ANN401 - whatever a file holds
    """What stands under a key or in a place of a list; None where nothing does."""
    if isinstance(value, dict):
        return value.get(part)
    if isinstance(value, list) and isinstance(part, int) and part < len(value):
        return value[part]
    return None


@cache
def keys_of(model: type[BaseModel]) -> tuple[str, ...]:
    """The keys of a model as they are written."""
    return tuple(info.alias or name for name, info in model.model_fields.items())


def tag_of(model: type[BaseModel]) -> tuple[str, object]:
    """The key by which a model is told from others, and its word."""
    return next(iter(_words(model)))


def _name_of(model: type[BaseModel], key: str) -> str:
    return next(name for name, info in model.model_fields.items() if (info.alias or name) == key)


def _words(model: type[BaseModel]) -> Iterator[tuple[str, object]]:
    """Keys that can be one word only."""
    for name, info in model.model_fields.items():
        if get_origin(info.annotation) is Literal and len(get_args(info.annotation)) == 1:
            yield info.alias or name, get_args(info.annotation)[0]


def _shapes(annotation: object) -> Iterator[object]:
    """What an annotation allows, without what is said about it."""
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _shapes(get_args(annotation)[0])
    elif origin in {Union, UnionType}:
        for choice in get_args(annotation):
            yield from _shapes(choice)
    else:
        yield annotation


def _is_model(shape: object) -> bool:
    return isinstance(shape, type) and issubclass(shape, BaseModel)


def _values_of(shape: object) -> Iterable[object]:
    """Values among which there is one of this shape."""
    arguments, origin = get_args(shape), get_origin(shape)
    if origin is Literal:
        return arguments
    if origin in _LISTS or origin is dict:
        return _several(origin, arguments)
    if isinstance(shape, type) and issubclass(shape, BaseModel):
        return _filled(shape)
    if isinstance(shape, type) and issubclass(shape, Enum):
        return [item.value for item in shape]
    simple: Mapping[object, Iterable[object]] = {
        bool: (False, True), int: _NUMBERS, float: _NUMBERS, date: ("2000-01-01",), type(None): (None,)
    }  # fmt: skip
    return simple.get(shape, _TEXTS)


def _several(origin: object, arguments: tuple[object, ...]) -> Iterator[object]:
    yield {} if origin is dict else []
    try:
        if origin is dict:
            yield {str(Slot(arguments[0]).stand_in()): Slot(arguments[1]).stand_in()}
        elif arguments[-1] is Ellipsis or origin is not tuple:
            yield [Slot(arguments[0]).stand_in()]
        else:
            yield [Slot(argument).stand_in() for argument in arguments]
    except LookupError:
        return


def _filled(model: type[BaseModel]) -> Iterator[object]:
    try:
        yield {
            info.alias or name: Slot(Annotated[info.annotation, info], model, info.alias or name).stand_in()
            for name, info in model.model_fields.items()
            if info.is_required()
        }
    except LookupError:
        return
