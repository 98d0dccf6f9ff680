"""Runs steps that do not wait for each other side by side, in threads of one process, since DuckDB takes one writer.

Most of a step is spent in the database or in compiled code, which let other threads go on: two steps at once keep two
cores busy, where one alone leaves the second idle most of the time. Dagster's own executors run one step after the
other, or each in a process of its own, of which only one could have the file.
"""

import os
from collections.abc import Collection, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Final, Protocol, runtime_checkable

import dagster as dg
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.errors import raise_execution_interrupts
from dagster._core.events import EngineEventData
from dagster._core.execution.api import ExecuteRunWithPlanIterable
from dagster._core.execution.compute_logs import create_compute_log_file_key
from dagster._core.execution.context.system import (
    PlanExecutionContext,
    PlanOrchestrationContext,
    StepExecutionContext,
)
from dagster._core.execution.context_creation_job import PlanExecutionContextManager
from dagster._core.execution.execute_in_process import core_execute_in_process
from dagster._core.execution.plan.active import ActiveExecution
from dagster._core.execution.plan.execute_plan import dagster_event_sequence_for_step
from dagster._core.execution.plan.instance_concurrency_context import InstanceConcurrencyContext
from dagster._core.execution.plan.plan import ExecutionPlan
from dagster._core.execution.retries import RetryMode

AT_ONCE: Final = 2
"""More would each need memory of their own, and a statement that is alone uses every core anyway."""

_SECONDS_BETWEEN_STOPS: Final = 0.1


@runtime_checkable
class Shared(Protocol):
    """A resource that steps use at the same time."""

    def prepare(self, steps: Collection[str]) -> None:
        """Do what these steps need that threads must not do at the same time, such as importing large libraries."""

    def at_work(self, steps: frozenset[str]) -> None:
        """These steps are about to run, or running; whatever could begin has begun."""

    def stop(self) -> None:
        """End the steps that are at work; asked again until they have ended."""


@dg.executor(name="side_by_side", config_schema={"at_once": dg.Field(int, default_value=AT_ONCE)})
def side_by_side(context: dg.InitExecutorContext) -> "SideBySide":
    """Steps in threads of one process, so many ``at_once``."""
    return SideBySide(RetryMode.ENABLED, int(context.executor_config.get("at_once", AT_ONCE)))  # type: ignore[call-overload]  # typed by its schema


def execute_side_by_side(
    job: dg.JobDefinition,
    *,
    instance: dg.DagsterInstance,
    run_id: str | None = None,
    assets: Iterable[dg.AssetKey],
    tags: dict[str, str],
    run_config: dict[str, object],
) -> dg.ExecuteInProcessResult:
    """What ``job.execute_in_process`` does, which always takes its own executor; failed steps raise nothing."""
    chosen = frozenset(assets)
    ephemeral = job.as_ephemeral_job(resource_defs={}, input_values={}, asset_selection=list(chosen))
    return core_execute_in_process(
        job=InMemoryJob(ephemeral.with_executor_def(side_by_side)),
        run_config=run_config,
        instance=instance,
        output_capturing_enabled=True,
        raise_on_error=False,
        run_tags={**job.run_tags, **tags},
        run_id=run_id,
        asset_selection=chosen,
    )


class SideBySide(dg.Executor):
    """The executor ``side_by_side``."""

    def __init__(self, retries: RetryMode, at_once: int) -> None:
        self._retries, self._at_once = retries, at_once

    @property
    def retries(self) -> RetryMode:
        """Whether steps that ask for it are tried again."""
        return self._retries

    def execute(
        self, plan_context: PlanOrchestrationContext, execution_plan: ExecutionPlan
    ) -> Iterator[dg.DagsterEvent]:
        """Run the steps of a plan."""
        process = EngineEventData.in_process(os.getpid(), execution_plan.step_keys_to_execute)
        told = f"Executing steps in process {os.getpid()}, {self._at_once} at once"
        yield dg.DagsterEvent.engine_event(plan_context, told, process)

        def run(job_context: PlanExecutionContext, execution_plan: ExecutionPlan) -> Iterator[dg.DagsterEvent]:
            with (
                InstanceConcurrencyContext(job_context.instance, job_context.dagster_run) as slots,
                execution_plan.start(
                    retry_mode=job_context.retry_mode,
                    instance_concurrency_context=slots,
                    step_dependency_config=job_context.step_dependency_config,
                ) as active,
            ):
                yield from _Steps(job_context, active, self._at_once).run(execution_plan)

        yield from ExecuteRunWithPlanIterable(
            execution_plan=plan_context.execution_plan,
            iterator=run,
            execution_context_manager=PlanExecutionContextManager(
                job=plan_context.job,
                retry_mode=plan_context.retry_mode,
                execution_plan=plan_context.execution_plan,
                run_config=plan_context.run_config,
                dagster_run=plan_context.dagster_run,
                instance=plan_context.instance,
                raise_on_error=plan_context.raise_on_error,
                output_capture=plan_context.output_capture,
                step_dependency_config=self.step_dependency_config,
            ),
        )
        yield dg.DagsterEvent.engine_event(plan_context, f"Finished steps in process {os.getpid()}", process)


