"""Origins on the command line: fetching, running, and what is told about them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from cdp.command import run_command
from tests.sources.origins.api import Api

_FEED = """\
kind: messages
mapping: jsonl
origin:
  kind: http
  url: {url}
  rows: orders
  attempts: 1
  login:
    bearer: ${{SHOP_TOKEN}}
fields:
  message_id: id
  message_channel: {{constant: email}}
  message_event: {{constant: sent}}
  occurred_at: updated_at
  email: mail
"""
_SECRET = "tok-5c1d9e"


@pytest.fixture
def api() -> Iterator[Api]:
    with Api.serving() as opened:
        opened.rows = [
            {"id": n, "updated_at": f"2026-01-0{n}T10:00:00Z", "mail": f"p{n}@example.com"} for n in range(1, 4)
        ]
        yield opened


@pytest.fixture
def project(tmp_path: Path, api: Api, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    """A project whose only feeds come from APIs: one that answers, and one that is not there."""
    folder = tmp_path / "mine"
    assert run_command(["init", str(folder)]) == 0
    for name, url in (("shop", api.url), ("away", "http://127.0.0.1:1/orders")):
        (folder / "config" / "feeds" / f"{name}.yml").write_text(_FEED.format(url=url), encoding="utf-8")
    monkeypatch.setenv("SHOP_TOKEN", _SECRET)
    capsys.readouterr()
    return folder


def test_a_fetch_brings_what_it_can_and_tells_what_failed(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["feeds", "fetch", "--project", str(project), "--json"]) == 11
    told = capsys.readouterr()
    result = json.loads(told.out)
    assert [(row["feed"], row["rows"]) for row in result["fetched"]] == [("shop", 3)]
    assert list(result["errors"]) == ["away"]
    assert "does not answer" in told.err
    assert _SECRET not in told.out + told.err


def test_a_secret_is_written_nowhere(project: Path) -> None:
    run_command(["feeds", "fetch", "--project", str(project)])
    run_command(["feeds", "show", "shop", "--project", str(project)])
    assert not [path for path in project.rglob("*") if path.is_file() and _SECRET.encode() in path.read_bytes()]


def test_a_variable_that_is_not_set_is_told_at_its_line_and_stops_no_other_command(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("SHOP_TOKEN")
    assert run_command(["feeds", "check", "--project", str(project)]) == 10
    assert "config/feeds/shop.yml:9: The environment variable SHOP_TOKEN is not set." in capsys.readouterr().err
    assert run_command(["feeds", "fetch", "shop", "--project", str(project)]) == 10
    assert run_command(["feeds", "list", "--project", str(project)]) == 0


def test_show_plan_and_doctor_tell_about_origins(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run_command(["feeds", "fetch", "--project", str(project)])
    capsys.readouterr()
    run_command(["feeds", "show", "away", "--project", str(project), "--json"])
    shown = json.loads(capsys.readouterr().out)
    assert shown["origin"]["login"] == {"bearer": "${SHOP_TOKEN}"}
    assert "does not answer" in shown["fetched"]["last_fetch_failed"]
    run_command(["plan", "--project", str(project)])
    assert "away is fetched first" in capsys.readouterr().out
    assert run_command(["doctor", "--project", str(project), "--json"]) == 11
    rows = {row["what"]: row["state"] for row in json.loads(capsys.readouterr().out)}
    assert (rows["origin of shop"], rows["origin of away"]) == ("ok", "wrong")


def test_a_feed_that_could_not_read_its_origin_is_told_when_declared(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = project / "config" / "feeds" / "shop.yml"
    text = path.read_text().replace("mapping: jsonl", "mapping: csv").replace("kind: http", "kind: htp")
    path.write_text(text)
    assert run_command(["feeds", "check", "--project", str(project)]) == 10
    assert "`origin.kind` cannot be `htp`. Did you mean `http`?" in capsys.readouterr().err
    path.write_text(text.replace("kind: htp", "kind: http") + "files: ['*.csv']\n")
    assert run_command(["feeds", "check", "--project", str(project)]) == 10
    told = capsys.readouterr().err
    assert "A http origin brings jsonl, and the feed reads csv." in told
    assert "`files` does not name what the origin brings, such as rows.jsonl." in told


def test_the_schema_for_editors_knows_origins(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["schema", "feed"]) == 0
    schema = json.loads(capsys.readouterr().out)
    assert {"S3Origin", "HttpOrigin", "SqlOrigin", "WebhookOrigin"} <= schema["$defs"].keys()
    assert "origin" in schema["properties"]
