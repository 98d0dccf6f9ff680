"""The Python form of a mapping: one source row, or one group of rows, becomes a contract row or is refused.

Its word is final. The SQL form (``sources/compilation.py``) may stand in for it only where it is sure to agree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final, TypeAlias

from quality.contracts.check import Accepted, Reason, Rejected, check, check_field
from sources.evaluation import RowScope, evaluate, fields_of
from sources.expression import Each
from sources.field_memory import FieldMemory, Said, said, unread
from sources.free_form import UNIT, FreeForm, blamed
from sources.mapped_feed import MappedFeed
from sources.operations.moment import read_moment
from sources.operations.operation import UnreadableError, Value

_LATEST: Final = "9999"

Group: TypeAlias = Sequence[RowScope]
"""One source row; or the rows of one group, in the order of the file."""


class Judge:
    """Gives the contract's word on the rows of one feed, and remembers what it found out of their fields."""

    def __init__(self, mapped: MappedFeed) -> None:
        self.mapped = mapped
        self._memory = FieldMemory(mapped)
        self._order = {name: place for place, name in enumerate(mapped.contract.model_fields)}
        unnamed = (name for name in mapped.contract.model_fields if name not in {*mapped.fields, *mapped.rows})
        self._settleable = {*mapped.free_choices, UNIT} if mapped.free_form else set()
        self._unnamed = {name: faults for name in unnamed if (faults := check_field(mapped.kind, name, None))}

    def judge(
        self, groups: Sequence[Group], extras: Sequence[Mapping[str, Value]] | None = None
    ) -> list[Accepted | Rejected]:
        """The contract's word on each of the groups, whose rows are all flat or all objects.

        ``extras``: the values of new columns that the feed keeps, of each group.
        """
        if not groups:
            return []
        firsts = [_earliest(self.mapped, group) for group in groups]
        fields = self._memory.say(firsts)
        for name, each in self.mapped.rows.items():
            fields[name] = [self._rows(name, each, first, group) for first, group in zip(firsts, groups, strict=True)]
        if extras is not None:
            given = fields.get("extra") or [Said(None)] * len(groups)
            fields["extra"] = [self._with_extra(item, extra) for item, extra in zip(given, extras, strict=True)]
        wrong = {name: found for name, found in fields.items() if any(item.is_wrong for item in set(found))}
        return [self._word(place, first, fields, wrong) for place, first in enumerate(firsts)]

    def _rows(self, name: str, each: Each, first: RowScope, group: Group) -> Said:
        try:
            return said(self.mapped.kind, name, _made_of(each, first, group))
        except UnreadableError as error:
            return unread(name, error)

    def _with_extra(self, given: Said, extra: Mapping[str, Value]) -> Said:
        if not extra:
            return given
        value = dict(extra) | _dict(given.value)
        return Said(value, given.unread, check_field(self.mapped.kind, "extra", value))

    def _word(
        self, place: int, first: RowScope, fields: Mapping[str, list[Said]], wrong: Mapping[str, list[Said]]
    ) -> Accepted | Rejected:
        """The word on one group. The contract is asked of the row as a whole where no field alone is at fault."""
        missed = [item.unread for found in wrong.values() if (item := found[place]).unread is not None]
        faults = self._unnamed | {name: found[place].faults for name, found in wrong.items() if found[place].faults}
        if faults:
            ordered = sorted(faults, key=self._order.__getitem__)
            verdict: Accepted | Rejected = Rejected((*missed, *(reason for name in ordered for reason in faults[name])))
            if self._settleable.isdisjoint(blamed(verdict)):
                return verdict
        values = {name: value for name, found in fields.items() if (value := found[place].value) is not None}
        verdict = _word(self.mapped, values, missed)
        if isinstance(verdict, Accepted) or self._settleable.isdisjoint(blamed(verdict)):
            return verdict
        return self._settled(verdict, values, missed, first)

    def _settled(
        self, verdict: Rejected, values: Mapping[str, object], missed: Sequence[Reason], first: RowScope
    ) -> Accepted | Rejected:
        """The word on the row without those of its free-form values that the contract does not take."""
        mapped = self.mapped
        form = FreeForm(mapped, partial(evaluate, scope=first), first.read, partial(check, mapped.kind))
        settled, left = form.settled(values, blamed(verdict))
        if not left and settled == values:
            return verdict
        settled["extra"] = left | _dict(values.get("extra")) or None
        return _word(mapped, settled, [reason for reason in missed if reason.field not in settled])


def judge(mapped: MappedFeed, group: Group) -> Accepted | Rejected:
    """The contract's word on one row, or one group of rows."""
    return Judge(mapped).judge([group])[0]


def _word(mapped: MappedFeed, values: Mapping[str, object], missed: Sequence[Reason]) -> Accepted | Rejected:
    """The contract's word on values, beside what could not be evaluated at all."""
    verdict = check(mapped.kind, values)
    if not missed:
        return verdict
    unread_fields = blamed(Rejected(tuple(missed)))
    more = verdict.reasons if isinstance(verdict, Rejected) else ()
    return Rejected((*missed, *(reason for reason in more if reason.field not in unread_fields)))


def _made_of(each: Each, first: RowScope, group: Group) -> object:
    if each.path is not None:
        return evaluate(each, first)
    return [
        fields_of(each.fields, RowScope(scope.row, scope.setting, number, scope.is_flat), f"[{number - 1}]")
        for number, scope in enumerate(group, 1)
    ]


def _earliest(mapped: MappedFeed, group: Group) -> RowScope:
    """The row whose event time is earliest, then first in the file: it speaks for its group."""
    occurred = mapped.fields.get(mapped.contract.occurred or "")
    if len(group) == 1 or occurred is None:
        return group[0]

    def moment(scope: RowScope) -> str:
        try:
            value = evaluate(occurred, scope)
        except UnreadableError:
            return _LATEST
        found = read_moment(value) if isinstance(value, str) else None
        return found.isoformat(timespec="microseconds") if found else _LATEST

    return min(group, key=moment)


def _dict(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}
