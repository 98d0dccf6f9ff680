"""dlt as the reader of APIs and databases: its sources and cursors, without its pipeline.

dlt would normalise names and split nested objects into tables; the contracts' mappings want what the source sent. So
only its sources run here, on a state that we keep ourselves and write down after the rows are durable. Nothing of it
is written anywhere, it reports to nobody, and it logs nothing: its log lines may hold addresses and values.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

from warehouse.errors import InputError

_QUIET = {"RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "CRITICAL"}


class State:
    """The cursors of a dlt source, as text between two fetches."""

    def __init__(self, text: str) -> None:
        from dlt.common import json

        self._json = json
        self._state: dict[str, Any] = json.typed_loads(text) if text else {}

    @property
    def text(self) -> str:
        """The cursors as they stand now."""
        return str(self._json.typed_dumps(self._state))

    @contextmanager
    def in_force(self) -> Iterator[None]:
        """Sources that are read inside begin at these cursors and move them on."""
        from dlt.common.configuration.container import Container
        from dlt.common.pipeline import StateInjectableContext

        with Container().injectable_context(StateInjectableContext(state=self._state)):  # type: ignore[arg-type]
            yield

    def items(self, resource: Iterable[Any]) -> Iterator[Any]:
        """What a source brings from these cursors on."""
        with self.in_force():
            yield from resource


def require_dlt() -> None:
    """Make sure that dlt is installed, and silent.

    Raises:
        InputError: it is not installed.
    """
    os.environ.update(_QUIET)
    try:
        import dlt  # noqa: F401 - only whether it can be imported
    except ImportError:
        missing = True
    else:
        missing = False
    if missing:
        raise InputError(
            "HTTP and SQL origins need dlt, which is not installed.",
            "Install the extra: pip install '.[connectors]'.",
        )


def reached(text: str) -> str | None:
    """The value a cursor has reached, for a reader; None before the first fetch."""
    found = [value for key, value in _leaves(msgspec.json.decode(text)) if key == "last_value"] if text else []
    return str(found[0]) if found and found[0] is not None else None


def _leaves(value: object) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield key, item
            yield from _leaves(item)
