"""The sensor asks for a run when files have arrived, changed or gone, and only once they stand still."""

from __future__ import annotations

from datetime import date

import dagster as dg

from assets.landing_sensor import Seen
from tests.assets.toy import DAYS, sell, toy_definitions
from warehouse.project import Project


def look(project: Project, cursor: str | None) -> dg.SensorResult:
    result = _sensor(project)(dg.build_sensor_context(cursor=cursor))
    assert isinstance(result, dg.SensorResult)
    return result


def _sensor(project: Project) -> dg.SensorDefinition:
    (sensor,) = toy_definitions(project).sensors or []
    assert isinstance(sensor, dg.SensorDefinition)
    return sensor


def settled(project: Project) -> str | None:
    """The cursor after the sensor has asked for everything that lies there."""
    return look(project, look(project, None).cursor).cursor


def test_what_lies_there_at_first_is_asked_for_at_once_in_one_run(project: Project) -> None:
    first = look(project, None)
    assert not first.run_requests
    (request,) = look(project, first.cursor).run_requests or []
    assert request.tags["dagster/asset_partition_range_start"] == "2026-01-01"
    assert request.tags["dagster/asset_partition_range_end"] == "2026-01-07"


def test_nothing_new_asks_for_nothing(project: Project) -> None:
    assert not look(project, settled(project)).run_requests


def test_a_new_file_asks_for_its_day_its_feed_and_everything_below(project: Project) -> None:
    cursor = settled(project)
    sell(project, "north", date(2026, 1, 8), orders=1)
    (request,) = look(project, look(project, cursor).cursor).run_requests or []
    assert request.tags["dagster/asset_partition_range_start"] == "2026-01-08"
    chosen = {key.to_user_string() for key in request.asset_selection or []}
    assert {name for name in chosen if name.startswith("feeds/")} == {"feeds/north"}
    assert {"staging/purchases", "profiles/best_customers", "published/snapshot"} <= chosen


def test_a_changed_file_asks_again_under_another_key(project: Project) -> None:
    cursor = settled(project)
    keys = []
    for orders in (4, 5):
        sell(project, "north", DAYS[0], orders=orders)
        seen = look(project, look(project, cursor).cursor)
        keys += [request.run_key for request in seen.run_requests or []]
        cursor = seen.cursor
    assert len(set(keys)) == 2


def test_a_file_that_went_away_asks_for_its_day(project: Project) -> None:
    cursor = settled(project)
    (project.landing / "south" / "dt=2026-01-02" / "rows.csv").unlink()
    (request,) = look(project, look(project, cursor).cursor).run_requests or []
    assert request.tags["dagster/asset_partition_range_start"] == "2026-01-02"


def test_a_file_still_growing_is_waited_for() -> None:
    seen, due = Seen().look({"north": {"2026-01-01": "half"}})
    assert not due
    seen, due = seen.look({"north": {"2026-01-01": "more"}})
    assert not due
    seen, due = seen.look({"north": {"2026-01-01": "more"}})
    assert due == {"north": [date(2026, 1, 1)]}
    seen, due = seen.look({"north": {"2026-01-01": "more"}})
    assert not due
