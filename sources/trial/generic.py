"""A first declaration for a file that no vendor mapping explains: kind and fields by column names and values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from quality.contracts.check import Accepted, Rejected
from quality.contracts.columns import columns
from quality.contracts.contract import Contract
from quality.contracts.registry import CONTRACTS
from sources.grammar import parse_expression
from sources.mapped_feed import MappedFeed, map_feed
from sources.trial.choices import by_name, by_value
from sources.trial.chosen import Chosen, FieldGuess
from sources.trial.form import FileForm
from sources.trial.moments import UNDECIDED, undecided
from sources.trial.observed import Observed, observed_columns, plain_rows
from sources.trial.permissions import take_permissions
from sources.trial.sample import JudgedRow, SourceRow, judge_rows
from sources.trial.stand_ins import fill_required
from sources.trial.values import UNKNOWN_WORDS
from sources.trial.vendors import feed_for
from warehouse.errors import DeclarationError, InputError


@dataclass(frozen=True)
class GenericGuess:
    """A kind and its fields. ``judged`` is what becomes of the rows; ``matched`` how much was found, less what had to
    be invented."""

    kind: str
    mapping: str
    mapped: MappedFeed
    fields: Mapping[str, FieldGuess]
    envelope: tuple[str, ...]
    group_by: str | None
    judged: tuple[JudgedRow, ...]
    matched: float

    @property
    def accepted(self) -> int:
        """Rows, or groups of rows, that keep the contract."""
        return sum(isinstance(item.verdict, Accepted) for item in self.judged)

    @property
    def is_plausible(self) -> bool:
        """Whether rows keep the contract, or wait only for somebody to say what their words mean."""
        return self.accepted > 0 or any(guess.why.startswith(UNKNOWN_WORDS) for guess in self.fields.values())

    @property
    def says_something(self) -> bool:
        """Whether more is found than an id and some moments, which any file has."""
        contract = CONTRACTS[self.kind]
        shapes = {column.name: column.shape.name if column.shape else "" for column in columns(contract)}
        return any(
            name not in contract.key
            and shapes.get(name) not in {"timestamp", "day"}
            and not (isinstance(guess.expression, dict) and guess.expression.keys() & {"constant", "setting"})
            for name, guess in self.fields.items()
        )


def generic_guess(
    path: Path, form: FileForm, settings: Mapping[str, str | None], kind: str | None = None
) -> GenericGuess:
    """The best first guess.

    Raises:
        InputError: nothing of the file can be made a row of any contract.
    """
    mapping, base, rows = plain_rows(path, form)
    sources = list(observed_columns([row for row in rows if not row.refusal]))
    if not sources:
        raise InputError(f"{path.name} has no row that can be read.", "Look at the file; is it whole?")
    guesses: list[GenericGuess] = []
    lacking: tuple[str, ...] = ()
    for name in [kind] if kind else CONTRACTS:
        chosen, lacking = _chosen(name, sources, is_named=kind is not None)
        if chosen.used and not lacking:
            made = _guess(name, form, mapping, rows, sources, chosen, base | dict(settings))
            guesses += [made] if made is not None and (kind or made.says_something) else []
    if not guesses:
        raise _nothing_fits(path.name, kind, lacking)
    best = max(guesses, key=lambda item: (item.is_plausible, item.matched, item.kind == "contacts"))
    return _undecided_left(best, rows, {source.name: source.texts for source in sources})


def _nothing_fits(name: str, kind: str | None, lacking: Sequence[str]) -> InputError:
    if kind is None:
        return InputError(
            f"Nothing in {name} identifies a row of any kind.",
            "Name the kind with --kind; it then says what is missing.",
        )
    wanted = f"no column can be {', '.join(lacking)}, which every row needs" if lacking else "no column is known"
    return InputError(
        f"{name} cannot be {kind}: {wanted}.",
        f"Name the columns under `fields:` of a feed's declaration; `cdp schema {kind}` tells what each field holds.",
    )


def _chosen(kind: str, sources: Sequence[Observed], *, is_named: bool) -> tuple[Chosen, tuple[str, ...]]:
    """What fills the fields of a contract, and the fields it demands that nothing fills."""
    contract = CONTRACTS[kind]
    chosen = Chosen()
    by_name(chosen, columns(contract), sources, kind)
    by_value(chosen, contract, sources)
    take_permissions(chosen, contract, sources)
    return chosen, fill_required(chosen, contract, sources, is_named=is_named)


def _undecided_left(guess: GenericGuess, rows: Sequence[SourceRow], texts: Mapping[str, Sequence[str]]) -> GenericGuess:
    """The guess with days of which nothing says whether they begin with the month left to whoever declares the feed."""
    fields = {
        name: FieldGuess(left, UNDECIDED) if (left := undecided(item.expression, texts)) is not None else item
        for name, item in guess.fields.items()
    }
    if fields == guess.fields:
        return guess
    written = {name: parse_expression(item.expression) for name, item in fields.items()}
    mapped = map_feed(guess.mapped.feed.model_copy(update={"fields": written}))
    return replace(guess, mapped=mapped, fields=fields, judged=tuple(judge_rows(mapped, rows)))


def _guess(
    kind: str,
    form: FileForm,
    mapping: str,
    rows: Sequence[SourceRow],
    sources: Sequence[Observed],
    chosen: Chosen,
    declared: Mapping[str, object],
) -> GenericGuess | None:
    contract = CONTRACTS[kind]
    invented = sum(
        isinstance(item.expression, dict) and "constant" in item.expression for item in chosen.fields.values()
    )
    group_by, line_fields = _group(chosen, contract, sources, is_flat=form.is_flat)
    matched = len(chosen.used) + line_fields - invented / 2
    for _ in range(_ATTEMPTS):
        written = {name: guess.expression for name, guess in chosen.fields.items()}
        try:
            feed = feed_for("trial", kind, mapping, form, **declared, fields=written, group_by=group_by)
            mapped = map_feed(feed)
        except (DeclarationError, ValueError):
            return None
        judged = tuple(judge_rows(mapped, rows))
        wrong = _refused_optional(judged, contract, chosen)
        if not wrong:
            break
        for name in wrong:
            del chosen.fields[name]
            matched -= 1
    envelope = declared.get("envelope")
    made = envelope if isinstance(envelope, tuple) else ()
    return GenericGuess(kind, mapping, mapped, dict(chosen.fields), made, group_by, judged, matched)


_ATTEMPTS: Final = 4
_TOO_OFTEN: Final = 0.3


def _group(
    chosen: Chosen, contract: type[Contract], sources: Sequence[Observed], *, is_flat: bool
) -> tuple[str | None, int]:
    """Rows of one order number are the lines of one order, where something says what was bought; and the fields of
    lines that were found. A flat row with what was bought is a line, even where every order here has only one."""
    order = chosen.fields.get("order_id")
    if contract.kind != "purchases" or order is None or not isinstance(order.expression, str):
        return None, 0
    source = next(item for item in sources if item.name == order.expression)
    if (source.is_unique and not is_flat) or "." in source.name:
        return None, 0
    line = Chosen(used={order.expression})
    child = next(child for child in contract.children.values() if child.field == "lines")
    of_lines = [column for column in columns(child.model) if column.name not in child.key]
    by_name(line, of_lines, sources, contract.kind)
    demanded = {column.name for column in of_lines if not column.is_nullable and column.default is None}
    if not {"product_id", "product_name"} & line.fields.keys() or not demanded <= line.fields.keys():
        return None, 0
    written = {name: guess.expression for name, guess in line.fields.items()}
    chosen.fields["lines"] = FieldGuess(
        {"rows": True, "fields": {"line_id": {"position": True}} | written}, "every row is a line of its order"
    )
    return order.expression, len(written)


def _refused_optional(judged: Sequence[JudgedRow], contract: type[Contract], chosen: Chosen) -> list[str]:
    """Guessed fields for which many rows are refused, and that may be left out."""
    refused: dict[str, int] = {}
    for item in judged:
        if isinstance(item.verdict, Rejected):
            for name in {reason.field.split(".")[0].split("[")[0] for reason in item.verdict.reasons}:
                refused[name] = refused.get(name, 0) + 1
    needed = {column.name for column in columns(contract) if not column.is_nullable and column.default is None}
    may_go, often = chosen.fields.keys() - needed, _TOO_OFTEN * len(judged)
    return [name for name, count in refused.items() if name in may_go and count > often]
