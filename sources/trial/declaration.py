"""The first declaration of a feed, as text with a comment behind every guess."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePath

import yaml

from sources.trial.trial import Trial
from warehouse.foreign_text import shown

_COMPRESSIONS = ("gz", "zst")
_SUFFIX = re.compile(r"((\.[A-Za-z0-9]{1,8})?\.(gz|zst)|\.[A-Za-z0-9]{1,8})\Z")
_PLAIN = re.compile(r"[^a-z0-9]+")
_HAN = re.compile("[\u3400-\u9fff]+")
_TAIL = re.compile(
    r"(_?[0-9]{4}_?[0-9]{2}_?[0-9]{2}|_(gbk|gb2312|gb18030|big5|utf_?8|utf_?16|latin_?1|cp1252|ansi|bom|sig))+\Z"
)
_LONGEST = 40


def feed_name(file: PurePath) -> str:
    """A feed name made of a file's: small letters, digits and underscores; Chinese is spelt as it is read.

    Days and names of encodings at the end say nothing of what the file is.
    """
    name = _PLAIN.sub("_", _spelt(_SUFFIX.sub("", file.name)).lower()).strip("_")
    name = _TAIL.sub("", name)[:_LONGEST].strip("_") or "feed"
    return name if name[0].isalpha() else f"feed_{name}"


def _spelt(text: str) -> str:
    if not _HAN.search(text):
        return text
    from pypinyin import lazy_pinyin  # its tables are read only where there are Chinese characters

    return _HAN.sub(lambda found: f" {''.join(lazy_pinyin(found[0]))} ", text)


def declaration_text(trial: Trial, file: PurePath) -> str:
    """The text of ``config/feeds/<name>.yml``."""
    name = shown(file.name)
    lines = [f"# A first guess by `cdp feeds try {name}`: read it, correct it, then delete what is plain.", ""]
    lines += [f"{text}{f'    # {why}' if why else ''}" for text, why in _lines(trial, file)]
    return "\n".join(lines) + "\n"


def _lines(trial: Trial, file: PurePath) -> Iterator[tuple[str, str]]:
    feed = trial.feed
    judged = len(trial.judged)
    yield f"kind: {feed.kind}", f"{trial.accepted} of the first {judged} rows keep this contract"
    yield f"mapping: {feed.mapping}", _why_mapping(trial)
    yield f"files: [{', '.join(map(_quoted, _globs(trial, file)))}]", "below landing/<name>/"
    yield from _form_lines(trial)
    yield from _setting_lines(trial)
    yield "# owner: NAME", "who answers for it"
    yield "# purpose: WHAT FOR", "what its data may be used for"
    if feed.group_by:
        yield f"group_by: {_quoted(feed.group_by)}", "rows with the same value are one order"
    if trial.guesses:
        yield "fields:", "contract field: column, or expression"
        for name, guess in trial.guesses.items():
            yield f"  {name}: {_flow(guess.expression)}", guess.why
    if trial.unread:
        yield "ignore:", "columns that nobody reads yet; map them above or leave them out on purpose"
        for name in trial.unread:
            yield f"  - {_quoted(name)}", trial.looks.get(name, "")
    if trial.unread_values:
        what = f"{trial.unread_values} more names are personal values themselves, and are not shown"
        yield f"# {what}: ignore the place where they stand, as in `place.*`", ""


def _form_lines(trial: Trial) -> Iterator[tuple[str, str]]:
    """How the files are written, where the readers do not see it themselves."""
    feed = trial.feed
    if feed.format:
        yield f"format: {feed.format}", trial.form.why[0]
    if feed.encoding:
        yield f"encoding: {feed.encoding}", trial.form.why[-1]
    if feed.delimiter:
        yield f"delimiter: {_quoted(feed.delimiter)}", trial.form.why[0]
    if feed.columns:
        yield f"columns: [{', '.join(map(_quoted, feed.columns))}]", "the file has no header: give them their names"
    if feed.envelope:
        yield f"envelope: [{', '.join(map(_quoted, feed.envelope))}]", "the list of rows stands under this key"


def _setting_lines(trial: Trial) -> Iterator[tuple[str, str]]:
    """Clocks and money: the business's, else what the file seems to say."""
    feed = trial.feed
    yield f"time_zone: {feed.time_zone}", f"of moments without an offset: {_why_setting(trial, 'time_zone')}"
    for name in ("country", "currency"):
        if value := getattr(feed, name):
            yield f"{name}: {value}", f"of rows that name none: {_why_setting(trial, name)}"


def _why_setting(trial: Trial, name: str) -> str:
    if trial.place is None:
        return "the business's; check" if trial.is_business else "nothing says it; check"
    told = trial.place.settings[name]
    if not trial.is_business:
        return f"a guess, because of {trial.place.why}; check"
    is_other = told != getattr(trial.feed, name)
    return f"the business's; {told} because of {trial.place.why}?" if is_other else "the business's; check"


def _why_mapping(trial: Trial) -> str:
    if trial.guesses:
        return "no vendor's mapping explains the file; the fields below are guesses"
    chosen = next(item for item in trial.candidates if item.mapping == trial.feed.mapping)
    others = [item for item in trial.candidates if item.mapping != chosen.mapping and item.accepted][:2]
    beside = "; next best: " + ", ".join(f"{item.mapping} {item.explained:.0%}" for item in others) if others else ""
    return f"it knows {chosen.explained:.0%} of the file's fields{beside}"


def _globs(trial: Trial, file: PurePath) -> list[str]:
    """Files called like this one; of texts also those that are compressed, or are not though this one is."""
    found = _SUFFIX.search(file.name)
    suffix = found[0] if found else ""
    plain = suffix.removesuffix(".gz").removesuffix(".zst")
    if not plain or trial.form.format in {"excel", "parquet"}:
        return [f"**/*{suffix}"]
    return [f"**/*{plain}", *(f"**/*{plain}.{end}" for end in _COMPRESSIONS)]


def _quoted(text: str) -> str:
    return _flow(text)


def _flow(value: object) -> str:
    """A value on one line, so that a comment may stand behind it."""
    style = (
        '"' if isinstance(value, str) and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_. -]*[A-Za-z0-9_]", value) else None
    )
    if isinstance(value, str):
        plain = yaml.safe_dump(value, default_style=style, allow_unicode=True, width=100_000)
        return plain.removesuffix("\n...\n").strip()
    return yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=100_000, sort_keys=False).strip()
