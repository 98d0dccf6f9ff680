"""Invented people of any size: several damaged records of each, with households, movers and shared phones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from mimesis import Address, Locale, Person
from numpy.typing import NDArray

_BATCH = 200_000
_SLIPS = 0.12
_MISSING = {"given": 0.03, "family": 0.03, "birth": 0.15, "phone": 0.25, "email": 0.3, "address": 0.2, "postcode": 0.2}


def write_people(path: Path, records: int, seed: int = 7) -> None:
    """Write a Parquet file of so many records; ``cluster_id`` is the person."""
    rng = np.random.Generator(np.random.PCG64(seed))
    words = _Words(seed)
    writer: pq.ParquetWriter | None = None
    written = person = 0
    while written < records:
        table = _batch(rng, words, min(_BATCH, records - written), person, written)
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table)
        written += table.num_rows
        person += _BATCH
    if writer is not None:
        writer.close()


class _Words:
    """Names and streets from a fake-data library, with frequencies as uneven as in life."""

    def __init__(self, seed: int) -> None:
        people = [Person(locale, seed=seed) for locale in (Locale.EN, Locale.EN_GB, Locale.DE)]
        places = Address(Locale.EN_GB, seed=seed)
        self.given = _distinct(lambda: [p.first_name() for p in people for _ in range(2000)])
        self.family = _distinct(lambda: [p.last_name() for p in people for _ in range(4000)])
        self.street = _distinct(lambda: [places.street_name() for _ in range(4000)])
        self.city = _distinct(lambda: [places.city() for _ in range(800)])


def _distinct(draw: Callable[[], list[str]]) -> NDArray[np.object_]:
    return np.array(sorted(set(draw())), dtype=object)


def _batch(rng: np.random.Generator, words: _Words, size: int, first_person: int, first_row: int) -> pa.Table:
    people = max(size * 10 // 22, 1)
    homes = max(people * 10 // 23, 1)
    home = rng.integers(0, homes, people)
    truth = {
        "given": _uneven(rng, words.given, people),
        "family": _uneven(rng, words.family, homes)[home],
        "birth": _birthdays(rng, people),
        "phone": np.array([f"07{number:09}" for number in rng.integers(0, 10**9, homes)], dtype=object)[home],
        "street": np.array(
            [
                f"{n} {street}"
                for n, street in zip(rng.integers(1, 200, homes), _uneven(rng, words.street, homes), strict=True)
            ],
            dtype=object,
        )[home],
        "city": _uneven(rng, words.city, homes)[home],
        "postcode": np.array([f"{n:05}" for n in rng.integers(10_000, 99_999, homes)], dtype=object)[home],
    }
    own_phone = rng.random(people) < 0.7
    truth["phone"] = np.where(
        own_phone, np.array([f"07{n:09}" for n in rng.integers(0, 10**9, people)], dtype=object), truth["phone"]
    )
    truth["email"] = np.array(
        [
            f"{given.lower()}.{family.lower()}{n}@example{n % 7}.org".replace(" ", "")
            for given, family, n in zip(truth["given"], truth["family"], rng.integers(1, 99, people), strict=True)
        ],
        dtype=object,
    )
    who = np.sort(rng.integers(0, people, size))
    columns: dict[str, Any] = {name: values[who] for name, values in truth.items()}
    for name, values in columns.items():
        columns[name] = _damaged(rng, values, _MISSING.get(name, _MISSING["address"]))
    order = rng.permutation(size)
    table = {
        "record_id": np.array([f"r{first_row + n:09}" for n in range(size)], dtype=object),
        "cluster_id": np.array([f"p{first_person + n}" for n in who[order].tolist()], dtype=object),
    }
    table |= {name: values[order] for name, values in columns.items()}
    return pa.table({name: pa.array(values.tolist(), pa.string()) for name, values in table.items()})


def _uneven(rng: np.random.Generator, words: NDArray[np.object_], size: int) -> NDArray[np.object_]:
    share = 1.0 / np.arange(1, len(words) + 1) ** 0.8
    return words[rng.choice(len(words), size, p=share / share.sum())]


def _birthdays(rng: np.random.Generator, size: int) -> NDArray[np.object_]:
    days = np.datetime64("1935-01-01") + rng.integers(0, 26_000, size)
    return np.array([str(day) for day in days], dtype=object)


def _damaged(rng: np.random.Generator, values: NDArray[np.object_], missing: float) -> NDArray[np.object_]:
    found = values.copy()
    slips = np.flatnonzero(rng.random(len(values)) < _SLIPS)
    places, kinds = rng.random(len(slips)), rng.integers(0, 4, len(slips))
    for position, place, kind in zip(slips.tolist(), places.tolist(), kinds.tolist(), strict=True):
        found[position] = _slip(str(found[position]), place, kind)
    found[rng.random(len(values)) < missing] = None
    return found


def _slip(text: str, place: float, kind: int) -> str:
    at = int(place * max(len(text) - 1, 1))
    if kind == 0:
        return text[:at] + text[at + 1 :]
    if kind == 1:
        return text[:at] + text[at + 1 : at + 2] + text[at : at + 1] + text[at + 2 :]
    if kind == 2:
        return text[:at] + text[at : at + 1] + text[at:]
    swapped = "1" if text[at : at + 1].isdigit() else "e"
    return text[:at] + swapped + text[at + 1 :]
