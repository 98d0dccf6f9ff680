"""What may be written in a declaration: its keys, those of the models inside it, and the words it goes by.

Everything is read from the pydantic fields, so that the page, ``cdp schema NAME --keys`` and editors say the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Literal, get_args, get_origin

import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo

_COLUMNS = ("key", "default", "meaning")


@dataclass(frozen=True)
class Section:
    """A table about a place of a declaration (``traits[].where``; empty: its top); ``example`` is YAML."""

    place: str
    sentence: str
    columns: tuple[str, ...] = _COLUMNS
    rows: tuple[Mapping[str, str], ...] = ()
    example: str = ""


def sections_of(name: str, model: type[BaseModel], told: dict[type[BaseModel], str] | None = None) -> Iterator[Section]:
    """The keys of a declaration, then those of every model inside it, outermost first; each model once.

    ``told`` are the models told before, with where: of those only that is said, and new ones are added.
    """
    told = {} if told is None else told
    yield Section("", first_sentence(model), rows=tuple(keys_of(model)), example=_example(model))
    waiting: list[tuple[str, type[BaseModel]]] = [("", model)]
    seen = {model}
    while waiting:
        place, outer = waiting.pop(0)
        for key, field in outer.model_fields.items():
            at = ".".join(part for part in (place, (field.alias or key) + _many(field.annotation)) if part)
            words = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
            if "enumDescriptions" in words:
                yield _words(at, field, words["enumDescriptions"])
            for inner in models_in(field.annotation):
                if inner in seen:
                    continue
                seen.add(inner)
                where = at + _variant(inner)
                if inner in told:
                    yield Section(where, f"{first_sentence(inner)} Its keys: see `{told[inner]}`.")
                    continue
                told[inner] = f"{name}: {where}"
                waiting.append((where, inner))
                yield Section(where, first_sentence(inner), rows=tuple(keys_of(inner)), example=_example(inner))
    yield from _vocabulary(name)


def keys_of(model: type[BaseModel]) -> Iterator[dict[str, str]]:
    """Every key with what holds where it is absent, and its meaning."""
    for name, field in model.model_fields.items():
        default = "required" if field.is_required() else _in_words(field.get_default(call_default_factory=True))
        yield {"key": field.alias or name, "default": default, "meaning": _meaning(field)}


def first_sentence(model: type) -> str:
    """What a declaration, a row of a contract or an operation is."""
    return " ".join((model.__doc__ or "").split("\n\n")[0].split()).replace("``", "`")


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:  # noqa: ANN401 - whatever stands behind a colon
    """The models that values of a type may be, or hold."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from models_in(inner)


def _many(annotation: Any) -> str:  # noqa: ANN401 - see models_in
    origins = {get_origin(part) for part in (annotation, *get_args(annotation))}
    return (".<name>" if dict in origins else "") + ("[]" if tuple in origins else "")


def _variant(model: type[BaseModel]) -> str:
    """Which of several models is meant that may stand at one place: `` (s3)``; nothing where there is one."""
    words = (_choices(field.annotation) for field in model.model_fields.values() if not field.description)
    return next((f" ({found[0]})" for found in words if len(found) == 1), "")


def _meaning(field: FieldInfo) -> str:
    """The description, with the words that may be written where it does not tell them all."""
    told, words = field.description or "", _choices(field.annotation)
    if len(words) == 1 and not told:
        return f"Always `{words[0]}`: what the other keys belong to."
    if len(words) > 1 and not all(word in told for word in words):
        told = f"{told} One of {', '.join(words)}."
    return told


def _choices(annotation: Any) -> list[str]:  # noqa: ANN401 - see models_in
    if get_origin(annotation) is Literal:
        return [str(word) for word in get_args(annotation)]
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return [str(item.value) for item in annotation]
    return [word for part in get_args(annotation) if get_origin(annotation) is not dict for word in _choices(part)]


def _words(at: str, field: FieldInfo, meanings: Any) -> Section:  # noqa: ANN401 - JSON
    rows = [
        {"word": word, "meaning": str(told)} for word, told in zip(_choices(field.annotation), meanings, strict=True)
    ]
    return Section(at, f"The words of `{at}`.", ("word", "meaning"), tuple(rows))


def _example(model: type[BaseModel]) -> str:
    extra = model.model_config.get("json_schema_extra")
    examples = extra.get("examples") if isinstance(extra, dict) else None
    if not isinstance(examples, Sequence):
        return ""
    return "\n".join(
        yaml.safe_dump(item, sort_keys=False, allow_unicode=True, width=110, default_flow_style=None)
        for item in examples
    ).strip()


def _in_words(value: object) -> str:
    if value is None or isinstance(value, BaseModel | dict):
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ", ".join(str(item) for item in value if not isinstance(item, BaseModel))
    return str(value)


def _vocabulary(name: str) -> Iterator[Section]:
    """What declarations may name that no model holds: the rows that traits count, the fields of segments."""
    from profiles.segment_fields import segment_fields
    from profiles.trait_sources import SOURCES

    if name == "traits":
        rows = [
            {"over": over, "meaning": source.meaning, "fields": _typed(source.columns)}
            for over, source in SOURCES.items()
        ]
        yield Section(
            "over", "The rows that `over` may name, and their fields.", ("over", "meaning", "fields"), tuple(rows)
        )
    if name == "segments":
        grouped: dict[str, dict[str, str]] = {}
        for field, known in segment_fields({}).items():
            table, _, column = field.partition(".")
            grouped.setdefault(table, {})[column] = known.type
        rows = [{"table": table, "fields": _typed(columns)} for table, columns in grouped.items()]
        sentence = (
            "The fields that `field` may name, as `table.field`; besides, every trait, as `purchase_traits.sale_count`."
        )
        yield Section("field", sentence, ("table", "fields"), tuple(rows))


def _typed(columns: Mapping[str, str]) -> str:
    """Fields by their type: what an operator takes is a question of it."""
    by_type: dict[str, list[str]] = {}
    for column, kind in columns.items():
        by_type.setdefault(kind, []).append(column)
    return "; ".join(f"{kind}: {', '.join(names)}" for kind, names in by_type.items())
