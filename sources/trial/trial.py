"""A trial of one unknown file: what it is, which mapping explains it, what becomes of its first rows."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from quality.contracts.check import Accepted, Rejected
from quality.contracts.columns import columns
from quality.contracts.registry import CONTRACTS
from quality.masking import mask_names, mask_raw
from sources.feed_declaration import Feed
from sources.mapped_feed import MappedFeed, map_feed
from sources.mapping import describe_fields
from sources.trial.choices import looks_like
from sources.trial.chosen import FieldGuess
from sources.trial.form import FileForm, form_of
from sources.trial.generic import GenericGuess, generic_guess
from sources.trial.observed import observed_columns, plain_rows
from sources.trial.place import NOTHING_SAID, Place, Settings, place_of
from sources.trial.sample import JudgedRow, SourceRow, judge_rows, read_rows
from sources.trial.vendors import Candidate, explained, unread_names, vendor_candidates
from warehouse.errors import InputError

_ENOUGH: Final = 0.25
"""A mapping with this score is taken: it accepts most rows, knows most fields, and finds several of its own."""

_FAMILIAR: Final = 0.7
"""A mapping that knows this share of the fields is the file's own, even when it accepts no row of it."""


_WELL_FILLED: Final = 0.3
"""A mapping that finds this share of its own fields as well needs no comparison with a guess by names."""


@dataclass(frozen=True)
class ShownRow:
    """A row as it may be shown, personal values masked: what it was, and what became of it."""

    row: int
    source: str
    accepted: str
    rejected: str


