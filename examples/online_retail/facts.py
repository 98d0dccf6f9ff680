"""Prints what is known of the Online Retail file, computed by `facts.sql` from this project's staging tables."""

from __future__ import annotations

import sys
from pathlib import Path

from warehouse.database import open_warehouse
from warehouse.errors import WarehouseError

HERE = Path(__file__).resolve().parent


def main() -> int:
    """Ask the warehouse that `cdp run` made; say what to do where there is none, or a run holds it."""
    question = (HERE / "facts.sql").read_text(encoding="utf-8")
    try:
        with open_warehouse(HERE / "state" / "warehouse.duckdb", read_only=True, wait_seconds=1) as warehouse:
            found = warehouse.cursor().execute(question).fetchall()
    except WarehouseError as error:
        sys.stderr.write(f"error: {error.reason}\nfix: {error.fix}\n")
        return error.exit_code
    for fact, value in found:
        print(f"{fact:<26}{value:>16,.3f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
