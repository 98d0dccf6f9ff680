"""``cdp schema``: keys of declarations, fields of contracts: a table for readers, JSON Schema for editors."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import indent
from typing import Annotated

import typer
from pydantic import BaseModel

from cdp.declared_keys import first_sentence, sections_of
from cdp.terminal import AnyProjectOption, say, show, show_json
from warehouse.declaration import suggestion


def schema(
    name: Annotated[
        str | None,
        typer.Argument(help="business, feed, corrections, identity, traits, segments, … or a contract kind."),
    ] = None,
    keys: Annotated[bool, typer.Option("--keys", help="Tables of the keys instead, down into every part.")] = False,
    _project: AnyProjectOption = None,
) -> None:
    """Print a JSON Schema: editors check YAML against it as you type. Without a name, what there is."""
    models = models_by_name()
    if name is None:
        rows = [{"name": key, "what": first_sentence(model)} for key, model in models.items()]
        show(rows, ["name", "what"], as_json=False)
        say("next: cdp schema feed --keys · cdp schema purchases --keys")
        return
    if name not in models:
        raise typer.BadParameter(f"{name!r} has no schema. {suggestion(name, sorted(models))}", param_hint="NAME")
    if keys:
        for place, section in enumerate(sections_of(name, models[name])):
            if place:
                say(f"\n{section.place}: {section.sentence}")
            if section.rows:
                show(section.rows, section.columns, as_json=False)
            if section.example:
                say("\nexample:\n" + indent(section.example, "    "))
        return
    show_json(models[name].model_json_schema())


def models_by_name() -> Mapping[str, type[BaseModel]]:
    """Every declaration by its file, then every contract by its kind."""
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
