"""What stands in the files that readers get."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import duckdb
import pytest
from sqlglot import exp

from warehouse.database import Warehouse
from warehouse.publishing import Published, write_tables
from warehouse.step import TableSpec

SPEC = TableSpec("profiles", "things", "One thing.", ("thing_id",), {"thing_id": "Key of the thing's row."})
THINGS = Published(SPEC, ("thing_id", "size"))


@pytest.fixture
def things(warehouse: Warehouse) -> Warehouse:
    warehouse.cursor().execute("create table profiles.things as select 't1' as thing_id, 1 as size, 'x' as _file")
    return warehouse


def write(warehouse: Warehouse, folder: Path, tables: Sequence[Published] = (THINGS,)) -> None:
    folder.mkdir(exist_ok=True)
    write_tables(
        warehouse,
        tables,
        snapshot=folder / "things.duckdb",
        exports=folder / "exports",
        formats=["parquet", "csv"],
        head={"run_id": "run-1", "schema_version": 1},
    )


def test_the_snapshot_explains_its_tables_and_columns_and_hides_private_ones(things: Warehouse, tmp_path: Path) -> None:
    write(things, tmp_path)
    reader = duckdb.connect(str(tmp_path / "things.duckdb"), read_only=True)
    assert reader.sql("select comment from duckdb_tables() where table_name = 'things'").fetchall() == [("One thing.",)]
    assert reader.sql(
        "select column_name, comment from duckdb_columns() where table_name = 'things' order by column_index"
    ).fetchall() == [("thing_id", "Key of the thing's row."), ("size", None)]


def test_the_snapshot_is_one_file(things: Warehouse, tmp_path: Path) -> None:
    write(things, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["exports", "things.duckdb"]


def test_after_a_failure_half_way_others_can_be_written(things: Warehouse, tmp_path: Path) -> None:
    broken = Published(TableSpec("profiles", "absent", "No such table.", ()), ("nothing",))
    with pytest.raises(duckdb.CatalogException):
        write(things, tmp_path / "one", [THINGS, broken])
    write(things, tmp_path / "other")
    assert (tmp_path / "other" / "exports" / "manifest.json").exists()


def test_the_manifest_names_every_file_with_its_rows_hash_and_columns(things: Warehouse, tmp_path: Path) -> None:
    write(things, tmp_path)
    exports = tmp_path / "exports"
    found = json.loads((exports / "manifest.json").read_text(encoding="utf-8"))
    assert (found["run_id"], found["schema_version"]) == ("run-1", 1)
    assert [table["file"] for table in found["tables"]] == ["profiles.things.parquet", "profiles.things.csv"]
    for table in found["tables"]:
        assert hashlib.sha256((exports / table["file"]).read_bytes()).hexdigest() == table["sha256"]
        assert table["rows"] == 1
        assert table["columns"][0] == {
            "name": "thing_id",
            "type": "VARCHAR",
            "description": "Key of the thing's row.",
        }
    assert (exports / "profiles.things.csv").read_text(encoding="utf-8") == '"thing_id",size\n"t1",1\n'


def test_snapshot_and_exports_show_the_same_where_readers_see_something_else_than_the_table_holds(
    things: Warehouse, tmp_path: Path
) -> None:
    write(things, tmp_path, [Published(SPEC, ("thing_id", "size"), {"size": exp.convert(7)})])
    reader = duckdb.connect(str(tmp_path / "things.duckdb"), read_only=True)
    assert reader.sql("from profiles.things").fetchall() == [("t1", 7)]
    assert (tmp_path / "exports" / "profiles.things.csv").read_text(encoding="utf-8") == '"thing_id",size\n"t1",7\n'


def test_readers_that_guess_from_the_first_rows_read_a_quote_far_below(things: Warehouse, tmp_path: Path) -> None:
    rows = (
        "create table profiles.notes as select i as note_id, case i when 59999 then e'a \"b\",\nc' else 'x' end as text"
    )
    things.cursor().execute(f"{rows} from range(60000) as numbers(i)")
    notes = Published(TableSpec("profiles", "notes", "A note.", ("note_id",)), ("note_id", "text"))
    write(things, tmp_path, [notes])
    found = duckdb.sql(
        "select text from read_csv($file) where note_id = 59999",
        params={"file": str(tmp_path / "exports" / "profiles.notes.csv")},
    )
    assert found.fetchall() == [('a "b",\nc',)]


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
    write(things, tmp_path / folder, [sums, THINGS])
    exports = tmp_path / folder / "exports"
    written = (exports / "profiles.sums.csv").read_text(encoding="utf-8")
    assert written == 'total,"word",part,gone\n2,"a",1.00,\n9007199254740993,"é, ""q""",0.10,\n'
    assert (exports / "profiles.things.csv").read_text(encoding="utf-8") == '"thing_id",size\n"t1",1\n'
