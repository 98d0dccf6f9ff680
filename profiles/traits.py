"""Traits: values per customer, declared in ``config/traits/<activity>.yml``, made in ``profiles.<activity>_traits``.

A file describes one table. Files that a project does not have are taken from ``profiles/defaults/traits``; a file
of another name makes a table of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import ClassVar, get_args

from pydantic import ConfigDict, Field, StrictInt
from pydantic.config import JsonDict

from profiles.aggregates import AGGREGATES, AggregateName
from profiles.field_values import Vocabulary
from profiles.fields import Catalogue, FieldType, fields_of
from profiles.predicate import Predicate
from profiles.predicate_meaning import Report, Unsure, check
from profiles.trait_sources import SOURCES, TraitSource
from warehouse.declaration import (
    Declaration,
    Location,
    Name,
    Problems,
    Reading,
    Text,
    parse_partly,
    read_partly,
    suggestion,
)
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
    stand_ins: ClassVar[Mapping[str, object]] = {"description": "not said"}

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
    """Table (``web_traits``) → its declaration. Wrong traits are left out, noted in ``problems`` and ``unsure``."""
    loaded = {}
    for table, reading in _declared(project, problems):
        traits, right = reading.declaration, set()
        if traits is not None:
            right = check_traits(traits, problems)
            loaded[table] = traits.model_copy(update={"traits": tuple(traits.traits[index] for index in sorted(right))})
        if unsure is not None:
            _note_wrong(table, reading, {trait.name for trait in loaded[table].traits} if traits else set(), unsure)
    return loaded


def _note_wrong(table: str, reading: Reading[TraitFile], right: set[str], unsure: Unsure) -> None:
    if reading.declaration is None and not reading.written:
        unsure.add(table, None)
    written = reading.written.get("traits")
    for item in written if isinstance(written, list) else []:
        name = item.get("name") if isinstance(item, dict) else None
        if not isinstance(name, str) or name not in right:
            unsure.add(table, name)


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


def check_traits(traits: TraitFile, problems: Problems) -> set[int]:
    """Note everything about a file that its shape does not show: unknown rows and fields, types, names used twice.

    The places of the traits that are right are handed back.
    """
    wrong: set[object] = set()

    def report(where: Location, what: str, fix: str) -> None:
        wrong.add(where[1] if len(where) > 1 else None)
        problems.add(traits.declared_in, traits.line_of(*where), what, fix)

    seen: set[str] = {"customer_id"}
    for index, trait in enumerate(traits.traits):
        at: Location = ("traits", index)
        if trait.name in seen:
            report((*at, "name"), f"`{trait.name}` stands twice.", "Give every trait a name of its own.")
        seen.add(trait.name)
        source = SOURCES.get(traits.source_of(trait))
        if source is None:
            _report_source(traits, trait, at, report)
            continue
        _check_field(trait, source, at, report)
        _check_share(trait, at, report)
        for key, predicate in (("where", trait.where), ("among", trait.among)):
            if predicate is not None:
                check(predicate, source.fields, None, (*at, key), report)
    sourced = {index for index, trait in enumerate(traits.traits) if traits.source_of(trait) in SOURCES}
    return sourced - wrong


def _report_source(traits: TraitFile, trait: Trait, at: Location, report: Report) -> None:
    name = traits.source_of(trait)
    if not name:
        report(at, f"`{trait.name}` does not say what it counts.", f"Add `over:`, one of {', '.join(SOURCES)}.")
        return
    where: Location = (*at, "over") if trait.over else ("over",)  # told once, however many traits go by it
    report(where, f"`{name}` is nothing that traits can count.", suggestion(name, list(SOURCES)))


def _check_field(trait: Trait, source: TraitSource, at: Location, report: Report) -> None:
    takes = AGGREGATES[trait.aggregate].takes
    if trait.field is None:
        if takes:
            report(at, f"`{trait.aggregate}` needs a field.", "Add `field:`.")
        return
    where = (*at, "field")
    if not takes:
        report(where, f"`{trait.aggregate}` takes no field.", "Leave it out, or use `where` with `is_null: false`.")
    elif trait.field not in source.columns:
        report(where, f"There is no field `{trait.field}`.", suggestion(trait.field, list(source.columns)))
    elif source.columns[trait.field] not in takes:
        kind = source.columns[trait.field]
        wanted = ", ".join(sorted(takes))
        report(where, f"`{trait.aggregate}` cannot be taken of `{trait.field}` ({kind}).", f"It takes {wanted}.")


def _check_share(trait: Trait, at: Location, report: Report) -> None:
    if trait.aggregate == "share" and trait.where is None:
        report(at, "`share` does not say of what.", "Add `where:`, the rows whose share is meant.")
    if trait.aggregate != "share" and trait.among is not None:
        report((*at, "among"), "`among` goes with `share` only.", "Use `where`.")
