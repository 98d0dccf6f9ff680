"""How far what arrives has moved from what the pinned model was made for.

Figures of the data set ``drift`` in the scorecard, for versions that were trained:

- ``psi_<comparison>``, ``psi_weight``: population stability index of how candidate pairs come out, now against then.
- ``common_values_unknown``: of the values that many nodes hold, the share that the model does not remember.
- ``shared_values_not_blocked``: values that exceed a declared limit and that the model does not know as shared.
- ``declaration_changed``: 1 where the rules for comparing were declared otherwise when the model was made.

The version that is in use stands under the data set ``model``.
"""

from __future__ import annotations

from typing import Final

from identity.frequencies import REMEMBERED_FROM
from identity.model import DECLARED_VERSION, Model
from identity.models import FREQUENCY, pinned_model
from identity.outcomes import stability
from warehouse.database import Connection

_OUTCOMES: Final = "select comparison, level, pairs from identity._outcomes order by all"
_NOT_BLOCKED: Final = "select count(*) from identity._shared_values where not is_blocked"
_UNKNOWN: Final = """
    with common as (
        select feature, value
        from identity._features
        where list_contains($features, feature)
        group by feature, value
        having count(*) >= $nodes
    )

    select
        coalesce(
            count(*) filter (where known.value_hash is null) / nullif(count(*), 0),
            0
        )
    from common
    left join identity.model_values as known
        on
            known.version = $version
            and known.part = $part
            and common.feature = known.feature
            and known.value_hash = md5($salt || '|' || common.feature || '|' || common.value)
"""

Figure = tuple[str, str, float]
"""Data set, metric, value."""


def drift_figures(connection: Connection, declaration: str) -> list[Figure]:
    """The model in use and, where it has learned anything, how far things have moved since.

    ``declaration``: the fingerprint of the rules in force (``identity.model.declaration_of``).
    """
    model = pinned_model(connection)
    found: list[Figure] = [("model", "version", float(model.version))]
    if model.version == DECLARED_VERSION:
        return found
    found += [("drift", f"psi_{name}", value) for name, value in _shifts(connection, model).items()]
    [(not_blocked,)] = connection.execute(_NOT_BLOCKED).fetchall()
    return [
        *found,
        ("drift", "common_values_unknown", _unknown(connection, model)),
        ("drift", "shared_values_not_blocked", float(not_blocked)),
        ("drift", "declaration_changed", float(declaration != model.artefact.declaration)),
    ]


def _shifts(connection: Connection, model: Model) -> dict[str, float]:
    now: dict[str, dict[str, int]] = {}
    for comparison, level, pairs in connection.execute(_OUTCOMES).fetchall():
        now.setdefault(comparison, {})[level] = pairs
    then = model.artefact.outcomes
    return {name: stability(then[name], now[name]) for name in sorted(then.keys() & now.keys())}


def _unknown(connection: Connection, model: Model) -> float:
    """Twice as many nodes as it takes to be remembered, so that values near the limit do not count."""
    values = {
        "features": sorted(model.frequencies.known),
        "nodes": 2 * REMEMBERED_FROM,
        "version": model.version,
        "part": FREQUENCY,
        "salt": model.frequencies.salt,
    }
    [(share,)] = connection.execute(_UNKNOWN, values).fetchall()
    return float(share)
