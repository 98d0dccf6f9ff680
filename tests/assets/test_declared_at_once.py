"""However many places of a project are wrong, one call tells of each what it would tell if it were the only one."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from identity.declaration import load_identity
from profiles.derived_steps import derived_steps
from profiles.survivorship import load_survivorship
from quality.suites import load_suites
from sources.corrections import check_corrections
from sources.feed import load_feeds
from warehouse.business import load_business
from warehouse.declaration import Problems
from warehouse.project import Project

Told = frozenset[tuple[str, int, str]]
Damage = tuple[str, int, int]
"""File, line (from 1), and which of the damages that the line may take."""

FILES: dict[str, list[list[str]]] = {
    file: [[line] if isinstance(line, str) else line for line in lines]
    for file, lines in yaml.safe_load(
        (Path(__file__).parent / "damaged_declarations.yml").read_text(encoding="utf-8")
    ).items()
}
DAMAGES: list[Damage] = [
    (file, number, which)
    for file, lines in FILES.items()
    for number, line in enumerate(lines, 1)
    for which in range(1, len(line))
]


@cache
def told_of(damages: frozenset[Damage]) -> Told:
    """What is told of a project that took some damages: file, line and what, without the words that may be meant."""
    places = {(file, number): which for file, number, which in damages}
    with tempfile.TemporaryDirectory() as folder:
        for file, lines in FILES.items():
            path = Path(folder) / "config" / file
            path.parent.mkdir(parents=True, exist_ok=True)
            text = [line[places.get((file, number), 0)] for number, line in enumerate(lines, 1)]
            path.write_text("\n".join(text) + "\n", encoding="utf-8")
        return told_in(Project(Path(folder)))


def told_in(project: Project) -> Told:
    """All that reading a project tells, without the making of its steps."""
    problems = Problems()
    feeds = load_feeds(project, problems)
    check_corrections(project, feeds, problems)
    load_suites(project, problems, feeds.values())
    for read in (load_identity, load_survivorship, derived_steps, load_business):
        problems.of(lambda read=read: read(project))
    return frozenset((item.file.removeprefix("config/"), item.line, item.what) for item in problems.found)


def apart(damages: Iterable[Damage]) -> frozenset[Damage]:
    """Of damages of one line the first."""
    return frozenset({(file, line): (file, line, which) for file, line, which in damages}.values())


def test_the_project_is_right_without_damages() -> None:
    assert told_of(frozenset()) == frozenset()


_OF_ONE_FILE = st.sampled_from(sorted(FILES)).map(lambda name: [damage for damage in DAMAGES if damage[0] == name])


@settings(max_examples=30)
@given(
    damages=st.one_of(st.just(DAMAGES), _OF_ONE_FILE)
    .flatmap(lambda damages: st.lists(st.sampled_from(damages), min_size=2, max_size=8))
    .map(apart)
)
def test_of_several_damages_each_is_told_as_if_it_were_the_only_one(damages: frozenset[Damage]) -> None:
    alone = {damage: told_of(frozenset([damage])) for damage in damages}
    assert all(any(file == name for name, _, _ in told) for (file, _, _), told in alone.items()), alone
    assert told_of(damages) == frozenset().union(*alone.values())
