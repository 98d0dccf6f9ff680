"""``cdp schema``: the JSON Schema of a declaration or a contract, for editors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import typer
from pydantic import BaseModel

from cdp.terminal import show_json
from warehouse.declaration import suggestion


def schema(
    name: Annotated[
        str, typer.Argument(help="business, feed, corrections, identity, traits, segments, … or a contract kind.")
    ],
) -> None:
    """Print a JSON Schema. Editors check YAML against it as you type."""
    models = _models()
    if name not in models:
        raise typer.BadParameter(f"{name!r} has no schema. {suggestion(name, sorted(models))}", param_hint="NAME")
    show_json(models[name].model_json_schema())


def _models() -> Mapping[str, type[BaseModel]]:
    from identity.declaration import IdentityRules
    from identity.linker.declaration import LinkRules
    from profiles.lifecycle import LifecycleRules
    from profiles.segments import SegmentFile
    from profiles.survivorship import Survivorship
    from profiles.traits import TraitFile
    from quality.contracts.registry import CONTRACTS
    from quality.suites import QualityFile
    from sources.corrections import CorrectionFile
    from sources.feed import Feed
    from warehouse.business import Business

    declared: dict[str, type[BaseModel]] = {
        "business": Business,
        "corrections": CorrectionFile,
        "feed": Feed,
        "identity": IdentityRules,
        "lifecycle": LifecycleRules,
        "linker": LinkRules,
        "quality": QualityFile,
        "segments": SegmentFile,
        "survivorship": Survivorship,
        "traits": TraitFile,
    }
    return declared | dict(CONTRACTS)
