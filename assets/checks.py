"""What must hold, as asset checks: one op per table, one check per expectation.

A breach of severity ``error`` blocks what is made from the table; a breach of severity ``warn`` is told.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

import dagster as dg

from assets.check_places import Place, places
from assets.failure import shown_in_dagster
from assets.resources import CHECKING, ProjectRun
from assets.tables import TableGraph, table_key
from quality.expectations import run_suite
from quality.results import CheckResult
from quality.suites import Suite


def suite_checks(graph: TableGraph, suites: Mapping[str, Suite], pool: str | None) -> list[dg.AssetChecksDefinition]:
    """The checks of every table that has both a step and expectations.

    Warnings that look at tables beside their own are ops of their own: they wait for those tables, and nobody should
    wait for them.
    """
    ops: dict[str, list[Place]] = {}
    for place in places(graph, suites):
        waits = "_beside_others" if place.after and not place.blocks else ""
        ops.setdefault(f"{CHECKING}{place.asked_at.replace('.', '__')}{waits}", []).append(place)
    return [_check_op(name, found, suites, pool) for name, found in ops.items()]


def _check_op(
    op_name: str, found: list[Place], suites: Mapping[str, Suite], pool: str | None
) -> dg.AssetChecksDefinition:
    @dg.multi_asset_check(name=op_name, specs=[_spec(place) for place in found], can_subset=True, pool=pool)
    def check(
        context: dg.AssetCheckExecutionContext, project_run: dg.ResourceParam[ProjectRun]
    ) -> Iterator[dg.AssetCheckResult]:
        chosen = {key.name for key in context.selected_asset_check_keys}
        asked = {(place.table, place.expectation.name): place for place in found if place.check_name in chosen}
        results: list[CheckResult] = []
        with shown_in_dagster():
            run = project_run.to_make_tables()
            for suite in _suites_of(asked.values(), suites):
                results += run_suite(project_run.warehouse, suite, run)
        for result in results:
            yield _result(asked[result.table, result.name], result)

    return check


def _suites_of(asked: Iterable[Place], suites: Mapping[str, Suite]) -> Iterator[Suite]:
    by_table: dict[str, list[Place]] = {}
    for place in asked:
        by_table.setdefault(place.table, []).append(place)
    for table, chosen in by_table.items():
        yield replace(suites[table], expectations=tuple(place.expectation for place in chosen))


def _spec(place: Place) -> dg.AssetCheckSpec:
    return dg.AssetCheckSpec(
        place.check_name,
        asset=table_key(place.asked_at),
        description=place.expectation.description,
        blocking=place.blocks,
        additional_deps=[table_key(name) for name in sorted(place.after)],
    )


def _result(place: Place, found: CheckResult) -> dg.AssetCheckResult:
    metadata: dict[str, int | float] = {"unexpected": found.unexpected_count, "looked_at": found.element_count}
    if found.observed is not None:
        metadata["observed"] = found.observed
    return dg.AssetCheckResult(
        passed=found.passed,
        asset_key=table_key(place.asked_at),
        check_name=place.check_name,
        severity=dg.AssetCheckSeverity.ERROR if place.blocks else dg.AssetCheckSeverity.WARN,
        description=found.message if found.passed else f"{found.message} {place.expectation.remedy}".strip(),
        metadata=metadata,
    )
