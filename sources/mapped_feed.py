"""A feed together with its mapping and its contract: all that is needed to read its files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Final

from quality.contracts.columns import Column, columns
from quality.contracts.contract import Contract, ContractPart
from quality.contracts.registry import CONTRACTS
from sources.expression import (
    Coalesce,
    Constant,
    Each,
    Expression,
    FeedSetting,
    Path,
    RowNumber,
    Then,
    parts,
    paths_around,
    paths_of,
    with_null_words,
    with_paths_renamed,
)
from sources.feed_declaration import Feed
from sources.mapping import Attached, Format, mapping_ids, read_mapping
from sources.mapping import Mapping as VendorMapping
from sources.operations.moment import Epoch, Time
from sources.operations.operation import Setting
from sources.operations.since_1970 import TimeOrEpoch
from sources.operations.vocabulary import word
from warehouse.database import ENGINE
from warehouse.declaration import Problems, suggestion
from warehouse.errors import DeclarationError

READING: Final = 3
"""Raised whenever the code reads the same declaration differently, so that every batch is read again."""


@dataclass(frozen=True)
class MappedFeed:
    """A feed as the readers and the compiler see it: the feed's words have won over the mapping's.

    ``rows`` are the fields that make rows of a child table; ``fields`` all others.
    """

    feed: Feed
    contract: type[Contract]
    forms: tuple[Format, ...]
    envelope: tuple[str, ...]
    columns: tuple[str, ...]
    group_by: str | None
    fields: Mapping[str, Expression]
    rows: Mapping[str, Each]
    ignore: tuple[str, ...]
    setting: Setting
    headings: Mapping[str, str] = field(default_factory=dict)
    heading_marks: tuple[str, ...] = ()
    json_columns: tuple[str, ...] = ()
    further_headings: bool = False
    graphql: Mapping[str, str] = field(default_factory=dict)
    attach: Mapping[str, Attached] = field(default_factory=dict)
    values: Mapping[str, str] = field(default_factory=dict)
    nested: tuple[str, ...] = ()
    page: tuple[str, ...] = ()
    assumed: frozenset[str] = frozenset()
    """Source columns that are read where a file has them, because they are named like the contract's fields."""

    @property
    def kind(self) -> str:
        """The contract's kind."""
        return self.contract.kind

    @property
    def format(self) -> Format:
        """The form of the files; where there are several, the content of each decides."""
        return self.forms[0]

    @property
    def flat_forms(self) -> tuple[Format, ...]:
        """The forms in which source rows are rows of columns, not objects."""
        return tuple(form for form in self.forms if form not in {"json", "jsonl"})

    @property
    def counts_rows(self) -> bool:
        """Whether rows are grouped or numbered, so that one that stands twice in a file would change other rows."""
        numbered = (part for item in self.fields.values() for part in parts(item))
        return self.group_by is not None or any(isinstance(part, RowNumber) for part in numbered)

    @property
    def declaration_hash(self) -> str:
        """Changes when the feed, its mapping, its contract or the database would take a file differently.

        What is ignored, kept or stopped counts as well: it decides which fields are reported as unknown and whether a
        batch is taken, and an ignored field that is so no longer can only be found by reading. What merely describes
        the feed (`id_space`, owner, purpose …) is written into ``ops.feeds`` by every run and costs no reading.
        """
        feed = self.feed
        read = (
            READING,
            self.forms,
            self.heading_marks,
            self.envelope,
            self.columns,
            self.group_by,
            sorted(self.fields.items()),
        )
        more = (sorted(self.rows.items()), self.setting, feed.encoding, feed.delimiter, feed.sheet, feed.duplicates)
        named = (sorted(self.headings.items()), self.json_columns, self.further_headings)
        moved = (sorted(self.graphql.items()), sorted(self.values.items()))
        inside = (sorted(self.attach.items()), self.nested, self.page, moved, named)
        taken = (self.ignore, feed.on_new_column, feed.max_reject_ratio)
        text = repr((ENGINE, read, more, taken, inside)) + _schema(self.contract)
        return hashlib.sha256(text.encode()).hexdigest()


@cache
def _schema(contract: type[Contract]) -> str:
    described = [contract, *(child.model for child in contract.children.values())]
    return json.dumps([[repr(column) for column in columns(model)] for model in described])


