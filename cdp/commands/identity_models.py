"""``cdp identity models``: which versions of learned weights there are, and which one runs use.

Imports come late: `cdp identity run` is loaded with this module, and must not wait for what a project needs.
"""

from __future__ import annotations

from typing import Annotated

import typer

from cdp.commands.identity_train import ByOption, weight_columns, weights_of
from cdp.terminal import JsonOption, ProjectOption, say, show, show_json
from warehouse.errors import QualityGateError

app = typer.Typer(help="Model versions: what was learned, and which version runs use.", no_args_is_help=True)

VersionArgument = Annotated[int, typer.Argument(metavar="VERSION", help="Number of the version.")]


@app.command("list")
def list_models(project: ProjectOption = None, json: JsonOption = False) -> None:
    """The versions, the oldest first: when and why they were made, how well they did, which one is pinned."""
    from cdp.settings import find_project
    from cdp.warehouses import reading
    from identity.models import versions

    with reading(find_project(project)) as cursor:
        found = versions(cursor)
    rows = [
        {
            "version": item.version,
            "is_pinned": item.is_pinned,
            "made_at": item.made_at,
            "made_by": item.made_by,
            "reason": item.reason,
            "labelled": sum(item.artefact.labelled.values()),
            "f1_declared": item.artefact.scores.get("declared", {}).get("f1"),
            "f1": item.artefact.scores.get("learned", {}).get("f1"),
            "pinned_at": item.pinned_at,
            "pinned_by": item.pinned_by,
            "fingerprint": item.fingerprint,
        }
        for item in found
    ]
    show(rows, list(rows[0]) if rows else [], as_json=json, empty="No run has made a version yet.")


@app.command("show")
def show_model(version: VersionArgument, project: ProjectOption = None, json: JsonOption = False) -> None:
    """What a version has learned: declared and learned weights, and the pairs that they rest on."""
    from cdp.settings import find_project
    from cdp.warehouses import reading
    from identity.models import version_of

    with reading(find_project(project)) as cursor:
        found = version_of(cursor, version)
    if json:
        show_json(found.artefact.model_dump() | {"version": version, "weights": weights_of(found.artefact)})
        return
    rows = weights_of(found.artefact) if found.artefact.declared else []
    empty = "Nothing learned: weights as config/identity.yml declares them."
    show(rows, weight_columns(found.artefact), as_json=False, empty=empty)


@app.command("pin")
def pin_model(
    version: VersionArgument,
    project: ProjectOption = None,
    force: Annotated[bool, typer.Option("--force", help="Even if it is worse on held-out labels.")] = False,
    reason: Annotated[str, typer.Option("--reason", help="Why, for identity.models.")] = "",
    by: ByOption = None,
) -> None:
    """Have the next run use a version."""
    from cdp.actor import attempt_of
    from cdp.settings import find_project
    from cdp.warehouses import writing
    from identity.models import ensure_models, pin, version_of
    from identity.training import worse_than_declared

    attempt = attempt_of(by, reason or "pinned")
    with writing(find_project(project)) as warehouse, warehouse.transaction() as connection:
        ensure_models(connection, attempt)
        worse = worse_than_declared(version_of(connection, version).artefact)
        if worse and not force:
            raise QualityGateError(
                f"Version {version} is worse than the declared weights on held-out labels: {', '.join(worse)}.",
                "Train with more labels, or give --force.",
            )
        pin(connection, version, attempt)
    say(f"Runs use version {version}. next: cdp run")
