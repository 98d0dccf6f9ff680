"""``cdp identity train``: learn how much each outcome of a comparison says, and keep it as a model version.

Imports come late: `cdp identity run` is loaded with this module, and must not wait for what a project needs.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cdp.terminal import JsonOption, ProjectOption, counted, say, show, show_json
from warehouse.errors import InputError, QualityGateError, UsageError

if TYPE_CHECKING:
    from identity.model import Artefact
    from identity.training import Trained
    from quality.resolution import Attempt
    from warehouse.project import Project

ByOption = Annotated[
    str | None, typer.Option("--by", help="Who does this; default: CDP_USER, else the user of this computer.")
]
_CLASSES = ("match", "random", "household")
_TOO_FEW = "it takes about 40 pairs of one person and of two people to estimate them, or 20 labelled pairs of either"
_SCORES = {
    "f1": "F1 of the partition",
    "precision": "precision",
    "recall": "recall",
    "pair_f1": "F1 of pairs",
    "log_loss": "log-loss (bits)",
}


def train(
    project: ProjectOption = None,
    labels: Annotated[
        Path | None,
        typer.Option(
            "--labels",
            help="CSV of persons (feed, file, row, person_id) or of pairs (record_id_l, record_id_r, answer).",
        ),
    ] = None,
    unlabelled: Annotated[
        bool, typer.Option("--unlabelled", help="Learn from the records alone; labels only tell how well it went.")
    ] = False,
    pin: Annotated[bool, typer.Option("--pin", help="Have the next run use it, if it is no worse.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Pin it even if it is worse on held-out labels.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Keep nothing; only tell.")] = False,
    reason: Annotated[str, typer.Option("--reason", help="Why, for identity.models.")] = "",
    by: ByOption = None,
    json: JsonOption = False,
) -> None:
    """Learn weights from the records, and from decisions and labels; the version waits until it is pinned."""
    from cdp.actor import attempt_of
    from cdp.settings import find_project

    if dry_run and pin:
        raise UsageError("--dry-run keeps nothing, so that there is nothing to pin.", "Give one of them.")
    if labels is not None and not labels.is_file():
        raise InputError(f"There is no file {labels.name}.", "Check the name given with --labels.")
    where = find_project(project)
    attempt = attempt_of(by, reason or "trained")
    trained = _trained(where, attempt, labels, unlabelled)
    version = None if dry_run else _kept(where, trained, attempt)
    refused = bool(pin and trained.worse and not force)
    is_pinned = version is not None and pin and not refused
    if is_pinned and version is not None:
        _pinned(where, version, attempt)
    if json:
        show_json(_told(trained, version, is_pinned))
    else:
        _tell(trained, version, is_pinned)
    if refused:
        raise QualityGateError(
            f"Version {version} is kept but not pinned: on held-out labels it is worse by {_names(trained.worse)}.",
            f"Give more labels, or pin it all the same: cdp identity models pin {version} --force",
        )


def _trained(where: Project, attempt: Attempt, labels: Path | None, unlabelled: bool) -> Trained:
    from cdp.commands.identity_diff import last_day
    from cdp.warehouses import writing
    from identity.declaration import load_identity
    from identity.training import train as learn
    from warehouse.business import load_business
    from warehouse.step import Run

    rules = load_identity(where)
    with writing(where) as warehouse:
        run = Run(attempt.run_id, last_day(warehouse), attempt.at, load_business(where))
        with warehouse.rehearsal() as connection:
            return learn(connection, rules, run, labels, unlabelled_only=unlabelled)


def _kept(where: Project, trained: Trained, attempt: Attempt) -> int:
    from cdp.warehouses import writing
    from identity.models import add_version, ensure_models

    with writing(where) as warehouse, warehouse.transaction() as connection:
        ensure_models(connection, attempt)
        return add_version(connection, trained.artefact, trained.values, attempt)


def _pinned(where: Project, version: int, attempt: Attempt) -> None:
    from cdp.warehouses import writing
    from identity.models import pin

    with writing(where) as warehouse, warehouse.transaction() as connection:
        pin(connection, version, attempt)


def _told(trained: Trained, version: int | None, is_pinned: bool) -> dict[str, Any]:
    artefact = trained.artefact
    return {
        "version": version,
        "is_pinned": is_pinned,
        "labelled": artefact.labelled,
        "has_learned": bool(artefact.corrections),
        "estimated_pairs": artefact.classes,
        "weights": weights_of(trained.artefact),
        "scores": artefact.scores,
        "calibration": [band.model_dump() for band in artefact.calibration],
        "remembered_values": len(trained.values),
        "worse": list(trained.worse),
    }


def weights_of(artefact: Artefact) -> list[dict[str, Any]]:
    """Declared and learned weight of every level and guard, with the pairs that the learned one rests on.

    Where it was estimated, also how often pairs of one person, of two at random, and of two of one home come out so.
    """
    corrections = artefact.corrections | {"guard": artefact.guards}
    rows = [
        {
            "comparison": comparison,
            "level": level,
            "declared": weight,
            "learned": round(weight + corrections.get(comparison, {}).get(level, 0.0), 2) + 0.0,
            "pairs": artefact.rests_on.get(comparison, {}).get(level, 0),
        }
        | (artefact.chances[comparison][level].model_dump() if comparison in artefact.chances else {})
        for comparison, levels in artefact.declared.items()
        for level, weight in levels.items()
    ]
    odds = {
        "comparison": "prior",
        "level": "two people at random",
        "declared": 0.0,
        "learned": round(artefact.prior, 2),
    }
    return [*rows, odds | {"pairs": sum(artefact.labelled.values())}]


def _tell(trained: Trained, version: int | None, is_pinned: bool) -> None:
    artefact = trained.artefact
    one, two = artefact.labelled["one_person"], artefact.labelled["two_people"]
    say(f"{counted(one, 'labelled pair')} of one person, {two:,} of two people.")
    if artefact.classes:
        say(f"By the records themselves about {artefact.classes['match']:,.0f} pairs are one person.")
    if not artefact.corrections:
        say(f"Weights stay as declared: {_TOO_FEW}.")
    else:
        show(weights_of(artefact), weight_columns(artefact), as_json=False)
    if artefact.scores:
        _tell_scores(trained)
    say(f"\nremembers {counted(len(trained.values), 'value')}, by hash")
    if version is None:
        return
    say(f"kept as version {version}" + (", pinned. next: cdp run" if is_pinned else ""))
    if not is_pinned:
        say(f"next: cdp identity diff --model {version}, then cdp identity models pin {version}")


def weight_columns(artefact: Artefact) -> list[str]:
    """What is shown of weights."""
    return ["comparison", "level", "declared", "learned", "pairs", *(_CLASSES if artefact.chances else ())]


def _tell_scores(trained: Trained) -> None:
    declared, learned = (trained.artefact.scores[name] for name in ("declared", "learned"))
    rows = [
        {"held out": words, "declared": round(declared[name], 4), "learned": round(learned[name], 4)}
        for name, words in _SCORES.items()
        if name in learned
    ]
    say()
    show(rows, ["held out", "declared", "learned"], as_json=False)
    if trained.worse:
        say(f"Worse than the declared weights by {_names(trained.worse)}.")


def _names(worse: tuple[str, ...]) -> str:
    return ", ".join(_SCORES.get(name, name) for name in worse)