@dataclass(frozen=True)
class Trial:
    """What a file turned out to be. ``guesses`` holds the fields of a generic mapping; empty for a vendor's.

    ``unread``: fields that nobody reads; ``unread_values`` more are called like a person's e-mail address, and are not
    named. ``looks``: what the values of some unread fields are, by their looks. ``place``: where the file seems to come
    from; ``is_business``: whether clock and money are the business's.
    """

    form: FileForm
    candidates: tuple[Candidate, ...]
    mapped: MappedFeed
    guesses: Mapping[str, FieldGuess]
    judged: tuple[JudgedRow, ...]
    unread: tuple[str, ...]
    unread_values: int = 0
    looks: Mapping[str, str] = field(default_factory=dict)
    place: Place | None = None
    is_business: bool = False

    @property
    def feed(self) -> Feed:
        """The feed that was tried."""
        return self.mapped.feed

    @property
    def accepted(self) -> int:
        """Rows, or groups of them, that keep the contract."""
        return sum(isinstance(item.verdict, Accepted) for item in self.judged)

    def shown(self, most: int) -> list[ShownRow]:
        """Some rejected and some accepted rows, in the order of the file."""
        rejected = [item for item in self.judged if isinstance(item.verdict, Rejected)][: (most + 1) // 2]
        accepted = [item for item in self.judged if isinstance(item.verdict, Accepted)][: most - len(rejected)]
        personal = _personal_keys(self.mapped)
        return [_shown(self.mapped.kind, item, personal) for item in sorted([*rejected, *accepted], key=_place)]

    def reasons(self) -> dict[str, int]:
        """Why rows are rejected: ``field: code`` → rows, the most frequent first."""
        found: dict[str, int] = {}
        for item in self.judged:
            if isinstance(item.verdict, Rejected):
                for text in {f"{reason.field or 'row'}: {reason.code}" for reason in item.verdict.reasons}:
                    found[text] = found.get(text, 0) + 1
        return dict(sorted(found.items(), key=lambda pair: (-pair[1], pair[0])))


def try_file(
    path: Path,
    business: Settings | None,
    *,
    mapping: str | None = None,
    kind: str | None = None,
    encoding: str | None = None,
) -> Trial:
    """Find out what a file is. ``business``: its time zone, country and currency; None where there is none, and the
    file must tell. ``mapping``, ``kind`` and ``encoding`` are what the caller knows already.

    Raises:
        InputError: it holds nothing, nothing that identifies a row, or text in an encoding that nothing says.
    """
    form = form_of(path, encoding)
    place = place_of(plain_rows(path, form)[2])
    settings = business or (place.settings if place else NOTHING_SAID)
    trial = _tried(path, form, settings, mapping, kind)
    return replace(trial, place=place, is_business=business is not None)


def _tried(path: Path, form: FileForm, settings: Settings, mapping: str | None, kind: str | None) -> Trial:
    candidates = [] if kind and mapping is None else vendor_candidates(path, form, settings)
    candidates = [item for item in candidates if mapping in {None, item.mapping}]
    best = _best(candidates, is_named=mapping is not None)
    if best is not None and (mapping is not None or (best.explained >= _FAMILIAR and best.found >= _WELL_FILLED)):
        return _vendors_trial(path, form, candidates, best)
    guess = _generic_or_none(path, form, settings, kind) if best else generic_guess(path, form, settings, kind)
    if best is not None and (guess is None or _reads_more(best, guess, path)):
        return _vendors_trial(path, form, candidates, best)
    assert guess is not None
    rows = read_rows(path, guess.mapped)
    unread = _unread(guess.mapped, rows)
    return Trial(form, tuple(candidates), guess.mapped, guess.fields, guess.judged, *unread)


def _vendors_trial(path: Path, form: FileForm, candidates: Sequence[Candidate], best: Candidate) -> Trial:
    mapped = map_feed(best.feed)
    rows = read_rows(path, mapped)
    judged = tuple(judge_rows(mapped, rows))
    return Trial(form, tuple(candidates), mapped, {}, judged, *_unread(mapped, rows))


def _unread(mapped: MappedFeed, rows: Sequence[SourceRow]) -> tuple[tuple[str, ...], int, dict[str, str]]:
    """The fields that nobody reads by name, how many more have no name that may be shown, and what some look like."""
    found = mask_names(unread_names(mapped, rows))
    named = tuple(name for name, shown in found.items() if name == shown)
    return named, len(found) - len(named), _looks(mapped.kind, rows, named)


def _looks(kind: str, rows: Sequence[SourceRow], unread: Sequence[str]) -> dict[str, str]:
    """What the values of unread columns are by their looks: a second phone number is lost more easily than it seems."""
    sources = observed_columns([row for row in rows if not row.refusal])
    found = {item.name: looks_like(CONTRACTS[kind], item) for item in sources if item.name in unread}
    return {name: f"its values are {looks}" for name, looks in found.items() if looks}


def _generic_or_none(
    path: Path, form: FileForm, settings: Mapping[str, str | None], kind: str | None
) -> GenericGuess | None:
    try:
        return generic_guess(path, form, settings, kind)
    except InputError:
        return None


def _reads_more(best: Candidate, guess: GenericGuess, path: Path) -> bool:
    """Whether a vendor's mapping knows more of a file than names alone tell, though the file tells it little."""
    return best.explained > explained(guess.mapped, read_rows(path, guess.mapped))


def _best(candidates: Sequence[Candidate], *, is_named: bool) -> Candidate | None:
    if not candidates:
        return None
    if is_named or candidates[0].score >= _ENOUGH:
        return candidates[0]
    familiar = max(candidates, key=lambda item: (item.explained, item.known))
    return familiar if familiar.explained >= _FAMILIAR else None


def _place(item: JudgedRow) -> int:
    return item.row


def _shown(kind: str, item: JudgedRow, personal: Sequence[str]) -> ShownRow:
    source = mask_raw(kind, json.dumps(item.value, ensure_ascii=False, default=str), personal) if item.value else "–"
    if isinstance(item.verdict, Rejected):
        told = "; ".join(f"{reason.field or 'row'}: {reason.message}" for reason in item.verdict.reasons[:5])
        return ShownRow(item.row, source, "", told)
    values = {name: value for name, value in item.verdict.values.items() if value is not None}
    made = mask_raw(kind, json.dumps(values, ensure_ascii=False, default=str))
    return ShownRow(item.row, source, made, "")


def _personal_keys(mapped: MappedFeed) -> tuple[str, ...]:
    """Source fields that fill personal columns."""
    personal = {column.name for column in columns(CONTRACTS[mapped.kind]) if column.is_personal}
    described = describe_fields({**mapped.fields, **mapped.rows})
    paths = [path for source, target, _ in described if target in personal for path in source.split(", ") if path]
    return tuple({path.rsplit(".", 1)[-1] for path in paths} | set(paths))
