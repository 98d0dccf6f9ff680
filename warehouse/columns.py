"""What each column means, said once: in ``<package>/columns.yml``, or in the contract it comes from.

The file maps ``column: text`` for a meaning that holds everywhere, and ``table.column: text`` where one table
means something narrower.
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


def descriptions_for(package: str, table: str) -> Mapping[str, str]:
    """The descriptions that hold for one table: its own ones win over the general ones."""
    texts = describe(package)
    own = {key.split(".", 1)[1]: text for key, text in texts.items() if key.startswith(f"{table}.")}
    general = {key: text for key, text in texts.items() if "." not in key}
    return MappingProxyType(general | own)