@dataclass(frozen=True)
class _Ended:
    """A step has ended with its ``last`` event; ``error`` is what it raised, which no ordinary failure does.

    The last event makes ready what follows, or at once the step itself when it is tried again: its thread must be over.
    """

    last: dg.DagsterEvent | None
    error: BaseException | None


@dataclass
class _Steps:
    """The steps of one run. Threads put their events into ``told``; all that decides what runs next is one thread's."""

    job_context: PlanExecutionContext
    active: ActiveExecution
    at_once: int
    told: SimpleQueue[tuple[StepExecutionContext, dg.DagsterEvent | _Ended]] = field(default_factory=SimpleQueue)
    running: dict[str, Future[None]] = field(default_factory=dict)
    shared: list[Shared] = field(default_factory=list)

    def run(self, plan: ExecutionPlan) -> Iterator[dg.DagsterEvent]:
        """The events of all steps, as they come."""
        with ExitStack() as captured, ThreadPoolExecutor(self.at_once, "step") as threads:
            keys = [step.key for step in plan.get_steps_to_execute_in_topo_order()]
            logs = self.job_context.instance.compute_log_manager
            file_key = create_compute_log_file_key()  # type: ignore[no-untyped-call]
            log_key = logs.build_log_key_for_run(self.job_context.run_id, file_key)
            log_context = captured.enter_context(logs.capture_logs(log_key))
            yield dg.DagsterEvent.capture_logs(self.job_context, keys, list(log_key), log_context)
            try:
                while not self.active.is_complete:
                    self._begin(threads)
                    yield from self.active.concurrency_event_iterator(self.job_context)
                    if self.running:
                        yield from self._next()
                    else:
                        self.active.sleep_til_ready()
            except BaseException:
                self._stop()
                raise

    def _begin(self, threads: ThreadPoolExecutor) -> None:
        free = self.at_once - len(self.running)
        steps = self.active.get_steps_to_execute(limit=free) if free else ()
        contexts = [self.job_context.for_step(step, self.active.get_known_state()) for step in steps]
        for resource in (item for context in contexts for item in context.resources._asdict().values()):
            if isinstance(resource, Shared) and not any(resource is known for known in self.shared):
                resource.prepare(self.job_context.execution_plan.step_keys_to_execute)
                self.shared.append(resource)
        for resource in self.shared:
            resource.at_work(frozenset(self.running) | {context.step.key for context in contexts})
        for context in contexts:
            self.running[context.step.key] = threads.submit(self._work, context)

    def _work(self, context: StepExecutionContext) -> None:
        last: dg.DagsterEvent | None = None
        error: BaseException | None = None
        try:
            for event in dagster_event_sequence_for_step(context):
                if last is not None:
                    self.told.put((context, last))
                last = event
        except BaseException as raised:  # noqa: BLE001 - raised again where the run is led
            error = raised
        self.told.put((context, _Ended(last, error)))

    def _next(self) -> Iterator[dg.DagsterEvent]:
        with raise_execution_interrupts():
            context, told = self.told.get()
        if isinstance(told, dg.DagsterEvent):
            yield told
            self.active.handle_event(told)
            return
        del self.running[context.step.key]
        if told.last is not None:
            yield told.last
            self.active.handle_event(told.last)
        if told.error is not None:
            raise told.error
        self.active.verify_complete(self.job_context, context.step.key)
        yield from self.active.plan_events_iterator(self.job_context)

    def _stop(self) -> None:
        """Not before the last thread has ended may what steps share be closed.

        An interrupt may come between a step and the note of it: so all are told at least once, whoever is known to run.
        """
        while True:
            for resource in self.shared:
                resource.stop()
            if not wait(self.running.values(), _SECONDS_BETWEEN_STOPS).not_done:
                return
