"""How a YAML declaration is read: strict scalars, frozen models, and every problem at once with its line.

Plain YAML turns ``NO`` into False, ``0123`` into 83 and ``on:`` into True. Here only ``true``, ``false``,
``null``, integers and floats without leading zeros are resolved; everything else stays the text it looks like.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar, get_args

import yaml
from pydantic import BaseModel, ConfigDict, PrivateAttr, ValidationError
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from warehouse.errors import DeclarationError, Problem

M = TypeVar("M", bound="Declaration")
T = TypeVar("T")
Location = tuple[str | int, ...]

_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)\Z")
_FLOAT = re.compile(r"[-+]?(0|[1-9][0-9]*)\.[0-9]+([eE][-+]?[0-9]+)?\Z")
_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None, "~": None, "": None}


class Declaration(BaseModel):
    """Base of all declarations: frozen, unknown keys refused, knows the lines it came from."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)
    _file: str = PrivateAttr(default="")
    _lines: dict[Location, int] = PrivateAttr(default_factory=dict)

    @property
    def declared_in(self) -> str:
        """The file this declaration was read from; empty when it was made in code."""
        return self._file

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


def read_declaration(path: Path, model: type[M], problems: Problems, *, shown_as: str | None = None) -> M | None:
    """Read one YAML file into ``model``; None when it is absent or wrong, with every problem noted."""
    shown = shown_as or str(path)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        problems.add(shown, 1, "The file does not exist.", "Write it, or run `cdp init` for a commented one.")
        return None
    except (UnicodeDecodeError, OSError) as error:
        problems.add(shown, 1, f"The file cannot be read ({type(error).__name__}).", "Save it as UTF-8 text.")
        return None
    return parse_declaration(text, model, problems, shown_as=shown)


def parse_declaration(text: str, model: type[M], problems: Problems, *, shown_as: str) -> M | None:
    """Read YAML text into ``model``; None when it is wrong, with every problem noted under ``shown_as``."""
    lines: dict[Location, int] = {}
    before = len(problems.found)
    try:
        node = _composed(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        what = getattr(error, "problem", None) or "not YAML"
        problems.add(
            shown_as, mark.line + 1 if mark else 1, f"This is not valid YAML: {what}.", "Check the indentation."
        )
        return None
    value = {} if node is None else _value(node, (), lines, problems, shown_as)
    if not isinstance(value, dict):
        problems.add(shown_as, 1, "The file must hold keys and values.", "Start with `key: value` lines.")
        return None
    if len(problems.found) > before:
        return None
    try:
        declaration = model.model_validate(value)
    except ValidationError as error:
        for problem in _explained(error, model, lines, shown_as):
            problems.found.append(problem)
        return None
    declaration._file, declaration._lines = shown_as, lines
    return declaration


def _composed(text: str) -> Node | None:
    """The tree of a text, by the compiled parser; when something is wrong, the other one tells it better."""
    try:
        return yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError:
        return yaml.compose(text, Loader=yaml.SafeLoader)


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that a wrong one was probably meant to be; None where none is like it."""
    return next(iter(difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)), None)


def suggestion(word: str, known: list[str]) -> str:
    """``Did you mean `x`?`` for the nearest known word, else the list of known ones."""
    near = nearest(word, known)
    if near is not None:
        return f"Did you mean `{near}`?"
    return f"Known: {', '.join(sorted(known))}."


def _value(
    node: Node,
    at: Location,
    lines: dict[Location, int],
    problems: Problems,
    file: str,
    above: frozenset[int] = frozenset(),
) -> object:
    lines.setdefault(at, node.start_mark.line + 1)
    if id(node) in above:
        problems.add(file, node.start_mark.line + 1, "An alias (`*name`) stands inside what it names.", "Write it out.")
        return None
    if isinstance(node, MappingNode):
        result: dict[str, object] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value)
            if key in result:
                problems.add(file, key_node.start_mark.line + 1, f"`{key}` stands twice.", "Keep one of them.")
            lines[(*at, key)] = key_node.start_mark.line + 1
            result[key] = _value(value_node, (*at, key), lines, problems, file, above | {id(node)})
        return result
    if isinstance(node, SequenceNode):
        inside = above | {id(node)}
        return [_value(item, (*at, index), lines, problems, file, inside) for index, item in enumerate(node.value)]
    assert isinstance(node, ScalarNode)
    return _scalar(node)


def _scalar(node: ScalarNode) -> object:
    text = str(node.value)
    if node.style:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.match(text):
        return int(text)
    if _FLOAT.match(text):
        return float(text)
    return text


def _explained(
    error: ValidationError, model: type[BaseModel], lines: Mapping[Location, int], file: str
) -> list[Problem]:
    found = []
    for item in error.errors(include_url=False, include_input=False, include_context=True):
        location = tuple(item["loc"])
        line = _nearest_line(location, lines)
        inside, above = _walk(model, location[:-1])
        key = ".".join(str(part) for part in (*above, *location[-1:]))
        if item["type"] == "extra_forbidden":
            known = [info.alias or name for name, info in inside.model_fields.items()] if inside else []
            found.append(Problem(file, line, f"`{key}` is not a key here.", suggestion(str(location[-1]), known)))
        elif item["type"] == "union_tag_invalid":
            tag, tags = str(item["ctx"]["tag"]), re.findall(r"'([^']*)'", str(item["ctx"]["expected_tags"]))
            which = str(item["ctx"]["discriminator"]).strip("'")
            line = lines.get((*location, which), line)
            found.append(Problem(file, line, f"`{key}.{which}` cannot be `{tag}`.", suggestion(tag, tags)))
        elif item["type"] == "union_tag_not_found":
            which = str(item["ctx"]["discriminator"]).strip("'")
            found.append(Problem(file, line, f"`{key}.{which}` is missing.", f"Add `{which}:`."))
        elif item["type"] == "missing":
            found.append(Problem(file, line, f"`{key}` is missing.", f"Add `{location[-1]}:`."))
        else:
            message = item["msg"].removeprefix("Value error, ").rstrip(".")
            told = message if message.endswith("?") else f"{message}."
            found.append(Problem(file, line, f"`{key}`: {told}" if key else told, "Correct the value."))
    return found


def _nearest_line(location: Location, lines: Mapping[Location, int]) -> int:
    """Pydantic adds union tags to locations: drop parts from the end, then skip parts that are no keys."""
    kept: Location = ()
    for part in location:
        if (*kept, part) in lines:
            kept = (*kept, part)
    return lines.get(kept, 1)


def _walk(model: type[BaseModel], location: Location) -> tuple[type[BaseModel] | None, Location]:
    """The model a location leads into, and the location without the tags that pydantic adds for unions."""
    current: type[BaseModel] | None = model
    choices: list[type[BaseModel]] = []
    shown: Location = ()
    for part in location:
        tagged = [choice for choice in choices if len(choices) > 1 and _has_tag(choice, part)]
        if tagged:
            current, choices = tagged[0], []
            continue
        shown = (*shown, part)
        if current is None or not isinstance(part, str) or part not in current.model_fields:
            continue
        choices = list(_models_inside(current.model_fields[part].annotation))
        current = choices[0] if choices else None
    return current, shown


def _has_tag(model: type[BaseModel], part: str | int) -> bool:
    return any(get_args(info.annotation) == (part,) for info in model.model_fields.values())


def _models_inside(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
        return
    for argument in get_args(annotation):
        yield from _models_inside(argument)
