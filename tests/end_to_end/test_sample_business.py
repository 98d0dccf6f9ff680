"""The sample business through every room, once: what comes out must agree with what was invented."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import shutil
from collections import Counter
from pathlib import Path

import duckdb
import pytest

from cdp.command import run_command

pytestmark = pytest.mark.end_to_end

ROOT = Path(__file__).resolve().parents[2]
CUSTOMERS, DAYS, SEED = 250, 100, 11


def cdp(*arguments: str, project: Path | None = None, expect: int = 0) -> str:
    """Run the command line; return what it printed."""
    command = [*arguments, *(["--project", str(project)] if project is not None else [])]
    printed, told = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(told):
        code = run_command(command)
    assert code == expect, f"{arguments} ended with {code}\n{printed.getvalue()}\n{told.getvalue()}"
    return printed.getvalue()


@pytest.fixture(scope="module")
def landing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sample project whose files have arrived and that was never run."""
    folder = tmp_path_factory.mktemp("business") / "sample"
    cdp("init", str(folder), "--sample")
    sizes = ("--customers", str(CUSTOMERS), "--days", str(DAYS), "--seed", str(SEED))
    cdp("demo", "generate", *sizes, "--out", str(folder))
    return folder


@pytest.fixture(scope="module")
def project(landing: Path) -> Path:
    """The sample project, run as of two month ends."""
    cdp("demo", "run", "--month-ends", "2", "--apart", "1", project=landing)
    return landing


def read(project: Path, question: str) -> list[tuple]:
    """Rows of the warehouse."""
    with duckdb.connect(str(project / "state" / "warehouse.duckdb"), read_only=True) as connection:
        return connection.execute(question).fetchall()


