"""The names that vendors give to personal values, read off the mappings of a project's feeds, for masking."""

from __future__ import annotations

from collections.abc import Iterable

from quality.contracts.columns import columns
from quality.contracts.registry import CONTRACTS
from sources.mapped_feed import MappedFeed
from sources.mapping import describe_fields


def personal_keys(feeds: Iterable[MappedFeed]) -> tuple[str, ...]:
    """Last parts of the source paths that become personal fields."""
    personal = {column.name for model in CONTRACTS.values() for column in columns(model) if column.is_personal}
    keys: set[str] = set()
    for mapped in feeds:
        for source, target, _ in describe_fields({**mapped.fields, **mapped.rows}):
            if target in personal:
                keys |= {path.rsplit(".", 1)[-1] for path in source.split(", ") if path}
    return tuple(sorted(keys))
