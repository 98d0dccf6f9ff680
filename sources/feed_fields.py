"""Which expression fills which contract field, of a feed and its mapping together."""

from __future__ import annotations

from quality.contracts.columns import columns
from quality.contracts.registry import CONTRACTS
from sources.expression import (
    Coalesce,
    Constant,
    Expression,
    FeedSetting,
    Path,
    parts,
    with_null_words,
    with_paths_renamed,
)
from sources.feed_declaration import Feed
from sources.mapping import Mapping as VendorMapping
from sources.operations.vocabulary import word


def feed_fields(feed: Feed, mapping: VendorMapping) -> dict[str, Expression]:
    """Contract field → expression: the mapping's, with renamed columns; the feed's own win."""
    constants: dict[str, Expression] = {name: Constant(word(value)) for name, value in feed.constants.items()}
    renamed = {expected: source for source, expected in feed.rename.items()}
    fields = {name: with_paths_renamed(item, renamed) for name, item in mapped_fields(feed, mapping).items()}
    return _settled(feed, fields | dict(feed.fields) | constants)


def mapped_fields(feed: Feed, mapping: VendorMapping) -> dict[str, Expression]:
    """What the mapping says; one that says nothing reads columns named like the contract's fields."""
    own = {name: with_null_words(item, mapping.null_words) for name, item in mapping.fields.items()}
    if not own and feed.kind in CONTRACTS:
        own = {column.name: Path(column.name) for column in columns(CONTRACTS[feed.kind]) if column.name != "extra"}
    return own


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