def truth(project: Path, name: str) -> list[dict[str, str]]:
    """Rows of a truth file."""
    with (project / "truth" / f"{name}.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def quarantined(project: Path) -> set[tuple[str, str, int, str]]:
    kinds = [name for (name,) in read(project, "select table_name from duckdb_tables() where schema_name='quarantine'")]
    parts = (f"select feed, file, row, unnest(reasons).code from quarantine.{kind}" for kind in kinds)
    return {tuple(row) for row in read(project, " union all ".join(parts))}


def test_quarantine_holds_the_bad_rows_and_no_others_row_by_row_and_code_by_code(project: Path) -> None:
    bad = {(row["feed"], row["file"], int(row["row"]), row["code"]) for row in truth(project, "bad_rows")}
    assert bad
    assert quarantined(project) == bad


def test_every_row_of_every_file_is_accounted_for(project: Path) -> None:
    counts = read(project, "select rows_read, rows_accepted + rows_duplicate + rows_rejected from ops.files")
    assert counts
    assert all(read_rows == known for read_rows, known in counts)
    by_feed = dict(read(project, "select feed, sum(rows_read) from ops.files group by feed"))
    told = Counter(row["feed"] for row in truth(project, "persons"))
    assert all(by_feed[feed] >= rows for feed, rows in told.items())


def test_no_source_column_goes_unmentioned(project: Path) -> None:
    assert read(project, "select feed, source_column from ops.source_columns where status = 'unknown'") == []


def test_records_of_one_person_become_one_customer(project: Path) -> None:
    scores = dict(
        read(
            project,
            "select metric, value from identity.scorecard where metric in ('f1', 'precision', 'recall') "
            "and run_id = (select run_id from ops.runs order by started_at desc limit 1)",
        )
    )
    assert scores["f1"] > 0.9
    assert scores["precision"] > 0.95


def test_readers_get_described_tables_without_raw_identifiers_or_lineage(project: Path) -> None:
    published = (project / "published" / "cdp.duckdb").resolve()
    with duckdb.connect(str(published), read_only=True) as connection:
        tables = connection.execute("select schema_name || '.' || table_name, comment from duckdb_tables()").fetchall()
        columns = connection.execute(
            "select table_name, column_name, comment from duckdb_columns() where not internal"
        ).fetchall()
    names = {name for name, _ in tables}
    assert {"profiles.customers", "profiles.lifecycle", "identity.customer_links", "ops.batches"} <= names
    assert not {name for name in names if name.startswith(("staging.", "quarantine."))}
    assert "identity.identifiers" not in names
    assert [name for name, comment in tables if not comment] == []
    assert [(table, column) for table, column, comment in columns if not comment] == []
    assert [column for _, column, _ in columns if column.startswith("_")] == []


def test_the_manifest_agrees_with_the_files(project: Path) -> None:
    exports = project / "published" / "exports"
    manifest = json.loads((exports / "manifest.json").read_text(encoding="utf-8"))
    customers = next(table for table in manifest["tables"] if table["file"] == "profiles.customers.parquet")
    path = str(exports / customers["file"])
    assert duckdb.execute("select count(*) from read_parquet($path)", {"path": path}).fetchall() == [
        (customers["rows"],)
    ]
    assert customers["rows"] == read(project, "select count(*) from profiles.customers")[0][0]
    with duckdb.connect(str((project / "published" / "cdp.duckdb").resolve()), read_only=True) as connection:
        published = connection.execute("select schema_name || '.' || table_name from duckdb_tables()").fetchall()
    names = sorted(name for (name,) in published)
    assert sorted({table["name"] for table in manifest["tables"]}) == names
    assert {path.name for path in exports.iterdir()} == {
        "manifest.json",
        *(f"{name}.{kind}" for name in names for kind in ("parquet", "csv")),
    }


def test_a_fresh_business_wants_nobodys_attention(project: Path) -> None:
    assert json.loads(cdp("status", "--json", project=project))["attention"] == []


def test_running_again_reads_nothing_and_changes_nothing(project: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    shutil.copytree(project, again, symlinks=True)
    before = {name: fingerprint(again, name) for name in LASTING}
    summary = json.loads(cdp("run", "--json", project=again))
    assert sum(counts["rows_read"] for counts in summary["feeds"].values()) == 0
    assert {name: fingerprint(again, name) for name in LASTING} == before


def test_all_batches_at_once_give_the_tables_that_month_by_month_gave(project: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(project, other, ignore=shutil.ignore_patterns("state", "published", ".dagster"))
    cdp("run", project=other)
    for table in ("staging.web_events", "staging.purchases", "staging.contacts", "identity.records"):
        assert fingerprint(other, table) == fingerprint(project, table), table
    assert partition(other) == partition(project)
    for table in DOWNSTREAM:  # what came late to the months reached every table as if it had been in time
        assert of_persons(other, table) == of_persons(project, table), table


def test_a_customer_is_found_and_explained_by_what_people_know(project: Path) -> None:
    ((email, customer_id),) = read(
        project,
        "select email, customer_id from profiles.customers where email is not null and record_count > 3 "
        "and email in (select email from profiles.customers group by email having count(*) = 1) "
        "order by record_count desc, customer_id limit 1",
    )
    shown = json.loads(cdp("customer", "show", email, "--json", project=project))
    assert shown["customer_id"] == customer_id
    explained = cdp("customer", "explain", customer_id, project=project)
    assert "strongest evidence" in explained
    cdp("customer", "show", "nobody@nowhere.example", project=project, expect=11)


def test_a_quarantined_row_is_shown_masked(project: Path) -> None:
    rows = json.loads(cdp("quarantine", "list", "--feed", "crm", "--json", project=project))
    assert rows
    shown = json.loads(cdp("quarantine", "show", rows[0]["quarantine_id"], "--json", project=project))
    assert "@" not in shown["raw"].replace("***@", "")
    assert shown["reasons"][0]["code"] == rows[0]["reasons"][0].split(": ")[-1]


def test_the_dictionary_explains_every_table_of_the_warehouse(project: Path) -> None:
    page = (ROOT / "docs" / "dictionary.md").read_text(encoding="utf-8")
    found = read(project, "select schema_name || '.' || table_name from duckdb_tables() where not internal")
    names = {name for (name,) in found if "._" not in name}
    assert {name for name in names if f"### {name}\n" not in page and f"`{name}`" not in page} == set()


def test_the_status_page_says_where_things_stand(project: Path) -> None:
    page = cdp("status", project=project)
    for heading in ("Feeds", "Quarantine", "Identity", "Lifecycle", "Segments", "Checks", "published/cdp.duckdb"):
        assert heading in page


LASTING = ("staging.web_events", "staging.purchases", "identity.customer_links", "profiles.customers", "profiles.rfm")


DOWNSTREAM = (
    "profiles.activities",
    "profiles.orders",
    "profiles.web_traits",
    "profiles.purchase_traits",
    "profiles.feedback_traits",
    "profiles.rfm",
    "profiles.lifecycle",
    "profiles.lifecycle_history",
)


def of_persons(project: Path, table: str) -> tuple:
    """The fingerprint of a table in which every customer is called by the smallest of its records."""
    return read(
        project,
        "with named as (select customer_id, min(record_id) as record_id from identity.customer_links group by 1) "
        "select count(*), bit_xor(md5_number(t::varchar)) from ("
        f"select t.* replace (named.record_id as customer_id) from {table} as t "
        "left join named on t.customer_id = named.customer_id) as t",
    )[0]


def fingerprint(project: Path, table: str) -> tuple:
    """Rows of a table and a digest of them that does not depend on their order."""
    return read(project, f"select count(*), bit_xor(md5_number(t::varchar)) from {table} as t")[0]


def partition(project: Path) -> set[tuple[str, ...]]:
    """Which records stand together, whatever their customers are called."""
    return {
        tuple(records)
        for (records,) in read(
            project,
            "select list_sort(list(record_id)) from identity.customer_links "
            "where valid_to is null group by customer_id",
        )
    }
