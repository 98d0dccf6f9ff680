"""The check that no reason for refusing rows jumps: warns on the feed, and keeps nothing from being made."""

from collections.abc import Iterable, Iterator

import dagster as dg

from assets.feeds import feed_key
from assets.resources import ProjectRun
from quality.reason_jumps import JumpRule, ReasonJump
from sources.feed import Feed
from sources.reason_ledger import found_jumps, loaded_days

REASONS = "reasons_as_usual"
"""Name of the check on every feed."""
REASONS_STEP = "feeds_reasons"
"""Name of the step that asks it of all."""

_MEANS = "In no batch that the run loaded did the share of a reason for refusing rows jump against its own history."
_MOST_TOLD = 5


def reasons_check(feeds: Iterable[Feed], rule: JumpRule, pool: str | None) -> dg.AssetChecksDefinition:
    """One step that answers for every feed."""
    names = {feed_key(feed.name): feed.name for feed in feeds}
    specs = [dg.AssetCheckSpec(REASONS, asset=key, description=_MEANS) for key in names]

    @dg.multi_asset_check(name=REASONS_STEP, specs=specs, can_subset=True, pool=pool)
    def check(
        context: dg.AssetCheckExecutionContext, project_run: dg.ResourceParam[ProjectRun]
    ) -> Iterator[dg.AssetCheckResult]:
        with project_run.warehouse.transaction() as connection:
            jumps = found_jumps(connection, rule)
            loaded = loaded_days(connection, project_run.run_id)
        for key in sorted(context.selected_asset_check_keys):
            name = names[key.asset_key]
            mine = [jump for jump in jumps.get(name, ()) if jump.batch_on in loaded.get(name, ())]
            yield _result(key.asset_key, mine)

    return check


def _result(key: dg.AssetKey, jumps: list[ReasonJump]) -> dg.AssetCheckResult:
    newest = jumps[::-1]
    return dg.AssetCheckResult(
        passed=not jumps,
        asset_key=key,
        check_name=REASONS,
        severity=dg.AssetCheckSeverity.WARN,
        description="; ".join(jump.told() for jump in newest[:_MOST_TOLD]) or "No reason stands out.",
        metadata={"jumps": len(jumps), "rows": sum(jump.rows for jump in jumps)},
    )
