"""Rows of headings below the first one, as survey tools write them: they are no answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import pyarrow as pa

from sources.source_rows import Block, Refusal

_MOST: Final = 2
_IMPORT_ID: Final = '{"ImportId":'
_KINDS_OF_ANSWER: Final = frozenset({"Response", "Open-Ended Response"})


def without_further_headings(items: Iterator[Block | Refusal]) -> Iterator[Block | Refusal]:
    """The rows of a table, which keep their numbers.

    Behind the headings of Qualtrics stand their labels, then the ids they are imported by; behind those of
    SurveyMonkey, what kind of answer a column holds, or which of several choices it is about.
    """
    is_first = True
    for item in items:
        if is_first and isinstance(item, Block) and item.header is not None:
            is_first = False
            count = _further_headings(item.rows)
            if count:
                yield Block(item.rows.slice(count), item.header, item.bytes)
                continue
        yield item


def _further_headings(rows: pa.Table) -> int:
    first = rows.slice(0, _MOST).drop_columns(["row"]).to_pylist()
    texts = [[str(value or "") for value in row.values()] for row in first]
    marked = [number for number, row in enumerate(texts, 1) if any(text.startswith(_IMPORT_ID) for text in row)]
    if marked:
        return marked[-1]
    return 1 if texts and _tells_kinds(texts[0]) else 0


def _tells_kinds(texts: Sequence[str]) -> bool:
    """Columns that are no questions, the first among them, have no kind of answer."""
    return len(texts) > 1 and not texts[0] and not _KINDS_OF_ANSWER.isdisjoint(texts)
