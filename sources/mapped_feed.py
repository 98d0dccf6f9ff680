"""A feed together with its mapping and its contract: all that is needed to read its files."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from typing import Final

from quality.contracts.columns import columns
from quality.contracts.contract import Contract, ContractPart
from quality.contracts.registry import CONTRACTS
from sources.expression import (
    Each,
    Expression,
    Path,
    RowNumber,
    Then,
    parts,
    paths_of,
    paths_within,
)
from sources.feed_check import check_feed
from sources.feed_declaration import Feed
from sources.feed_fields import feed_fields
from sources.free_choices import Choice, free_choices
from sources.mapping import Attached, Format
from sources.mapping import Mapping as VendorMapping
from sources.operations.moment import Epoch, Time
from sources.operations.operation import Setting
from sources.operations.since_1970 import TimeOrEpoch
from warehouse.database import ENGINE
from warehouse.declaration import Problems

READING: Final = 5
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
    free_form: tuple[str, ...] = ()
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

    @cached_property
    def free_choices(self) -> Mapping[str, tuple[Choice, ...]]:
        """The fields that free-form places may fill, and out of what."""
        return free_choices(self.fields, self.free_form)

    def sources_of(self, field: str) -> tuple[str, ...]:
        """The source fields that a contract field is made of, as paths; those of rows inside the row as
        ``lines[].sku``."""
        outer, _, inner = _NUMBER.sub("", field).partition(".")
        rows = self.rows.get(outer)
        if rows is None:
            return _paths(self.fields.get(outer), "")
        prefix = f"{rows.path.text}[]." if rows.path else ""
        return _paths(rows.fields.get(inner), prefix) if inner else (rows.path.text,) if rows.path else ()

    @cached_property
    def text_fields(self) -> frozenset[str]:
        """Source fields of which nothing but texts are made."""
        made: dict[bool, set[str]] = {True: set(), False: set()}
        for column in columns(self.contract):
            made[column.sql_type == "VARCHAR"].update(self.sources_of(column.name))
        return frozenset(made[True] - made[False])

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
        inside = (sorted(self.attach.items()), self.nested, self.page, moved, named, *self.free_form)
        taken = (self.ignore, feed.on_new_column, feed.max_reject_ratio)
        text = repr((ENGINE, read, more, taken, inside)) + _schema(self.contract)
        return hashlib.sha256(text.encode()).hexdigest()


_NUMBER: Final = re.compile(r"\[\d+\]")


def _paths(expression: Expression | None, prefix: str) -> tuple[str, ...]:
    if expression is None:
        return ()
    return tuple(dict.fromkeys(f"{prefix}{path.text}" for path in paths_of(expression)))


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
    fields = _in_zone(feed_fields(feed, mapping), contract, zone)
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
        free_form=mapping.free_form,
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


def source_paths(mapped: MappedFeed) -> Iterator[Path]:
    """The paths a feed reads from a source row, the lists its nested rows come from among them."""
    for expression in (*mapped.fields.values(), *mapped.rows.values()):
        yield from paths_within(expression)
    if mapped.group_by:
        yield Path(mapped.group_by)
