"""How a bug is told: kind, frames and words, without the values that its words quote.

A conversion that fails, or a key that is not there, says which value it was, and that may be a customer's.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Iterator

from warehouse.personal_text import MASK, mask_text

_IN_SINGLE = re.compile(r"(?<!\w)'.*'(?!\w)")
_IN_DOUBLE = re.compile(r'(?<!\w)"(?![A-Za-z_][\w.]*").*?"(?!\w)')
"""The database puts names of columns into double quotes too."""


def told_bug(error: BaseException) -> str:
    """The traceback, in the form that Python gives it; lines of source code and their places are as they are."""
    parts = traceback.TracebackException.from_exception(error).format()
    return "".join(part if part.startswith("  ") else without_quoted(part) for part in parts)


def without_values(error: Exception) -> Exception:
    """An error of the same kind, where that can be, that quotes no value; the error itself if it quotes none."""
    if all(without_quoted(str(item)) == str(item) for item in _chain(error)):
        return error
    words = without_quoted(str(error))
    try:
        made = type(error)(words)
    except Exception:  # noqa: BLE001 - its kind wants to be made of something else
        made = RuntimeError(f"{type(error).__name__}: {words}")
    return made.with_traceback(error.__traceback__)


def without_quoted(text: str) -> str:
    """The words of an error without what they quote."""
    return mask_text(_IN_DOUBLE.sub(f'"{MASK}"', _IN_SINGLE.sub(f"'{MASK}'", text)))


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
