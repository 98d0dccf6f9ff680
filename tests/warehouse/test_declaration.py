"""How a declaration is read, and what its author is told."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import Field

from warehouse.declaration import Declaration, Problems, parse_declaration, read_declaration
from warehouse.errors import DeclarationError


class Part(Declaration):
    size: int = Field(1, ge=1)
    code: str = ""


class Whole(Declaration):
    name: str
    country: str = "GB"
    parts: tuple[Part, ...] = ()


def test_words_that_look_like_booleans_or_octal_numbers_stay_text() -> None:
    problems = Problems()
    whole = parse_declaration("name: on\ncountry: NO\nparts:\n  - code: 0123\n", Whole, problems, shown_as="w.yml")
    problems.raise_if_any()
    assert whole is not None
    assert (whole.name, whole.country, whole.parts[0].code) == ("on", "NO", "0123")


def test_every_problem_is_told_at_once_with_its_line_and_what_to_do() -> None:
    problems = Problems()
    text = "nam: x\ncountry: GB\nparts:\n  - size: 0\n  - sise: 2\n"
    assert parse_declaration(text, Whole, problems, shown_as="w.yml") is None
    with pytest.raises(DeclarationError) as raised:
        problems.raise_if_any()
    assert [str(problem) for problem in raised.value.problems] == [
        "w.yml:1: `nam` is not a key here. Did you mean `name`?",
        "w.yml:4: `parts.0.size` must be at least 1, and is `0`. Write a number that is at least 1.",
        "w.yml:5: `parts.1.sise` is not a key here. Did you mean `size`?",
    ]
    assert raised.value.exit_code == 10


@pytest.mark.parametrize(
    ("text", "line"),
    [("name: [", 1), ("- a\n- b\n", 1), ("name: a\nname: b\n", 2), ("a: b: c\n", 1), ("name: &a [*a, *a]\n", 1)],
)
def test_text_that_is_no_declaration_is_a_problem_and_no_crash(text: str, line: int) -> None:
    problems = Problems()
    assert parse_declaration(text, Whole, problems, shown_as="w.yml") is None
    assert {problem.line for problem in problems.found} <= {line, line + 1}
    assert problems.found


def test_an_absent_or_undecodable_file_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "bytes.yml").write_bytes(b"\xff\xfe\x00")
    problems = Problems()
    assert read_declaration(tmp_path / "absent.yml", Whole, problems, shown_as="absent.yml") is None
    assert read_declaration(tmp_path / "bytes.yml", Whole, problems, shown_as="bytes.yml") is None
    assert [problem.file for problem in problems.found] == ["absent.yml", "bytes.yml"]


def test_a_declaration_knows_the_line_of_each_of_its_keys() -> None:
    problems = Problems()
    whole = parse_declaration("name: x\nparts:\n  - size: 1\n  - size: 2\n", Whole, problems, shown_as="w.yml")
    assert whole is not None
    assert whole.line_of("parts", 1, "size") == 4
    assert whole.line_of("parts", 7) == 2
