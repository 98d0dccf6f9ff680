"""The tables of ``ops`` that readers get, as assets: who does the work has written them, here they are counted.

So they stand in the lineage, are asked what must hold of them like every other table, and are published after that.
"""

from collections.abc import Callable, Iterable

from assets import run_log
from quality import results
from sources.ledger_tables import BATCHES, QUARANTINE_REASONS, create_ledger
from warehouse.database import Connection
from warehouse.step import Step, TableSpec


def ledger_steps(steps: Iterable[Step]) -> tuple[Step, ...]:
    """One step for each: when what ``steps`` make has been noted in it.

    Batches, their reasons and runs are looked at when everything is in staging, results of checks when all else was
    asked.
    """
    made = frozenset(spec.full_name for step in steps for spec in step.tables)
    staged = frozenset(name for name in made if name.startswith("staging."))
    return (
        _step(BATCHES, staged, create_ledger),
        _step(QUARANTINE_REASONS, staged, create_ledger),
        _step(run_log.RUNS, staged, run_log.create_table),
        _step(results.RESULTS, made, results.create_tables),
    )


def _step(spec: TableSpec, reads: frozenset[str], create: Callable[[Connection], None]) -> Step:
    return Step(spec.full_name, (spec,), reads, lambda connection, _: create(connection))
