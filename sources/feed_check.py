"""Whether a feed, its mapping and its contract fit together: everything that does not, at once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Literal

from quality.contracts.check import Rejected, check
from quality.contracts.columns import Column, columns
from quality.contracts.contract import Contract, ContractPart
from quality.contracts.registry import CONTRACTS
from sources.expression import (
    Constant,
    Each,
    Expression,
    parts,
    paths_within,
    with_paths_renamed,
)
from sources.feed_declaration import Feed
from sources.feed_fields import feed_fields, mapped_fields
from sources.mapping import Mapping as VendorMapping
from sources.mapping import mapping_ids, read_mapping
from sources.operations.vocabulary import word
from warehouse.codes import check_code
from warehouse.declaration import Location, MisfitError, Problems, nearest, suggestion
from warehouse.errors import DeclarationError
from warehouse.misfit import Misfit

Lacks = Callable[[Location], bool]
"""Whether what is meant at a location is not known."""


def check_feed(feed: Feed, problems: Problems, lacks: Lacks = lambda _: False) -> VendorMapping | None:
    """Add everything that does not fit between a feed, its mapping and its contract; the mapping when it is known.

    A kind or mapping that does not exist is told, and the rest checked against the one that was probably meant. What
    rests on a part that ``lacks`` its meaning is not told.
    """
    place = _Place(feed, problems, lacks)
    meant = feed.model_copy(update={"kind": _known(place, "kind", CONTRACTS)})
    if meant.kind in CONTRACTS:
        _check_field_names(place, CONTRACTS[meant.kind])
    _check_constants(place, meant.kind)
    name = _known(place, "mapping", mapping_ids())
    if name not in mapping_ids():
        return None
    try:
        mapping = read_mapping(name).in_format(feed.format)
    except DeclarationError as error:
        problems.found.extend(error.problems)
        return None
    _check_rename(place, mapping, meant)
    if meant.kind in CONTRACTS:
        _check_fit(place, mapping, meant)
    return mapping


def _known(place: _Place, key: Literal["kind", "mapping"], known: Collection[str]) -> str:
    """The kind or mapping of a feed; where there is no such one, the nearest, if any is near."""
    name: str = getattr(place.feed, key)
    if name in known or place.lacks(key):
        return name
    place.add(key, f"`{name}` is not a {key}.", suggestion(name, known))
    return nearest(name, known) or name


@dataclass(frozen=True)
class _Place:
    """Adds problems at the line of a key of the feed."""

    feed: Feed
    problems: Problems
    lacking: Lacks

    def add(self, key: str, what: str, fix: str, *inner: str) -> None:
        file = self.feed.declared_in or f"config/feeds/{self.feed.name}.yml"
        self.problems.add(file, self.feed.line_of(key, *inner), what, fix)

    def lacks(self, *location: str) -> bool:
        """Whether what is meant by a key, or by one below it, is not known."""
        return self.lacking(location)

    def may_fill(self, field: str) -> bool:
        """Whether what is not known may have been meant to fill a field of the contract."""
        of_feed = ((field,),) if field in Feed.model_fields else ()
        of_field = (("fields", field), ("constants", field), *of_feed)
        return any(map(self.lacking, of_field)) or self.lacks("format")


def _check_field_names(place: _Place, contract: type[Contract]) -> None:
    names = [column.name for column in columns(contract)] + [child.field for child in contract.children.values()]
    for key, declared in (("fields", place.feed.fields), ("constants", place.feed.constants)):
        for name in declared:
            if name not in names:
                place.add(key, f"`{name}` is not a field of {contract.kind}.", suggestion(name, names), name)


def _check_constants(place: _Place, kind: str) -> None:
    """A word that stands in every row refuses every row when it is no currency, or nothing that the contract takes."""
    allowed = {column.name: column.allowed for column in columns(CONTRACTS[kind])} if kind in CONTRACTS else {}
    for (key, name), value in _constants(place.feed).items():
        if place.lacks(key, name):
            continue
        if name.rpartition("_")[2] == "currency":
            for misfit in _misfits(value):
                place.add(key, f"`{name}`: {misfit.what}.", misfit.fix, name)
        elif name in allowed and _is_refused(kind, name, value):
            fix = suggestion(value, allowed[name]) if allowed[name] else f"See `cdp schema {kind}`."
            place.add(key, f"`{name}` is the same in every row, and every row would be refused.", fix, name)


def _constants(feed: Feed) -> dict[tuple[Literal["constants", "fields"], str], str]:
    """The words of fields that are the same in every row, by where they are declared."""
    found: dict[tuple[Literal["constants", "fields"], str], str | None] = {}
    found |= {("constants", name): word(value) for name, value in feed.constants.items()}
    found |= {("fields", name): item.text for name, item in feed.fields.items() if isinstance(item, Constant)}
    return {place: text for place, text in found.items() if text is not None}


def _misfits(currency: str) -> tuple[Misfit, ...]:
    try:
        check_code("currency", currency)
    except MisfitError as error:
        return error.misfits
    return ()


def _is_refused(kind: str, name: str, value: str) -> bool:
    verdict = check(kind, {name: value})
    return isinstance(verdict, Rejected) and any(reason.field == name for reason in verdict.reasons)


def _check_rename(place: _Place, mapping: VendorMapping, feed: Feed) -> None:
    """A column that the mapping does not read can stand for no column of the source."""
    own = mapped_fields(feed, mapping)
    if not own or place.lacks("format") or place.lacks("fields"):
        return
    for source, expected in feed.rename.items():
        is_read = any(with_paths_renamed(item, {expected: f"{expected}\0"}) != item for item in own.values())
        if not is_read and not place.lacks("rename", source):
            read = sorted({path.text for item in own.values() for path in paths_within(item)})
            what = f"The mapping reads no column `{expected}`, so nothing is renamed."
            place.add("rename", what, suggestion(expected, read), source)


def _check_fit(place: _Place, mapping: VendorMapping, feed: Feed) -> None:
    contract = CONTRACTS[feed.kind]
    if mapping.kind not in {None, contract.kind}:
        if place.feed.mapping in mapping_ids() and place.feed.kind in CONTRACTS:
            what = f"Mapping {feed.mapping} makes {mapping.kind}, not {feed.kind}."
            place.add("kind", what, f"Write `kind: {mapping.kind}`.")
        return
    models: dict[str, type[ContractPart]] = {child.field: child.model for child in contract.children.values()}
    fields = feed_fields(feed, mapping)
    for column in _required(contract):
        if column.name not in fields and not place.may_fill(column.name):
            setting = f", or write `{column.name}:` of the feed" if column.name in contract.settled else ""
            place.add(
                "fields",
                f"Nothing fills `{column.name}`, which is required.",
                f"Add `{column.name}:` to `fields:`{setting}.",
            )
    is_grouped = bool(feed.group_by or mapping.group_by or place.lacks("group_by"))
    for name, expression in fields.items():
        if place.lacks("fields", name):
            continue
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
