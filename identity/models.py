"""The model versions of a warehouse, and by hash the values that they remember.

Tables ``identity.models`` and ``identity.model_values``. Exactly one version is pinned: the next run uses it. Rows are
added by training and never changed, but for the pin.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import datetime

import pyarrow as pa

from identity.arrays import arrow
from identity.frequencies import Frequencies
from identity.model import DECLARED_VERSION, Artefact, Model
from identity.specs import spec
from quality.resolution import Attempt
from warehouse.database import Connection
from warehouse.errors import UsageError
from warehouse.step import Run, Step

FREQUENCY, SHARED = "frequency", "shared"
_CREATE = (
    """
    create table if not exists identity.models (
        version integer not null, made_at timestamp not null, run_id varchar not null, made_by varchar not null,
        reason varchar not null, fingerprint varchar not null, is_pinned boolean not null, pinned_at timestamp,
        pinned_by varchar, pin_reason varchar, artefact varchar not null
    )
    """,
    """
    create table if not exists identity.model_values (
        version integer not null, part varchar not null, feature varchar not null, value_hash varchar not null,
        nodes bigint not null
    )
    """,
)
_INSERT = """
    insert into identity.models by name
    select
        $version as version, $at as made_at, $run_id as run_id, $by as made_by, $why as reason,
        $fingerprint as fingerprint, false as is_pinned, $artefact as artefact
"""
_PIN = """
    update identity.models
    set
        is_pinned = version = $version,
        pinned_at = case when version = $version then $at else pinned_at end,
        pinned_by = case when version = $version then $by else pinned_by end,
        pin_reason = case when version = $version then $why else pin_reason end
    where is_pinned or version = $version
"""
_LIST = """
    select version, made_at, run_id, made_by, reason, fingerprint, is_pinned, pinned_at, pinned_by, pin_reason, artefact
    from identity.models
    order by version
"""
_BY_RULE = "weights as declared, nothing learned"


@dataclass(frozen=True)
class Version:
    """A row of ``identity.models``."""

    version: int
    made_at: datetime
    run_id: str
    made_by: str
    reason: str
    fingerprint: str
    is_pinned: bool
    pinned_at: datetime | None
    pinned_by: str | None
    pin_reason: str | None
    artefact: Artefact


_FIELDS = tuple(field.name for field in fields(Version))

Value = tuple[str, str, str, int]
"""Part, feature (or kind), hash of a value, nodes that hold it."""


def models_step() -> Step:
    """Make ``identity.models`` and ``identity.model_values`` where they are not, with version 1 pinned."""
    tables = (
        spec(
            "models",
            "A model version: what was learned about comparing records, and whether runs use it.",
            ("version",),
        ),
        spec(
            "model_values",
            "A value that a model version remembers, by hash, and how many nodes held it.",
            ("version", "part", "feature", "value_hash"),
        ),
    )
    return Step("identity.models", tables, frozenset(), lambda connection, run: ensure_models(connection, _by_run(run)))


def trying_step(version: int) -> Step:
    """Pin a version for what comes after, in a transaction that is undone."""

    def execute(connection: Connection, run: Run) -> None:
        ensure_models(connection, _by_run(run))
        pin(connection, version, _by_run(run))

    return Step("identity.models", (), frozenset(), execute)


def ensure_models(connection: Connection, attempt: Attempt) -> None:
    """Have the tables, and version 1 in them."""
    for statement in _CREATE:
        connection.execute(statement)
    if connection.execute("select 1 from identity.models limit 1").fetchone() is None:
        by_rule = Attempt(attempt.at, attempt.run_id, "rule", _BY_RULE)
        add_version(connection, Artefact(), (), by_rule)
        pin(connection, DECLARED_VERSION, by_rule)


def add_version(connection: Connection, artefact: Artefact, values: Iterable[Value], attempt: Attempt) -> int:
    """Write down what was learned as the next version, not pinned; its number."""
    [(version,)] = connection.execute("select coalesce(max(version), 0) + 1 from identity.models").fetchall()
    connection.execute(
        _INSERT,
        {
            "version": version,
            "at": attempt.at,
            "run_id": attempt.run_id,
            "by": attempt.by,
            "why": attempt.why,
            "fingerprint": artefact.fingerprint(),
            "artefact": artefact.model_dump_json(),
        },
    )
    rows = list(values)
    table = arrow(
        {
            "part": ([row[0] for row in rows], pa.string()),
            "feature": ([row[1] for row in rows], pa.string()),
            "value_hash": ([row[2] for row in rows], pa.string()),
            "nodes": ([row[3] for row in rows], pa.int64()),
        }
    )
    connection.register("_remembered", table)
    try:
        connection.execute(
            "insert into identity.model_values select $version, part, feature, value_hash, nodes from _remembered",
            {"version": version},
        )
    finally:
        connection.unregister("_remembered")
    return int(version)


def pin(connection: Connection, version: int, attempt: Attempt) -> None:
    """Have the next run use a version.

    Raises:
        UsageError: there is no such version.
    """
    version_of(connection, version)
    connection.execute(_PIN, {"version": version, "at": attempt.at, "by": attempt.by, "why": attempt.why})


def versions(connection: Connection) -> tuple[Version, ...]:
    """All versions, the oldest first."""
    rows = connection.execute(_LIST).fetchall()
    return tuple(
        Version(**dict(zip(_FIELDS, (*row[:-1], Artefact.model_validate_json(row[-1])), strict=True))) for row in rows
    )


def version_of(connection: Connection, version: int) -> Version:
    """One version.

    Raises:
        UsageError: there is none of this number.
    """
    known = {item.version: item for item in versions(connection)}
    if version not in known:
        raise UsageError(
            f"There is no model version {version}; there are: {', '.join(map(str, known))}.",
            "`cdp identity models list` tells what each holds; `cdp identity train` makes another.",
        )
    return known[version]


def pinned_model(connection: Connection) -> Model:
    """The version that is in use."""
    [(version, written)] = connection.execute(
        "select version, artefact from identity.models where is_pinned"
    ).fetchall()
    artefact = Artefact.model_validate_json(written)
    if artefact.population is None:
        return Model(version, artefact)
    parts: dict[str, dict[str, dict[str, int]]] = {FREQUENCY: {}, SHARED: {}}
    rows = connection.execute(
        "select part, feature, value_hash, nodes from identity.model_values where version = $version",
        {"version": version},
    ).fetchall()
    for part, feature, value_hash, nodes in rows:
        parts[part].setdefault(feature, {})[value_hash] = nodes
    frequencies = Frequencies(artefact.population, artefact.names, parts[FREQUENCY], salt=artefact.fingerprint())
    return Model(version, artefact, frequencies, {kind: frozenset(found) for kind, found in parts[SHARED].items()})


def _by_run(run: Run) -> Attempt:
    return Attempt(run.now, run.run_id)
