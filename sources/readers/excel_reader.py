"""Workbooks (xlsx, xlsm, xlsb, xls, ods): cells as text, as a person would write them into a CSV file.

The headings are the first row that looks like a table's head; what stands above (titles, notes) is no row. A sheet is
read at once by the library and given on in blocks; a sheet cannot hold more than 1,048,576 rows. Cells with formulas
have the value that was last computed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final, TypeAlias

import pyarrow as pa
from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from sources.readers.delimited_reader import distinct_names
from sources.readers.headings import HEADER_ROW, Headings
from sources.source_rows import Block, Header, Reading, Refusal

Cell: TypeAlias = "int | float | str | bool | time | date | datetime | timedelta"
_Head: TypeAlias = tuple[int, int, list[str]]

MAGICS: Final = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
_ROWS: Final = 20_000
_DECLARE: Final = (
    "A sheet needs a row of headings, columns of other names `fields:` or `rename:`, another sheet `sheet:`; "
    "a file of another table belongs elsewhere."
)
_LOOK_AHEAD: Final = 30
_EXACT: Final = 2**53
_DAY_SECONDS: Final = 86_400


def is_workbook(first: bytes) -> bool:
    """Whether a file that begins with these bytes may be a workbook."""
    return first.startswith(MAGICS)


@dataclass(frozen=True)
class ExcelReader:
    """Reads one file. ``sheet`` is a glob; without one the first visible sheet that holds a table is read."""

    headings: Headings
    sheet: str | None = None

    def read(self, path: Path, reading: Reading) -> Iterator[Block | Refusal]:
        """The rows of the sheets, numbered on from one sheet to the next."""
        done = 0
        heads: list[_Head] = []
        try:
            with CalamineWorkbook.from_path(path) as book:
                for sheet in self._sheets(book):
                    head = self._head(sheet)
                    if head is None:
                        continue
                    heads.append(head)
                    for item in self._blocks(sheet, head, done, is_first=len(heads) == 1):
                        yield item
                        done = max(done, item.row if isinstance(item, Refusal) else item.rows["row"][-1].as_py())
            if not heads:
                reading.is_unusable = True
                yield Refusal(1, "", "no cell of the workbook holds anything")
        except CalamineError:
            reading.broken = "the file is not a complete workbook"
            yield Refusal(done + 1, "", reading.broken)
        except SheetMissingError:
            yield Refusal(1, "", "no sheet of the workbook has such a name")

    def _sheets(self, book: CalamineWorkbook) -> Iterator[CalamineSheet]:
        """The wanted sheets, in the order of the workbook."""
        sheets = [sheet for sheet in book.sheets_metadata if sheet.typ == SheetTypeEnum.WorkSheet]
        if self.sheet is None:
            visible = [sheet.name for sheet in sheets if sheet.visible == SheetVisibleEnum.Visible]
            opened = (book.get_sheet_by_name(name) for name in visible)
            found = next((sheet for sheet in opened if self._head(sheet) is not None), None)
            yield from () if found is None else (found,)
            return
        names = [sheet.name for sheet in sheets if fnmatchcase(sheet.name.strip(), self.sheet)]
        if not names:
            raise SheetMissingError
        yield from (book.get_sheet_by_name(name) for name in names)

    def _blocks(self, sheet: CalamineSheet, head: _Head, done: int, *, is_first: bool) -> Iterator[Block | Refusal]:
        """The rows of a sheet. Headings under which there can be none are told; in further sheets they count on."""
        place, first, names = head
        fault, before = self.headings.fault(names), done
        if fault and fault.has_values:
            done = HEADER_ROW if is_first else done + 1
            yield Refusal(done, "\t".join(names), f"{fault.message}. {_DECLARE}")
        header = Header(distinct_names(self.headings.named(names)), tuple("text" for _ in names))
        rows: list[list[str]] = []
        numbers: list[int] = []
        for texts in _filled(sheet, place + 1):
            done += 1
            if any(texts[:first]) or any(texts[first + len(names) :]):
                yield Refusal(done, "\t".join(texts), "the row has cells outside the columns of the table")
                continue
            rows.append(texts[first : first + len(names)])
            numbers.append(done)
            if len(rows) >= _ROWS:
                yield _block(rows, numbers, header)
                rows, numbers = [], []
        if rows:
            yield _block(rows, numbers, header)
        if fault and not fault.has_values and done == before:
            yield Refusal(HEADER_ROW if is_first else done + 1, "\t".join(names), f"{fault.message}. {_DECLARE}")

    def _head(self, sheet: CalamineSheet) -> _Head | None:
        """Place of the row of headings, its first column, and the headings; None when the sheet holds no table.

        It is the row with most known columns; where none is known, the first in which as many cells are filled as in
        any of the first rows.
        """
        found: list[tuple[int, list[str]]] = []
        for index, cells in enumerate(sheet.iter_rows()):
            if index >= _LOOK_AHEAD:
                break
            found.append((index, [_text(cell) for cell in cells]))
        filled = [(index, texts) for index, texts in found if any(texts)]
        if not filled:
            return None
        index, texts = max(filled, key=lambda item: (self.headings.matches(item[1]), _width(item[1]), -item[0]))
        return index, *_trimmed(texts)


def _filled(sheet: CalamineSheet, start: int) -> Iterator[list[str]]:
    """The rows that hold something, from a place on."""
    for index, cells in enumerate(sheet.iter_rows()):
        texts = [_text(cell) for cell in cells] if index >= start else []
        if any(texts):
            yield texts


class SheetMissingError(Exception):
    """No sheet has the name that is wanted."""


def _width(texts: Sequence[str]) -> int:
    return sum(1 for text in texts if text)


def _trimmed(texts: Sequence[str]) -> tuple[int, list[str]]:
    """Where the headings begin, and the headings; columns inside that have none are named by their place."""
    first = next(index for index, text in enumerate(texts) if text)
    last = max(index for index, text in enumerate(texts) if text)
    return first, [text or f"column {first + place + 1}" for place, text in enumerate(texts[first : last + 1])]


def _block(rows: list[list[str]], numbers: list[int], header: Header) -> Block:
    columns = {f"c{index}": pa.array(values, pa.large_string()) for index, values in enumerate(zip(*rows, strict=True))}
    size = sum(len(text) for row in rows for text in row)
    return Block(pa.table({"row": pa.array(numbers, pa.int64()), **columns}), header, size)


def _text(cell: Cell) -> str:
    """A cell as text: whole numbers without a point, days without midnight, times of day and spans as they read."""
    if isinstance(cell, str):
        return cell.strip()
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        is_whole = cell.is_integer() and abs(cell) < _EXACT
        return str(int(cell)) if is_whole else repr(cell)
    if isinstance(cell, datetime):
        is_midnight = cell.time() == time(0)
        return cell.date().isoformat() if is_midnight else cell.isoformat(sep=" ")
    if isinstance(cell, timedelta):
        return _span(cell)
    return cell.isoformat() if isinstance(cell, date | time) else str(cell)


def _span(span: timedelta) -> str:
    seconds = span.days * _DAY_SECONDS + span.seconds
    return f"{seconds // 3600}:{seconds % 3600 // 60:02}:{seconds % 60:02}"
