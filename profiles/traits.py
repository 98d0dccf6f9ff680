"""Traits: values per customer, declared in ``config/traits/<activity>.yml``, made in ``profiles.<activity>_traits``.

A file describes one table. Files that a project does not have are taken from ``profiles/defaults/traits``; a file
of another name makes a table of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import get_args

from pydantic import ConfigDict, Field, StrictInt
from pydantic.config import JsonDict

from profiles.aggregates import AGGREGATES, AggregateName
from profiles.field_values import Vocabulary
from profiles.fields import Catalogue, FieldType, fields_of
from profiles.predicate import Predicate
from profiles.predicate_meaning import Lacks, Report, Unsure, check
from profiles.trait_sources import SOURCES, TraitSource
from warehouse.declaration import (
    Declaration,
    Location,
    Name,
    Problems,
    Reading,
    Text,
    as_meant,
    parse_partly,
    read_partly,
    suggestion,
)
from warehouse.explained import name_like
from warehouse.project import Project


class Trait(Declaration):
    """One column: what is made of which rows."""

    name: Name = Field(description="Name of the column.")
    description: Text = Field(description="What the value means, for a business reader; with its unit.")
    over: Text | None = Field(None, description="The rows that are counted. Default: `over` of the file.")
    aggregate: AggregateName = Field(
        description="What is made of the rows.",
        json_schema_extra={"enumDescriptions": [AGGREGATES[name].described for name in get_args(AggregateName)]},
    )
    field: Text | None = Field(None, description="A field of those rows, where the aggregate takes one.")
    where: Predicate | None = Field(None, description="Only rows for which this holds.")
    among: Predicate | None = Field(None, description="Of a share: the rows it is taken of. Default: all.")
    window_days: StrictInt | None = Field(None, ge=1, description="Only the last n days; 1 is the as-of date itself.")


_EXAMPLE: JsonDict = {
    "description": "What every customer bought of tea.",
    "over": "sale_lines",
    "traits": [
        {
            "name": "tea_base_amount_365d",
            "description": "Revenue with tea in the last 365 days, in base currency.",
            "aggregate": "sum",
            "field": "base_line_amount",
            "where": {"field": "category", "in": ["green tea", "black tea"]},
            "window_days": 365,
        },
        {
            "name": "coupon_sale_ratio",
            "description": "Sales with a coupon as a share of all sales (0-1).",
            "over": "sales",
            "aggregate": "share",
            "where": {"field": "coupon_code", "is_null": False},
        },
    ],
}


class TraitFile(Declaration):
    """`config/traits/<activity>.yml`: the columns of `profiles.<activity>_traits`, one row per customer."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    description: Text = Field(description="What the table tells, in a sentence.")
    over: Text | None = Field(None, description="The rows that traits count unless they say otherwise.")
    traits: tuple[Trait, ...] = Field(min_length=1, description="The columns, in order.")

    def source_of(self, trait: Trait) -> str:
        """The name of the rows that a trait counts."""
        return trait.over or self.over or ""

    def columns(self) -> dict[str, FieldType]:
        """Trait → type of its value."""
        return {trait.name: self.type_of(trait) for trait in self.traits}

    def vocabularies(self) -> dict[str, Vocabulary | None]:
        """Trait → what its value can be: what its field can be, where the value is one of the field's."""
        return {
            trait.name: SOURCES[self.source_of(trait)].vocabulary_of(trait.field)
            for trait in self.traits
            if trait.field and AGGREGATES[trait.aggregate].gives is None and self.type_of(trait) == "text"
        }

    def type_of(self, trait: Trait) -> FieldType:
        """The type of a trait's value."""
        field = SOURCES[self.source_of(trait)].columns[trait.field] if trait.field else None
        return AGGREGATES[trait.aggregate].result(field)


def load_traits(project: Project, problems: Problems, unsure: Unsure | None = None) -> dict[str, TraitFile]:
    """Table (``web_traits``) → its declaration. Of wrong traits those are kept whose type is known all the same.

    The others are noted in ``unsure``.
    """
    loaded = {}
    for table, reading in _declared(project, problems):
        if reading.declaration is None and unsure is not None:
            unsure.add(table, None)
        if reading.declaration is not None:
            loaded[table] = _known_traits(table, reading, problems, unsure if unsure is not None else Unsure())
    return loaded


def _known_traits(table: str, reading: Reading[TraitFile], problems: Problems, unsure: Unsure) -> TraitFile:
    traits = reading.declaration
    assert traits is not None, "only then it is asked for"
    known = check_traits(traits, problems, reading.mended.lacks)
    for index in set(range(len(traits.traits))) - known.keys():
        name = reading.written("traits", index, "name")
        unsure.add(table, traits.traits[index].name if not reading.lacks("traits", index, "name") else name)
        if isinstance(name, str):
            unsure.add(table, name_like(name))
    return traits.model_copy(update={"traits": tuple(known[index] for index in sorted(known))})


