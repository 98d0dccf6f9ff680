"""``cdp schema``: keys of declarations, fields of contracts: a table for readers, JSON Schema for editors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated

import typer
from pydantic import BaseModel

from cdp.terminal import say, show, show_json
from warehouse.declaration import suggestion


def schema(
    name: Annotated[
        str | None,
        typer.Argument(help="business, feed, corrections, identity, traits, segments, … or a contract kind."),
    ] = None,
    keys: Annotated[bool, typer.Option("--keys", help="A table of the keys instead.")] = False,
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
        show(keys_of(models[name]), ["key", "default", "meaning"], as_json=False)
        return
    show_json(models[name].model_json_schema())


def first_sentence(model: type) -> str:
    """What a declaration, a row of a contract or an operation is."""
    return " ".join((model.__doc__ or "").split("\n\n")[0].split())


def keys_of(model: type[BaseModel]) -> Iterator[dict[str, str]]:
    """Every key with what holds where it is absent, and its meaning."""
    for name, field in model.model_fields.items():
        default = "required" if field.is_required() else _in_words(field.get_default(call_default_factory=True))
        yield {"key": field.alias or name, "default": default, "meaning": field.description or ""}


def _in_words(value: object) -> str:
    if value is None or isinstance(value, BaseModel | dict):
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ", ".join(str(item) for item in value if not isinstance(item, BaseModel))
    return str(value)


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
