"""``cdp identity review``: the doubtful pairs, one after the other; the answers become decisions.

Imports come late: `cdp identity run` is loaded with this module, and must not wait for what a project needs.
"""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cdp.terminal import JsonOption, ProjectOption, counted, say, show, show_json
from warehouse.errors import IdentityConflictError

if TYPE_CHECKING:
    from identity.review import Answer, Question
    from warehouse.project import Project

ByOption = Annotated[
    str | None, typer.Option("--by", help="Who does this; default: CDP_USER, else the user of this computer.")
]

_KEYS: dict[str, Answer] = {"y": "yes", "yes": "yes", "n": "no", "no": "no", "s": "skip", "skip": "skip", "": "skip"}
_QUIT = ("q", "quit")
_ALL = 1_000_000


def review(
    project: ProjectOption = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most so many questions.")] = 50,
    answers: Annotated[
        Path | None, typer.Option("--answers", help="CSV: record_id_l, record_id_r, answer (yes, no, skip), reason.")
    ] = None,
    reveal: Annotated[
        bool, typer.Option("--reveal", help="Show personal values instead of masking them; noted in ops.access_log.")
    ] = False,
    why: Annotated[str, typer.Option("--why", help="Why personal values are looked at, for ops.access_log.")] = "",
    by: ByOption = None,
    json: JsonOption = False,
) -> None:
    """Decide doubtful pairs, the most consequential first: are these two records one person?"""
    from cdp.settings import find_project
    from cdp.warehouses import reading
    from identity.review import questions

    where = find_project(project)
    if answers is not None:
        _take(where, answers, by, json)
        return
    with reading(where) as cursor:
        found = questions(cursor, limit, reveal=reveal)
    if reveal and found:
        _log(where, len(found), by, why)
    if json:
        show_json([asdict(question) for question in found])
        return
    if not found:
        say("Nothing to decide: no pair is in doubt.")
        return
    _walk(where, found, by)


def _log(where: Project, pairs: int, by: str | None, why: str) -> None:
    """Note a look at personal values, before they are shown."""
    from cdp.actor import attempt_of
    from cdp.warehouses import writing
    from quality.access_log import Access, log_access

    who = attempt_of(by, why)
    access = Access(who.at, who.by, "identity review", f"{pairs} pairs of identity.review_queue", 2 * pairs, who.why)
    with writing(where) as warehouse, warehouse.transaction() as connection:
        log_access(connection, access)


def _walk(where: Project, found: tuple[Question, ...], by: str | None) -> None:
    from cdp.actor import attempt_of
    from cdp.warehouses import writing
    from identity.review import answer

    written = 0
    for number, question in enumerate(found, start=1):
        _ask(number, len(found), question)
        given = _key()
        if given is None:
            break
        if given == "skip":
            continue
        try:
            with writing(where) as warehouse, warehouse.transaction() as connection:
                done = answer(connection, question, given, attempt_of(by, "reviewed"))
        except IdentityConflictError as error:
            say(f"not written: {error.reason} {error.fix}")
            continue
        written += 1
        assert done is not None
        say(f"{done.decision_id}: {'one person' if given == 'yes' else 'two people'}")
    say(f"\nwrote {counted(written, 'decision')}; they take effect with the next run. next: cdp run")


def _ask(number: int, of: int, question: Question) -> None:
    """One question on the terminal: both records side by side, then what speaks for and against."""
    touched = (
        f"{question.touched_records:,.0f} records, {question.touched_orders:,.0f} orders, "
        f"{question.touched_base_amount:,.2f} of revenue"
    )
    say(f"\n{number} of {of}: {question.reason}; probability {question.probability:.2f}; an answer moves {touched}")
    fields = dict.fromkeys([*question.left, *question.right])
    rows = [{"": name, "one": question.left.get(name), "other": question.right.get(name)} for name in fields]
    rows.append({"": "record", "one": question.record_id_l[:8], "other": question.record_id_r[:8]})
    rows.append({"": "customer", "one": question.customer_id_l, "other": question.customer_id_r})
    show(rows, ["", "one", "other"], as_json=False)
    for said in question.evidence:
        say(f"  {said.weight:+6.1f}  {said.words}")


def _key() -> Answer | None:
    """The answer of the next line that is one; None to stop."""
    while True:
        sys.stdout.write("one person? [y]es [n]o [s]kip [q]uit: ")
        sys.stdout.flush()
        line = sys.stdin.readline()
        key = line.strip().lower()
        if not line or key in _QUIT:
            return None
        if key in _KEYS:
            return _KEYS[key]


def _take(where: Project, file: Path, by: str | None, json: bool) -> None:
    """All answers of a file, or none."""
    from cdp.actor import attempt_of
    from cdp.warehouses import writing
    from identity.review import answer, questions, read_answers

    counts = {"yes": 0, "no": 0, "skip": 0}
    with writing(where) as warehouse, warehouse.transaction() as connection:
        for given, question in read_answers(file, questions(connection, _ALL)):
            try:
                answer(connection, question, _KEYS[given.answer], attempt_of(by, given.reason or "reviewed"))
            except IdentityConflictError as error:
                raise IdentityConflictError(f"{file.name}:{given.line}: {error.reason}", error.fix) from error
            counts[given.answer] += 1
    if json:
        show_json(counts)
        return
    say(f"wrote {counted(counts['yes'] + counts['no'], 'decision')}, skipped {counts['skip']}. next: cdp run")
