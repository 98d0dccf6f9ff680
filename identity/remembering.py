"""What a model version remembers of values: common ones with how many nodes held them, and shared ones. By hash only.

A value is remembered when several nodes hold it; what fewer hold is counted in the rows of every run. So a version
holds nothing by which one person could be told, and lies with the rest of ``identity`` in the warehouse alone: it is
never published.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from identity.compare_names import part_holders
from identity.frequencies import REMEMBERED_FROM, value_key
from identity.models import FREQUENCY, SHARED, Value
from identity.weighing import Weighing
from warehouse.database import Connection

_COUNTED_OTHERWISE: Final = ("name", "source_scope", "gender")
"""Names count by their parts; the others weigh the same however common they are."""

_SHARED_NOW: Final = """
    select shared.identifier_kind, shared.value, count(distinct nodes.node_id)
    from identity._shared_values as shared
    inner join identity._identifier_kinds as kinds on shared.identifier_kind = kinds.identifier_kind
    inner join identity._identifier_values as found
        on shared.identifier_kind = found.identifier_kind and shared.value = found.value
    left join identity._nodes as nodes on found.record_id = nodes.record_id
    where shared.is_blocked and kinds.strength <> 'unique'
    group by 1, 2
    order by 1, 2
"""


def remembered(connection: Connection, weighing: Weighing, salt: str) -> tuple[Value, ...]:
    """The values that stand now, as a version with this salt remembers them."""
    common = sorted((FREQUENCY, of, value_key(salt, of, text), nodes) for of, text, nodes in _common(weighing))
    shared = connection.execute(_SHARED_NOW).fetchall()
    return (*common, *((SHARED, kind, value_key(salt, kind, value), int(nodes)) for kind, value, nodes in shared))


def _common(weighing: Weighing) -> Iterator[tuple[str, str, int]]:
    counted = {
        name: (feature.texts, feature.holders())
        for name, feature in weighing.features.items()
        if name not in _COUNTED_OTHERWISE
    }
    for name, (texts, holders) in (counted | part_holders(weighing.features["name"])).items():
        for place in np.flatnonzero(holders >= REMEMBERED_FROM).tolist():
            if texts[place]:
                yield name, texts[place], int(holders[place])
