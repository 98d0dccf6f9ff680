"""What readers may rely on when a snapshot is swapped in."""

from __future__ import annotations

import hashlib
import json
from datetime import date
from pathlib import Path

import duckdb
import pytest

from warehouse.database import Warehouse
from warehouse.publishing import Published, write_exports, write_snapshot
from warehouse.step import TableSpec

SPEC = TableSpec("profiles", "things", "One thing.", ("thing_id",), {"thing_id": "Key of the thing's row."})
THINGS = Published(SPEC, ("thing_id", "size"))


@pytest.fixture
def things(warehouse: Warehouse) -> Warehouse:
    warehouse.cursor().execute("create table profiles.things as select 't1' as thing_id, 1 as size, 'x' as _file")
    return warehouse


def test_a_reader_of_the_old_snapshot_keeps_reading_it_while_new_readers_see_the_new_one(
    things: Warehouse, tmp_path: Path
) -> None:
    write_snapshot(things, tmp_path, "run-1", [THINGS], keep=1)
    link = tmp_path / "cdp.duckdb"
    old = duckdb.connect(str(link.resolve()), read_only=True)
    things.cursor().execute("insert into profiles.things values ('t2', 2, 'y')")
    write_snapshot(things, tmp_path, "run-2", [THINGS], keep=1)
    new = duckdb.connect(str(link.resolve()), read_only=True)
    assert old.sql("select count(*) from profiles.things").fetchall() == [(1,)]
    assert new.sql("select count(*) from profiles.things").fetchall() == [(2,)]
    assert [path.name for path in (tmp_path / "snapshots").iterdir()] == ["cdp-run-2.duckdb"]


def test_the_snapshot_explains_its_tables_and_columns_and_hides_private_ones(things: Warehouse, tmp_path: Path) -> None:
    write_snapshot(things, tmp_path, "run-1", [THINGS], keep=2)
    reader = duckdb.connect(str((tmp_path / "cdp.duckdb").resolve()), read_only=True)
    assert reader.sql("select comment from duckdb_tables() where table_name = 'things'").fetchall() == [("One thing.",)]
    assert reader.sql(
        "select column_name, comment from duckdb_columns() where table_name = 'things' order by column_index"
    ).fetchall() == [("thing_id", "Key of the thing's row."), ("size", None)]


def test_a_snapshot_that_fails_half_way_leaves_the_old_one_in_place(things: Warehouse, tmp_path: Path) -> None:
    write_snapshot(things, tmp_path, "run-1", [THINGS], keep=2)
    broken = Published(TableSpec("profiles", "absent", "No such table.", ()), ("nothing",))
    with pytest.raises(duckdb.CatalogException):
        write_snapshot(things, tmp_path, "run-2", [THINGS, broken], keep=2)
    assert (tmp_path / "cdp.duckdb").resolve().name == "cdp-run-1.duckdb"
    write_snapshot(things, tmp_path, "run-3", [THINGS], keep=2)
    assert (tmp_path / "cdp.duckdb").resolve().name == "cdp-run-3.duckdb"


def test_the_manifest_names_every_file_with_its_rows_hash_and_columns(things: Warehouse, tmp_path: Path) -> None:
    day = date(2026, 1, 31)
    manifest = write_exports(
        things, tmp_path, [THINGS], formats=["parquet", "csv"], run_id="run-1", as_of=day, schema_version=1
    )
    found = json.loads(manifest.read_text(encoding="utf-8"))
    assert (found["run_id"], found["as_of"], found["schema_version"]) == ("run-1", "2026-01-31", 1)
    assert [table["file"] for table in found["tables"]] == ["profiles.things.parquet", "profiles.things.csv"]
    for table in found["tables"]:
        assert hashlib.sha256((tmp_path / table["file"]).read_bytes()).hexdigest() == table["sha256"]
        assert table["rows"] == 1
        assert table["columns"][0] == {
            "name": "thing_id",
            "type": "VARCHAR",
            "description": "Key of the thing's row.",
        }
    assert (tmp_path / "profiles.things.csv").read_text(encoding="utf-8") == "thing_id,size\nt1,1\n"


@pytest.mark.parametrize("folder", ["plain", "of=day", "a[1]*"])
def test_delimited_exports_stand_in_order_and_keep_every_digit_whatever_the_folder_is_called(
    things: Warehouse, tmp_path: Path, folder: str
) -> None:
    things.cursor().execute(
        "create table profiles.sums as "
        "select 9007199254740993::hugeint as total, 'é, \"q\"' as word, 0.10::decimal(9, 2) as part, null as gone "
        "union all select 2, 'a', 1, null"
    )
    sums = Published(
        TableSpec("profiles", "sums", "A sum.", ("word",)),
        ("total", "word", "part", "gone"),
    )
    write_exports(
        things,
        tmp_path / folder,
        [sums, THINGS],
        formats=["parquet", "csv"],
        run_id="run-1",
        as_of=date(2026, 1, 31),
        schema_version=1,
    )
    written = (tmp_path / folder / "profiles.sums.csv").read_text(encoding="utf-8")
    assert written == 'total,word,part,gone\n2,a,1.00,\n9007199254740993,"é, ""q""",0.10,\n'
    assert (tmp_path / folder / "profiles.things.csv").read_text(encoding="utf-8") == "thing_id,size\nt1,1\n"