def map_feed(feed: Feed) -> MappedFeed:
    """Bring a feed and its mapping together.

    Raises:
        DeclarationError: they do not fit, with every problem.
    """
    problems = Problems()
    mapping = check_feed(feed, problems)
    problems.raise_if_any()
    assert mapping is not None
    contract = CONTRACTS[feed.kind]
    zone = _zone(feed, mapping)
    setting = Setting(zone, feed.country or mapping.country, feed.currency or mapping.currency)
    fields = _in_zone(_fields(feed, mapping), contract, zone)
    nested = {child.field for child in contract.children.values()}
    return MappedFeed(
        feed=feed,
        contract=contract,
        forms=(feed.format,) if feed.format else (mapping.format, *mapping.also),
        envelope=feed.envelope or mapping.envelope,
        columns=feed.columns or mapping.columns,
        group_by=feed.group_by or mapping.group_by,
        fields={name: item for name, item in fields.items() if name not in nested},
        rows={name: item for name, item in fields.items() if name in nested and isinstance(item, Each)},
        ignore=(*mapping.ignore, *feed.ignore),
        setting=setting,
        headings=mapping.headings,
        heading_marks=mapping.heading_marks,
        json_columns=mapping.json_columns,
        further_headings=mapping.further_headings,
        graphql=mapping.graphql,
        attach=mapping.attach,
        values=mapping.values,
        nested=mapping.nested,
        page=mapping.page,
        assumed=frozenset() if mapping.fields else frozenset(set(fields) - set(feed.fields) - set(feed.constants)),
    )


def _zone(feed: Feed, mapping: VendorMapping) -> str:
    """The feed's word counts before the vendor's habit."""
    return mapping.time_zone if mapping.time_zone and "time_zone" not in feed.model_fields_set else feed.time_zone


def _in_zone(fields: Mapping[str, Expression], model: type[ContractPart], zone: str) -> dict[str, Expression]:
    """Every moment written without an offset is one in the feed's time zone, also where no mapping says so."""
    if zone == "UTC":
        return dict(fields)
    moments = {item.name for item in columns(model) if item.shape and item.shape.name == "timestamp"}
    children = {child.field: child.model for child in model.children.values()} if issubclass(model, Contract) else {}
    made: dict[str, Expression] = {}
    for name, item in fields.items():
        if name in moments and not _says_zone(item):
            made[name] = Then(item, (Time(("iso",)),))
        elif name in children and isinstance(item, Each):
            made[name] = _rows_in_zone(item, children[name], zone)
        else:
            made[name] = item
    return made


def _rows_in_zone(each: Each, model: type[ContractPart], zone: str) -> Each:
    instead = each.instead and replace(each.instead, fields=_in_zone(each.instead.fields, model, zone))
    return replace(each, fields=_in_zone(each.fields, model, zone), instead=instead)


def _says_zone(item: Expression) -> bool:
    return isinstance(item, Then) and isinstance(item.operations[-1], Time | Epoch | TimeOrEpoch)


def _fields(feed: Feed, mapping: VendorMapping) -> dict[str, Expression]:
    constants: dict[str, Expression] = {name: Constant(word(value)) for name, value in feed.constants.items()}
    renamed = {expected: source for source, expected in feed.rename.items()}
    own = {name: with_null_words(item, mapping.null_words) for name, item in mapping.fields.items()}
    if not own and feed.kind in CONTRACTS:
        own = {column.name: Path(column.name) for column in columns(CONTRACTS[feed.kind]) if column.name != "extra"}
    fields = {name: with_paths_renamed(item, renamed) for name, item in own.items()}
    return _settled(feed, fields | dict(feed.fields) | constants)


def _settled(feed: Feed, fields: dict[str, Expression]) -> dict[str, Expression]:
    """The feed's country and currency are those of a row that names none, whatever the mapping; a constant stays."""
    for name in CONTRACTS[feed.kind].settled if feed.kind in CONTRACTS else ():
        setting, own = FeedSetting(name), fields.get(name)
        if getattr(feed, name) is None or name not in CONTRACTS[feed.kind].model_fields:
            continue
        if own is None:
            fields[name] = setting
        elif not isinstance(own, Constant) and setting not in parts(own):
            fields[name] = Coalesce((own, setting))
    return fields


