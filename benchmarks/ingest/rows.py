"""Files of as many rows as wanted, out of the sample business's own generator.

A few thousand real-looking rows are made once and repeated under new ids, so that fifty million rows cost no memory and
some minutes. Damaged rows come from the generator's own list of damages, spread evenly.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import IO, TypeAlias

import duckdb

from cdp.demo.delivery import Format, Line
from cdp.demo.feeds.shop_orders import SHOP_ORDERS, shop_order_days
from cdp.demo.feeds.web import WEB, web_days
from cdp.demo.world import World, build_world

_CUSTOMERS, _DAYS, _SEED = 1_000, 120, 3
_AT_ONCE = 20_000
_PART = 500_000

Days: TypeAlias = Callable[[World], Iterator[tuple[int, list[Line]]]]
_ID = {
    WEB.feed: re.compile(rb'(?<="messageId":"ajs-)[0-9a-f]{16}'),
    SHOP_ORDERS.feed: re.compile(rb'(?<=\{"id":)[0-9]{13}'),
}
_DIGITS = {WEB.feed: b"%016x", SHOP_ORDERS.feed: b"9%012d"}


@dataclass(frozen=True)
class Form:
    """A form of file: what the feed says of it, and the name of its file."""

    name: str
    kind: str
    mapping: str
    file: str


FORMS = {
    form.name: form
    for form in (
        Form("jsonl", "web_events", "segment", "events.jsonl"),
        Form("json", "purchases", "shopify_orders", "orders.json"),
        Form("csv", "web_events", "csv", "events.csv"),
        Form("parquet", "web_events", "parquet", "events.parquet"),
    )
}


@dataclass(frozen=True)
class Template:
    """A row split around its id, and the same row with each of the damages done."""

    before: bytes
    after: bytes
    damaged: tuple[bytes, ...]


def write_form(form: Form, rows: int, bad: float, path: Path, start: int = 0) -> None:
    """Write one file. ``bad``: the share of damaged rows."""
    path.parent.mkdir(parents=True, exist_ok=True)
    match form.name:
        case "jsonl":
            with path.open("wb") as file:
                _write_lines(file, _lines(WEB, web_days, rows, bad), b"\n")
        case "json":
            with path.open("wb") as file:
                file.write(b"[\n")
                _write_lines(file, _lines(SHOP_ORDERS, shop_order_days, rows, bad), SHOP_ORDERS.joint)
                file.write(b"\n]\n")
        case _:
            _write_flat(form, rows, bad, path, start)


def write_gzip_files(rows: int, files: int, folder: Path) -> None:
    """Segment events in as many gzip files."""
    lines = _lines(WEB, web_days, rows, 0)
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(files):
        with gzip.open(folder / f"events-{number:03d}.jsonl.gz", "wb", compresslevel=1) as file:
            _write_lines(file, islice(lines, rows // files), b"\n")


def _write_lines(file: IO[bytes], lines: Iterator[bytes], joint: bytes) -> None:
    waiting: list[bytes] = []
    is_first = True
    for line in lines:
        waiting.append(line)
        if len(waiting) == _AT_ONCE:
            file.write((b"" if is_first else joint) + joint.join(waiting))
            waiting, is_first = [], False
    if waiting:
        file.write((b"" if is_first else joint) + joint.join(waiting))


def _lines(
    framed: Format, days: Callable[[World], Iterator[tuple[int, list[Line]]]], rows: int, bad: float
) -> Iterator[bytes]:
    templates = _templates(framed, days, bad > 0)
    digits = _DIGITS[framed.feed]
    every = round(1 / bad) if bad else 0
    for number, template in zip(range(rows), cycle(templates), strict=False):
        if every and number % every == every // 2:
            yield template.damaged[number // every % len(template.damaged)]
        else:
            yield template.before + digits % number + template.after


def _templates(framed: Format, days: Days, with_damage: bool) -> Sequence[Template]:
    world = build_world(_CUSTOMERS, _DAYS, _SEED, "easy")
    found = []
    for number, line in zip(range(_AT_ONCE), (line for _, lines in days(world) for line in lines), strict=False):
        match = _ID[framed.feed].search(line.data)
        assert match is not None
        damages = [framed.spoil(line.data, item) for item in framed.damages] if with_damage and number < 1_000 else []
        found.append(Template(line.data[: match.start()], line.data[match.end() :], tuple(damages)))
    spoilt = [template for template in found if template.damaged]
    if spoilt:
        supply = cycle(spoilt)
        found = [Template(item.before, item.after, item.damaged or next(supply).damaged) for item in found]
    return found


def write_parquet_parts(rows: int, files: int, folder: Path) -> None:
    """The flat events in as many Parquet files."""
    for number in range(files):
        write_form(
            FORMS["parquet"], rows // files, 0, folder / f"events-{number:03d}.parquet", number * (rows // files)
        )


def _write_flat(form: Form, rows: int, bad: float, path: Path, start: int) -> None:
    """The events as a table of contract columns: the columns that hold something, some values spoilt.

    Rows are made a part at a time and wait in a database file, so that memory is bounded by a part.
    """
    lines, waiting = path.with_suffix(".lines"), path.with_suffix(".duckdb")
    with lines.open("wb") as file:
        _write_lines(file, _lines(WEB, web_days, min(rows, _AT_ONCE), 0), b"\n")
    with duckdb.connect(str(waiting), config={"memory_limit": "1GB"}) as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(
            f"create table base as select *, row_number() over () - 1 as place from ({statement('segment')})",  # noqa: S608 - a statement of ours
            {"file": str(lines)},
        )
        [(templates,)] = connection.execute("select count(*) from base").fetchall()
        every = round(1 / bad) if bad else 0
        for first in range(start, start + rows, _PART):
            wanted = {
                "first": first,
                "behind": min(first + _PART, start + rows),
                "templates": templates,
                "every": every,
            }
            made = "insert into made" if first > start else "create table made as"
            connection.execute(f"{made} {statement('flat_rows')}", wanted)
        options = "format csv, header" if form.name == "csv" else "format parquet, row_group_size 100000"
        connection.execute(f"copy made to '{path}' ({options})")
    lines.unlink()
    waiting.unlink()


def statement(name: str) -> str:
    """The text of one of the statements of this benchmark."""
    return (Path(__file__).parent / "sql" / f"{name}.sql").read_text(encoding="utf-8").strip()
