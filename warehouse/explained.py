"""What pydantic finds wrong in a declaration, in words for the person who wrote it: what, where, and what to do.

Values are told back only where they are a word of a closed list, a name or a number: others may be personal or secret.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any, Final, Literal

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from warehouse.misfit import Misfit, MisfitError
from warehouse.slot import Slot, keys_of, part_of, slot_at
from warehouse.suggestion import nearest, suggestion, surely_meant
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
    """One thing wrong: where its line is, what it is and what to do about it.

    ``about``: locations of which nothing may be known yet, for it to be told. ``place`` is what must be mended to go
    on; ``sort`` says how. Of an unknown word ``meant`` is the known one that is like it, ``surely`` the one that is
    certainly meant.
    """

    at: Location
    what: str
    fix: str
    about: tuple[Location, ...]
    place: Location
    sort: Literal["value", "unknown", "missing", "tag", "key"] = "value"
    meant: str | None = None
    surely: str | None = None


def explained(error: ValidationError, model: type[BaseModel], value: object) -> Iterator[Wrong]:
    """Everything that is wrong with a value that was validated."""
    found = error.errors(include_url=False, include_input=True, include_context=True)
    for kept, group in groupby(found, key=lambda item: _in_value(tuple(item["loc"]), model, value)):
        items = list(group)
        sorts = [item for item in items if item["type"] in _SORTS]
        words = [item for item in items if item["type"] in {"literal_error", "enum"}]
        if words and not sorts:
            yield _of_word(words, kept)
        for item in items:
            if item["type"] == "missing":
                yield _missing(item, kept)
            elif item["type"] == "extra_forbidden":
                yield _extra(kept, slot_at(model, value, kept[:-1]), value)
            elif item["type"] in {"union_tag_invalid", "union_tag_not_found"}:
                yield _of_tag(item, kept)
            elif item not in sorts and item not in words:
                yield from _of_value(item, kept, value)
        if sorts and len(sorts) + len(words) == len(items):
            yield _of_sort(sorts, kept)


def of_misfit(misfit: Misfit, kept: Location) -> Wrong:
    """What does not fit together at a location."""
    about = tuple((*kept, *place) for place in misfit.about) or (kept,)
    rests_on = about if misfit.rests_on is None else tuple((*kept, *place) for place in misfit.rests_on)
    what = f"{_shown(kept)}: {misfit.what}." if kept else f"{misfit.what}."
    return Wrong(about[0], what, misfit.fix, rests_on, about[0])


def _in_value(location: Location, model: type[BaseModel], value: object) -> Location:
    """Pydantic adds tags of unions and the like to locations: skip parts that are no keys, or stand for a tag."""
    kept: Location = ()
    slot: Slot | None = Slot(model)
    is_tag = False
    for part in location:
        is_there = part in value if isinstance(value, dict) else isinstance(value, list) and isinstance(part, int)
        if is_there and not is_tag and not (isinstance(value, list) and int(part) >= len(value)):
            slot = slot.inside(value, part) if slot is not None else None
            kept, value = (*kept, part), part_of(value, part)
            is_tag = slot is not None and len(slot.models) > 1
        else:
            is_tag = False
    return kept


def _as_far_as_written(location: Location, value: object) -> Location:
    for deep, part in enumerate(location):
        if (value := part_of(value, part)) is None:
            return location[:deep]
    return location


def _shown(at: Location) -> str:
    return f"`{'.'.join(str(part) for part in at)}`" if at else "The file"


def _wrong(at: Location, what: str, fix: str, surely: str | None = None) -> Wrong:
    return Wrong(at, what, fix, (at,), at, surely=surely)


def _missing(item: ErrorDetails, kept: Location) -> Wrong:
    last = item["loc"][-1]
    if isinstance(last, int):
        return _wrong(kept, f"{_shown(kept)} has too few values.", "Add what is missing.")
    at = (*kept, last)
    return Wrong(kept, f"{_shown(at)} is missing.", f"Add `{last}:`.", (at,), at, "missing")


def _extra(kept: Location, around: Slot | None, value: object) -> Wrong:
    for part in kept[:-1]:
        value = part_of(value, part)
    model = around.model_of(value) if around else None
    return _unknown_key(kept, keys_of(model) if model else ())


def _unknown_key(kept: Location, known: Iterable[str]) -> Wrong:
    word, known = str(kept[-1]), tuple(known)
    what, fix = f"{_shown(kept)} is not a key here.", suggestion(word, known)
    return Wrong(kept, what, fix, (kept,), kept, "unknown", nearest(word, known), surely_meant(word, known))


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
    surely = surely_meant(str(written), known)
    return _wrong(kept, f"{_shown(kept)} cannot be {_told(written)}.", suggestion(str(written), known), surely)


def _of_value(item: ErrorDetails, kept: Location, value: object) -> Iterator[Wrong]:
    context: dict[str, Any] = item.get("ctx", {})
    written, shown = item["input"], _shown(kept)
    error = context.get("error")
    if isinstance(error, MisfitError):
        for wrong in (of_misfit(misfit, kept) for misfit in error.misfits):
            yield replace(wrong, place=_as_far_as_written(wrong.place, value))
    elif isinstance(error, ValueError):
        yield _wrong(kept, f"{shown}: {str(error).rstrip('.')}.", "Correct the value.")
    elif written is None:
        yield _wrong(kept, f"{shown} says nothing.", "Write a value, or take the key out.")
    elif item["type"] in _FORMS:
        what, fix = _FORMS[item["type"]](written, context)
        wrong = _wrong(kept, f"{shown} {what}.", fix)
        yield replace(wrong, sort="key") if item["loc"][-1] == "[key]" else wrong
    else:
        yield _wrong(kept, f"{shown} is nothing that may stand here.", "See `cdp schema` for what may.")


def _of_tag(item: ErrorDetails, kept: Location) -> Wrong:
    """An entry of one of several shapes, whose own key says which."""
    context: dict[str, Any] = item["ctx"]
    which = str(context["discriminator"]).strip("'")
    at = (*kept, which)
    if "tag" not in context:
        for key in item["input"] if isinstance(item["input"], dict) else ():
            if surely_meant(key, [which]):
                return _unknown_key((*kept, key), [which])
        return Wrong(kept, f"{_shown(at)} is missing.", f"Add `{which}:`.", (at,), kept, "tag")
    known = re.findall(r"'([^']*)'", str(context["expected_tags"]))
    word = str(context["tag"])
    what = f"{_shown(at)} cannot be {_told(context['tag'])}."
    return Wrong(at, what, suggestion(word, known), (at,), kept, "tag", surely=surely_meant(word, known))


def _pattern(written: object, context: Mapping[str, Any]) -> tuple[str, str]:
    if context["pattern"] == NOT_BLANK:
        return "says nothing", "Write what it is, or take the key out."
    if context["pattern"] == NAME:
        fix = "Use lower-case letters, digits and underscores, beginning with a letter"
        made = name_like(str(written))
        return f"cannot be {_told(written)}", f"{fix}, such as `{made}`." if made else f"{fix}."
    return "does not have the form it must have", f"It must match {context['pattern']}."


def name_like(written: str) -> str | None:
    """The name nearest to what is no name; None where there is none."""
    made = re.sub(r"[^a-z0-9]+", "_", written.lower()).strip("_")
    return made if re.match(NAME, made) else None


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
