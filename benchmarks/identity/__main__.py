"""Run the comparison: ``python -m benchmarks.identity``; see README.md beside this file."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.identity import labelled_feeds
from benchmarks.identity.incremental import measure, told
from benchmarks.identity.people import write_people

_RESULTS = Path(__file__).resolve().parents[1] / "results"
_SETS = ("fake_1000", "febrl1", "febrl3", "rldata500", "pp_multi", "zh_10k")


def main() -> None:
    """Measure every set that is there, or invented people."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.identity")
    parser.add_argument("sets", nargs="*", default=list(_SETS))
    parser.add_argument("--people", type=int, help="invent a table of so many records instead")
    parser.add_argument(
        "--incremental", action="store_true", help="with --people: what one percent more costs a project"
    )
    parser.add_argument(
        "--platform",
        action="store_true",
        help="the sets as feeds of a project, before and after training without labels",
    )
    options = parser.parse_args()
    if options.incremental:
        with tempfile.TemporaryDirectory() as folder:
            print("\n".join(told(measure(options.people or 100_000, Path(folder)))), flush=True)
        return
    data = Path(os.environ.get("CDP_REAL_DATA", "../shared/data")) / "identity"
    if options.platform:
        for name in (name for name in options.sets if (data / f"{name}.parquet").exists()):
            with tempfile.TemporaryDirectory() as folder:
                found = labelled_feeds.measure(name, data / f"{name}.parquet", Path(folder) / name)
            print(labelled_feeds.told(name, found), flush=True)
        return
    results = []
    with tempfile.TemporaryDirectory() as folder:
        if options.people:
            path = Path(folder) / "people.parquet"
            write_people(path, options.people)
            results.append(_row(f"people_{options.people}", path, _splink_on_people(path, Path(folder)), Path(folder)))
        else:
            there = [name for name in options.sets if (data / f"{name}.parquet").exists()]
            results += [
                _row(name, data / f"{name}.parquet", _splink_on_set(name, Path(folder)), Path(folder)) for name in there
            ]
    _RESULTS.mkdir(exist_ok=True)
    (_RESULTS / "identity.json").write_text(json.dumps(results, indent=1), encoding="utf-8")


def _row(name: str, path: Path, best: dict[str, Any] | None, folder: Path) -> dict[str, Any]:
    ours = _ours(path, folder)
    row = {"set": name, "records": ours["records"], "ours": ours, "splink": best}
    line = f"{name:16} {ours['records']:>9,}  F1 {ours['f1']:.4f}  {ours['cpu']:7.2f} CPU s  {ours['rss']:6.0f} MB"
    if best:
        line += f"   Splink F1 {best['f1']:.4f}  {best['cpu']:7.2f} CPU s   our share {ours['cpu'] / best['cpu']:.0%}"
    print(line, flush=True)
    return row


def _ours(path: Path, folder: Path) -> dict[str, Any]:
    code = "from cdp.command import main; main()"
    rules, clusters, told = folder / "rules.yml", folder / "clusters.parquet", folder / "told.json"
    suggest = ["identity", "suggest", str(path), "--ignore", "cluster_id", "--output", str(rules)]
    _measured([sys.executable, "-c", code, *suggest], folder / "suggest.txt")
    run = ["identity", "run", "--input", str(path), "--config", str(rules), "--output", str(clusters)]
    cpu, rss = _measured([sys.executable, "-c", code, *run, "--truth", "cluster_id", "--json"], told)
    return json.loads(told.read_text(encoding="utf-8")) | {"cpu": cpu, "rss": rss}


def _splink_on_set(name: str, folder: Path) -> dict[str, Any] | None:
    """The better of the peer's settings for a labelled set."""
    found = [result for config in ("tuned", "joint") if (result := _splink(name, config, folder))]
    return max(found, key=lambda result: result["f1"], default=None)


def _splink_on_people(path: Path, folder: Path) -> dict[str, Any] | None:
    python = os.environ.get("CDP_SPLINK_PYTHON")
    if python is None:
        return None
    told = folder / "splink.txt"
    _measured([python, str(Path(__file__).with_name("splink_people.py")), str(path)], told)
    lines = told.read_text(encoding="utf-8").splitlines()
    found = json.loads(lines[-1]) if lines and lines[-1].startswith("{") else None
    return found if isinstance(found, dict) else None


def _splink(name: str, config: str, folder: Path) -> dict[str, Any] | None:
    python = os.environ.get("CDP_SPLINK_PYTHON")
    script = Path(os.environ.get("CDP_PEERS", "../shared/peers")) / "run_splink.py"
    if python is None or not script.exists():
        return None
    result = folder / "splink.json"
    result.unlink(missing_ok=True)
    cpu, rss = _measured([python, str(script), name, "--config", config, "--json", str(result)], folder / "splink.txt")
    if not result.exists():
        return None
    found = json.loads(result.read_text(encoding="utf-8"))
    found = found[0] if isinstance(found, list) else found
    # the peer's script goes on to sweep thresholds: only the stages up to the clusters count
    stages = found["stages"]
    spent = sum(stages[stage]["cpu"] for stage in stages if stage != "single_best_link")
    return {"config": config, "f1": found["best_cluster"]["cluster"]["f1"], "cpu": spent, "rss": rss, "whole_cpu": cpu}


def _measured(command: list[str], output: Path) -> tuple[float, float]:
    """CPU seconds and peak MB of a child process; its output goes to a file."""
    pid = os.fork()
    if pid == 0:
        with output.open("wb") as file:
            os.dup2(file.fileno(), 1)
        os.execv(command[0], command)
    _, status, usage = os.wait4(pid, 0)
    if status:
        print(f"failed: {' '.join(command)}", file=sys.stderr)
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


if __name__ == "__main__":
    main()
