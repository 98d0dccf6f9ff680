"""How a YAML declaration is read: strict scalars, frozen models, and every problem at once with its line."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, ClassVar, Generic, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationInfo, model_validator

from warehouse.errors import DeclarationError, Problem
from warehouse.explained import NAME, NOT_BLANK, Wrong, of_misfit
from warehouse.mending import Mended, mend
from warehouse.misfit import Misfit, MisfitError, raise_misfits
from warehouse.slot import PARTLY, part_of
from warehouse.suggestion import as_meant, nearest, suggestion
from warehouse.yaml_tree import Location, read_tree

__all__ = [
    "Declaration", "Location", "MisfitError", "Name", "Problems", "Reading", "Text", "as_meant", "check_endings",
    "nearest", "parse_declaration", "parse_partly", "read_declaration", "read_partly", "suggestion",
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
    """Key → what stands there while the rest is checked, where what is written cannot; most keys need none."""
    _file: str = PrivateAttr(default="")
    _lines: Mapping[Location, int] = PrivateAttr(default_factory=dict)

    @property
    def declared_in(self) -> str:
        """The file this declaration was read from; empty when it was made in code."""
        return self._file

    def misfits(self) -> Iterator[Misfit]:
        """What does not fit together in it although every key is right by itself."""
        yield from ()

    @model_validator(mode="after")
    def _fits_together(self, info: ValidationInfo) -> Self:
        if info.context is not PARTLY:
            raise_misfits(self.misfits())
        return self

    def line_of(self, *location: str | int) -> int:
        """The line on which the key or item at ``location`` stands; the nearest one above it when absent."""
        while location and location not in self._lines:
            location = location[:-1]
        return self._lines.get(location, 1)


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
    """A file as far as it is right: what is wrong is mended or has a stand-in, so that all the rest can be checked.

    ``declaration`` is None when nothing could be kept; ``is_right`` says that no problem was found.
    """

    declaration: M | None
    mended: Mended = field(default_factory=lambda: Mended({}, {}, stand_ins={()}))
    is_right: bool = False

    def lacks(self, *location: str | int) -> bool:
        """Whether what the author means by what stands at, above or below a location is not known."""
        return self.mended.lacks(location)

    def written(self, *location: str | int) -> object:
        """What stands at a location of the file, right or wrong."""
        value: object = self.mended.written
        for part in location:
            value = part_of(value, part)
        return value


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
    return Reading(None)


def parse_partly(text: str, model: type[M], problems: Problems, *, shown_as: str) -> Reading[M]:
    """The same of YAML text."""
    before = len(problems.found)
    tree = read_tree(text, lambda line, what, fix: problems.add(shown_as, line, what, fix))
    if tree is None:
        return Reading(None)
    mended = Mended.of(tree)

    def tell(wrong: Wrong) -> None:
        problems.add(shown_as, mended.line_of(wrong.at), wrong.what, wrong.fix)

    declaration = mend(mended, model, tell)
    if declaration is None:
        return Reading(None, mended)
    for at, misfit in _misfits_of(declaration):
        wrong = of_misfit(misfit, at)
        if not mended.is_made_up(at) and not mended.is_made_up(wrong.at[:-1]) and not mended.knows(wrong):
            tell(wrong)
    declaration._file = shown_as
    declaration._lines = mended.lines
    return Reading(declaration, mended, is_right=len(problems.found) == before)


def _misfits_of(value: object, at: Location = ()) -> Iterator[tuple[Location, Misfit]]:
    """What does not fit together in any of the parts of a declaration, each with where the part stands."""
    match value:
        case Declaration():
            yield from ((at, misfit) for misfit in value.misfits())
            for name, info in type(value).model_fields.items():
                yield from _misfits_of(getattr(value, name), (*at, info.alias or name))
        case dict():
            for key, item in value.items():
                yield from _misfits_of(item, (*at, key))
        case tuple() | list():
            for index, item in enumerate(value):
                yield from _misfits_of(item, (*at, index))
