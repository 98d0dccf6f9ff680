"""``cdp init``: what a new project starts with."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

import cdp.commands.init as command
from cdp.command import run_command

REPOSITORY = Path(__file__).resolve().parents[2]


def names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def tracked() -> set[str]:
    """The sample's config as it is kept, without what somebody added to it here."""
    listed = subprocess.run(["git", "ls-files"], cwd=REPOSITORY / "config", capture_output=True, text=True, check=False)
    return set(listed.stdout.split())


@pytest.fixture
def used_clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clone in which somebody has worked: a segment of their own, a feed, and a row repaired by hand."""
    package = tmp_path / "clone" / "cdp"
    shutil.copytree(REPOSITORY / "cdp" / "templates", package / "templates")
    config = package / "templates" / "sample"
    (config / "corrections" / "by_hand.yml").write_text("corrections: []\n", encoding="utf-8")
    (config / "segments" / "mine.yml").write_text("segments: {}\n", encoding="utf-8")
    monkeypatch.setattr(command, "files", lambda _: package)
    return config


def test_a_new_business_takes_nothing_of_what_was_done_in_the_clone(used_clone: Path, tmp_path: Path) -> None:
    assert run_command(["init", str(tmp_path / "new")]) == 0
    made = names(tmp_path / "new" / "config")
    assert not {"corrections/by_hand.yml", "segments/mine.yml", "feeds/web.yml"} & made
    assert {name for name in tracked() if name != "business.yml" and not name.startswith("feeds/")} <= made


def test_the_sample_leaves_repairs_by_hand_where_they_were_made(used_clone: Path, tmp_path: Path) -> None:
    assert run_command(["init", str(tmp_path / "sample"), "--sample"]) == 0
    assert names(tmp_path / "sample" / "config") == names(used_clone) - {"corrections/by_hand.yml"}


def test_files_that_were_generated_first_wait_in_the_project_that_is_made_around_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shop = tmp_path / "shop"
    generated = ["demo", "generate", "--customers", "20", "--days", "30", "--out", str(shop)]
    assert run_command(generated) == 0
    assert capsys.readouterr().out.splitlines()[-1] == f"next: cdp init {shop} --sample"
    landed = names(shop / "landing")
    assert run_command(["init", str(shop), "--sample"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == f"next: cdp demo run --project {shop}"
    assert names(shop / "landing") == landed
    assert run_command(generated) == 0
    assert capsys.readouterr().out.splitlines()[-1] == f"next: cdp demo run --project {shop}"
    assert run_command(["init", str(shop), "--sample"]) == 11
