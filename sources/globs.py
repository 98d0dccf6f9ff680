"""The globs of a feed: for paths below its landing folder, be they files here yet or not, and for source fields."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase


def globs_pattern(globs: Iterable[str]) -> re.Pattern[str]:
    """One regular expression for all of them, to be matched in full."""
    return re.compile("|".join(glob_pattern(glob) for glob in globs))


def glob_pattern(glob: str) -> str:
    """A glob of paths as a regular expression; ``**`` is any number of folders."""
    *folders, last = [part for part in glob.split("/") if part not in {"", "."}] or [""]
    inner = ["(?:[^/]+/)*" if part == "**" else _segment(part) + "/" for part in folders]
    return "".join([*inner, "(?s:.*)" if last == "**" else _segment(last)])


def _segment(part: str) -> str:
    pieces = re.split(r"(\*|\?|\[!?[^\]]+\])", part)
    return "".join(_piece(piece) for piece in pieces)


def _piece(piece: str) -> str:
    if piece in {"*", "?"}:
        return "[^/]" + piece.replace("?", "")
    if piece.startswith("[") and piece.endswith("]"):
        letters = "[" + piece[1:].replace("!", "^", 1).replace("\\", "\\\\")
        return letters if _is_pattern(letters) else re.escape(piece)
    return re.escape(piece)


def _is_pattern(text: str) -> bool:
    try:
        re.compile(text)
    except re.error:
        return False
    return True


def is_ignored(name: str, patterns: Sequence[str]) -> bool:
    """Whether a source field is left out on purpose: named, below a named one, or met by a glob."""
    return any(
        name == pattern or name.startswith(f"{pattern}.") or ("*" in pattern and fnmatchcase(name, pattern))
        for pattern in (item.replace("[]", "") for item in patterns)
    )
