"""How a YAML declaration is read: strict scalars, frozen models, and every problem at once with its line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, ClassVar, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError

from warehouse.errors import DeclarationError, Problem
from warehouse.explained import NAME, NOT_BLANK, Wrong, explained
from warehouse.misfit import MisfitError
from warehouse.suggestion import nearest, suggestion
from warehouse.yaml_tree import Location, Tree, read_tree, without

__all__ = [
    "Declaration", "Location", "MisfitError", "Name", "Problems", "Reading", "Text", "check_endings", "nearest",
    "parse_declaration", "parse_partly", "read_declaration", "read_partly", "suggestion",
]  # fmt: skip

M = TypeVar("M", bound="Declaration")
T = TypeVar("T")

Text = Annotated[str, Field(pattern=NOT_BLANK)]
"""A text that says something."""
Name = Annotated[str, Field(pattern=NAME, max_length=100)]
"""A name that becomes a column, a table or an id."""


class Declaration(BaseModel):
    """Base of all declarations: frozen, unknown keys refused, knows the lines it came from."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)
    stand_ins: ClassVar[Mapping[str, object]] = {}
    """Of keys that a file must have: what stands for them while the rest of a file that lacks them is checked."""
    _file: str = PrivateAttr(default="")
    _lines: Mapping[Location, int] = PrivateAttr(default_factory=dict)

    @property
    def declared_in(self) -> str:
        """The file this declaration was read from; empty when it was made in code."""
        return self._file

    def line_of(self, *location: str | int) -> int:
        """The line on which the key or item at ``location`` stands; the nearest one above it when absent."""
        return _line_of(location, self._lines)


@dataclass
class Problems:
    """Collects what is wrong over all declarations, so that it is told at once."""

    found: list[Problem] = field(default_factory=list)

    def add(self, file: str | Path, line: int, what: str, fix: str) -> None:
        """Note one problem; ``fix`` is a sentence that says what to do."""
        self.found.append(Problem(str(file), line, what, fix))

    def of(self, make: Callable[[], T]) -> T | None:
        """What ``make`` makes; None when declarations are wrong, with its problems noted."""
        try:
            return make()
        except DeclarationError as error:
            self.found.extend(problem for problem in error.problems if problem not in self.found)
            return None

    def raise_if_any(self) -> None:
        """Raise DeclarationError with all problems, or do nothing."""
        if self.found:
            raise DeclarationError(tuple(self.found))


def check_endings(folder: Path, shown: str, problems: Problems) -> None:
    """Note every file below ``folder`` that nobody reads although it looks like a declaration: it is not ``.yml``."""
    for path in sorted(folder.rglob("*")) if folder.is_dir() else []:
        ending = path.suffix
        if ending.lower() in {".yml", ".yaml"} and ending != ".yml" and path.is_file():
            name = path.relative_to(folder).as_posix()
            problems.add(
                f"{shown}/{name}",
                1,
                f"The file is not read: its name ends in {ending}.",
                f"Rename it to {path.stem}.yml.",
            )


@dataclass(frozen=True)
class Reading(Generic[M]):
    """A file as far as it is right: what is misshapen is left out, so that all the rest can be checked as well.

    ``declaration`` is None when nothing could be kept; ``written`` is what stands in the file, right or wrong;
    ``is_right`` says that no problem was found.
    """

    declaration: M | None
    written: Mapping[str, object] = field(default_factory=dict)
    left_out: frozenset[Location] = frozenset()
    is_right: bool = False

    def lacks(self, *location: str | int) -> bool:
        """Whether something that stands at, above or below a location of the file was left out."""
        return _touched(location, self.left_out)


def read_declaration(path: Path, model: type[M], problems: Problems, *, shown_as: str | None = None) -> M | None:
    """Read one YAML file into ``model``; None when it is absent or wrong, with every problem noted."""
    reading = read_partly(path, model, problems, shown_as=shown_as or str(path))
    return reading.declaration if reading.is_right else None


def parse_declaration(text: str, model: type[M], problems: Problems, *, shown_as: str) -> M | None:
    """Read YAML text into ``model``; None when it is wrong, with every problem noted under ``shown_as``."""
    reading = parse_partly(text, model, problems, shown_as=shown_as)
    return reading.declaration if reading.is_right else None


def read_partly(path: Path, model: type[M], problems: Problems, *, shown_as: str) -> Reading[M]:
    """Read as much of one YAML file as is right, with every problem noted: for checks of what the rest means."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        problems.add(shown_as, 1, "The file does not exist.", "Write it, or run `cdp init` for a commented one.")
    except (UnicodeDecodeError, OSError) as error:
        problems.add(shown_as, 1, f"The file cannot be read ({type(error).__name__}).", "Save it as UTF-8 text.")
    else:
        return parse_partly(text, model, problems, shown_as=shown_as)
    return Reading(None, left_out=frozenset([()]))


def parse_partly(text: str, model: type[M], problems: Problems, *, shown_as: str) -> Reading[M]:
    """The same of YAML text."""
    before = len(problems.found)
    tree = read_tree(text, lambda line, what, fix: problems.add(shown_as, line, what, fix))
    if tree is None:
        return Reading(None, left_out=frozenset([()]))
    reading = _fitted(tree, model, problems, shown_as)
    return replace(reading, is_right=len(problems.found) == before)


def _fitted(tree: Tree, model: type[M], problems: Problems, file: str) -> Reading[M]:
    """Leave out what is wrong, again and again, until the rest is right.

    Leaving out makes further trouble, such as a list that is empty now. So nothing is told of a place where something
    was left out before; what only shows when the rest is right, such as a name that stands twice, is told.
    """
    left_out: set[Location] = set()
    value: Mapping[str, object] = tree.value
    places = {location: location for location in tree.lines}
    while True:
        try:
            declaration = model.model_validate(value)
        except ValidationError as error:
            wrong = list(explained(error, model, places))
        else:
            break
        for item in wrong:
            if not any(_touched(location, left_out) for location in item.about) and not _is_consequence(item, wrong):
                problems.add(file, _line_of(item.at, tree.lines), item.what, item.fix)
        more = {location for item in wrong for location in item.leave_out}
        if more <= left_out or () in more:
            return Reading(None, tree.value, frozenset(left_out | more))
        left_out |= more
        kept, places = without(tree.value, left_out)
        value = {**model.stand_ins, **kept}
    declaration._file = file
    declaration._lines = {at: tree.lines[before] for at, before in places.items()}
    return Reading(declaration, tree.value, frozenset(left_out))


def _is_consequence(item: Wrong, wrong: list[Wrong]) -> bool:
    """Whether a list is too short only because what stands in it is wrong."""
    deep = len(item.at)
    return item.about == (item.at,) and any(len(other.at) > deep and other.at[:deep] == item.at for other in wrong)


def _touched(location: Location, left_out: frozenset[Location] | set[Location]) -> bool:
    return any(location[: len(other)] == other or other[: len(location)] == location for other in left_out)


def _line_of(location: Location, lines: Mapping[Location, int]) -> int:
    while location and location not in lines:
        location = location[:-1]
    return lines.get(location, 1)
