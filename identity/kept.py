"""What a step made stays for the runs to come; only what changed since is made anew.

A step that keeps its tables says which *subjects* it hears of (records, values, nodes …) and writes down, when it is
done, what it made them by (``identity._kept``). A step that changes a subject writes down which of it
(``identity._changes``); who comes after takes from there what it has not heard yet, however many runs that were. Both
are written in the transaction of the step itself, so that a run which is killed loses nothing and does nothing twice.
A step begins anew when anything that decides its result as a whole is another now: the code, the rules, the model.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from importlib.resources import files

import sqlglot
from sqlglot import exp

from warehouse.database import ENGINE, Connection
from warehouse.step import Run

_CREATE = (
    """
    create table if not exists identity._kept (
        step varchar not null, subjects varchar[] not null, fingerprint varchar not null, seen bigint not null
    )
    """,
    """
    create table if not exists identity._changes (
        subject varchar not null, version bigint not null, is_everything boolean not null, key varchar, one bigint,
        other bigint
    )
    """,
)
_STANDS = "select seen from identity._kept where step = $step and fingerprint = $fingerprint"
_NEWEST = """
    select subject, max(version) filter (where is_everything)
    from identity._changes
    where list_contains($subjects, subject)
    group by subject
"""
_HEARD = """
    create or replace temp table _heard as
    select subject, key, one, other, version
    from identity._changes
    where list_contains($subjects, subject) and version > $seen and not is_everything
"""
_DONE = """
    insert into identity._kept
    select
        $step, $subjects, $fingerprint,
        coalesce((select max(version) from identity._changes where list_contains($subjects, subject)), 0)
"""
_FORGET_HEARD = """
    delete from identity._changes
    where
        subject = $subject
        and not is_everything
        and version <= (select coalesce(min(seen), 0) from identity._kept where list_contains(subjects, $subject))
"""
_TELL_EVERYTHING = """
    insert into identity._changes (subject, version, is_everything)
    select
        $subject,
        greatest(
            (select coalesce(max(version), 0) from identity._changes),
            (select coalesce(max(seen), 0) from identity._kept)
        ) + 1,
        true
"""
_TELL = """
    insert into identity._changes
    select
        $subject,
        greatest(
            (select coalesce(max(version), 0) from identity._changes),
            (select coalesce(max(seen), 0) from identity._kept)
        ) + 1,
        false,
        key,
        one,
        other
    from _told
