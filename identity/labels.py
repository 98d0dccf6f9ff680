"""What is known about who is who, for training: people's decisions, and a file of labels.

A file names either persons (feed, file, row, person_id: one line per source row, as in ``truth/persons.csv``) or
pairs (record_id_l, record_id_r, answer: yes or no, as ``cdp identity review --answers`` takes them). Labels are of
pairs of nodes. Each end belongs to a group, so that training and trial can be kept apart: pairs that share a group are
of the same people.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa

from identity.arrays import Flags, Integers, arrow, components, encoded, integers, read_table
from identity.decisions import standing_constraints
from warehouse.database import Connection
from warehouse.errors import InputError, Problem

PERSON_COLUMNS: Final = ("feed", "file", "row", "person_id")
PAIR_COLUMNS: Final = ("record_id_l", "record_id_r", "answer")
_ANSWERS: Final = ("yes", "no", "skip", "")
_PERSONS: Final = """
    with counted as (
        select rows_of.record_id, given.person_id, count(*) as rows
        from _given_labels as given
        inner join identity.row_records as rows_of
            on given.feed = rows_of.feed and given.file = rows_of.file and given.row = cast(rows_of.row as varchar)
        where rows_of.record_id is not null
        group by 1, 2
    ),

    ranked as (
        select *, row_number() over (partition by record_id order by rows desc, person_id) as nth
        from counted
    )

    select nodes.node_id, ranked.record_id, ranked.person_id
    from ranked
    inner join identity._nodes as nodes on ranked.record_id = nodes.record_id
    where ranked.nth = 1
    order by nodes.node_id, ranked.record_id
