"""Whether bytes are Western European text (Windows-1252, Latin-1) beyond doubt.

One-byte encodings cannot be told apart by whether bytes are valid in them: any byte is. What tells them apart is which
letters stand in words. So each accented letter has to stand inside a word, alone or in twos, and the letters together
have to be those of Western languages and of no other language whose encoding spells the same bytes.
"""

from __future__ import annotations

import re
from typing import Final

WESTERN: Final = "cp1252"

_WESTERN_LETTERS: Final = frozenset("äöüßàâæçéèêëîïôœùûÿáíñóúãõìòåø")
"""German, French, Spanish, Portuguese, Italian, Dutch, Swedish, Danish, Norwegian, Finnish."""
_RIVALS: Final = {
    "cp1250": ("áčďéěíňóřšťúůýžôäöüß", "ąćęłńóśźż", "čćđšžäöüß", "áéíóöőúüűä", "ăâîşţöüß"),
    "cp1254": ("çğıöşüâîû",),
    "cp1257": ("ąčęėįšųūž", "āčēģīķļņšūž", "äöõüšž"),
}
"""Encodings of neighbours, and the letters of the languages that are written in them."""
_MARKS: Final = frozenset("€£§©®°²³·´«»–—‘’“”„…•¿¡½¼¾ªº×±µ™\xa0")
_INSIDE_WORDS: Final = frozenset("’·\xa0´")
_WORDS: Final = frozenset("àèéòóåöøÀÈÉÒÓÅÖØ")
"""Letters that are words of their own."""
_RUN: Final = re.compile(r"[^\x00-\x7f]+")
_LONGEST_RUN: Final = 2


def is_certainly_western(data: bytes) -> bool:
    """Whether bytes beyond ASCII spell words of Western European languages, and nothing else that makes sense."""
    try:
        text = data.decode(WESTERN)
    except UnicodeDecodeError:
        return False
    letters = {letter for letter in text if letter > "\x7f" and letter.isalpha() and letter not in _MARKS}
    if not letters or not {letter.lower() for letter in letters} <= _WESTERN_LETTERS:
        return False
    if not all(_stands_in_word(text, run) for run in _RUN.finditer(text)):
        return False
    return not any(_is_rival(letters, encoding, words) for encoding, words in _RIVALS.items())


def _stands_in_word(text: str, run: re.Match[str]) -> bool:
    before, after = text[run.start() - 1 : run.start()], text[run.end() : run.end() + 1]
    is_inside = before.isalpha() and after.isalpha()
    if not any(letter.isalpha() and letter not in _MARKS for letter in run[0]):
        return _MARKS.issuperset(run[0]) and (not is_inside or _INSIDE_WORDS.issuperset(run[0]))
    word = run[0].strip("".join(_MARKS))
    return len(word) <= _LONGEST_RUN and (before.isalpha() or after.isalpha() or word in _WORDS)


def _is_rival(letters: set[str], encoding: str, languages: tuple[str, ...]) -> bool:
    """Whether the same bytes spell other letters in this encoding, all of them of one of its languages."""
    spelled = {letter.encode(WESTERN).decode(encoding, "replace") for letter in letters}
    if spelled == letters:
        return False
    return any({letter.lower() for letter in spelled} <= set(known) for known in languages)
