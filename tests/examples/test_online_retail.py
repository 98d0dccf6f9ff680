"""The real Online Retail file comes out exactly as it is known."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from sources.feed import load_feeds
from sources.loading import load_feed
from sources.staging import staging_steps
from warehouse.business import load_business
from warehouse.database import Warehouse, open_warehouse
from warehouse.declaration import Problems
from warehouse.project import Project
from warehouse.step import Run, materialise

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "online_retail"
FACTS = {
    "invoices": 25_900,
    "customers": 4_372,
    "invoices without customer": 3_710,
    "rows": 541_909,
    "rows without customer": 135_080,
    "cancelled rows": 9_288,
    "exact duplicates": 5_268,
    "valid sales rows": 397_884,
    "valid sales customers": 4_338,
    "valid sales worth": Decimal("8911407.904"),
}


def load(project: Project, duplicates: str, warehouse: Warehouse) -> None:
    problems = Problems()
    feeds = load_feeds(project, problems)
    problems.raise_if_any()
    feed = feeds["sales"].model_copy(update={"duplicates": duplicates}).with_name("sales")
    run = Run("facts", date(2011, 12, 9), datetime(2011, 12, 10), load_business(project))
    loaded = load_feed(warehouse, project, feed, run, first=None, last=None, full_refresh=False, progress=None)
    (batch,) = loaded.batches
    assert batch.rows_read == 541_909
    assert batch.accepted + batch.duplicate + batch.rejected == 541_909
    for step in staging_steps(feeds):
        materialise(warehouse, step, run)


@pytest.fixture(scope="module")
def project(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    if not (real_data / "online_retail" / "online_retail.parquet").is_file():
        pytest.skip("online_retail.parquet is absent")
    folder = tmp_path_factory.mktemp("retail") / "online_retail"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("landing", "state", "published", ".dagster"))
    environment = os.environ | {"CDP_REAL_DATA": str(real_data)}
    subprocess.run([sys.executable, str(folder / "prepare.py")], check=True, env=environment, capture_output=True)
    return Project(folder)


def facts(warehouse: Warehouse) -> dict[str, Decimal]:
    return dict(warehouse.cursor().execute((EXAMPLE / "facts.sql").read_text(encoding="utf-8")).fetchall())


def test_every_known_fact_comes_out_exactly(project: Project) -> None:
    with open_warehouse() as warehouse:
        load(project, "keep", warehouse)
        assert facts(warehouse) == FACTS
        assert warehouse.cursor().execute("select count(*) from quarantine.purchases").fetchall() == [(0,)]
        two_moments = (
            "select count(*) from (select order_id from staging.purchase_lines group by order_id "
            "having count(distinct extra->>'invoice_date') > 1)"
        )
        assert warehouse.cursor().execute(two_moments).fetchall() == [(43,)]


def test_without_exact_duplicates_the_valid_sales_are_fewer(project: Project) -> None:
    with open_warehouse() as warehouse:
        load(project, "collapse", warehouse)
        found = facts(warehouse)
    assert found["rows"] == 541_909 - 5_268
    assert found["valid sales rows"] == 392_692
    assert found["valid sales worth"] == Decimal("8887208.894")