"""
_LIBRARIES = ("phonenumbers", "pypinyin", "OpenCC", "rapidfuzz", "numpy")


@dataclass(frozen=True)
class Keeper:
    """A step that keeps what it made: the subjects it hears of, and what its result as a whole depends on."""

    step: str
    subjects: tuple[str, ...]
    depends_on: tuple[str, ...] = ()

    def stands(self, connection: Connection, run: Run) -> bool:
        """Whether the step's tables stand, but for what changed; that is in the temporary table ``_heard`` then.

        ``_heard`` holds subject, key, one, other and version. Where it is False everything is to be made anew.
        """
        for statement in _CREATE:
            connection.execute(statement)
        found = connection.execute(_STANDS, {"step": self.step, "fingerprint": self._fingerprint()}).fetchone()
        if found is None or run.full_refresh:
            return False
        newest = dict(connection.execute(_NEWEST, {"subjects": list(self.subjects)}).fetchall())
        if any(newest.get(subject) is None or newest[subject] > found[0] for subject in self.subjects):
            return False
        connection.execute(_HEARD, {"subjects": list(self.subjects), "seen": found[0]})
        return True

    def done(self, connection: Connection) -> None:
        """The tables are what they are to be, as far as was heard."""
        connection.execute("delete from identity._kept where step = $step", {"step": self.step})
        values = {"step": self.step, "subjects": list(self.subjects), "fingerprint": self._fingerprint()}
        connection.execute(_DONE, values)

    def _fingerprint(self) -> str:
        return hashlib.sha256("\n".join((code(), *self.depends_on)).encode()).hexdigest()[:16]


def tell_everything(connection: Connection, *subjects: str) -> None:
    """Whoever hears of the subjects makes its tables anew."""
    for subject in subjects:
        connection.execute("delete from identity._changes where subject = $subject", {"subject": subject})
        connection.execute(_TELL_EVERYTHING, {"subject": subject})


def tell(connection: Connection, subject: str, changed: str) -> None:
    """Of a subject this changed: a select of ``key``, ``one`` and ``other``."""
    connection.execute(_FORGET_HEARD, {"subject": subject})
    make(connection, "_told", changed)
    if is_filled(connection, "_told"):
        connection.execute(_TELL, {"subject": subject})


def make(connection: Connection, table: str, query: str, parameters: Mapping[str, object] | None = None) -> None:
    """A temporary table of what a select gives."""
    connection.execute(" ".join(("create or replace temp table", table, "as", query)), dict(parameters or {}))


def part(connection: Connection, name: str, table: str, among: str, key: str) -> None:
    """A temporary table of the rows of a table whose ``key`` (columns, separated by commas) stands in ``among``.

    The rows are found by their key first and read by their places then: what changed lies together as a rule, at the
    end, and of a wide table the engine would otherwise read every column of every row.
    """
    found = ("select whole.rowid as place from", table, "as whole semi join", among, "using (", key, ")")
    make(connection, "_places", " ".join(found))
    read = ("select whole.* from", table, "as whole semi join _places on whole.rowid = _places.place")
    make(connection, name, " ".join(read))


def touched_nodes(connection: Connection, subject: str) -> None:
    """``_touched`` (node_id): the nodes of a subject that were heard of."""
    query = "select distinct one as node_id from _heard where subject = $subject"
    make(connection, "_touched", query, {"subject": subject})


def known_among(connection: Connection, name: str, table: str, column: str) -> None:
    """A temporary table of those ``_touched`` nodes that a table can hold: new ones are numbered beyond all others.

    Most of what changed is new, as a rule: whoever looks for what stood before need not read a whole table for that.
    """
    greatest = ("(select coalesce(max(", column, "), -1) from", table, ")")
    make(connection, name, " ".join(("from _touched where node_id <=", *greatest)))


def add(connection: Connection, table: str, query: str, parameters: Mapping[str, object] | None = None) -> None:
    """Put what a select gives into a table."""
    connection.execute(" ".join(("insert into", table, query)), dict(parameters or {}))


def is_filled(connection: Connection, table: str) -> bool:
    """Whether a table has any row.

    To be asked before one of several inserts into a table in one transaction: in DuckDB 1.5 an insert of more than a
    group of rows (122,880) is lost, without a word, when one of no rows came before it in the transaction.
    """
    return connection.execute(" ".join(("select 1 from", table, "limit 1"))).fetchone() is not None


@cache
def code() -> str:
    """A digest of what decides any result of this package: its modules and statements, libraries, the engine."""
    digest = hashlib.sha256()
    for content in _contents():
        digest.update(content)
    for library in _LIBRARIES:
        digest.update(f"{library} {version(library)}".encode())
    digest.update(ENGINE.encode())
    return digest.hexdigest()[:16]


def _contents() -> Iterator[bytes]:
    for folder in (files("identity"), files("identity") / "sql", files("identity") / "ledger_sql"):
        for item in sorted(folder.iterdir(), key=lambda entry: entry.name):
            if item.is_file() and item.name.endswith((".py", ".sql")):
                yield item.read_bytes()


def narrowed(statement: str, instead: Mapping[str, str]) -> str:
    """A statement that reads other tables in place of some (``schema.table``): parts of them, as a rule."""
    return _narrowed(statement, tuple(sorted(instead.items())))


@cache
def _narrowed(statement: str, instead: tuple[tuple[str, str], ...]) -> str:
    names = dict(instead)
    tree = sqlglot.parse_one(statement, read="duckdb")
    for table in list(tree.find_all(exp.Table)):
        other = names.get(f"{table.db}.{table.name}")
        if other is not None:
            table.replace(exp.to_table(other).as_(table.alias_or_name))
    return tree.sql(dialect="duckdb")
