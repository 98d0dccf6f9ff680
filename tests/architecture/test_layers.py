"""SQL may read only downwards, as imports do."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import sqlglot
from sqlglot import exp

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("cdp", "assets", "profiles", "identity", "sources", "quality", "warehouse")
MAY_READ = {"identity": {"staging", "identity", "ops"}, "profiles": {"staging", "identity", "profiles", "ops"}}
SQL_FILES = sorted(path for package in MAY_READ for path in (ROOT / package / "sql").glob("*.sql"))


@pytest.mark.parametrize("path", SQL_FILES, ids=[str(path.relative_to(ROOT)) for path in SQL_FILES])
def test_a_statement_reads_only_its_own_and_lower_layers(path: Path) -> None:
    tree = sqlglot.parse_one(path.read_text(encoding="utf-8"), read="duckdb")
    schemas = {table.db for table in tree.find_all(exp.Table) if table.db}
    assert schemas <= MAY_READ[path.parent.parent.name]


def test_there_are_statements_to_look_at() -> None:
    assert len(SQL_FILES) > 10


def test_the_wheel_contains_what_the_tree_contains(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=120)
    (wheel,) = tmp_path.glob("*.whl")
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    tracked = subprocess.run(
        ["git", "ls-files", "-z", *PACKAGES], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.split("\0")
    expected = set()
    for name in filter(None, tracked):
        path = ROOT / name
        if path.is_dir():
            below = (item for item in path.rglob("*") if item.is_file())
            expected |= {f"{name}/{item.relative_to(path).as_posix()}" for item in below}
        elif path.exists():
            expected.add(name)
    assert packed == expected


def test_help_is_quick_because_it_imports_neither_dagster_nor_great_expectations() -> None:
    script = (
        "import sys; sys.argv = ['cdp', '--help']\n"
        "from cdp.command import run_command\n"
        "code = run_command(['--help'])\n"
        "heavy = {'dagster', 'great_expectations', 'pandas'} & set(sys.modules)\n"
        "assert code == 0 and not heavy, (code, heavy)\n"
    )
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True, capture_output=True, timeout=60)


def test_no_tracked_file_names_a_machine_path_or_a_package_host() -> None:
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    folders = "|".join(("work", "root", "home"))
    hosts = "|".join(r"\.".join(words) for words in (("pypi", "org"), ("pypi", "python"), ("registry", "npmjs")))
    forbidden = re.compile(rf"(?<![\w.])/(?:{folders})/\w|index[-]url|find[-]links|{hosts}")
    found = []
    for name in filter(None, names.split("\0")):
        path = ROOT / name
        if not path.is_file():
            continue
        text = path.read_text(encoding="utf-8", errors="ignore")
        found += [f"{name}: {match.group()}" for match in forbidden.finditer(text)]
    assert found == []
