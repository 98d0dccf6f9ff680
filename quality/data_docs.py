"""Data Docs: static pages that say which expectations hold, read from ``ops.quality_results``.

One index and one page for each table, complete in themselves: they open from a disk, without a server or a network.
Counts, numbers and places of rows only; no value of a row is ever in the tables they are made from.
"""

from __future__ import annotations

import os
from pathlib import Path

from quality.data_pages import index_page, table_page
from quality.findings import read_findings
from warehouse.database import Warehouse


def write_data_docs(warehouse: Warehouse, folder: Path) -> Path:
    """Write the pages of what was found last into ``folder`` and return the path of its ``index.html``.

    Pages are replaced one by one, each atomically; pages of tables that are no longer asked are removed.
    """
    tables = read_findings(warehouse)
    folder.mkdir(parents=True, exist_ok=True)
    pages = {table.file: table_page(table) for table in tables} | {"index.html": index_page(tables)}
    for name, text in pages.items():
        _replace(folder / name, text)
    for stale in set(folder.glob("*.html")) - {folder / name for name in pages}:
        stale.unlink()
    return folder / "index.html"


def _replace(path: Path, text: str) -> None:
    new = path.with_name(f".{path.name}.new")
    new.write_text(text, encoding="utf-8")
    os.replace(new, path)
