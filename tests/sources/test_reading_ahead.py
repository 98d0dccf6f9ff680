"""While one block is worked on the next one is read, and no more: blocks are large."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from sources.readers.ahead import read_ahead


def test_no_more_is_made_than_may_wait() -> None:
    made: list[int] = []

    def numbers() -> Iterator[int]:
        for number in range(6):
            made.append(number)
            yield number

    for taken in read_ahead(numbers(), most=1):
        time.sleep(0.05)
        assert len(made) <= taken + 2
    assert made == list(range(6))


def test_an_error_is_raised_to_who_takes_what_came_before_it() -> None:
    def broken() -> Iterator[int]:
        yield 1
        raise ValueError("no more")

    taken = read_ahead(broken(), most=1)
    assert next(taken) == 1
    with pytest.raises(ValueError, match="no more"):
        next(taken)


def test_who_stops_taking_is_not_waited_for() -> None:
    taken = read_ahead(iter(range(1_000)), most=1)
    assert next(taken) == 0
    taken.close()  # type: ignore[attr-defined]  # it is a generator
