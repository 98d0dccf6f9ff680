"""Run the comparison: ``python -m benchmarks.ingest --rows 5000000``; see README.md beside this file."""

from __future__ import annotations

import argparse
import json
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.ingest.rows import FORMS, write_form, write_gzip_files, write_parquet_parts

_RESULTS = Path(__file__).resolve().parents[1] / "results"


@dataclass
class Case:
    """One form with one share of bad rows, and what was measured of it."""

    form: str
    bad: float
    rows: int
    files: str
    clean: Path
    spoilt: Path
    raw: list[dict[str, Any]] = field(default_factory=list)
    load: list[dict[str, Any]] = field(default_factory=list)

    def measure(self) -> None:
        """Once each, one right after the other: a busy machine then slows both."""
        self.raw.append(_measured("raw", self.form, self.clean, self.files))
        self.load.append(_measured("load", self.form, self.spoilt, self.files))
        rows, expected = self.load[-1]["rows"], self.raw[-1]["rows"]
        if rows != expected or rows != self.load[-1]["accepted"] + self.load[-1]["rejected"]:
            raise SystemExit(f"error: {self.form}: {rows} rows were loaded, {expected} were written")

    def told(self) -> dict[str, Any]:
        """Figures of the best and of the median repetition."""
        raw, load = ([run["cpu_seconds"] for run in runs] for runs in (self.raw, self.load))
        return {
            "form": self.form,
            "bad": self.bad,
            "rows": self.rows,
            "rejected": self.load[-1]["rejected"],
            "raw_cpu_seconds": min(raw),
            "load_cpu_seconds": min(load),
            "ratio_of_best": min(load) / min(raw),
            "ratio_of_medians": median(load) / median(raw),
            "load_peak_mb": max(run["peak_mb"] for run in self.load),
            "raw_peak_mb": max(run["peak_mb"] for run in self.raw),
            "repetitions": len(raw),
        }


def _measured(way: str, form: str, project: Path, files: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.ingest.measured", way, form, str(project), files]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    for database in project.glob("*.duckdb*"):
        database.unlink()
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _cases(options: argparse.Namespace, folder: Path) -> Iterator[Case]:
    for name in options.forms:
        form = FORMS[name]
        clean = _written(folder, name, options.rows, 0.0)
        for bad in options.bad:
            spoilt = clean if not bad else _written(folder, name, options.rows, bad)
            yield Case(name, bad, options.rows, f"**/{form.file}", clean, spoilt)
            if spoilt != clean and not options.keep:
                shutil.rmtree(spoilt)
        if not options.keep:
            shutil.rmtree(clean)


def _written(folder: Path, name: str, rows: int, bad: float) -> Path:
    project = folder / f"{name}-{rows}-{bad:g}"
    path = project / "landing" / "feed" / "dt=2026-11-01" / FORMS[name].file
    if not path.exists():
        write_form(FORMS[name], rows, bad, path)
    return project


def _many(options: argparse.Namespace, folder: Path) -> Iterator[Case]:
    """Fifty files: Parquet, and gzipped JSON lines."""
    for name, suffix, write in (
        ("parquet", "parquet", write_parquet_parts),
        ("jsonl", "jsonl.gz", write_gzip_files),
    ):
        project = folder / f"{name}-many"
        write(options.many_rows, 50, project / "landing" / "feed" / "dt=2026-11-01")
        yield Case(name, 0.0, options.many_rows, f"**/*.{suffix}", project, project)
        if not options.keep:
            shutil.rmtree(project)


def _table(told: list[dict[str, Any]]) -> str:
    lines = [f"{'form':9}{'bad':>6}{'rows':>12}{'raw s':>9}{'load s':>9}{'best':>7}{'median':>8}{'peak MB':>9}"]
    lines += [
        f"{item['form']:9}{item['bad']:>6.1%}{item['rows']:>12,}{item['raw_cpu_seconds']:>9.2f}"
        f"{item['load_cpu_seconds']:>9.2f}{item['ratio_of_best']:>7.2f}{item['ratio_of_medians']:>8.2f}"
        f"{item['load_peak_mb']:>9,.0f}"
        for item in told
    ]
    return "\n".join(lines)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ingest")
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--forms", nargs="*", default=list(FORMS), choices=list(FORMS))
    parser.add_argument("--bad", nargs="*", type=float, default=[0.0, 0.001, 0.01])
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--many-rows", type=int, default=0, help="rows of the cases of fifty files; 0: without them")
    parser.add_argument("--folder", type=Path, help="where the files are written; default: a temporary folder")
    parser.add_argument("--keep", action="store_true", help="keep the files for the next run")
    return parser.parse_args()


def main() -> None:
    """Measure every case, print the table, write the JSON file."""
    options = _options()
    folder = options.folder or Path(tempfile.mkdtemp(prefix="ingest-"))
    told: list[dict[str, Any]] = []
    cases = [_cases(options, folder)] + ([_many(options, folder)] if options.many_rows else [])
    for case in (case for some in cases for case in some):
        for _ in range(options.repetitions):
            case.measure()
        told.append(case.told())
        print(_table(told[-1:]).splitlines()[-1], file=sys.stderr, flush=True)
    print(_table(told))
    _RESULTS.mkdir(exist_ok=True)
    machine = {"python": platform.python_version(), "machine": platform.machine(), "system": platform.system()}
    (_RESULTS / "ingest.json").write_text(json.dumps({"machine": machine, "cases": told}, indent=2), encoding="utf-8")
    if not options.folder and not options.keep:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
