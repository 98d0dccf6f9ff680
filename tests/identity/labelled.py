"""Labelled sets that others made, as records."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from people import a_record

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


def read_labelled(folder: Path, mapped: Callable[[Row], Row]) -> Iterator[tuple[str, Row]]:
    """Person and record of every row of the set that is called like the mapping; the test is skipped without it."""
    path = folder / "identity" / f"{mapped.__name__}.parquet"
    if not path.exists():
        pytest.skip(f"{path.name} is absent")
    for row in pl.read_parquet(path).iter_rows(named=True):
        yield row["cluster_id"], a_record(record_id=row["record_id"], **mapped(row))
