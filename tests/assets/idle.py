"""A project's own definitions with the work taken out: ops, specs, and what waits for what stay as they are."""

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

import dagster as dg
from dagster._core.instance import InstanceType
from dagster._core.launcher.sync_in_memory_run_launcher import SyncInMemoryRunLauncher
from dagster._core.run_coordinator import DefaultRunCoordinator
from dagster._core.storage.event_log import InMemoryEventLogStorage
from dagster._core.storage.noop_compute_log_manager import NoOpComputeLogManager
from dagster._core.storage.root import TemporaryLocalArtifactStorage
from dagster._core.storage.runs import InMemoryRunStorage

from assets.jobs import EVERYTHING

_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


class IdleProject:
    """Steps make nothing and say they did; of the checks those do not hold that are named."""

    def __init__(self, definitions: dg.Definitions, instance: dg.DagsterInstance) -> None:
        self._instance = instance
        self._broken: Collection[dg.AssetCheckKey] = ()
        assets = [item for item in definitions.assets or () if isinstance(item, dg.AssetsDefinition)]
        checks = [item for item in definitions.asset_checks or () if isinstance(item, dg.AssetChecksDefinition)]
        self.checks = {spec.key: spec for item in checks for spec in item.check_specs}
        self.op_of = {spec.key: item.node_def.name for item in checks for spec in item.check_specs}
        self._job = dg.Definitions(
            assets=[self._idle(item) for item in assets],
            asset_checks=[self._idle(item) for item in checks],
            jobs=[job for job in definitions.jobs or () if job.name == EVERYTHING],
        ).resolve_job_def(EVERYTHING)

    def job(self, assets: Collection[dg.AssetKey], checks: Collection[dg.AssetCheckKey]) -> dg.JobDefinition:
        """The job ``everything``, of these assets and checks."""
        return self._job.get_subset(asset_selection=set(assets), asset_check_selection=set(checks))

    def made(self, job: dg.JobDefinition, broken: Collection[dg.AssetCheckKey]) -> set[str]:
        """The assets (``schema.table``) that Dagster lets be made when these checks do not hold."""
        self._broken = broken
        result = job.execute_in_process(instance=self._instance, raise_on_error=False, run_config=_QUIET)
        asked = {(*item.asset_key.path, item.check_name) for item in result.get_asset_check_evaluations()}
        assert {(*key.asset_key.path, key.name) for key in broken} <= asked
        return {".".join(event.asset_key.path) for event in result.get_asset_materialization_events()}

    def _idle(self, item: dg.AssetsDefinition) -> dg.AssetsDefinition:
        attributes, op = item.get_attributes_dict(), item.op
        idle = dg.OpDefinition(self._doing_nothing(attributes), op.name, op.ins, op.outs, tags=op.tags, pool=op.pool)
        return type(item).dagster_internal_init(**attributes | {"node_def": idle})

    def _doing_nothing(self, attributes: dict[str, Any]) -> Callable[..., Iterator[object]]:
        tables, checks = attributes["keys_by_output_name"], attributes["check_specs_by_output_name"]

        def do_nothing(context: dg.OpExecutionContext, _inputs: object) -> Iterator[object]:
            for name in sorted(context.selected_output_names):
                if name in tables:
                    yield dg.MaterializeResult(asset_key=tables[name])
                else:
                    yield self._result(checks[name])

        return do_nothing

    def _result(self, spec: dg.AssetCheckSpec) -> dg.AssetCheckResult:
        severity = dg.AssetCheckSeverity.ERROR if spec.blocking else dg.AssetCheckSeverity.WARN
        return dg.AssetCheckResult(
            asset_key=spec.asset_key, check_name=spec.name, passed=spec.key not in self._broken, severity=severity
        )


class _ForgetfulLog(InMemoryEventLogStorage):
    """What is blocked is decided in the run itself: writing down every event would take most of its time."""

    def store_event(self, event: object) -> None:
        """Forget it."""

    def get_asset_records(self, asset_keys: Sequence[dg.AssetKey] | None = None) -> list[Any]:
        """Nothing is remembered."""
        del asset_keys
        return []

    def fetch_observations(self, *_: object, **__: object) -> dg.EventRecordsResult:
        """Nothing was observed."""
        return dg.EventRecordsResult([], cursor="", has_more=False)


def forgetful_instance() -> dg.DagsterInstance:
    """A Dagster instance that keeps no events, not even while it runs."""
    return dg.DagsterInstance(
        instance_type=InstanceType.EPHEMERAL,
        local_artifact_storage=TemporaryLocalArtifactStorage(),
        run_storage=InMemoryRunStorage(),
        event_storage=_ForgetfulLog(),
        compute_log_manager=NoOpComputeLogManager(),
        run_coordinator=DefaultRunCoordinator(),
        run_launcher=SyncInMemoryRunLauncher(),
    )
