"""The columns without which no row of a table can be accepted: those that alone fill what the contract demands."""

from __future__ import annotations

from quality.contracts.columns import columns
from sources.evaluation import RowScope, evaluate
from sources.expression import Expression, paths_within
from sources.mapped_feed import MappedFeed
from sources.operations.operation import UnreadableError


def needed_columns(mapped: MappedFeed, given: frozenset[str]) -> tuple[tuple[str, ...], ...]:
    """Of each demanded field the columns of which one is enough. ``given``: what every row has, whatever its file."""
    demanded = (item.name for item in columns(mapped.contract) if not item.is_nullable and item.default is None)
    filling = (mapped.fields[name] for name in demanded if name in mapped.fields)
    read = (
        tuple(dict.fromkeys(path.text for path in paths_within(item))) for item in filling if _needs_row(item, mapped)
    )
    return tuple(dict.fromkeys(names for names in read if names and not given.intersection(names)))


def _needs_row(expression: Expression, mapped: MappedFeed) -> bool:
    """Whether nothing comes of a row that holds nothing."""
    try:
        return evaluate(expression, RowScope({}, mapped.setting, 1, is_flat=True)) is None
    except UnreadableError:
        return False
