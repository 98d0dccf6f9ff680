"""Conditions in declarations: the small typed language of segments and of the ``where`` of traits.

A predicate is ``all``, ``any`` or ``not`` of predicates, the name of a ``segment``, or a ``field`` with one operator:

    all:
      - {field: customers.country, eq: CN}
      - {field: purchase_traits.sale_count, gte: 3}
      - not: {segment: sleeping_buyers}

Truth has three values, as in SQL: a comparison with something we do not know is *unknown*; ``not`` of unknown is
unknown; ``all`` is false as soon as one part is, ``any`` true as soon as one part is. Whoever asks (a segment, a
trait) takes unknown for no. A segment named inside another one is yes or no, never unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pydantic import Field, StrictBool, StrictFloat, StrictInt, StrictStr

from profiles.predicate_operators import OPERATORS
from warehouse.declaration import Declaration, Location, Text
from warehouse.misfit import Misfit

Scalar = StrictBool | StrictInt | StrictFloat | StrictStr

OPERATOR_KEYS = (
    "eq", "ne", "in", "not_in", "contains", "contains_any", "starts_with", "gt", "gte", "lt", "lte", "between",
    "is_null", "within_days", "older_than_days",
)  # fmt: skip
FORM_KEYS = ("all", "any", "not", "segment", "field")


def _of(operator: str, meaning: str) -> str:
    """The meaning of an operator with the types of field it goes with."""
    return f"{meaning} Goes with {', '.join(sorted(OPERATORS[operator].types))}."


class Predicate(Declaration):
    """A condition: exactly one of `all`, `any`, `not`, `segment`, or `field` with one operator."""

    all_: tuple[Predicate, ...] | None = Field(None, alias="all", min_length=1, description="Every part must hold.")
    any_: tuple[Predicate, ...] | None = Field(None, alias="any", min_length=1, description="One part must hold.")
    not_: Predicate | None = Field(None, alias="not", description="The part must not hold; unknown stays unknown.")
    segment: Text | None = Field(None, description="Name of a segment whose members are meant; in segments only.")
    field: Text | None = Field(None, description="Name of a field, with one of the operators, the keys after this one.")
    eq: Scalar | None = Field(None, description=_of("eq", "Equal to the value."))
    ne: Scalar | None = Field(None, description=_of("ne", "Known, and not the value."))
    in_: tuple[Scalar, ...] | None = Field(None, alias="in", min_length=1, description=_of("in", "One of the values."))
    not_in: tuple[Scalar, ...] | None = Field(
        None, min_length=1, description=_of("not_in", "Known, and none of the values.")
    )
    contains: StrictStr | None = Field(
        None, description=_of("contains", "The list has the element; the text has the part.")
    )
    contains_any: tuple[StrictStr, ...] | None = Field(
        None,
        min_length=1,
        description=_of("contains_any", "The list has one of the elements; the text has one of the parts."),
    )
    starts_with: StrictStr | None = Field(None, description=_of("starts_with", "The text begins so."))
    gt: Scalar | None = Field(None, description=_of("gt", "Greater, or later."))
    gte: Scalar | None = Field(None, description=_of("gte", "Greater or equal."))
    lt: Scalar | None = Field(None, description=_of("lt", "Less, or earlier."))
    lte: Scalar | None = Field(None, description=_of("lte", "Less or equal."))
    between: tuple[Scalar, Scalar] | None = Field(
        None, description=_of("between", "From the first to the second value, both included.")
    )
    is_null: StrictBool | None = Field(None, description=_of("is_null", "true: nothing is known. false: something is."))
    within_days: StrictInt | None = Field(
        None, ge=1, le=36_500, description=_of("within_days", "One of the last n days; 1 is the day itself.")
    )
    older_than_days: StrictInt | None = Field(
        None, ge=0, le=36_500, description=_of("older_than_days", "At least n days before the as-of date.")
    )

    def misfits(self) -> Iterator[Misfit]:
        """A condition has one form, and a field one operator."""
        forms = [key for key in FORM_KEYS if self.given(key) is not None]
        operators = self.operators
        if not forms:
            what, fix = f"a condition is exactly one of {', '.join(FORM_KEYS)}", "Add one of them."
            yield Misfit(what, fix, rests_on=_places(FORM_KEYS))
        elif len(forms) > 1:
            what = f"a condition is exactly one of {', '.join(FORM_KEYS)}{_found(forms)}"
            yield Misfit(what, "Keep one; put several conditions below `all:` or `any:`.", rests_on=())
        if forms and self.field is None and operators:
            what, fix = f"`{operators[0]}` stands beside no `field`", "Add `field:`, or take it out."
            yield Misfit(what, fix, rests_on=_places(["field"]))
        if forms == ["field"] and not operators:
            fix = f"Add one of {', '.join(OPERATOR_KEYS)}."
            yield Misfit("a field takes exactly one operator", fix, rests_on=_places(OPERATOR_KEYS))
        elif forms == ["field"] and len(operators) > 1:
            what = f"a field takes exactly one operator{_found(operators)}"
            yield Misfit(what, "Put each into a condition of its own.", rests_on=())

    def given(self, key: str) -> object:
        """What is written under a key of the declaration; None when nothing is."""
        return getattr(self, self.attribute(key))

    @staticmethod
    def attribute(key: str) -> str:
        """The attribute in which a key of the declaration stands."""
        return _ATTRIBUTES.get(key, key)

    @property
    def operators(self) -> list[str]:
        """The keys of the operators that are written; one beside a ``field``, unless it is wrong."""
        return [key for key in OPERATOR_KEYS if self.given(key) is not None]

    @property
    def operator(self) -> str:
        """The key of the operator beside ``field``."""
        return self.operators[0]

    def parts(self) -> tuple[tuple[Location, Predicate], ...]:
        """The predicates directly inside, each with where it stands."""
        listed = (("all", self.all_ or ()), ("any", self.any_ or ()))
        found = [((key, index), part) for key, inside in listed for index, part in enumerate(inside)]
        return (*found, (("not",), self.not_)) if self.not_ is not None else tuple(found)

    def walk(self, at: Location = ()) -> Iterator[tuple[Location, Predicate]]:
        """This predicate and all inside it, each with where it stands."""
        yield at, self
        for where, part in self.parts():
            yield from part.walk((*at, *where))


_ATTRIBUTES = {"all": "all_", "any": "any_", "not": "not_", "in": "in_"}


def _places(keys: Iterable[str]) -> tuple[Location, ...]:
    return tuple((key,) for key in keys)


def _found(keys: list[str]) -> str:
    return f" (found {' and '.join(keys)})" if keys else ""
