"""The Python form of a mapping: one source row, or one group of rows, becomes a contract row or is refused.

Its word is final. The SQL form (``sources/compilation.py``) may stand in for it only where it is sure to agree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

from quality.contracts.check import Accepted, Reason, Rejected, check
from sources.evaluation import PlacedError, RowScope, evaluate, fields_of
from sources.expression import Each
from sources.free_form import FreeForm, blamed
from sources.mapped_feed import MappedFeed
from sources.operations.moment import read_moment
from sources.operations.operation import UnreadableError, Value

_LATEST: Final = "9999"


def judge(
    mapped: MappedFeed, scopes: Sequence[RowScope], extra: Mapping[str, Value] | None = None
) -> Accepted | Rejected:
    """The contract's word on one source row, or on the rows of one group in the order of the file.

    ``extra``: values of new columns that the feed keeps.
    """
    values: dict[str, object] = {}
    reasons: list[Reason] = []
    first = _earliest(mapped, scopes)
    for name, expression in mapped.fields.items():
        try:
            value = evaluate(expression, first)
        except UnreadableError as error:
            reasons.append(_reason(name, error))
        else:
            values[name] = value or None if type(expression) is Each else value  # no answers: no list, as in SQL
    for name, each in mapped.rows.items():
        try:
            values[name] = _made_of(each, first, scopes)
        except UnreadableError as error:
            reasons.append(_reason(name, error))
    if extra:
        values["extra"] = dict(extra) | _dict(values.get("extra"))
    verdict = _word(mapped, values, reasons)
    if not mapped.free_form or isinstance(verdict, Accepted):
        return verdict
    form = FreeForm(mapped, partial(evaluate, scope=first), first.read, partial(check, mapped.kind))
    settled, left = form.settled(values, blamed(verdict))
    if not left and settled == values:
        return verdict
    settled["extra"] = left | _dict(values.get("extra")) or None
    return _word(mapped, settled, [reason for reason in reasons if reason.field not in settled])


def _reason(name: str, error: UnreadableError) -> Reason:
    place = error.place if isinstance(error, PlacedError) else ""
    return Reason(name + place, error.code, error.message)  # type: ignore[arg-type]  # a known code


def _word(mapped: MappedFeed, values: Mapping[str, object], reasons: Sequence[Reason]) -> Accepted | Rejected:
    """The contract's word on values, beside what could not be evaluated at all."""
    verdict = check(mapped.kind, values)
    if not reasons:
        return verdict
    unread = Rejected(tuple(reasons))
    more = verdict.reasons if isinstance(verdict, Rejected) else ()
    return Rejected((*reasons, *(reason for reason in more if reason.field not in blamed(unread))))


def _made_of(each: Each, first: RowScope, scopes: Sequence[RowScope]) -> object:
    if each.path is not None:
        return evaluate(each, first)
    return [
        fields_of(each.fields, RowScope(scope.row, scope.setting, number, scope.is_flat), f"[{number - 1}]")
        for number, scope in enumerate(scopes, 1)
    ]


def _earliest(mapped: MappedFeed, scopes: Sequence[RowScope]) -> RowScope:
    """The row whose event time is earliest, then first in the file: it speaks for its group."""
    occurred = mapped.fields.get(mapped.contract.occurred or "")
    if len(scopes) == 1 or occurred is None:
        return scopes[0]

    def moment(scope: RowScope) -> str:
        try:
            value = evaluate(occurred, scope)
        except UnreadableError:
            return _LATEST
        found = read_moment(value) if isinstance(value, str) else None
        return found.isoformat(timespec="microseconds") if found else _LATEST

    return min(scopes, key=moment)


def _dict(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}
