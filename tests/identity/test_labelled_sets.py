"""On labelled sets that others made, the comparisons are sane with the one default: precise first, then complete.

The floors guard against a break; they are no target. Parameters learnt from the data are what raises recall on the
heavily damaged sets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from people import a_record, resolve

from identity.scores import cluster_scores
from warehouse.database import Warehouse
from warehouse.step import Run

Row = dict[str, Any]


def day(text: str | None) -> date | None:
    digits = (text or "").replace("-", "")
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:8]))
    except ValueError:
        return None


def line(*parts: str | None) -> str | None:
    return " ".join(part for part in parts if part) or None


def fake_1000(row: Row) -> Row:
    return {"given_name": row["first_name"], "family_name": row["surname"], "birth_on": day(row["dob"])} | {
        "city": row["city"],
        "email": row["email"],
    }


def febrl3(row: Row) -> Row:
    address = line(row["street_number"], row["address_1"], row["address_2"])
    return {"given_name": row["given_name"], "family_name": row["surname"], "birth_on": day(row["date_of_birth"])} | {
        "address_line": address,
        "city": row["suburb"],
        "postcode": row["postcode"],
        "national_id_hash": row["soc_sec_id"],
    }


def zh_10k(row: Row) -> Row:
    return {
        "full_name": row["name"],
        "birth_on": day(row["birth_date"]),
        "city": row["city"],
        "gender": row["gender"],
    } | {
        "address_line": row["address"],
        "national_id_hash": row["id_card"],
        "email": row["email"],
        "phone": row["phone"],
        "country": "CN",
        "wechat_openid": row["wechat"],
    }


@pytest.mark.parametrize(
    ("mapped", "precision", "f1"), [(fake_1000, 0.98, 0.55), (febrl3, 0.99, 0.94), (zh_10k, 0.97, 0.96)]
)
def test_a_labelled_set_is_resolved_with_the_default(
    prepared: Warehouse, run: Run, real_data: Path, mapped: Callable[[Row], Row], precision: float, f1: float
) -> None:
    path = real_data / "identity" / f"{mapped.__name__}.parquet"
    if not path.exists():
        pytest.skip(f"{path.name} is absent")
    persons, records = zip(*_read(path, mapped), strict=True)
    links = resolve(prepared, run, records)
    found = [links[record["record_id"]] for record in records]
    scores = cluster_scores(_codes(persons), _codes(found))
    assert scores["precision"] >= precision
    assert scores["f1"] >= f1


def _read(path: Path, mapped: Callable[[Row], Row]) -> Iterator[tuple[str, Row]]:
    for row in pl.read_parquet(path).iter_rows(named=True):
        yield row["cluster_id"], a_record(record_id=row["record_id"], **mapped(row))


def _codes(values: Any) -> np.ndarray:
    return np.unique(values, return_inverse=True)[1]
