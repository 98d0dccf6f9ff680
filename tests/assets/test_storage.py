"""What Dagster finds again in the event log that a project keeps."""

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus as Status


@dg.asset
def things() -> None:
    """A table."""


@dg.multi_asset_check(specs=[dg.AssetCheckSpec("holds", asset="things"), dg.AssetCheckSpec("breaks", asset="things")])
def about_things() -> Iterator[dg.AssetCheckResult]:
    """One check that holds and one that does not."""
    yield dg.AssetCheckResult(passed=True, asset_key="things", check_name="holds")
    yield dg.AssetCheckResult(passed=False, asset_key="things", check_name="breaks")


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    written = (files("cdp") / "templates" / "dagster.yaml").read_text(encoding="utf-8")
    (tmp_path / "dagster.yaml").write_text(written, encoding="utf-8")
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        yield instance


def _told(instance: dg.DagsterInstance) -> list[tuple[object, object]]:
    run = dg.materialize([things, about_things], instance=instance)
    entries = instance.all_logs(run.run_id)
    return [(entry.dagster_event_type, entry.dagster_event.step_key) for entry in entries if entry.dagster_event]


def test_a_run_leaves_the_events_that_it_would_leave_in_a_log_of_dagsters_own(kept: dg.DagsterInstance) -> None:
    ignored = {"LOGS_CAPTURED", "RESOURCE_INIT_STARTED", "RESOURCE_INIT_SUCCESS", "RESOURCE_INIT_FAILURE"}
    with dg.DagsterInstance.ephemeral() as own:
        expected = [event for event in _told(own) if str(event[0]).rpartition(".")[2] not in ignored]
    found = [event for event in _told(kept) if str(event[0]).rpartition(".")[2] not in ignored]
    assert found == expected


def test_the_history_of_every_check_says_how_each_run_found_it(kept: dg.DagsterInstance) -> None:
    _told(kept)
    _told(kept)
    for name, status in (("holds", Status.SUCCEEDED), ("breaks", Status.FAILED)):
        history = kept.event_log_storage.get_asset_check_execution_history(
            dg.AssetCheckKey(dg.AssetKey("things"), name), limit=10
        )
        assert [record.status for record in history] == [status, status]
        assert all(record.event is not None for record in history)
