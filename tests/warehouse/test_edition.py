"""What readers may rely on when an edition takes the place of another."""

from __future__ import annotations

from pathlib import Path

import pytest

from warehouse.edition import Edition


def publish(folder: Path, run_id: str, text: str | None = None, *, keep: int = 2) -> Edition:
    """An edition of one DuckDB file, to which any file is good enough here, and two files of exports."""
    edition = Edition(folder, run_id)
    edition.begin()
    exports = edition.files / "exports"
    exports.mkdir()
    for path in (edition.snapshot, exports / "a.csv", exports / "b.csv"):
        path.write_text(text or run_id, encoding="utf-8")
    edition.put_in_place(keep=keep)
    return edition


def read(folder: Path) -> set[str]:
    names = ("cdp.duckdb", "exports/a.csv", "exports/b.csv")
    return {(folder / name).read_text(encoding="utf-8") for name in names}


def below(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_readers_open_links_below_the_published_folder_wherever_that_is_moved(tmp_path: Path) -> None:
    publish(tmp_path / "published", "run-1")
    moved = (tmp_path / "published").rename(tmp_path / "elsewhere")
    assert read(moved) == {"run-1"}
    assert (moved / "cdp.duckdb").readlink() == Path("snapshots/cdp-run-1.duckdb")
    assert (moved / "exports").readlink() == Path("editions/run-1/exports")


def test_whoever_holds_an_old_edition_keeps_reading_it(tmp_path: Path) -> None:
    publish(tmp_path, "run-1")
    held = (tmp_path / "exports").resolve()
    publish(tmp_path, "run-2")
    assert read(tmp_path) == {"run-2"}
    assert (held / "b.csv").read_text(encoding="utf-8") == "run-1"


def test_the_newest_few_editions_stay(tmp_path: Path) -> None:
    for number in (1, 2, 3, 4):
        publish(tmp_path, f"run-{number}", keep=3)
    assert below(tmp_path / "snapshots") == ["cdp-run-2.duckdb", "cdp-run-3.duckdb", "cdp-run-4.duckdb"]
    assert below(tmp_path / "editions") == ["run-2", "run-3", "run-4"]


def test_a_run_that_publishes_again_leaves_the_set_that_readers_hold_as_it_is(tmp_path: Path) -> None:
    publish(tmp_path, "run-1", "first")
    held = (tmp_path / "exports").resolve()
    publish(tmp_path, "run-1", "second")
    assert read(tmp_path) == {"second"}
    assert (held / "a.csv").read_text(encoding="utf-8") == "first"


def test_nothing_changes_for_readers_before_an_edition_is_put_in_place(tmp_path: Path) -> None:
    publish(tmp_path, "run-1")
    unfinished = Edition(tmp_path, "run-2")
    unfinished.begin()
    unfinished.snapshot.write_text("half", encoding="utf-8")
    (unfinished.files / "exports").mkdir()
    assert read(tmp_path) == {"run-1"}
    publish(tmp_path, "run-3")
    assert read(tmp_path) == {"run-3"}
    assert below(tmp_path / "editions") == ["run-1", "run-3"]
    assert below(tmp_path / "snapshots") == ["cdp-run-1.duckdb", "cdp-run-3.duckdb"]


@pytest.mark.parametrize("killed_between", [False, True])
def test_exports_that_an_earlier_version_wrote_in_their_place_give_way(tmp_path: Path, killed_between: bool) -> None:
    before = tmp_path / "exports"
    before.mkdir()
    (before / "old.csv").write_text("old", encoding="utf-8")
    with (before / "old.csv").open(encoding="utf-8") as held:
        if killed_between:
            (tmp_path / "editions").mkdir()
            before.rename(tmp_path / "editions" / "earlier-exports")
        publish(tmp_path, "run-1")
        assert read(tmp_path) == {"run-1"}
        assert below(tmp_path / "exports") == ["a.csv", "b.csv"]
        assert held.read() == "old"
    for number in (2, 3):
        publish(tmp_path, f"run-{number}")
    assert below(tmp_path / "editions") == ["run-2", "run-3"]
