"""What lies in the landing folder and is not read, in words: nothing that was put there goes by unnoticed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from sources.feed_declaration import Feed
from sources.landing import named_files, said_day
from sources.landing_walk import Lying, lying_below
from sources.operations.moment import day_in
from warehouse.errors import InputError
from warehouse.foreign_text import shown
from warehouse.project import Project

_OF_GIT: Final = ".git"
_LONGEST: Final = 300


def unread_files(project: Project, feeds: Mapping[str, Feed], *, with_marks: bool = False) -> list[str]:
    """Folders without a feed, files without a glob, and what is left alone on purpose, with the reason.

    ``with_marks``: also files without content whose names say that they are none of ours, such as ``_SUCCESS``.
    """
    if not project.landing.is_dir():
        return []
    told: list[str] = []
    by_place: dict[str, list[Lying]] = {}
    for lying in lying_below(project.landing):
        if not lying.path.name.startswith(_OF_GIT) and (with_marks or not (lying.left and lying.is_empty)):
            by_place.setdefault(lying.file.partition("/")[0], []).append(lying)
    for place, found in sorted(by_place.items()):
        told += _told_of(project, place, found, feeds)
    return told


def _told_of(project: Project, place: str, found: Sequence[Lying], feeds: Mapping[str, Feed]) -> Iterator[str]:
    lying = [item.file for item in found if not item.left]
    if lying == [place]:
        yield f"landing/{shown(place)} lies in no feed's folder. Move it to landing/<feed>/."
    elif lying and place not in feeds:
        names = [file.removeprefix(f"{place}/") for file in lying]
        yield f"landing/{shown(place)}/ ({_some(names)}) belongs to no feed. Declare one of that name."
    elif lying:
        read = {f"{place}/{item.file}" for item in named_files(project, feeds[place])}
        if unnamed := [file for file in lying if file not in read]:
            are = "is" if len(unnamed) == 1 else "are"
            yield f"landing/{_some(unnamed)} {are} named by no glob. Correct `files:` in config/feeds/{place}.yml."
    reasons: dict[str, list[str]] = {}
    for item in found:
        if item.left:
            reasons.setdefault(item.left, []).append(item.file)
    for reason, files in reasons.items():
        yield f"landing/{_some(files)} {'is' if len(files) == 1 else 'are'} left alone: {reason}."


def misdated(project: Project, feed: Feed) -> InputError | None:
    """The error of files whose folder or name says a day that is none; None where there are no such files.

    They are not loaded, since any day would be a guess; all other files of the feed are.
    """
    places: dict[str, list[str]] = {}
    for file, said in _misdated(project, feed):
        places.setdefault(_place_of(file, said), []).append(file)
    if not places:
        return None
    told = [f"landing/{feed.name}/{shown(place, _LONGEST)}{_within(place, files)}" for place, files in places.items()]
    more = f" and {len(told) - 5} more" if len(told) > 5 else ""
    ends = "names no day of the calendar and is" if len(told) == 1 else "name no day of the calendar and are"
    return InputError(
        f"{', '.join(told[:5])}{more} {ends} not loaded.", "Rename it to the day of its batch, such as dt=2026-02-28."
    )


def misdated_files(project: Project, feed: Feed) -> tuple[str, ...]:
    """The files whose folder or name says a day that is none."""
    return tuple(file for file, _ in _misdated(project, feed))


def _misdated(project: Project, feed: Feed) -> Iterator[tuple[str, str]]:
    """Files, each with the word that should be a day."""
    for lying in named_files(project, feed):
        said = said_day(lying.file)
        if said is not None and not day_in(said):
            yield lying.file, said


def _place_of(file: str, said: str) -> str:
    """The folder whose name says the day, or the file."""
    parts = file.split("/")
    last = max(index for index, part in enumerate(parts) if part == f"dt={said}" or (said and said in part))
    return "/".join(parts[: last + 1])


def _within(place: str, files: Sequence[str]) -> str:
    inside = [file.removeprefix(f"{place}/") for file in files if file != place]
    return f"/ ({_some(inside)})" if inside else ""


def _some(files: Sequence[str]) -> str:
    return shown(files[0], _LONGEST) + (f" and {len(files) - 1} more" if len(files) > 1 else "")
