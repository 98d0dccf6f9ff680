"""Operations on text that is HTML or holds its entities."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from typing import ClassVar

from sqlglot import exp

from sources.operations.operation import absent_or, call
from sources.operations.text import BLANKS, TextOperation


@dataclass(frozen=True)
class Unescape(TextOperation):
    """HTML entities become the characters they stand for."""

    name: ClassVar[str] = "unescape"

    def on_text(self, text: str) -> str:
        """The Python form."""
        return html.unescape(text)

    def sql_text(self, text: exp.Expr) -> exp.Expr:
        """The SQL form knows five entities."""
        return _unescaped(text)

    def sql_sure(self, text: exp.Expr) -> exp.Expr:
        """Sure while no other entity occurs."""
        return _has_known_entities_only(text)


@dataclass(frozen=True)
class HtmlText(TextOperation):
    """HTML becomes plain text: breaks and paragraphs are line ends, tags go, entities are resolved.

    A picture is what stands for it in text: emoticons are sent as pictures.
    """

    name: ClassVar[str] = "html_text"
    _steps: ClassVar[tuple[tuple[str, str], ...]] = (
        (r"<[bB][rR][ \t\r\n]*/?>", "\n"),
        (r"</[pP]>[ \t\r\n]*<[pP]([ \t\r\n][^>]*)?>", "\n\n"),
        (r"<[iI][mM][gG][ \t\r\n][^>]*[aA][lL][tT]=[\"']?([^\"'> ]*)[^>]*>", r"\1"),
        (r"<[/!a-zA-Z][^>]*>", ""),
    )

    def on_text(self, text: str) -> str:
        """The Python form."""
        for pattern, replacement in self._steps:
            text = re.sub(pattern, replacement, text)
        return html.unescape(text).strip(BLANKS)

    def sql_text(self, text: exp.Expr) -> exp.Expr:
        """The SQL form."""
        for pattern, replacement in self._steps:
            text = call("regexp_replace", text, pattern, replacement, "g")
        return call("trim", _unescaped(text), BLANKS)

    def sql_sure(self, text: exp.Expr) -> exp.Expr:
        """Sure while no entity beyond the five occurs."""
        return _has_known_entities_only(text)

    @property
    def rule(self) -> str:
        """The operation in words."""
        return "as plain text"


_ENTITIES = (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&#39;", "'"), ("&nbsp;", "\u00a0"), ("&amp;", "&"))


def _unescaped(text: exp.Expr) -> exp.Expr:
    """The ampersand comes last, so that ``&amp;lt;`` is read once."""
    for entity, character in _ENTITIES:
        text = call("replace", text, entity, character)
    return text


def _has_known_entities_only(text: exp.Expr) -> exp.Expr:
    rest = text
    for entity, _ in _ENTITIES:
        rest = call("replace", rest, entity, " ")
    return absent_or(text, exp.Not(this=call("regexp_matches", rest, "&[#a-zA-Z]")))
