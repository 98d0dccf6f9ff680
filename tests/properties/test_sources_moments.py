"""Columns of moments in text, read at once: where they are read, the contract reads the same."""

from __future__ import annotations

from datetime import datetime

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic_core import PydanticCustomError

from quality.contracts.value_types import read_timestamp
from sources.moment_scan import read_moments

_MOMENTS = st.datetimes(datetime(1968, 1, 1), datetime(2102, 1, 1))
_WRITTEN = st.builds(
    lambda moment, form, digits, zone: moment.strftime(form) + digits + zone,
    _MOMENTS,
    st.sampled_from(
        [
            *("%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d_%H:%M:%S", "%Y-%d-%mT%H:%M:%S", "%Y-%m-%d"),
            *("%Y/%m/%d %H:%M:%S", "%Y/%m/%dT%H:%M:%S", "%Y/%m-%d %H:%M:%S", "%Y.%m.%d %H:%M:%S"),
        ]
    ),
    st.sampled_from(["", "", ".", ".1", ".12", ".123", ".123456", ".1234567", ".12x", ",123"]),
    st.sampled_from(["", "Z", "z", "+08:00", " "]),
)
_DAYS = st.sampled_from(["2026-02-29", "2024-02-29", "2026-13-01", "2026-00-10", "2026-04-31", "2026-04-00"])
_TEXTS = st.one_of(_WRITTEN, st.builds(lambda day: f"{day}T10:00:00Z", _DAYS), st.text(max_size=30), st.none())


def _is_contracts(text: str, value: datetime) -> bool:
    try:
        return read_timestamp(text) == value
    except PydanticCustomError as error:  # other years are the contract's business
        return error.type == "out_of_range" and not 1970 < value.year < 2099


@settings(max_examples=300)
@given(st.lists(_TEXTS, max_size=12), st.sampled_from(["", "Z"]))
def test_what_is_read_is_what_the_contract_reads(texts: list[str | None], zone: str) -> None:
    column = [f"2026-07-04T02:13:34.247{zone}"] * 150 + texts
    read = read_moments(pa.chunked_array([pa.array(column, pa.large_string())]))
    assert read is not None
    assert read.is_clock is (zone == "")
    for text, value, is_other in zip(column, read.values.to_pylist(), read.others, strict=True):
        if not text:
            assert value is None
            assert not is_other
        elif value is None:
            assert is_other
        else:
            assert not is_other
            assert text.endswith("Z") is (zone == "Z")
            assert _is_contracts(text, value)


def test_days_with_slashes_are_read_too() -> None:
    read = read_moments(pa.chunked_array([pa.array(["2026/03/01 10:00:00", "2026/03/01T10:00:00.5", None])]))
    assert read is not None
    assert read.values.to_pylist() == [datetime(2026, 3, 1, 10), datetime(2026, 3, 1, 10, 0, 0, 500_000), None]
    assert not read.others.any()


@pytest.mark.parametrize(
    "texts", [[], [None, ""], ["yesterday"] * 5, ["2026-07-04T02:13:34Z"] * 5 + ["2026-07-04T02:13:34+08:00"] * 5]
)
def test_a_column_of_much_else_is_left_to_its_texts(texts: list[str | None]) -> None:
    assert read_moments(pa.chunked_array([pa.array(texts, pa.large_string())])) is None
