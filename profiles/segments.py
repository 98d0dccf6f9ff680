"""Segments: groups of customers declared as conditions in ``config/segments/*.yml``.

A project with a folder ``config/segments`` has the segments that are in it; one without has the packaged ones. The
names are one space over all files, and segments may name each other as long as they do not go in a circle.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Literal

from pydantic import ConfigDict, Field
from pydantic.config import JsonDict

from profiles.fields import Catalogue
from profiles.predicate import Predicate
from profiles.predicate_meaning import SEGMENTS, Unsure, check
from warehouse.declaration import Declaration, Location, Name, Problems, Reading, Text, parse_partly, read_partly
from warehouse.explained import name_like
from warehouse.mending import Mended
from warehouse.project import Project

Family = Literal["geographic", "demographic", "psychographic", "behavioural"]


class Segment(Declaration):
    """A group of customers."""

    name: Name = Field(description="Name of the segment.")
    description: Text = Field(description="Who is in it and what it is good for.")
    family: Family | None = Field(None, description="Default: `family` of the file.")
    where: Predicate = Field(description="Members are the customers for whom this is true; unknown is not a member.")


_EXAMPLE: JsonDict = {
    "family": "behavioural",
    "segments": [
        {
            "name": "good_buyers_gone_quiet",
            "description": "Good buyers at home who ordered nothing in the last 90 days; to be called first.",
            "where": {
                "all": [
                    {"field": "rfm.m_score", "gte": 4},
                    {"field": "customers.country", "in": ["CN", "HK"]},
                    {"not": {"field": "lifecycle.last_order_on", "within_days": 90}},
                    {"any": [{"field": "customers.can_call", "eq": True}, {"segment": "newsletter_readers"}]},
                ]
            },
        },
        {
            "name": "newsletter_readers",
            "description": "Customers who may be written to and opened a message in the last 90 days.",
            "where": {
                "all": [
                    {"field": "customers.can_email", "eq": True},
                    {"field": "message_traits.opened_message_count_90d", "gte": 1},
                ]
            },
        },
    ],
}


class SegmentFile(Declaration):
    """`config/segments/<name>.yml`: segments of one family, or of several."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    family: Family | None = Field(None, description="The family of the segments that do not name their own.")
    segments: tuple[Segment, ...] = Field(min_length=1, description="The segments.")


@dataclass(frozen=True)
class DeclaredSegment:
    """A segment with the file and place it was declared in."""

    segment: Segment
    family: Family
    file: SegmentFile
    at: Location
    mended: Mended | None = None
    """What was mended in its file."""

    def line(self, *inside: str | int) -> tuple[str, int]:
        """The file, and the line of a location below the segment's own."""
        return self.file.declared_in, self.file.line_of(*self.at, *inside)

    def lacks(self, *inside: str | int) -> bool:
        """Whether what is meant at a location below the segment's own is not known."""
        return self.mended is not None and self.mended.lacks((*self.at, *inside))


def read_segments(project: Project, problems: Problems, unsure: Unsure | None = None) -> tuple[DeclaredSegment, ...]:
    """All declared segments in the order of files and entries, as they are written: ``check_segments`` comes next.

    Names that cannot be known are noted in ``unsure``.
    """
    unsure = unsure if unsure is not None else Unsure()
    found: list[DeclaredSegment] = []
    for reading in _files(project, problems):
        file = reading.declaration
        if file is None:
            unsure.add(SEGMENTS, None)
            continue
        for index, segment in enumerate(file.segments):
            at: Location = ("segments", index)
            family = segment.family or file.family
            item = DeclaredSegment(segment, family or "behavioural", file, at, reading.mended)
            if item.lacks("name"):
                _note_unnamed(reading.written(*at, "name"), unsure)
            if family is None and not item.lacks("family") and not reading.lacks("family"):
                what = "`" + segment.name + "` has no family." if not item.lacks("name") else "It has no family."
                problems.add(*item.line(), what, "Add `family:` to the segment or to the file.")
            found.append(item)
    return tuple(found)


def _note_unnamed(written: object, unsure: Unsure) -> None:
    """A name that no segment can have may be mended into the nearest that one can."""
    unsure.add(SEGMENTS, written)
    if isinstance(written, str):
        unsure.add(SEGMENTS, name_like(written))


def check_segments(
    declared: tuple[DeclaredSegment, ...], catalogue: Catalogue, problems: Problems, unsure: Unsure | None = None
) -> None:
    """Note unknown fields and segments, values of a wrong type, names used twice, and circles."""
    named = [item for item in declared if not item.lacks("name")]
    firsts: dict[str, DeclaredSegment] = {}
    for item in named:
        firsts.setdefault(item.segment.name, item)
    references: dict[str, set[str]] = {name: set() for name in firsts}
    for item in named:
        references[item.segment.name] |= _references(item.segment)
    for item in declared:
        _check_condition(item, catalogue, frozenset(firsts), problems, unsure)
    for item in named:
        name, first = item.segment.name, firsts[item.segment.name]
        if first is not item:
            file, line = first.line()
            problems.add(*item.line("name"), f"`{name}` stands in {file}:{line} too.", "Give it a name of its own.")
        if circle := _circle(name, references | {name: _references(item.segment)}):
            what = f"Segments name each other in a circle: {' → '.join(circle)}."
            problems.add(*item.line(), what, "Take one reference out.")


def _check_condition(
    item: DeclaredSegment, catalogue: Catalogue, names: frozenset[str], problems: Problems, unsure: Unsure | None
) -> None:
    def report(where: Location, what: str, fix: str) -> None:
        problems.add(*item.line(*where), what, fix)

    def lacks(where: Location) -> bool:
        return item.lacks(*where)

    check(item.segment.where, catalogue, names, ("where",), report, unsure, lacks)


def _files(project: Project, problems: Problems) -> list[Reading[SegmentFile]]:
    folder = project.config / "segments"
    if folder.is_dir():
        return [
            read_partly(path, SegmentFile, problems, shown_as=f"config/segments/{path.name}")
            for path in sorted(folder.glob("*.yml"))
        ]
    packaged = sorted((files("profiles") / "defaults" / "segments").iterdir(), key=lambda item: item.name)
    return [
        parse_partly(
            item.read_text(encoding="utf-8"),
            SegmentFile,
            problems,
            shown_as=f"profiles/defaults/segments/{item.name}",
        )
        for item in packaged
    ]


def _references(segment: Segment) -> set[str]:
    return {part.segment for _, part in segment.where.walk() if part.segment is not None}


def _circle(start: str, references: Mapping[str, set[str]]) -> tuple[str, ...]:
    """The way from a segment back to itself; empty when there is none."""
    trails: list[tuple[str, ...]] = [(start,)]
    visited: set[str] = set()
    while trails:
        trail = trails.pop()
        for name in sorted(references[trail[-1]]):
            if name == start:
                return (*trail, start)
            if name in references and name not in visited:
                visited.add(name)
                trails.append((*trail, name))
    return ()
