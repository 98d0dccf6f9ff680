"""Puts the UCI Online Retail file (541,909 rows) into this project's landing folder."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
LAST_DAY = "2011-12-09"


def main() -> int:
    """Copy the file, complete or not at all; say what to run next."""
    data = Path(os.environ.get("CDP_REAL_DATA", HERE.parent.parent.parent / "shared" / "data"))
    source = data / "online_retail" / "online_retail.parquet"
    if not source.is_file():
        sys.stderr.write(
            f"error: {source.parent.name}/{source.name} is not in {data}\n"
            "fix: the UCI Machine Learning Repository publishes the data set as `Online Retail` (a workbook); save its "
            "sheet as Parquet under that name, and set CDP_REAL_DATA to the folder that holds online_retail/\n"
        )
        return 11
    target = HERE / "landing" / "sales" / f"dt={LAST_DAY}" / source.name
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f".{target.name}.unfinished")
    shutil.copyfile(source, unfinished)
    unfinished.replace(target)
    print(f"{target.relative_to(HERE)} is in place; next: cdp run --project {os.path.relpath(HERE)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
