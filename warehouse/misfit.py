"""What a declaration says that may not stand there: for validators to raise, in words for the person who wrote it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from warehouse.yaml_tree import Location

T = TypeVar("T")
S = TypeVar("S")


@dataclass(frozen=True)
class Misfit:
    """What is wrong, what to do, and the locations it is about, below the place that is validated.

    The line of the first one is told. Without any, it is about everything in that place. It is told unless something of
    what it ``rests_on`` is wrong itself, or may stand there under a wrong key: its locations, unless said otherwise.
    """

    what: str
    fix: str
    about: tuple[Location, ...] = ()
    rests_on: tuple[Location, ...] | None = None


class MisfitError(ValueError):
    """Raised by validators of declarations: ``what`` is wrong, without a full stop, and ``fix``, a sentence."""

    def __init__(self, what: str, fix: str, *about: Location | str, more: Iterable[Misfit] = ()) -> None:
        places = tuple((place,) if isinstance(place, str) else place for place in about)
        self.misfits: tuple[Misfit, ...] = (Misfit(what, fix, places), *more)
        super().__init__(" ".join(f"{misfit.what}. {misfit.fix}" for misfit in self.misfits))


def raise_misfits(misfits: Iterable[Misfit]) -> None:
    """Raise MisfitError with all of them, or do nothing."""
    match tuple(misfits):
        case (first, *rest):
            raise MisfitError(first.what, first.fix, *first.about, more=rest)


def twice(names: Sequence[S]) -> Iterator[tuple[int, int]]:
    """Places of what stood before, each with every place where it did: of some of them nothing may be known."""
    for place, name in enumerate(names):
        yield from ((place, first) for first in range(place) if names[first] == name)


def each_of(make: Callable[[S], T], items: Iterable[S]) -> tuple[T, ...]:
    """What ``make`` makes of every item.

    Raises:
        MisfitError: with what is wrong in each of them, not only in the first.
    """
    made: list[T] = []
    wrong: list[Misfit] = []
    for item in items:
        try:
            made.append(make(item))
        except MisfitError as error:
            wrong += error.misfits
    raise_misfits(wrong)
    return tuple(made)


def both(first: Callable[[], T], second: Callable[[], S]) -> tuple[T, S]:
    """What two makers make.

    Raises:
        MisfitError: with what is wrong in both of them.
    """
    try:
        made = first()
    except MisfitError as error:
        try:
            second()
        except MisfitError as other:
            raise_misfits((*error.misfits, *other.misfits))
        raise
    return made, second()
