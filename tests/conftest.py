"""Fixtures that every floor's tests share."""

from __future__ import annotations

import codecs
import os
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import pytest
from hypothesis import settings

from warehouse.business import Business
from warehouse.database import Warehouse, open_warehouse
from warehouse.step import Run

ROOT = Path(__file__).resolve().parent.parent

settings.register_profile("same every time", derandomize=True, deadline=None)
settings.register_profile("explore", deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same every time"))


@pytest.fixture
def warehouse() -> Iterator[Warehouse]:
    """An empty warehouse in memory."""
    with open_warehouse() as opened:
        yield opened


@pytest.fixture
def business() -> Business:
    """A shop that counts pounds in London."""
    return Business(name="A shop", base_currency="GBP", time_zone="Europe/London", default_country="GB")


@pytest.fixture
def run(business: Business) -> Run:
    """A run as of the end of January 2026."""
    return Run(run_id="run-1", as_of=date(2026, 1, 31), now=datetime(2026, 2, 1, 6), business=business)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real data sets; tests that need one skip where it is absent."""
    folder = Path(os.environ.get("CDP_REAL_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"real data is absent: set CDP_REAL_DATA (looked in {folder.name})")
    return folder


@pytest.fixture
def codec_with_a_bug() -> Iterator[str]:
    """The name of an encoding whose codec fails on every byte that is no ASCII."""

    def found(name: str) -> codecs.CodecInfo | None:
        return codecs.CodecInfo(codecs.latin_1_encode, decode, name=name) if name == "a_codec_with_a_bug" else None

    def decode(data: bytes, errors: str = "strict") -> tuple[str, int]:
        if not bytes(data).isascii():
            raise ZeroDivisionError
        return bytes(data).decode("ascii"), len(data)

    codecs.register(found)
    yield "a-codec-with-a-bug"
    codecs.unregister(found)
