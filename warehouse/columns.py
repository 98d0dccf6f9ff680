"""What each column means, said once: in ``<package>/columns.yml``, or in the contract it comes from.

The file maps ``column: text`` for a meaning that holds everywhere, and ``table.column: text`` where one table
means something narrower. ``<package>/origins.yml`` says what the columns of tables that Python makes are computed
from, which no statement tells: table → column → ``table.column`` of the same schema.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType

import yaml


@cache
def describe(package: str) -> Mapping[str, str]:
    """The descriptions of ``package``: column or ``table.column`` → text. Empty when it has no columns.yml."""
    resource = files(package) / "columns.yml"
    if not resource.is_file():
        return MappingProxyType({})
    texts = yaml.load(resource.read_text(encoding="utf-8"), Loader=getattr(yaml, "CBaseLoader", yaml.BaseLoader)) or {}
    return MappingProxyType({str(column): " ".join(str(text).split()) for column, text in texts.items()})


def origins_for(package: str, schema: str, table: str) -> Mapping[str, tuple[tuple[str, str], ...]]:
    """Column of a table that Python makes → tables (``schema.table``) and their columns that it is computed from."""
    return MappingProxyType(
        {
            column: tuple((f"{schema}.{origin}", name) for origin, _, name in (text.partition(".") for text in found))
            for column, found in _origins(package).get(table, {}).items()
        }
    )


@cache
def _origins(package: str) -> Mapping[str, Mapping[str, list[str]]]:
    text = (files(package) / "origins.yml").read_text(encoding="utf-8")
    return MappingProxyType(yaml.load(text, Loader=getattr(yaml, "CBaseLoader", yaml.BaseLoader)))


def descriptions_for(package: str, table: str) -> Mapping[str, str]:
    """The descriptions that hold for one table: its own ones win over the general ones."""
    texts = describe(package)
    own = {key.split(".", 1)[1]: text for key, text in texts.items() if key.startswith(f"{table}.")}
    general = {key: text for key, text in texts.items() if "." not in key}
    return MappingProxyType(general | own)
