"""What a predicate means: its check against known fields, its SQL, and its answer for one customer in Python."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date

from sqlglot import exp

from profiles.field_values import Vocabulary
from profiles.fields import Catalogue, Field, FieldType, UnfitValueError, Value, value_of
from profiles.predicate import Predicate
from profiles.predicate_operators import OPERATORS, PARTS
from warehouse.declaration import Location, as_meant, suggestion

Report = Callable[[Location, str, str], None]
"""Takes where something is wrong, what, and what to do."""
Lacks = Callable[[Location], bool]
"""Whether it is not known what is meant at a location."""


@dataclass
class Unsure:
    """Names of wrong traits and segments: of conditions that name them nothing is told, for they may be right."""

    names: set[str] = field(default_factory=set)

    def add(self, space: str, name: object) -> None:
        """A name of a space, ``web_traits`` or ``segments``; when it is no name, whatever is called by the space."""
        self.names.add(f"{space}.{name}" if isinstance(name, str) else space)

    def has(self, space: str, name: str) -> bool:
        """Whether something wrong may be called so."""
        return space in self.names or f"{space}.{name}" in self.names


_LONGEST_TOLD = 60
SEGMENTS = "segments"
"""The space of the names of segments."""


@dataclass
class Binder:
    """Gives every value of a declaration a parameter of its own, so that no value is ever part of a statement."""

    prefix: str
    values: dict[str, object] = field(default_factory=dict)

    def bind(self, value: object) -> exp.Expr:
        """A parameter that stands for ``value``."""
        name = f"{self.prefix}_{len(self.values) + 1}"
        self.values[name] = value
        return exp.Placeholder(this=name)


def operands(predicate: Predicate, kind: FieldType) -> tuple[Value, ...]:
    """The values beside the operator, in the type in which they are compared.

    Raises:
        UnfitValueError: a value does not fit the type of the field.
    """
    operator = OPERATORS[predicate.operator]
    written = predicate.given(predicate.operator)
    listed = written if isinstance(written, tuple) else (written,)
    own: FieldType = {"days": "integer", "flag": "boolean"}.get(operator.operand, kind)  # type: ignore[assignment]
    values = tuple(value_of(item, own) for item in listed)
    if predicate.operator == "between" and values[0] > values[1]:  # type: ignore[operator]  # both are of one type
        raise UnfitValueError("takes the lower value first")
    return values


def check(
    predicate: Predicate,
    catalogue: Catalogue,
    segments: frozenset[str] | None,
    at: Location,
    report: Report,
    unsure: Unsure | None = None,
    lacks: Lacks = lambda _: False,
) -> None:
    """Report every unknown field, unknown segment and value of a wrong type. ``segments`` None: none may be named.

    What rests on what ``lacks`` its meaning is not reported.
    """
    unsure = unsure or Unsure()
    for where, part in predicate.walk(at):
        if part.segment is not None and not lacks((*where, "segment")):
            _check_segment(part.segment, segments, (*where, "segment"), report, unsure)
        if part.field is not None and not lacks((*where, "field")):
            table, _, column = part.field.partition(".")
            if part.field in catalogue or not unsure.has(table, column):
                _check_field(part, catalogue, where, report, lacks)


def _check_segment(name: str, segments: frozenset[str] | None, at: Location, report: Report, unsure: Unsure) -> None:
    if segments is None:
        report(at, "A segment cannot be named here.", "Name fields of the rows that are counted.")
    elif name not in segments and not unsure.has(SEGMENTS, name):
        report(at, f"There is no segment `{name}`.", suggestion(name, sorted(segments)))


def _check_field(part: Predicate, catalogue: Catalogue, at: Location, report: Report, lacks: Lacks) -> None:
    name = str(part.field)
    if name not in catalogue:
        report((*at, "field"), f"There is no field `{name}`.", suggestion(name, _near(name, catalogue)))
    meant = as_meant(name, catalogue)
    for key in part.operators if meant else ():  # several are told; each is to have a condition of its own
        absent = {part.attribute(other): None for other in part.operators if other != key}
        alone = part.model_copy(update={"field": meant, **absent})
        _check_operator(alone, catalogue[str(meant)], at, report, lacks)


def _check_operator(part: Predicate, known: Field, at: Location, report: Report, lacks: Lacks) -> None:
    name, key = str(part.field), part.operator
    operator = OPERATORS[key]
    if known.type not in operator.types:
        fitting = [other for other, candidate in OPERATORS.items() if known.type in candidate.types]
        report((*at, key), f"`{key}` does not go with `{name}` ({known.type}).", f"Use one of {', '.join(fitting)}.")
        return
    if lacks((*at, key)):
        return
    try:
        values = operands(part, known.type)
    except UnfitValueError as error:
        report((*at, key), f"`{key}` beside `{name}` ({known.type}) {error}.", "Write such a value.")
        return
    if known.vocabulary is not None and known.type == "text" and operator.operand in {"value", "values"}:
        _check_words(known.vocabulary, name, key, values, at, report)


def _check_words(
    vocabulary: Vocabulary, name: str, key: str, values: tuple[Value, ...], at: Location, report: Report
) -> None:
    """Report every value that the field never has: the condition would hold for nobody, or for everybody."""
    is_part = key in PARTS
    for index, word in enumerate(map(str, values)):
        fix = vocabulary.fix_part(word) if is_part else vocabulary.fix(word)
        if fix is not None:
            where = (*at, key, index) if OPERATORS[key].operand == "values" else (*at, key)
            told = f"`{word}`" if len(word) <= _LONGEST_TOLD else "what stands there"
            has = "never has the part" if is_part else "is never"
            report(where, f"`{name}` {has} {told}.", fix)


def _near(name: str, catalogue: Catalogue) -> list[str]:
    """The fields of the table that is meant, if that table exists: the shorter list is the better help."""
    table = name.split(".", 1)[0] + "."
    return [known for known in catalogue if known.startswith(table)] or list(catalogue)


def compile_predicate(
    predicate: Predicate, catalogue: Catalogue, binder: Binder, segments: Mapping[str, Predicate] | None = None
) -> exp.Expr:
    """The SQL condition, its columns named by tables and its values bound. It is NULL where the answer is unknown."""
    if predicate.segment is not None:
        inside = compile_predicate((segments or {})[predicate.segment], catalogue, binder, segments)
        return exp.func("coalesce", inside, exp.false())
    if predicate.field is not None:
        known = catalogue[predicate.field]
        column = exp.column(known.column, table=known.table)
        column.meta["is_list"] = known.type == "texts"
        values = [binder.bind(value) for value in operands(predicate, known.type)]
        return exp.paren(OPERATORS[predicate.operator].sql(column, values))
    inner = [compile_predicate(part, catalogue, binder, segments) for _, part in predicate.parts()]
    if predicate.not_ is not None:
        return exp.not_(exp.paren(inner[0]))
    return exp.paren(exp.and_(*inner) if predicate.all_ is not None else exp.or_(*inner))


def evaluate(
    predicate: Predicate,
    catalogue: Catalogue,
    values: Mapping[str, object],
    as_of: date,
    segments: Mapping[str, Predicate] | None = None,
) -> bool | None:
    """The answer for one customer whose fields have ``values`` (absent or None: unknown). None is unknown."""
    if predicate.segment is not None:
        return evaluate((segments or {})[predicate.segment], catalogue, values, as_of, segments) is True
    if predicate.field is not None:
        value = values.get(predicate.field)
        if value is None and predicate.operator != "is_null":
            return None
        given = operands(predicate, catalogue[predicate.field].type)
        return OPERATORS[predicate.operator].python(value, given, as_of)
    answers = [evaluate(part, catalogue, values, as_of, segments) for _, part in predicate.parts()]
    if predicate.not_ is not None:
        return None if answers[0] is None else not answers[0]
    decisive = predicate.all_ is None
    if decisive in answers:
        return decisive
    return None if None in answers else not decisive
