"""A first declaration for a file that no vendor mapping explains: kind and fields by column names and values."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from quality.contracts.check import Accepted, Rejected
from quality.contracts.columns import Column, columns
from quality.contracts.contract import Contract
from quality.contracts.registry import CONTRACTS
from sources.column_types import ColumnType, joined, text_type
from sources.grammar import parse_expression
from sources.mapped_feed import MappedFeed, map_feed
from sources.operations.operation import Value
from sources.trial.form import FileForm
from sources.trial.moments import MOSTLY, UNDECIDED, moment_expression, undecided
from sources.trial.sample import JudgedRow, SourceRow, judge_rows, read_rows
from sources.trial.values import ENVELOPES, FIRST_CHOICE, UNKNOWN_WORDS, amount_expression, state_guess
from sources.trial.vendors import feed_for
from sources.trial.words import likeness
from warehouse.errors import DeclarationError, InputError

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+\Z")
_PHONE = re.compile(r"(\+?86[- ]?)?1[3-9][0-9]{9}\Z|\+[0-9][0-9 ()-]{7,18}\Z")
_RARE: Final = 0.2


@dataclass(frozen=True)
class FieldGuess:
    """What fills a contract field: an expression as a declaration writes it, and why."""

    expression: object
    why: str


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


@dataclass(frozen=True)
class _Source:
    """A column, or a path in objects, with some of its values."""

    name: str
    values: tuple[Value, ...]

    @property
    def texts(self) -> list[str]:
        return [str(value).strip() for value in self.values if value is not None and str(value).strip()]

    @property
    def type(self) -> ColumnType | None:
        found = Counter(text_type(text) for text in self.texts)
        return joined(kind for kind, count in found.items() if count >= _RARE * found.total())

    @property
    def is_unique(self) -> bool:
        texts = self.texts
        return len(texts) == len(self.values) == len(set(texts))

    def share(self, pattern: re.Pattern[str]) -> float:
        texts = self.texts
        return sum(bool(pattern.match(text)) for text in texts) / len(texts) if texts else 0.0


@dataclass
class _Chosen:
    fields: dict[str, FieldGuess] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    surety: float = 0.0

    def take(self, name: str, source: _Source, expression: object, why: str, surety: float) -> None:
        self.fields[name] = FieldGuess(expression, why)
        self.used.add(source.name)
        self.surety += surety


def generic_guess(
    path: Path, form: FileForm, settings: Mapping[str, str | None], kind: str | None = None
) -> GenericGuess:
    """The best first guess.

    Raises:
        InputError: nothing of the file can be made a row of any contract.
    """
    mapping, base, rows = plain_rows(path, form)
    sources = list(_sources([row for row in rows if not row.refusal]))
    if not sources:
        raise InputError(f"{path.name} has no row that can be read.", "Look at the file; is it whole?")
    guesses = [
        made
        for name in ([kind] if kind else CONTRACTS)
        if (made := _guess(name, form, mapping, rows, sources, base | dict(settings))) is not None
        and (kind or made.says_something)
    ]
    if not guesses:
        raise InputError(f"Nothing in {path.name} identifies a row of any kind.", "Name the kind with --kind.")
    best = max(guesses, key=lambda item: (item.is_plausible, item.matched, item.kind == "contacts"))
    return _undecided_left(best, rows, {source.name: source.texts for source in sources})


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


def plain_rows(path: Path, form: FileForm) -> tuple[str, dict[str, object], list[SourceRow]]:
    """The generic mapping that reads a file, what a feed has to declare for it, and the first rows as they are."""
    mapping = "jsonl" if form.format in {"json", "jsonl"} else "csv" if form.format == "tsv" else form.format
    names = tuple(f"column_{n}" for n in range(1, form.width + 1)) if not form.has_header else ()
    envelope = _envelope(path, form, mapping) if mapping == "jsonl" else ()
    base: dict[str, object] = {"columns": names, "envelope": envelope}
    return mapping, base, read_rows(path, _reader(form, mapping, base))


def _reader(form: FileForm, mapping: str, base: Mapping[str, object]) -> MappedFeed:
    feed = feed_for("trial", "products", mapping, form, **base, fields={"product_id": "_"})
    return map_feed(feed)


def _envelope(path: Path, form: FileForm, mapping: str) -> tuple[str, ...]:
    """The key of the only list of objects in a document that holds little else."""
    rows = read_rows(path, _reader(form, mapping, {}), 2)
    if len(rows) != 1 or rows[0].refusal:
        return ()
    lists = [name for name, value in rows[0].value.items() if _is_list_of_objects(value)]
    known = [name for name in lists if name in ENVELOPES]
    return tuple(known[:1] or (lists if len(lists) == 1 and len(rows[0].value) <= _FEW_KEYS else ()))


_FEW_KEYS: Final = 4


def _is_list_of_objects(value: Value) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, dict) for item in value)


def _sources(rows: Sequence[SourceRow]) -> Iterator[_Source]:
    values: dict[str, list[Value]] = {}
    for row in rows:
        for name, value in _scalars(row.value, ""):
            values.setdefault(name, []).append(value)
    for name, found in values.items():
        padded = found + [None] * (len(rows) - len(found))
        yield _Source(name, tuple(padded))


def _scalars(value: Mapping[str, Value], at: str) -> Iterator[tuple[str, Value]]:
    for key, inner in value.items():
        name = f"{at}.{key}" if at else key
        if isinstance(inner, dict):
            yield from _scalars(inner, name)
        elif not isinstance(inner, list):
            yield name, inner


def _guess(
    kind: str,
    form: FileForm,
    mapping: str,
    rows: Sequence[SourceRow],
    sources: Sequence[_Source],
    declared: Mapping[str, object],
) -> GenericGuess | None:
    contract = CONTRACTS[kind]
    chosen = _Chosen()
    for column in columns(contract):
        _by_name(chosen, column, sources)
    _by_value(chosen, contract, sources)
    if not _fill_required(chosen, contract, sources):
        return None
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


def _by_name(chosen: _Chosen, column: Column, sources: Sequence[_Source]) -> None:
    if column.shape is None or column.shape.name == "json":
        return
    ranked = sorted(
        ((_surety(source, column), source) for source in sources if source.name not in chosen.used),
        key=lambda item: -item[0],
    )
    if not ranked or ranked[0][0] <= 0:
        return
    surety, source = ranked[0]
    if column.name == "status" and column.allowed and source.texts:
        chosen.take(column.name, source, *state_guess(source.name, source.texts, column.allowed), surety)
        return
    expression = _expression(source, column)
    if expression is not None:
        chosen.take(column.name, source, expression, f"called {source.name}", surety)


def _surety(source: _Source, column: Column) -> float:
    """By its whole path, else by its last part, a little less."""
    last = source.name.rpartition(".")[2]
    own = likeness(source.name, column.name)
    return own or (0.8 * likeness(last, column.name) if last != source.name else 0.0)


def _expression(source: _Source, column: Column) -> object | None:
    """How a source fills a column; None where its values cannot be what the column holds."""
    shape = column.shape.name if column.shape else ""
    kind = source.type
    if kind is None:
        return source.name
    match shape:
        case "timestamp" | "day":
            return moment_expression(source.name, source.texts, source.type, shape)
        case "decimal" | "count" | "double":
            plain = source.name if kind in {"integer", "number"} else None
            return amount_expression(source.name, source.texts) or plain
        case "flag":
            return source.name if kind == "boolean" or set(source.texts) <= {"0", "1"} else None
        case "code":
            if column.allowed:
                return source.name if {text.lower() for text in source.texts} <= set(column.allowed) else None
            return source.name if all(re.fullmatch("[A-Z]{3}", text) for text in source.texts) else None
        case _:
            return source.name


def _by_value(chosen: _Chosen, contract: type[Contract], sources: Sequence[_Source]) -> None:
    """E-mail addresses and phone numbers are known by their looks, whatever the column is called."""
    for name, pattern, looks in (("email", _EMAIL, "e-mail addresses"), ("phone", _PHONE, "phone numbers")):
        if name in chosen.fields or name not in contract.model_fields:
            continue
        for source in sources:
            if source.name not in chosen.used and source.share(pattern) >= MOSTLY:
                chosen.take(name, source, source.name, f"its values are {looks}", 0.7)
                break


def _fill_required(chosen: _Chosen, contract: type[Contract], sources: Sequence[_Source]) -> bool:
    """Fill what the contract cannot do without; whether that is possible."""
    for column in columns(contract):
        if column.is_nullable or column.default is not None or column.name in chosen.fields:
            continue
        made = _stand_in(column, contract, chosen, sources)
        if made is None:
            return False
        chosen.fields[column.name] = made
    return bool(chosen.used)


def _stand_in(
    column: Column, contract: type[Contract], chosen: _Chosen, sources: Sequence[_Source]
) -> FieldGuess | None:
    shape = column.shape.name if column.shape else ""
    if column.name in FIRST_CHOICE:
        choices = ", ".join(column.allowed)
        return FieldGuess({"constant": FIRST_CHOICE[column.name]}, f"nothing says it: check; one of {choices}")
    if column.name == "currency":
        return FieldGuess({"setting": "currency"}, "no column says it: the feed's currency")
    if column.name == "platform":
        return FieldGuess({"constant": "unknown"}, "nothing says it: write the platform's name")
    if shape == "timestamp":
        return _any_moment(chosen, sources)
    if column.name in contract.key and column.name not in _NEVER_INVENTED and chosen.used:
        return _any_id(chosen, contract, sources)
    return None


_NEVER_INVENTED: Final = frozenset({"order_id", "deal_id", "on", "member_id"})


def _any_moment(chosen: _Chosen, sources: Sequence[_Source]) -> FieldGuess | None:
    for source in sources:
        may_be = source.type in {"date", "timestamp", "text"}
        expression = moment_expression(source.name, source.texts, source.type, "timestamp") if may_be else None
        if expression is not None and source.texts:
            chosen.used.add(source.name)
            return FieldGuess(expression, f"the values of {source.name} are moments")
    return None


def _any_id(chosen: _Chosen, contract: type[Contract], sources: Sequence[_Source]) -> FieldGuess | None:
    for source in sources:
        if (
            source.is_unique
            and source.type in {"integer", "text"}
            and source.name.lower().endswith(("id", "no", "key"))
            and source.share(_EMAIL) < MOSTLY
        ):
            chosen.used.add(source.name)
            return FieldGuess(source.name, f"the values of {source.name} never repeat")
    for name in ("email", "phone"):
        if name in chosen.fields and contract.kind == "contacts":  # a person may be known by it, an event never
            return FieldGuess(chosen.fields[name].expression, f"no column is an id; {name} stands for it: check")
    may_be = [item for item in sources if item.is_unique and not max(item.share(_EMAIL), item.share(_PHONE)) >= MOSTLY]
    unique = next((source for source in may_be if len(source.values) > 1), None)
    if unique is not None:
        return FieldGuess(unique.name, f"the values of {unique.name} never repeat: check")
    return None


def _group(
    chosen: _Chosen, contract: type[Contract], sources: Sequence[_Source], *, is_flat: bool
) -> tuple[str | None, int]:
    """Rows of one order number are the lines of one order, where something says what was bought; and the fields of
    lines that were found. A flat row with what was bought is a line, even where every order here has only one."""
    order = chosen.fields.get("order_id")
    if contract.kind != "purchases" or order is None or not isinstance(order.expression, str):
        return None, 0
    source = next(item for item in sources if item.name == order.expression)
    if (source.is_unique and not is_flat) or "." in source.name:
        return None, 0
    line = _Chosen(used={order.expression})
    child = next(child for child in contract.children.values() if child.field == "lines")
    for column in columns(child.model):
        if column.name not in child.key:
            _by_name(line, column, sources)
    if "product_id" not in line.fields and "product_name" not in line.fields:
        return None, 0
    written = {name: guess.expression for name, guess in line.fields.items()}
    chosen.fields["lines"] = FieldGuess(
        {"rows": True, "fields": {"line_id": {"position": True}} | written}, "every row is a line of its order"
    )
    return order.expression, len(written)


def _refused_optional(judged: Sequence[JudgedRow], contract: type[Contract], chosen: _Chosen) -> list[str]:
    """Guessed fields for which many rows are refused, and that may be left out."""
    refused: dict[str, int] = {}
    for item in judged:
        if isinstance(item.verdict, Rejected):
            for name in {reason.field.split(".")[0].split("[")[0] for reason in item.verdict.reasons}:
                refused[name] = refused.get(name, 0) + 1
    needed = {column.name for column in columns(contract) if not column.is_nullable and column.default is None}
    may_go, often = chosen.fields.keys() - needed, _TOO_OFTEN * len(judged)
    return [name for name, count in refused.items() if name in may_go and count > often]
