from __future__ import annotations

import csv
import functools
import gzip
import hashlib
import json
from collections import defaultdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cdp.demo.difficulty import LEVELS, Level
from cdp.demo.generate import FEEDS, generate

from .conftest import Generated

CODES_OF_ROWS = {
    "unreadable", "missing", "wrong_type", "out_of_range", "not_in_set", "bad_format", "too_long", "inconsistent",
}  # fmt: skip


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@functools.cache
def rows_of(path: Path) -> list[Any]:
    """The rows of any generated file; a broken line stays text."""
    if path.name.endswith(".jsonl.gz"):
        return gzip.decompress(path.read_bytes()).decode().splitlines()
    if path.suffix == ".csv":
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))
    content = json.loads(path.read_text(encoding="utf-8"))
    return content if isinstance(content, list) else next(iter(content.values()))


def test_the_same_arguments_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        generate(customers=60, days=21, seed=3, out=tmp_path / name)
    assert digests(tmp_path / "one") == digests(tmp_path / "two")


def test_another_seed_gives_another_business_over_the_same_days(tmp_path: Path) -> None:
    for seed in (3, 4):
        generate(customers=60, days=21, seed=seed, out=tmp_path / str(seed))
    one, other = digests(tmp_path / "3"), digests(tmp_path / "4")
    assert "landing/rates/dt=2026-10-31/rates.csv" in one.keys() & other.keys()
    assert one["truth/persons.csv"] != other["truth/persons.csv"]


def test_generating_again_replaces_what_was_there(tmp_path: Path) -> None:
    generate(customers=60, days=30, seed=3, out=tmp_path)
    generate(customers=60, days=21, seed=3, out=tmp_path)
    fresh = tmp_path / "fresh"
    generate(customers=60, days=21, seed=3, out=fresh)
    again = {name: digest for name, digest in digests(tmp_path).items() if not name.startswith("fresh/")}
    assert again == digests(fresh)


def test_progress_counts_up_to_the_end_and_names_each_feed(tmp_path: Path) -> None:
    seen: list[tuple[int, int, str]] = []
    generate(customers=60, days=21, seed=3, out=tmp_path, progress=lambda *step: seen.append(step))
    done = [step[0] for step in seen]
    assert done == sorted(done)
    assert done[-1] == seen[-1][1]
    assert {framed.feed for framed, _ in FEEDS} <= {step[2] for step in seen}


def test_every_feed_has_rows_and_the_summary_counts_them(shop: Generated) -> None:
    for feed, counted in shop.summary.feeds.items():
        files = [path for path in sorted((shop.folder / "landing" / feed).rglob("*")) if path.is_file()]
        assert len(files) == counted.files
        assert sum(len(rows_of(path)) for path in files) == counted.rows > 0


def test_truth_names_rows_that_exist_and_no_row_twice(shop: Generated) -> None:
    sizes = {
        (feed, f"{path.parent.name}/{path.name}"): len(rows_of(path))
        for feed in shop.summary.feeds
        for path in (shop.folder / "landing" / feed).glob("*/*")
    }
    named = [*shop.persons.rows(), *shop.bad_rows.rows()]
    assert all(1 <= row <= sizes[feed, file] for feed, file, row, _ in named)
    assert len({entry[:3] for entry in named}) == len(named)


def test_persons_in_the_truth_have_a_line_in_the_behaviour(shop: Generated) -> None:
    assert set(shop.persons["person_id"]) <= set(shop.behaviour["person_id"])


def test_every_kind_of_bad_row_occurs_and_stays_rare(shop: Generated) -> None:
    assert set(shop.bad_rows["code"]) == CODES_OF_ROWS
    assert len(shop.bad_rows) < 0.03 * shop.summary.rows
    batches: defaultdict[tuple[str, str], int] = defaultdict(int)
    for feed, file, _, _ in shop.bad_rows.rows():
        batches[feed, file] += 1
    for (feed, file), bad in batches.items():
        rows = len(rows_of(shop.folder / "landing" / feed / file))
        assert rows > 9
        assert bad <= 0.11 * rows


def test_bad_web_rows_are_bad_as_their_code_says(shop: Generated) -> None:
    for _, file, row, code in shop.bad_rows.filter(feed="web").sample(60, seed=1).rows():
        text = rows_of(shop.folder / "landing" / "web" / file)[row - 1]
        if code == "unreadable":
            with pytest.raises(json.JSONDecodeError):
                json.loads(text)
        else:
            event = json.loads(text)
            broken = {
                "missing": not event.get("messageId") or not event.get("timestamp"),
                "too_long": len(event.get("messageId", "")) > 255,
                "not_in_set": event["type"] not in {"page", "track", "identify"},
                "wrong_type": isinstance(event["userId"], dict),
            }
            assert broken.get(code, "2199" in text or "yesterday" in text or "\\u0007" in text)


def test_some_rows_are_delivered_twice_and_some_orders_come_again_changed(shop: Generated) -> None:
    lines = [line for path in (shop.folder / "landing" / "web").glob("*/*") for line in rows_of(path)]
    assert 0.001 < 1 - len(set(lines)) / len(lines) < 0.03
    versions: defaultdict[str, set[str]] = defaultdict(set)
    for path in (shop.folder / "landing" / "shop_orders").glob("*/*"):
        for order in rows_of(path):
            versions[str(order.get("id"))].add(order["updated_at"])
    assert sum(len(stamps) > 1 for stamps in versions.values()) > 100


def test_some_events_arrive_days_after_they_happened(shop: Generated) -> None:
    late = 0
    for path in (shop.folder / "landing" / "web").glob("*/*"):
        arrived = path.parent.name.removeprefix("dt=")
        late += sum(
            f'"timestamp":"{arrived[:7]}' not in line and '"timestamp":"2' in line for line in rows_of(path)[:50]
        )
    assert late > 0


def test_web_orders_are_orders_of_the_shop(shop: Generated) -> None:
    orders = {
        str(order.get("id")): order
        for path in (shop.folder / "landing" / "shop_orders").glob("*/*")
        for order in rows_of(path)
    }
    completed = [
        json.loads(line)["properties"]
        for path in (shop.folder / "landing" / "web").glob("dt=2026-05*/*")
        for line in rows_of(path)
        if '"event":"Order Completed"' in line and line.endswith("}") and '"type":"track"' in line
    ]
    assert len(completed) > 50
    for properties in completed:
        order = orders[properties["order_id"]]
        assert float(order["total_price"]) == pytest.approx(properties["total"])
        assert order["currency"] == properties["currency"]


def test_a_day_too_small_to_matter_is_still_generated(tmp_path: Path) -> None:
    summary = generate(customers=1, days=1, seed=1, out=tmp_path)
    assert summary.feeds["rates"].rows == 1
    assert (tmp_path / "truth" / "behaviour.csv").is_file()


@settings(max_examples=12)
@given(
    customers=st.integers(1, 5),
    days=st.integers(1, 5),
    seed=st.integers(0, 2**31),
    difficulty=st.sampled_from(list(LEVELS)),
)
@example(customers=1, days=1, seed=2, difficulty="normal")
@example(customers=3, days=1, seed=343, difficulty="easy")
def test_a_business_of_a_few_persons_and_days_can_be_generated(
    customers: int, days: int, seed: int, difficulty: Level
) -> None:
    with TemporaryDirectory() as folder:
        made = generate(customers, days, seed, Path(folder), difficulty)
        assert set(made.feeds) == {framed.feed for framed, _ in FEEDS}
        assert (Path(folder) / "truth" / "persons.csv").exists()
