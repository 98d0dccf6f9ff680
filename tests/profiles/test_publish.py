"""What readers of the published file see of the work, and what stays inside."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb

from profiles.publishing.publish import publish
from sources.ledger_tables import FILES, QUARANTINE_REASONS, create_ledger
from warehouse.database import Warehouse
from warehouse.project import Project
from warehouse.step import Run


def test_analysts_see_why_rows_are_refused_and_no_value_of_them(warehouse: Warehouse, run: Run, tmp_path: Path) -> None:
    with warehouse.transaction() as connection:
        create_ledger(connection)
        connection.execute(
            "insert into ops.quarantine_reasons (feed, batch_on, field, code, rows, open_rows, rows_read, share_ratio, "
            "sample_id, sample) values ('mail', '2026-01-05', 'email', 'bad_format', 3, 2, 10, 0.3, 'q1', '•••')"
        )
    publish(warehouse, Project(tmp_path), run, [QUARANTINE_REASONS, FILES])
    reader = duckdb.connect(str((tmp_path / "published" / "cdp.duckdb").resolve()), read_only=True)
    found = reader.sql("select * from ops.quarantine_reasons")
    assert dict(zip(found.columns, found.fetchall()[0], strict=True)) | {"batch_on": None} == {
        "feed": "mail",
        "batch_on": None,
        "field": "email",
        "code": "bad_format",
        "rows": 3,
        "open_rows": 2,
        "rows_read": 10,
        "share_ratio": 0.3,
        "sample_id": "q1",
    }
    assert reader.sql(
        "select count(*) from duckdb_columns() where schema_name = 'ops' and comment is null"
    ).fetchall() == [(0,)]
    assert reader.sql("select table_name from duckdb_tables() where schema_name = 'ops'").fetchall() == [
        ("quarantine_reasons",)
    ]
    exports = tmp_path / "published" / "exports"
    manifest = json.loads((exports / "manifest.json").read_text(encoding="utf-8"))
    assert [table["file"] for table in manifest["tables"]] == [
        "ops.quarantine_reasons.parquet",
        "ops.quarantine_reasons.csv",
    ]
    assert "•••" not in (exports / "ops.quarantine_reasons.csv").read_text(encoding="utf-8")
