"""The globs of a feed, for names that are not files here yet."""

from __future__ import annotations

import re
from collections.abc import Iterable


def globs_pattern(globs: Iterable[str]) -> re.Pattern[str]:
    """One regular expression for all of them, to be matched in full."""
    return re.compile("|".join(glob_pattern(glob) for glob in globs))


def glob_pattern(glob: str) -> str:
    """A glob of paths as a regular expression; ``**`` is any number of folders."""
    *folders, last = glob.split("/")
    inner = ["(?:[^/]+/)*" if part == "**" else _segment(part) + "/" for part in folders]
    return "".join([*inner, ".*" if last == "**" else _segment(last)])


def _segment(part: str) -> str:
    pieces = re.split(r"(\*|\?|\[!?[^\]]+\])", part)
    return "".join(_piece(piece) for piece in pieces)


def _piece(piece: str) -> str:
    if piece in {"*", "?"}:
        return "[^/]" + piece.replace("?", "")
    if piece.startswith("[") and piece.endswith("]"):
        return "[" + piece[1:].replace("!", "^", 1).replace("\\", "\\\\")
    return re.escape(piece)