"""
_NODES: Final = "select record_id, node_id from identity._nodes order by record_id"


@dataclass(frozen=True)
class Persons:
    """The person of each record that is labelled: node, and codes of persons."""

    node: Integers
    person: Integers
    group: Integers
    """Per code of a person: its group."""

    def of_nodes(self, nodes: int) -> Integers:
        """Per node the code of its person, -1 where none is known; of several the one with most records."""
        found = np.full(nodes, -1, dtype=np.int64)
        if len(self.node):
            size = int(self.person.max()) + 1
            keys, records = np.unique(self.node * size + self.person, return_counts=True)
            order = np.lexsort((-keys, records))  # the last one written stays: most records, then the smallest code
            found[keys[order] // size] = keys[order] % size
        return found


@dataclass(frozen=True)
class Pairs:
    """Labelled pairs of nodes, and the groups that their ends belong to."""

    left: Integers
    right: Integers
    is_match: Flags
    group_l: Integers
    group_r: Integers


def read_persons(connection: Connection, file: Path) -> Persons | None:
    """The persons of a file of labels; None where the file names pairs.

    Raises:
        InputError: the file cannot be read, or names neither.
    """
    header, lines = _read(file)
    if not set(PERSON_COLUMNS) <= set(header):
        return None
    cells = {name: [line[name] for _, line in lines if line["person_id"]] for name in PERSON_COLUMNS}
    connection.register("_given_labels", arrow({name: (cells[name], pa.string()) for name in PERSON_COLUMNS}))
    try:
        found = read_table(connection, _PERSONS)
    finally:
        connection.unregister("_given_labels")
    codes, texts = encoded(found.column("person_id"))
    if not texts:
        raise InputError(
            f"No row of {file.name} is a row that was accepted.",
            "Feed, file and row are those of identity.row_records: rows count from 1.",
        )
    return Persons(integers(found, "node_id"), codes, np.array([group_of(text) for text in texts], dtype=np.int64))


def pairs_of_persons(persons: Persons, nodes: int, left: Integers, right: Integers) -> Pairs:
    """Of some pairs of nodes those whose persons are both known."""
    person = persons.of_nodes(nodes)
    known = np.flatnonzero((person[left] >= 0) & (person[right] >= 0))
    one, other = person[left[known]], person[right[known]]
    return Pairs(left[known], right[known], one == other, persons.group[one], persons.group[other])


def decided_pairs(connection: Connection, file: Path | None) -> Pairs:
    """Pairs that people decided, and those that a file names; what a file says of a pair goes before decisions.

    Raises:
        InputError: the file is wrong: all problems at once.
    """
    table = read_table(connection, _NODES)
    node_of = dict(zip(table.column("record_id").to_pylist(), table.column("node_id").to_pylist(), strict=True))
    first_record: dict[int, str] = {}
    for record, node in node_of.items():
        first_record.setdefault(node, record)
    said: dict[tuple[int, int], bool] = {}
    for item in standing_constraints(connection):
        _note(said, node_of.get(item.record_id_l), node_of.get(item.record_id_r), item.is_together)
    for one, other, is_match in _answers(file, node_of) if file is not None else ():
        _note(said, one, other, is_match)
    ends = np.array(sorted(said), dtype=np.int64).reshape(-1, 2)
    places, where = np.unique(ends, return_inverse=True)
    home = places[components(len(places), *where.reshape(-1, 2).T)] if len(places) else places
    group = np.array([group_of(first_record[node]) for node in home.tolist()], dtype=np.int64)
    both = group[where.reshape(-1, 2)[:, 0]] if len(places) else group
    matches = np.array([said[a, b] for a, b in ends.tolist()], dtype=np.bool_)
    return Pairs(ends[:, 0], ends[:, 1], matches, both, both)


def joined(parts: Sequence[Pairs]) -> Pairs:
    """All pairs of some; of a pair that several name, the first one counts."""
    left, right = (np.concatenate([getattr(part, end) for part in parts]) for end in ("left", "right"))
    size = np.int64(max(int(right.max(initial=0)), int(left.max(initial=0))) + 1)
    _, first = np.unique(left * size + right, return_index=True)
    rest = [
        np.concatenate([getattr(part, name) for part in parts])[first] for name in ("is_match", "group_l", "group_r")
    ]
    return Pairs(left[first], right[first], *rest)


def group_of(text: str) -> int:
    """A number that depends on the text alone."""
    return int(hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()[:12], 16)


def _note(said: dict[tuple[int, int], bool], one: int | None, other: int | None, is_match: bool) -> None:
    if one is not None and other is not None and one != other:
        said[min(one, other), max(one, other)] = is_match


def _answers(file: Path, node_of: Mapping[str, int]) -> list[tuple[int, int, bool]]:
    header, lines = _read(file)
    if not set(PAIR_COLUMNS) <= set(header):
        raise InputError(
            f"{file.name} has neither the columns of persons nor those of pairs.",
            f"Persons: {', '.join(PERSON_COLUMNS)}. Pairs: {', '.join(PAIR_COLUMNS)}.",
        )
    problems: list[Problem] = []
    found: list[tuple[int, int, bool]] = []
    for number, line in lines:
        one, other, answer = line["record_id_l"], line["record_id_r"], line["answer"].lower()
        if answer not in _ANSWERS:
            problems.append(Problem(file.name, number, "`answer` is not one of yes, no, skip.", "Write one."))
        elif unknown := [
            name for name, record in zip(PAIR_COLUMNS, (one, other), strict=False) if record not in node_of
        ]:
            problems.append(
                Problem(file.name, number, f"`{unknown[0]}` is no record that is compared.", "See identity.records.")
            )
        elif answer in ("yes", "no"):
            found.append((node_of[one], node_of[other], answer == "yes"))
    if problems:
        told = "\n".join(str(problem) for problem in sorted(problems))
        raise InputError(f"{file.name} cannot be taken as it is:\n{told}", "Mend the lines; nothing was learned.")
    return found


def _read(file: Path) -> tuple[list[str], list[tuple[int, dict[str, str]]]]:
    """The columns and the lines of a CSV file, cells without spaces around them."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{file.name} cannot be read as UTF-8 text.", "Save it as a UTF-8 CSV file.") from error
    reader = csv.DictReader(io.StringIO(text), restkey="more", restval="")
    header = list(reader.fieldnames or ())
    return header, [(reader.line_num, {name: str(line[name] or "").strip() for name in header}) for line in reader]
