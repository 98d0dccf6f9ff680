"""The platform's own matching on labelled sets: each set is a contacts feed of a project of its own.

Before: weights as the packaged rules declare them. After: weights estimated from the records alone.
"""

from __future__ import annotations

import csv
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any, Final

import polars as pl

from warehouse.database import open_warehouse

Row = dict[str, Any]
Scores = dict[str, float]

_WORDS: Final = (
    "contact_id given_name family_name full_name birth_on gender email phone address_line city region postcode "
    "national_id_hash wechat_openid"
)
_COLUMNS: Final = _WORDS.split()
_FEED: Final = """
kind: contacts
mapping: csv
files: ["*.csv"]
format: csv
time_zone: UTC
country: {country}
duplicates: keep
owner: benchmark
purpose: Measure matching.
description: A labelled set.
fields: {{{fields}}}
"""
_TOLD: Final = ("precision", "recall", "f1", "b_cubed_f1", "exact_cluster_f1")
_SCORES: Final = """
    select metric, value from identity.scorecard
    where data_set = 'truth' and run_id = (select arg_max(run_id, measured_at) from identity.scorecard)
"""


def measure(name: str, path: Path, project: Path) -> dict[str, Scores]:
    """Scores of a labelled set with the declared weights (before) and with estimated ones (after)."""
    _make_project(name, path, project)
    _cdp(project, "run", "--json")
    before = _scores(project)
    _cdp(project, "identity", "train", "--unlabelled", "--pin", "--reason", "benchmark")
    _cdp(project, "run", "--json")
    return {"before": before, "after": _scores(project)}


def told(name: str, found: dict[str, Scores]) -> str:
    """Both rows of figures."""
    return "\n".join(
        f"{name:12} {when:7}" + "".join(f"  {metric} {scores[metric]:.4f}" for metric in _TOLD)
        for when, scores in found.items()
    )


def _make_project(name: str, path: Path, project: Path) -> None:
    _cdp(project.parent, "init", str(project))
    for feed in (project / "config" / "feeds").glob("*.yml"):
        feed.unlink()
    (project / "config" / "feeds").mkdir(parents=True, exist_ok=True)
    fields = ", ".join(f"{column}: {column}" for column in _COLUMNS)
    text = _FEED.format(country="CN" if name.startswith("zh") else "US", fields=fields)
    (project / "config" / "feeds" / "people.yml").write_text(text.lstrip(), encoding="utf-8")
    landing, truth = project / "landing" / "people", project / "truth"
    landing.mkdir(parents=True, exist_ok=True)
    truth.mkdir(exist_ok=True)
    rows = list(_rows(path, SETS[name]))
    with (landing / "people.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, _COLUMNS)
        writer.writeheader()
        writer.writerows(row for _, row in rows)
    with (truth / "persons.csv").open("w", encoding="utf-8", newline="") as file:
        truths = csv.writer(file)
        truths.writerow(["feed", "file", "row", "person_id"])
        truths.writerows(["people", "people.csv", place, person] for place, (person, _) in enumerate(rows, 1))


def _rows(path: Path, mapped: Callable[[Row], Row]) -> Iterator[tuple[str, Row]]:
    for row in pl.read_parquet(path).iter_rows(named=True):
        yield row["cluster_id"], {"contact_id": row["record_id"]} | mapped(row)


def _cdp(project: Path, *words: str) -> None:
    command = [sys.executable, "-c", "from cdp.command import main; main()", *words]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"cdp {' '.join(words)}: {done.stderr[-2000:]}")


def _scores(project: Path) -> Scores:
    with open_warehouse(project / "state" / "warehouse.duckdb") as warehouse:
        return dict(warehouse.cursor().execute(_SCORES).fetchall())


def _day(text: str | None) -> date | None:
    digits = (text or "").replace("-", "")
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:8]))
    except ValueError:
        return None


def _line(*parts: str | None) -> str | None:
    return " ".join(part for part in parts if part) or None


def _fake(row: Row) -> Row:
    return {
        "given_name": row["first_name"],
        "family_name": row["surname"],
        "birth_on": _day(row["dob"]),
        "city": row["city"],
        "email": row["email"],
    }


def _febrl(row: Row) -> Row:
    return {
        "given_name": row["given_name"],
        "family_name": row["surname"],
        "birth_on": _day(row["date_of_birth"]),
        "address_line": _line(row["street_number"], row["address_1"], row["address_2"]),
        "city": row["suburb"],
        "region": row["state"],
        "postcode": row["postcode"],
        "national_id_hash": row["soc_sec_id"],
    }


def _rl(row: Row) -> Row:
    born = f"{int(row['by']):04}{int(row['bm']):02}{int(row['bd']):02}"
    return {
        "given_name": _line(row["fname_c1"], row["fname_c2"]),
        "family_name": _line(row["lname_c1"], row["lname_c2"]),
        "birth_on": _day(born),
    }


def _pp(row: Row) -> Row:
    return {
        "given_name": row["first_name"],
        "family_name": row["last_name"],
        "birth_on": _day(row["date_of_birth"]),
        "gender": row["sex"],
        "address_line": _line(row["street_number"], row["street_name"], row["unit_number"]),
        "postcode": row["zipcode"],
        "national_id_hash": row["ssn"],
    }


def _zh(row: Row) -> Row:
    return {
        "full_name": row["name"],
        "birth_on": _day(row["birth_date"]),
        "gender": row["gender"],
        "email": row["email"],
        "phone": row["phone"],
        "address_line": row["address"],
        "city": row["city"],
        "national_id_hash": row["id_card"],
        "wechat_openid": row["wechat"],
    }


SETS: Final[dict[str, Callable[[Row], Row]]] = {
    "fake_1000": _fake,
    "febrl1": _febrl,
    "febrl3": _febrl,
    "rldata500": _rl,
    "pp_multi": _pp,
    "zh_10k": _zh,
}
