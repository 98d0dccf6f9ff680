"""The grammar of declarations, as `cdp schema NAME --keys` and docs/declarations.md tell it."""

from __future__ import annotations

from typing import get_args

import pytest
import yaml

from cdp.command import run_command
from cdp.commands.schema import models_by_name
from cdp.declared_keys import sections_of
from cdp.documentation import declarations
from profiles.aggregates import AggregateName
from profiles.predicate import FORM_KEYS, OPERATOR_KEYS
from profiles.segment_fields import segment_fields
from profiles.segments import DeclaredSegment, SegmentFile, check_segments
from profiles.trait_sources import SOURCES
from profiles.traits import TraitFile, check_traits
from quality.contracts.registry import CONTRACTS
from warehouse.declaration import Problems

DECLARED = [name for name in models_by_name() if name not in CONTRACTS]


@pytest.mark.parametrize("name", DECLARED)
def test_every_key_on_every_level_has_a_meaning(name: str) -> None:
    found = list(sections_of(name, models_by_name()[name]))
    blank = [
        (section.place, row)
        for section in found
        for row in section.rows
        if not all(row[c] for c in row if c != "default")
    ]
    assert blank == []


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("traits", [*get_args(AggregateName), *FORM_KEYS, *OPERATOR_KEYS, "window_days", *SOURCES]),
        ("segments", [*FORM_KEYS, *OPERATOR_KEYS, "customers", "rfm", "lifecycle"]),
        ("identity", ["short_of_link", "silent_after", "ambiguous_within"]),
        ("feed", ["expect", "access_key", "signature"]),
    ],
)
def test_the_table_of_keys_goes_down_into_every_part(
    name: str, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["schema", name, "--keys"]) == 0
    told = {line.split(" ")[0] for line in capsys.readouterr().out.splitlines() if line}
    assert [word for word in words if word not in told] == []


def test_the_page_tells_a_part_once_and_points_at_it_elsewhere() -> None:
    page = declarations()
    assert page.count("| `within_days` |  | One of the last n days; 1 is the day itself. Goes with date. |") == 1
    headings = [line for line in page.splitlines() if line.startswith("#")]
    assert len(set(headings)) == len(headings)
    assert "### feed: `origin (s3)`" in headings
    assert "see `segments: segments[].where`" in page
    for word in get_args(AggregateName):
        assert page.count(f"| `{word}` | ") >= 1


def test_the_examples_are_right() -> None:
    examples = {
        name: yaml.safe_load(next(sections_of(name, models_by_name()[name])).example) for name in ("traits", "segments")
    }
    problems = Problems()
    traits = TraitFile.model_validate(examples["traits"])
    assert len(check_traits(traits, problems)) == len(traits.traits)
    file = SegmentFile.model_validate(examples["segments"])
    declared = tuple(
        DeclaredSegment(segment, "behavioural", file, ("segments", place))
        for place, segment in enumerate(file.segments)
    )
    check_segments(declared, segment_fields(_packaged()), problems)
    assert problems.found == []


def _packaged() -> dict[str, TraitFile]:
    from pathlib import Path

    from profiles.traits import load_traits
    from warehouse.project import Project

    return load_traits(Project(Path("/nowhere")), Problems())
