"""Secrets: a declaration names the environment variable that holds one, ``${NAME}``, and never the value.

Values are looked up at the moment of use, in a mapping that is handed down from the roof. They are kept in no
declaration, no state, no log and no message.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, BaseModel

from warehouse.declaration import Declaration, MisfitError, Problems
from warehouse.errors import DeclarationError, Problem

Secrets: TypeAlias = Mapping[str, str]
"""Names of environment variables and what they hold."""

_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def _only_a_name(text: str) -> str:
    if not _REFERENCE.fullmatch(text):
        raise MisfitError(
            "a secret is never written here", "Name the environment variable that holds it instead, as ${NAME}."
        )
    return text


Secret: TypeAlias = Annotated[str, AfterValidator(_only_a_name)]
"""The name of an environment variable, as ``${NAME}``."""


def is_secret(text: str) -> bool:
    """Whether the whole text is one reference."""
    return _REFERENCE.fullmatch(text) is not None


def names_in(text: str) -> tuple[str, ...]:
    """The environment variables a text names."""
    return tuple(_REFERENCE.findall(text))


def filled(text: str, secrets: Secrets) -> str:
    """The text with every ``${NAME}`` replaced by what the variable holds; absent ones were reported before."""
    return _REFERENCE.sub(lambda found: secrets[found.group(1)], text)


def check_secrets(declared: Declaration, within: str, secrets: Secrets, problems: Problems) -> None:
    """Add a problem for every variable that is named below the key ``within`` and not set, at the line that names it.

    A variable that is set but empty counts as absent: an empty key would sign or open everything.
    """
    part = getattr(declared, within)
    for location, text in _texts(part, (within,)):
        for name in names_in(text):
            if not secrets.get(name):
                problems.add(
                    declared.declared_in or "a declaration made in code",
                    declared.line_of(*location),
                    f"The environment variable {name} is not set.",
                    f"Set {name} where this runs; its value is never written into a file of the project.",
                )


def missing_secrets(declared: Declaration, within: str, secrets: Secrets) -> tuple[Problem, ...]:
    """The same, as a list."""
    problems = Problems()
    check_secrets(declared, within, secrets, problems)
    return tuple(problems.found)


def require_secrets(declared: Declaration, within: str, secrets: Secrets) -> None:
    """Hold that every variable named below the key ``within`` is set.

    Raises:
        DeclarationError: some are not, each with file and line.
    """
    missing = missing_secrets(declared, within, secrets)
    if missing:
        raise DeclarationError(missing)


def _texts(value: object, at: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if isinstance(value, str):
        yield at, value
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _texts(getattr(value, name), (*at, name))
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _texts(item, (*at, str(key)))
    elif isinstance(value, tuple | list):
        for index, item in enumerate(value):
            yield from _texts(item, (*at, index))
