"""Doubtful pairs as questions to a person, the most consequential first; the answers become decisions.

A pair of two customers is a question about both as wholes, asked once; a pair inside one customer is about the two
records alone. *Yes* merges, *no* forbids.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from identity.masked import masked_value
from identity.stewardship import Written, decide, party_of
from identity.words import words_for
from quality.resolution import Attempt
from warehouse.database import Connection
from warehouse.errors import InputError, Problem

Answer = Literal["yes", "no", "skip"]
FIELDS = (
    *("full_name", "given_name", "family_name", "email", "phone", "birth_on", "gender", "address_line", "city"),
    *("postcode", "country", "company", "account_id", "handle", "source_customer_id"),
)
ANSWER_COLUMNS = ("record_id_l", "record_id_r", "answer", "reason")

_ASKED = (
    *("record_id_l", "record_id_r", "customer_id_l", "customer_id_r", "reason", "weight", "probability"),
    *("touched_records", "touched_orders", "touched_base_amount", "priority"),
)
_PERSONAL = frozenset(FIELDS) - {"gender", "country"}
_QUEUE = """
    with ranked as (
        select
            *,
            row_number() over (
                partition by
                    least(customer_id_l, customer_id_r),
                    greatest(customer_id_l, customer_id_r),
                    case when customer_id_l = customer_id_r then record_id_l || record_id_r end
                order by priority desc, record_id_l, record_id_r
            ) as nth
        from identity.review_queue
    )

    select
        ranked.record_id_l, ranked.record_id_r, ranked.customer_id_l, ranked.customer_id_r, ranked.reason,
        ranked.weight, ranked.probability, ranked.touched_records, ranked.touched_orders,
        cast(ranked.touched_base_amount as double), ranked.priority, edges.evidence
    from ranked
    inner join identity.edges as edges
        on ranked.record_id_l = edges.record_id_l and ranked.record_id_r = edges.record_id_r
    where ranked.nth = 1
    order by ranked.priority desc, ranked.record_id_l, ranked.record_id_r
    limit $most
"""
_RECORDS = """
    select coalesce(siblings.asked, records.record_id) as asked, records.*
    from identity.records as records
    left join (
        select own.record_id as asked, other.record_id
        from identity._nodes as own
        inner join identity._nodes as other on own.node_id = other.node_id
        where list_contains($records, own.record_id)
    ) as siblings on records.record_id = siblings.record_id
    where siblings.asked is not null or list_contains($records, records.record_id)
    order by records.first_seen_at nulls last, records.record_id
"""
_VALUES_SHOWN = 3


@dataclass(frozen=True)
class Said:
    """One comparison of the pair: how it came out, in words, with its bits."""

    comparison: str
    words: str
    weight: float


@dataclass(frozen=True)
class Question:
    """Are these two one person? With what an answer would move, and both records' values, masked or not."""

    record_id_l: str
    record_id_r: str
    customer_id_l: str
    customer_id_r: str
    reason: str
    weight: float
    probability: float
    touched_records: float
    touched_orders: float
    touched_base_amount: float
    priority: float
    evidence: tuple[Said, ...]
    left: Mapping[str, str]
    right: Mapping[str, str]

    @property
    def customers(self) -> tuple[str, ...]:
        """The customers that an answer is about."""
        return tuple(sorted({self.customer_id_l, self.customer_id_r}))


@dataclass(frozen=True)
class GivenAnswer:
    """A line of a file of answers."""

    line: int
    record_id_l: str
    record_id_r: str
    answer: str
    reason: str


