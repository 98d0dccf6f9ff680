"""Data Docs: static pages that say which expectations hold, read from ``ops.quality_results``.

One index and one page for each table, complete in themselves: they open from a disk, without a server or a network.
Counts, numbers and places of rows only; no value of a row is ever in the tables they are made from.
"""

from __future__ import annotations

from pathlib import Path

from quality.data_pages import index_page, table_page
from quality.findings import read_findings
from warehouse.database import Warehouse


def write_data_docs(warehouse: Warehouse, folder: Path) -> Path:
    """Write the pages of what was found last into an empty ``folder`` and return the path of its ``index.html``."""
    tables = read_findings(warehouse)
    folder.mkdir(parents=True, exist_ok=True)
    index = folder / "index.html"
    index.write_text(index_page(tables), encoding="utf-8")
    for table in tables:
        (folder / table.file).write_text(table_page(table), encoding="utf-8")
    return index