def _declared(project: Project, problems: Problems) -> Iterator[tuple[str, Reading[TraitFile]]]:
    own = {path.stem: path for path in sorted((project.config / "traits").glob("*.yml"))}
    packaged = {item.name.removesuffix(".yml"): item for item in (files("profiles") / "defaults" / "traits").iterdir()}
    for activity in sorted(own.keys() | packaged.keys()):
        if activity in own:
            reading = read_partly(own[activity], TraitFile, problems, shown_as=f"config/traits/{activity}.yml")
        else:
            text, shown = packaged[activity].read_text(encoding="utf-8"), f"profiles/defaults/traits/{activity}.yml"
            reading = parse_partly(text, TraitFile, problems, shown_as=shown)
        yield f"{activity}_traits", reading


def trait_fields(tables: Mapping[str, TraitFile]) -> Catalogue:
    """The fields ``web_traits.page_count`` … that segments may name."""
    return {
        f"{table}.{name}": field
        for table, traits in tables.items()
        for name, field in fields_of(table, traits.columns(), traits.vocabularies()).items()
    }


def check_traits(traits: TraitFile, problems: Problems, lacks: Lacks = lambda _: False) -> dict[int, Trait]:
    """Note everything about a file that its shape does not show: unknown rows and fields, types, names used twice.

    The traits whose name and type are known are handed back by their places, a misspelt word as it is surely meant.
    """
    known: dict[int, Trait] = {}

    def report(where: Location, what: str, fix: str) -> None:
        problems.add(traits.declared_in, traits.line_of(*where), what, fix)

    for index, trait in enumerate(traits.traits):
        at: Location = ("traits", index)
        source = _source_of(traits, trait, at, report, lacks)
        field = _field_of(trait, source, at, report, lacks)
        _check_conditions(trait, source, at, report, lacks)
        if source is not None and field.is_known:
            over = next(name for name, item in SOURCES.items() if item is source)
            known[index] = trait.model_copy(update={"over": over, "field": field.name})
    for index in _unnamed(traits, report, lacks):
        known.pop(index, None)
    return known


def _unnamed(traits: TraitFile, report: Report, lacks: Lacks) -> set[int]:
    """The places of traits whose name is not known, or stands twice."""
    unnamed: set[int] = set()
    seen: dict[str, int] = {}
    for index, trait in enumerate(traits.traits):
        at: Location = ("traits", index, "name")
        if lacks(at):
            unnamed.add(index)
        elif trait.name in seen or trait.name == "customer_id":
            report(at, f"`{trait.name}` stands twice.", "Give every trait a name of its own.")
            unnamed |= {index, seen.get(trait.name, index)}
        seen.setdefault(trait.name, index)
    return unnamed


def _check_conditions(trait: Trait, source: TraitSource | None, at: Location, report: Report, lacks: Lacks) -> None:
    if not lacks((*at, "aggregate")):
        _check_share(trait, at, report, lacks)
    for key, predicate in (("where", trait.where), ("among", trait.among)):
        if source is not None and predicate is not None:
            check(predicate, source.fields, None, (*at, key), report, lacks=lacks)


def _source_of(traits: TraitFile, trait: Trait, at: Location, report: Report, lacks: Lacks) -> TraitSource | None:
    """The rows that a trait counts; None where that is not known."""
    where: Location = (*at, "over") if trait.over or lacks((*at, "over")) else ("over",)
    name = traits.source_of(trait)
    if lacks(where):
        return None
    if not name:
        report(at, f"`{trait.name}` does not say what it counts.", f"Add `over:`, one of {', '.join(SOURCES)}.")
    elif name not in SOURCES:  # told once, however many traits go by it
        report(where, f"`{name}` is nothing that traits can count.", suggestion(name, list(SOURCES)))
    return SOURCES.get(as_meant(name, SOURCES) or "")


@dataclass(frozen=True)
class _Counted:
    """The field that a trait is made of, if any; whether it, and so the type of the trait, is known."""

    name: str | None = None
    is_known: bool = False


def _field_of(trait: Trait, source: TraitSource | None, at: Location, report: Report, lacks: Lacks) -> _Counted:
    where, takes = (*at, "field"), AGGREGATES[trait.aggregate].takes
    is_sure = not lacks((*at, "aggregate"))
    if lacks(where):
        return _Counted()
    if trait.field is None:
        if takes and is_sure:
            report(at, f"`{trait.aggregate}` needs a field.", "Add `field:`.")
        return _Counted(None, is_sure and not takes)
    if is_sure and not takes:
        fix = "Leave it out, or use `where` with `is_null: false`."
        report(where, f"`{trait.aggregate}` takes no field.", fix)
        return _Counted(None, is_known=True)
    if source is None:
        return _Counted()
    if trait.field not in source.columns:
        report(where, f"There is no field `{trait.field}`.", suggestion(trait.field, list(source.columns)))
    name = as_meant(trait.field, source.columns)
    if name is None or not is_sure:
        return _Counted()
    if (kind := source.columns[name]) not in takes:
        wanted = ", ".join(sorted(takes))
        report(where, f"`{trait.aggregate}` cannot be taken of `{name}` ({kind}).", f"It takes {wanted}.")
        return _Counted()
    return _Counted(name, is_known=True)


def _check_share(trait: Trait, at: Location, report: Report, lacks: Lacks) -> None:
    if trait.aggregate == "share" and trait.where is None and not lacks((*at, "where")):
        report(at, "`share` does not say of what.", "Add `where:`, the rows whose share is meant.")
    if trait.aggregate != "share" and trait.among is not None:
        report((*at, "among"), "`among` goes with `share` only.", "Use `where`.")
