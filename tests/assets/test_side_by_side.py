"""Steps that do not wait for each other run side by side, and end together when the run is interrupted."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

import dagster as dg
import pytest

from assets.resources import ProjectRun
from assets.run_log import begin
from assets.side_by_side import execute_side_by_side, side_by_side
from warehouse.business import Business
from warehouse.database import Warehouse, open_warehouse
from warehouse.errors import StoppedError
from warehouse.project import Project

SECONDS = 30


@dataclass
class Watching:
    """A resource that notes what it is told."""

    most: int = 0
    stopped: threading.Event = field(default_factory=threading.Event)
    prepared: list[set[str]] = field(default_factory=list)

    def prepare(self, steps: Collection[str]) -> None:
        self.prepared.append(set(steps))

    def at_work(self, steps: frozenset[str]) -> None:
        self.most = max(self.most, len(steps))

    def stop(self) -> None:
        self.stopped.set()


def run(assets: Sequence[dg.AssetsDefinition], watching: Watching) -> dg.ExecuteInProcessResult:
    job = dg.define_asset_job("all", selection=dg.AssetSelection.all(), executor_def=side_by_side)
    definitions = dg.Definitions(assets=assets, jobs=[job], resources={"watching": watching})
    with dg.DagsterInstance.ephemeral() as instance:
        return execute_side_by_side(
            definitions.resolve_job_def("all"),
            instance=instance,
            assets=[asset.key for asset in assets],
            tags={},
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        )


def test_two_steps_meet_and_what_follows_waits_for_both() -> None:
    both, order = threading.Barrier(2), []

    @dg.asset
    def left(watching: dg.ResourceParam[Watching]) -> None:
        both.wait(SECONDS)
        order.append("first")

    @dg.asset
    def right(watching: dg.ResourceParam[Watching]) -> None:
        both.wait(SECONDS)
        order.append("first")

    @dg.asset(deps=[left, right])
    def after(watching: dg.ResourceParam[Watching]) -> None:
        order.append("after")

    watching = Watching()
    assert run([left, right, after], watching).success
    assert order == ["first", "first", "after"]
    assert watching.most == 2
    assert watching.prepared == [{"left", "right", "after"}]


def test_a_failed_step_leaves_its_neighbours_alone_and_what_follows_it_undone() -> None:
    done = []

    @dg.asset
    def broken() -> None:
        raise dg.Failure("out of order")

    @dg.asset
    def sound() -> None:
        done.append("sound")

    @dg.asset(deps=[broken])
    def after_broken() -> None:
        done.append("after_broken")

    @dg.asset(deps=[sound])
    def after_sound() -> None:
        done.append("after_sound")

    result = run([broken, sound, after_broken, after_sound], Watching())
    assert not result.success
    assert done == ["sound", "after_sound"]
    assert [event.step_key for event in result.all_events if event.is_step_failure] == ["broken"]


def test_a_step_that_asks_for_it_is_tried_again() -> None:
    tries = []

    @dg.asset
    def busy() -> None:
        tries.append(1)
        if len(tries) == 1:
            raise dg.RetryRequested(max_retries=1, seconds_to_wait=0)

    assert run([busy], Watching()).success
    assert len(tries) == 2


def test_an_interrupt_stops_what_is_at_work() -> None:
    both = threading.Barrier(2)

    @dg.asset
    def waiting(watching: dg.ResourceParam[Watching]) -> None:
        both.wait(SECONDS)
        assert watching.stopped.wait(SECONDS)
        raise StoppedError

    @dg.asset
    def interrupting(watching: dg.ResourceParam[Watching]) -> None:
        both.wait(SECONDS)
        os.kill(os.getpid(), signal.SIGINT)
        assert watching.stopped.wait(SECONDS)

    watching = Watching()
    result = run([waiting, interrupting], watching)
    assert not result.success
    assert watching.stopped.is_set()


@pytest.fixture
def warehouse() -> Iterator[Warehouse]:
    with open_warehouse() as opened:
        yield opened


def test_the_day_of_a_run_is_decided_when_its_feeds_are_loaded(warehouse: Warehouse, tmp_path: Path) -> None:
    business = Business(name="Test", base_currency="EUR", time_zone="Europe/Berlin", default_country="DE")
    current = ProjectRun(Project(tmp_path), business, "r", datetime(2026, 1, 9), None, False, warehouse)
    with warehouse.transaction() as connection:
        begin(connection, "r", current.started_at, False)
        connection.execute("create table ops.batches as select date '2026-01-02' as batch_on")
    current.at_work(frozenset({"origins__mail", "staging__orders"}))
    decided: list[date] = []
    deciding = threading.Thread(target=lambda: decided.append(current.to_make_tables().as_of))
    deciding.start()
    with warehouse.transaction() as connection:
        connection.execute("insert into ops.batches values (date '2026-01-05')")
    current.at_work(frozenset({"feeds__mail", "staging__orders"}))
    deciding.join(0.2)
    assert decided == []
    current.at_work(frozenset({"staging__orders"}))
    deciding.join(SECONDS)
    assert decided == [date(2026, 1, 5)]
    with warehouse.transaction() as connection:
        connection.execute("insert into ops.batches values (date '2026-01-06')")
    assert current.to_make_tables().as_of == date(2026, 1, 5)


def test_a_stopped_warehouse_ends_its_statements_and_begins_none(warehouse: Warehouse) -> None:
    begun = threading.Event()
    closed = warehouse.cursor()
    closed.close()
    ends: list[BaseException] = []

    def work() -> None:
        try:
            with warehouse.transaction() as connection:
                connection.execute("create table profiles.half (id integer)")
                begun.set()
                connection.execute("select count(*) from range(1000000000000)").fetchall()
        except BaseException as error:  # noqa: BLE001 - kept to be looked at
            ends.append(error)

    working = threading.Thread(target=work)
    working.start()
    assert begun.wait(SECONDS)
    while working.is_alive():
        warehouse.stop()
        working.join(0.05)
    assert len(ends) == 1
    with pytest.raises(StoppedError):
        warehouse.cursor()