def questions(connection: Connection, most: int, *, reveal: bool = False) -> tuple[Question, ...]:
    """The first ``most`` questions; personal values masked unless ``reveal``."""
    rows = connection.execute(_QUEUE, {"most": most}).fetchall()
    wanted = sorted({record for row in rows for record in row[:2]})
    cursor = connection.execute(_RECORDS, {"records": wanted})
    names = [column[0] for column in cursor.description or ()]
    records: dict[str, list[dict[str, object]]] = {}
    for row in cursor.fetchall():
        records.setdefault(row[0], []).append(dict(zip(names, row, strict=True)))
    return tuple(
        Question(
            **dict(zip(_ASKED, row, strict=False)),
            evidence=_told(row[len(_ASKED)]),
            left=_shown(records[row[0]], reveal),
            right=_shown(records[row[1]], reveal),
        )
        for row in rows
    )


def answer(connection: Connection, question: Question, given: Answer, attempt: Attempt) -> Written | None:
    """Write the decision that an answer stands for; none for *skip*.

    Raises:
        IdentityConflictError: it contradicts what was decided before.
    """
    if given == "skip":
        return None
    action = "merge" if given == "yes" else "forbid"
    whole = question.customer_id_l != question.customer_id_r
    left = party_of(connection, question.customer_id_l, None if whole else question.record_id_l)
    right = party_of(connection, question.customer_id_r, None if whole else question.record_id_r)
    return decide(connection, action, left, right, attempt)


def read_answers(file: Path, known: Sequence[Question]) -> tuple[tuple[GivenAnswer, Question], ...]:
    """The answers of a CSV file (record_id_l, record_id_r, answer, reason), each with its question.

    Raises:
        InputError: the file cannot be read, or lines are wrong: all problems at once.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{file.name} cannot be read as UTF-8 text.", "Save it as a UTF-8 CSV file.") from error
    by_pair = {(item.record_id_l, item.record_id_r): item for item in known}
    reader = csv.DictReader(io.StringIO(text), restkey="more", restval="")
    missing = [name for name in ANSWER_COLUMNS[:3] if name not in (reader.fieldnames or ())]
    problems = [
        Problem(file.name, 1, f"There is no column `{name}`.", f"Columns: {', '.join(ANSWER_COLUMNS)}.")
        for name in missing
    ]
    found: list[tuple[GivenAnswer, Question]] = []
    for row in reader if not missing else ():
        cells = [str(row.get(name) or "").strip() for name in ANSWER_COLUMNS]
        one, other = sorted(cells[:2])
        given = GivenAnswer(reader.line_num, one, other, cells[2].lower(), cells[3])
        question = by_pair.get((one, other))
        if given.answer not in ("yes", "no", "skip"):
            problems.append(Problem(file.name, given.line, "`answer` is not one of yes, no, skip.", "Write one."))
        elif question is None:
            fix = "`cdp identity review --json` lists what is asked now."
            problems.append(Problem(file.name, given.line, "These two records are not in the queue.", fix))
        else:
            found.append((given, question))
    if problems:
        told = "\n".join(str(problem) for problem in sorted(problems))
        raise InputError(f"{file.name} cannot be taken as it is:\n{told}", "Mend the lines; nothing was written.")
    return tuple(found)


def _told(evidence: Sequence[Mapping[str, object]]) -> tuple[Said, ...]:
    return tuple(
        Said(
            str(item["comparison"]),
            words_for(str(item["comparison"]), str(item["level"])),
            float(str(item["weight"])),
        )
        for item in evidence
    )


def _shown(records: Sequence[Mapping[str, object]], reveal: bool) -> Mapping[str, str]:
    """What a record, and those that are one with it for certain, say; and where they come from."""
    shown = {name: _values(records, name, reveal) for name in ("feed", *FIELDS)}
    return {name: text for name, text in shown.items() if text}


def _values(records: Sequence[Mapping[str, object]], name: str, reveal: bool) -> str:
    found = dict.fromkeys(str(record[name]) for record in records if record[name] not in (None, ""))
    shown = [text if reveal or name not in _PERSONAL else masked_value(name, text) for text in found]
    more = [f"and {len(shown) - _VALUES_SHOWN} more"] if len(shown) > _VALUES_SHOWN else []
    return ", ".join([*shown[:_VALUES_SHOWN], *more])
