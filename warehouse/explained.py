"""What pydantic finds wrong in a declaration, in words for the person who wrote it: what, where, and what to do.

Values are told back only where they are a word of a closed list, a name or a number: others may be personal or secret.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from warehouse.misfit import MisfitError
from warehouse.suggestion import nearest, suggestion
from warehouse.yaml_tree import Location

NAME: Final = r"^[a-z][a-z0-9_]*$"
"""The form of names that become columns, tables or ids."""
NOT_BLANK: Final = r"\S"
"""The form of texts that must say something."""

_LONGEST_SHOWN: Final = 60
_SORTS: Final[Mapping[str, str]] = {
    "string_type": "text",
    **dict.fromkeys(("int_type", "int_parsing", "int_parsing_size", "int_from_float"), "a whole number"),
    **dict.fromkeys(("float_type", "float_parsing", "finite_number"), "a number"),
    **dict.fromkeys(("bool_type", "bool_parsing"), "true or false"),
    **dict.fromkeys(("date_type", "date_parsing", "date_from_datetime_parsing", "date_from_datetime_inexact"), "a day"),
    **dict.fromkeys(("tuple_type", "list_type", "set_type"), "a list"),
    **dict.fromkeys(("dict_type", "mapping_type", "model_type", "model_attributes_type"), "keys and values"),
    "none_required": "null",
}
"""Type of error → what should have stood there."""
_HOW: Final[Mapping[str, str]] = {
    "text": "Write a text; put it into quotes where it looks like a number.",
    "a whole number": "Write it in digits, such as 7.",
    "a number": "Write it in digits, such as 0.5.",
    "true or false": "Write true or false.",
    "a day": "Write it as 2026-01-31.",
    "a list": "Write [one, another], or a `- ` line for each.",
    "keys and values": "Write `key: value` lines below it.",
    "null": "Leave it out.",
}


@dataclass(frozen=True)
class Wrong:
    """One thing wrong: where its line is, what and what to do; what it is about, and what is left out to go on."""

    at: Location
    what: str
    fix: str
    about: tuple[Location, ...]
    leave_out: tuple[Location, ...]


def explained(error: ValidationError, model: type[BaseModel], places: Mapping[Location, Location]) -> Iterator[Wrong]:
    """Everything that is wrong; ``places``: location of what was validated → where that stands in the text."""
    found = error.errors(include_url=False, include_input=True, include_context=True)
    for kept, group in groupby(found, key=lambda item: _in_text(tuple(item["loc"]), places)):
        items = list(group)
        sorts = [item for item in items if item["type"] in _SORTS]
        words = [item for item in items if item["type"] in {"literal_error", "enum"}]
        if words and not sorts:
            yield _of_word(words, places[kept])
        for item in items:
            if item["type"] == "missing":
                yield _missing(item, places[kept])
            elif item["type"] == "extra_forbidden":
                yield _extra(item, model, places[kept], places)
            elif item not in sorts and item not in words:
                yield from _of_value(item, places[kept])
        if sorts and len(sorts) + len(words) == len(items):
            yield _of_sort(sorts, places[kept])


def _in_text(location: Location, places: Mapping[Location, Location]) -> Location:
    """Pydantic adds tags of unions and the like to locations: skip parts that are no keys."""
    kept: Location = ()
    for part in location:
        if (*kept, part) in places:
            kept = (*kept, part)
    return kept


def _shown(at: Location) -> str:
    return f"`{'.'.join(str(part) for part in at)}`" if at else "The file"


def _wrong(at: Location, what: str, fix: str) -> Wrong:
    return Wrong(at, what, fix, (at,), (at,))


def _missing(item: ErrorDetails, kept: Location) -> Wrong:
    last = item["loc"][-1]
    if isinstance(last, int):
        return _wrong(kept, f"{_shown(kept)} has too few values.", "Add what is missing.")
    at = (*kept, last)
    return Wrong(kept, f"{_shown(at)} is missing.", f"Add `{last}:`.", (at,), (kept or at,))


def _extra(item: ErrorDetails, model: type[BaseModel], kept: Location, places: Mapping[Location, Location]) -> Wrong:
    word = str(item["loc"][-1])
    inside = _model_at(model, tuple(item["loc"][:-1]))
    known = [info.alias or name for name, info in inside.model_fields.items()] if inside else []
    meant = nearest(word, known)
    left_out = [kept]
    if meant is not None and (*kept[:-1], meant) not in set(places.values()):
        left_out.append((*kept[:-1], meant))  # what was to stand there is not known either
    return Wrong(kept, f"{_shown(kept)} is not a key here.", suggestion(word, known), (kept,), tuple(left_out))


def _of_sort(items: list[ErrorDetails], kept: Location) -> Wrong:
    """A list where a text should stand, and so on; of several sorts that could stand there, all are told."""
    wanted = list(dict.fromkeys(_SORTS[item["type"]] for item in items))
    written = items[0]["input"]
    if written is None:
        return _wrong(kept, f"{_shown(kept)} says nothing.", "Write a value, or take the key out.")
    if "a number" in wanted and "a whole number" in wanted:
        wanted.remove("a whole number")
    sort = _sort_of(written)
    told = "" if sort == wanted[0] else f", and not {sort}"
    how = _HOW[wanted[0]] if len(wanted) == 1 else "Write one of them."
    return _wrong(kept, f"{_shown(kept)} must be {_listed(wanted)}{told}.", how)


def _of_word(items: list[ErrorDetails], kept: Location) -> Wrong:
    """A word that is none of a closed list, or of several that may stand there."""
    written = items[0]["input"]
    if written is None:
        return _wrong(kept, f"{_shown(kept)} says nothing.", "Write a value, or take the key out.")
    known = {word for item in items for word in re.findall(r"'([^']*)'", str(item["ctx"]["expected"]))}
    return _wrong(kept, f"{_shown(kept)} cannot be {_told(written)}.", suggestion(str(written), known))


def _of_value(item: ErrorDetails, kept: Location) -> Iterator[Wrong]:
    context: dict[str, Any] = item.get("ctx", {})
    written, shown = item["input"], _shown(kept)
    error = context.get("error")
    if isinstance(error, MisfitError):
        for misfit in error.misfits:
            about = tuple((*kept, *place) for place in misfit.about) or (kept,)
            yield Wrong(about[0], f"{shown}: {misfit.what}." if kept else f"{misfit.what}.", misfit.fix, about, (kept,))
    elif isinstance(error, ValueError):
        yield _wrong(kept, f"{shown}: {str(error).rstrip('.')}.", "Correct the value.")
    elif item["type"] in {"union_tag_invalid", "union_tag_not_found"}:
        yield _of_tag(context, kept)
    elif written is None:
        yield _wrong(kept, f"{shown} says nothing.", "Write a value, or take the key out.")
    elif item["type"] in _FORMS:
        what, fix = _FORMS[item["type"]](written, context)
        yield _wrong(kept, f"{shown} {what}.", fix)
    else:
        yield _wrong(kept, f"{shown} is nothing that may stand here.", "See `cdp schema` for what may.")


def _of_tag(context: Mapping[str, Any], kept: Location) -> Wrong:
    """An entry of one of several shapes, whose own key says which."""
    which = str(context["discriminator"]).strip("'")
    at = (*kept, which)
    if "tag" not in context:
        return Wrong(kept, f"{_shown(at)} is missing.", f"Add `{which}:`.", (at,), (kept,))
    known = re.findall(r"'([^']*)'", str(context["expected_tags"]))
    what = f"{_shown(at)} cannot be {_told(context['tag'])}."
    return Wrong(at, what, suggestion(str(context["tag"]), known), (at,), (kept,))


def _pattern(written: object, context: Mapping[str, Any]) -> tuple[str, str]:
    if context["pattern"] == NOT_BLANK:
        return "says nothing", "Write what it is, or take the key out."
    if context["pattern"] == NAME:
        fix = "Use lower-case letters, digits and underscores, beginning with a letter"
        made = re.sub(r"[^a-z0-9]+", "_", str(written).lower()).strip("_")
        return f"cannot be {_told(written)}", f"{fix}, such as `{made}`." if re.match(NAME, made) else f"{fix}."
    return "does not have the form it must have", f"It must match {context['pattern']}."


def _too_short(_: object, context: Mapping[str, Any]) -> tuple[str, str]:
    least = int(context["min_length"])
    return ("is empty", "Add an entry.") if least == 1 else (f"has fewer than {least} entries", "Add what is missing.")


def _bound(words: str, key: str) -> Callable[[object, Mapping[str, Any]], tuple[str, str]]:
    def told(written: object, context: Mapping[str, Any]) -> tuple[str, str]:
        bound = f"{words} {context[key]:g}"
        return f"must be {bound}, and is {_told(written)}", f"Write a number that is {bound}."

    return told


_FORMS: Final[Mapping[str, Callable[[object, Mapping[str, Any]], tuple[str, str]]]] = {
    "string_pattern_mismatch": _pattern,
    "string_too_short": lambda *_: ("says nothing", "Write what it is, or take the key out."),
    "string_too_long": lambda _, context: (
        f"is longer than {context['max_length']} character{'s' if context['max_length'] > 1 else ''}",
        "Shorten it.",
    ),
    "too_short": _too_short,
    "too_long": lambda _, context: (f"has more than {context['max_length']} entries", "Take some out."),
    "greater_than": _bound("greater than", "gt"),
    "greater_than_equal": _bound("at least", "ge"),
    "less_than": _bound("less than", "lt"),
    "less_than_equal": _bound("at most", "le"),
}


def _told(written: object) -> str:
    """A value of a closed list, a name or a number as it is told back."""
    if isinstance(written, bool):
        return f"`{str(written).lower()}`"
    if isinstance(written, str) and not written.strip():
        return "blank"
    if isinstance(written, str | int | float) and len(str(written)) <= _LONGEST_SHOWN:
        return f"`{written}`"
    return _sort_of(written)


def _sort_of(written: object) -> str:
    match written:
        case bool():
            return f"{written}".lower()
        case int() | float():
            return "a number"
        case str():
            return "text"
        case list() | tuple():
            return "a list"
        case dict():
            return "keys and values"
        case _:
            return "nothing"


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def _model_at(model: type[BaseModel], location: Location) -> type[BaseModel] | None:
    """The model that a location leads into, through the tags that pydantic adds for unions."""
    current: type[BaseModel] | None = model
    choices: list[type[BaseModel]] = []
    for part in location:
        tagged = [choice for choice in choices if len(choices) > 1 and _has_tag(choice, part)]
        if tagged:
            current, choices = tagged[0], []
            continue
        field = _field_of(current, part) if current is not None else None
        if field is None:
            continue
        choices = list(_models_inside(field))
        current = choices[0] if choices else None
    return current


def _field_of(model: type[BaseModel], part: str | int) -> object:
    """The annotation of a field, by its name or by the key that stands for it."""
    for name, info in model.model_fields.items():
        if part in {name, info.alias}:
            return info.annotation
    return None


def _has_tag(model: type[BaseModel], part: str | int) -> bool:
    return any(get_args(info.annotation) == (part,) for info in model.model_fields.values())


def _models_inside(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
        return
    for argument in get_args(annotation):
        yield from _models_inside(argument)
