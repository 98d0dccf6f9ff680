"""What a run says it read is what it read: no more, no less, and why it does not stand in the tables."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from cdp.command import run_command

pytestmark = pytest.mark.end_to_end

FEED = 'kind: messages\nmapping: jsonl\nfiles: ["**/*"]\n'
BAD = 100
"""Messages from here on break the contract."""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "mine"
    assert run_command(["init", str(folder)]) == 0
    return folder


def declare(project: Path, feed: str, more: str = "") -> None:
    (project / "config" / "feeds" / f"{feed}.yml").write_text(FEED + more, encoding="utf-8")


def land(project: Path, file: str, content: bytes) -> Path:
    path = project / "landing" / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def messages(*numbers: int) -> bytes:
    rows = (
        {
            "message_id": f"m{number}",
            "message_event": "sent",
            "occurred_at": "2026-01-05",
            "email": f"{number}@x.example",
        }
        | {"message_channel": "owl" if number >= BAD else "email"}
        for number in numbers
    )
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def run(project: Path, capsys: pytest.CaptureFixture[str], code: int, *options: str) -> tuple[dict[str, Any], str]:
    capsys.readouterr()
    assert run_command(["run", "--project", str(project), "--json", *options]) == code
    told = capsys.readouterr()
    return json.loads(told.out), told.err.split("error: ")[-1]


def counts(read: int, accepted: int, duplicate: int, rejected: int, files: int = 1) -> dict[str, int]:
    return {"files": files, "rows_read": read, "accepted": accepted, "duplicate": duplicate, "rejected": rejected}


def test_a_run_tells_the_files_it_read_and_only_the_feeds_it_was_asked_for(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for feed in ("mail", "sms", "post"):
        declare(project, feed)
    land(project, "mail/dt=2026-01-05/a.jsonl", messages(1, 2))
    gone = land(project, "mail/dt=2026-01-06/gone.jsonl", messages(3))
    land(project, "sms/dt=2026-01-05/a.jsonl", messages(10, 10, 11))
    land(project, "post/dt=2026-01-05/a.jsonl", messages(20))
    summary, _ = run(project, capsys, 0, "--feeds", "mail,sms")
    assert summary["feeds"] == {"mail": counts(3, 3, 0, 0, files=2), "sms": counts(3, 2, 1, 0)}

    gone.unlink()
    land(project, "mail/dt=2026-01-05/b.jsonl", messages(1, 4))
    land(project, "mail/dt=2026-01-07/bad.jsonl", messages(5, 5, BAD))
    land(project, "mail/dt=2026-01-08/cut.jsonl.gz", gzip.compress(messages(6, 7), mtime=0)[:12])
    land(project, "mail/dt=2026-01-08/whole.jsonl", messages(8))
    for is_again in (False, True):
        summary, told = run(project, capsys, 11)
        first = {"mail": counts(7, 3, 2, 2, files=4), "sms": counts(0, 0, 0, 0, 0), "post": counts(1, 1, 0, 0)}
        again = {"mail": counts(4, 1, 1, 2, files=2), "sms": counts(0, 0, 0, 0, 0), "post": counts(0, 0, 0, 0, 0)}
        assert summary["feeds"] == (again if is_again else first)
        assert "2026-01-07: 1 of 3 rows break the contract" in told
        assert "2026-01-08: dt=2026-01-08/cut.jsonl.gz is unreadable (the gzip data end early)" in told
        assert "Mend dt=2026-01-08/cut.jsonl.gz below landing/mail/, or take it away." in told
        assert list(summary["errors"]) == ["mail"]

    assert run_command(["status", "--project", str(project), "--json"]) == 0
    status = json.loads(capsys.readouterr().out)
    [mail] = [row for row in status["feeds"] if row["feed"] == "mail"]
    stands = counts(10, 5, 1, 2, files=6) | {"held_back": 2}
    assert {name: mail[name] for name in stands} == stands


def test_where_nothing_could_be_loaded_a_bug_is_told_as_a_bug(
    project: Path, codec_with_a_bug: str, capsys: pytest.CaptureFixture[str]
) -> None:
    declare(project, "mail", f"encoding: {codec_with_a_bug}\n")
    land(project, "mail/dt=2026-01-05/a.jsonl", b"\x80")
    summary, told = run(project, capsys, 1)
    assert (summary["bugs"], summary["published"]) == (["mail"], None)
    assert told.startswith("Not everything could be loaded. mail, 2026-01-05: Loading has a bug: ZeroDivisionError")
