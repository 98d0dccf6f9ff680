"""Which files a guessed declaration takes, and of which batch the tried one would be."""

from __future__ import annotations

import gzip
import os
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import zstandard

from sources.feed import Feed
from sources.globs import globs_pattern
from sources.trial.batch import batch_of
from sources.trial.declaration import declaration_text
from sources.trial.trial import try_file
from warehouse.declaration import Problems, parse_declaration

TEXT = b"customer_id,email\n1,a@b.example\n2,c@d.example\n"
FORMS = {
    "x.csv": TEXT,
    "x.csv.gz": gzip.compress(TEXT),
    "x.csv.zst": zstandard.ZstdCompressor().compress(TEXT),
}


@pytest.mark.parametrize("tried", FORMS)
def test_the_files_of_a_feed_may_be_compressed_or_not(tmp_path: Path, tried: str) -> None:
    path = tmp_path / tried
    path.write_bytes(FORMS[tried])
    problems = Problems()
    feed = parse_declaration(declaration_text(try_file(path, None), path), Feed, problems, shown_as="guess.yml")
    assert feed is not None
    taken = globs_pattern(feed.files)
    assert all(taken.fullmatch(f"dt=2026-01-05/{name}") for name in FORMS)
    assert not any(taken.fullmatch(name) for name in ("x.csv.md5", "x.jsonl", "x.csv.bak"))


@pytest.mark.parametrize(
    ("file", "day", "why"),
    [
        ("a/dt=2026-01-05/x.csv", date(2026, 1, 5), "folder says: dt=2026-01-05"),
        ("a/dt=2026-01-05/x 2026-02-01.csv", date(2026, 1, 5), "folder says: dt=2026-01-05"),
        ("a/2026-01-05/x.csv", date(2026, 3, 2), "file's time in Asia/Shanghai"),
        ("landing/crm/2026-01-05/x.csv", date(2026, 1, 5), "folder says: 2026-01-05"),
        ("a/x 2026-02-01.csv", date(2026, 2, 1), "name says"),
        ("a/x.csv", date(2026, 3, 2), "file's time in Asia/Shanghai"),
        ("a/dt=2026-02-30/x.csv", None, "dt=2026-02-30"),
        ("a/x 2026-02-30.csv", None, "2026-02-30"),
    ],
)
def test_the_batch_of_a_file_is_told_with_what_says_it(tmp_path: Path, file: str, day: date | None, why: str) -> None:
    path = tmp_path / file
    path.parent.mkdir(parents=True)
    path.write_bytes(TEXT)
    os.utime(path, (1772382600, 1772382600))  # 2026-03-01T16:30Z, the next day in Shanghai
    batch = batch_of(path, lambda: ZoneInfo("Asia/Shanghai"), tmp_path / "landing")
    assert batch.day == day
    assert why in batch.told
    assert ("is not loaded" in batch.told) == (day is None)