def check_feed(feed: Feed, problems: Problems) -> VendorMapping | None:
    """Add everything that does not fit between a feed, its mapping and its contract; the mapping when it is known."""
    place = _Place(feed, problems)
    for key, what, fix in unknown_names(feed.kind, feed.mapping):
        place.add(key, what, fix)
    if feed.kind in CONTRACTS:
        _check_field_names(place, CONTRACTS[feed.kind])
    if feed.mapping not in mapping_ids():
        return None
    try:
        mapping = read_mapping(feed.mapping).in_format(feed.format)
    except DeclarationError as error:
        problems.found.extend(error.problems)
        return None
    if feed.kind in CONTRACTS:
        _check_fit(place, mapping, CONTRACTS[feed.kind])
    return mapping


def unknown_names(kind: str, mapping: str) -> Iterator[tuple[str, str, str]]:
    """Key, what is wrong and what to do, where there is no such kind or mapping; an empty name is none."""
    if kind and kind not in CONTRACTS:
        yield "kind", f"`{kind}` is not a kind.", suggestion(kind, list(CONTRACTS))
    if mapping and mapping not in mapping_ids():
        yield "mapping", f"`{mapping}` is not a mapping.", suggestion(mapping, list(mapping_ids()))


@dataclass(frozen=True)
class _Place:
    """Adds problems at the line of a key of the feed."""

    feed: Feed
    problems: Problems

    def add(self, key: str, what: str, fix: str, *inner: str) -> None:
        file = self.feed.declared_in or f"config/feeds/{self.feed.name}.yml"
        self.problems.add(file, self.feed.line_of(key, *inner), what, fix)


def _check_field_names(place: _Place, contract: type[Contract]) -> None:
    names = [column.name for column in columns(contract)] + [child.field for child in contract.children.values()]
    for key, declared in (("fields", place.feed.fields), ("constants", place.feed.constants)):
        for name in declared:
            if name not in names:
                place.add(key, f"`{name}` is not a field of {contract.kind}.", suggestion(name, names), name)


def _check_fit(place: _Place, mapping: VendorMapping, contract: type[Contract]) -> None:
    feed = place.feed
    if mapping.kind not in {None, contract.kind}:
        place.add(
            "kind", f"Mapping {feed.mapping} makes {mapping.kind}, not {feed.kind}.", f"Write `kind: {mapping.kind}`."
        )
        return
    models: dict[str, type[ContractPart]] = {child.field: child.model for child in contract.children.values()}
    fields = _fields(feed, mapping)
    for column in _required(contract):
        if column.name not in fields:
            setting = f", or write `{column.name}:` of the feed" if column.name in contract.settled else ""
            place.add(
                "fields",
                f"Nothing fills `{column.name}`, which is required.",
                f"Add `{column.name}:` to `fields:`{setting}.",
            )
    is_grouped = bool(feed.group_by or mapping.group_by)
    for name, expression in fields.items():
        model = models.get(name)
        for problem in _row_problems(name, expression, model, is_grouped):
            place.add("fields", problem, "See a mapping that has lines, such as shopify_orders.", name)


def _row_problems(name: str, item: Expression, model: type[ContractPart] | None, is_grouped: bool) -> Iterator[str]:
    if model is None:
        if any(isinstance(part, Each) and part.path is None for part in parts(item)):
            yield f"`{name}` is one value; only rows of their own can be made of `rows`."
        return
    if not isinstance(item, Each):
        yield f"`{name}` needs `each` or `rows`, with `fields`."
        return
    if item.path is None and not is_grouped:
        yield f"`{name}` is made of the rows of a group, but nothing says `group_by`."
    known = {column.name for column in columns(model)}
    for fields in (item.fields, item.instead.fields) if item.instead else (item.fields,):
        for own_name, inner in fields.items():
            if own_name not in known:
                yield f"`{name}.{own_name}` is not a field. {suggestion(own_name, sorted(known))}"
            if any(isinstance(part, Each) for part in parts(inner)):
                yield f"`{name}.{own_name}` nests rows in rows."
        for column in _required(model):
            if column.name not in fields:
                yield f"Nothing fills `{name}.{column.name}`, which is required."


def _required(model: type[ContractPart]) -> Iterator[Column]:
    for column in columns(model):
        if not column.is_nullable and column.default is None:
            yield column


def source_paths(mapped: MappedFeed) -> Iterator[Path]:
    """The paths a feed reads from a source row, the lists its nested rows come from among them."""
    for expression in mapped.fields.values():
        yield from paths_of(expression)
    for each in mapped.rows.values():
        if each.path is not None:
            yield each.path
            yield from paths_around(each)
            continue
        for inner in each.fields.values():
            yield from paths_of(inner)
    if mapped.group_by:
        yield Path(mapped.group_by)
