"""Webhooks: durable before they are answered, refused when they are not signed, safe from a killed process."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cdp.command import run_command
from sources.feed import load_feeds
from sources.landing import discover
from sources.origin_declaration import WebhookOrigin
from sources.origins.delivery_log import DeliveryLog, land_left_behind
from sources.origins.fetching import fetch_feed
from warehouse.declaration import Problems
from warehouse.project import Project

SECRET = "shpss_77e0"
NOW = datetime(2026, 1, 5, 10, 15, tzinfo=UTC)
_FEED = """\
kind: messages
mapping: jsonl
origin:
  kind: webhook
  max_bytes: 2000
  close_after_seconds: 3600
  signature:
    by: shopify
    secret: ${SHOP_SECRET}
"""


@dataclass
class Receiver:
    """A running `cdp receive`."""

    project: Project
    process: subprocess.Popen[str]
    port: int
    errors: list[str] = field(default_factory=list)

    def send(self, body: bytes, *, path: str = "/feeds/shop", method: str = "POST", secret: str = SECRET) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            digest = base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()
            connection.request(method, path, body, {"X-Shopify-Hmac-Sha256": digest})
            return connection.getresponse().status
        finally:
            connection.close()

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        self.process.send_signal(how)
        self.process.wait(60)

    def landed(self) -> list[object]:
        folder = self.project.landing / "shop"
        files = [path for path in sorted(folder.rglob("*.jsonl")) if not path.name.startswith(".")]
        return [json.loads(line) for path in files for line in path.read_bytes().splitlines()]


@pytest.fixture
def root(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    folder = tmp_path / "mine"
    assert run_command(["init", str(folder)]) == 0
    (folder / "config" / "feeds" / "shop.yml").write_text(_FEED, encoding="utf-8")
    capsys.readouterr()
    return folder


@pytest.fixture
def receiver(root: Path) -> Iterator[Receiver]:
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        port = int(opened.getsockname()[1])
    command = [sys.executable, "-c", "from cdp.command import main; main()", "receive"]
    command += ["--project", str(root), "--port", str(port)]
    environment = os.environ | {"SHOP_SECRET": SECRET}
    with subprocess.Popen(
        command, env=environment, text=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as run:
        running = Receiver(Project(root), run, port)
        try:
            _wait_until_it_answers(running)
            yield running
        finally:
            if run.poll() is None:
                running.stop(signal.SIGKILL)


def _wait_until_it_answers(running: Receiver) -> None:
    for _ in range(600):
        try:
            assert running.send(b"", path="/health", method="GET") == 200
        except ConnectionRefusedError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("cdp receive did not come up")


@pytest.mark.end_to_end
def test_what_is_signed_is_stored_and_what_is_not_leaves_no_trace(receiver: Receiver) -> None:
    assert receiver.send(b'{\n "id": 1,\r\n "total": 19.90\n}') == 200
    assert receiver.send(b'[{"id": 2}, {"id": 3}]') == 200
    assert receiver.send(b'{"id": 4}', secret="another") == 401
    assert receiver.send(b'{"id": 5}', path="/feeds/other") == 404
    assert receiver.send(b'{"id": 6}', method="PUT") == 405
    assert receiver.send(b'{"id": 7, "note": "' + b"x" * 2000 + b'"}') == 413
    assert receiver.send(b"id=8") == 400
    assert receiver.send(b"", method="HEAD") == 200
    receiver.stop()
    assert receiver.landed() == [{"id": 1, "total": 19.90}, {"id": 2}, {"id": 3}]
    told = receiver.process.stderr.read() if receiver.process.stderr else ""
    assert "shop: 401" in told
    assert SECRET not in told
    assert '"id"' not in told


@pytest.mark.end_to_end
def test_a_killed_receiver_has_stored_all_it_answered_for_once(receiver: Receiver) -> None:
    answered: list[int] = []

    def send_until_it_dies(first: int) -> None:
        for number in range(first, first + 10_000):
            try:
                if receiver.send(b'{"id": %d}' % number) == 200:
                    answered.append(number)
            except OSError:
                return
            except http.client.HTTPException:
                return

    senders = [threading.Thread(target=send_until_it_dies, args=(n * 10_000,)) for n in range(8)]
    for sender in senders:
        sender.start()
    while len(answered) < 40:
        time.sleep(0.01)
    receiver.stop(signal.SIGKILL)
    for sender in senders:
        sender.join()
    problems = Problems()
    feed = load_feeds(receiver.project, problems)["shop"]
    assert not discover(receiver.project, feed)
    fetch_feed(receiver.project, feed, {"SHOP_SECRET": SECRET}, NOW)
    stored = [item["id"] for item in receiver.landed() if isinstance(item, dict)]
    assert len(stored) == len(set(stored))
    assert set(answered) <= set(stored)


def a_log(folder: Path, **changed: int) -> DeliveryLog:
    declared = {"kind": "webhook", "signature": {"by": "shopify", "secret": "${S}"}}
    return DeliveryLog(folder, WebhookOrigin.model_validate(declared | changed))


def content(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted(folder.rglob("*.jsonl")) if not path.name.startswith(".")]


def test_a_file_has_its_landing_name_only_when_it_is_closed(tmp_path: Path) -> None:
    log = a_log(tmp_path, close_after_seconds=60)
    log.append([b"1"], NOW)
    assert content(tmp_path) == []
    log.append([b"2"], NOW.replace(minute=16))
    assert content(tmp_path) == [b"1\n"]
    log.close_if_due(NOW.replace(minute=17))
    assert content(tmp_path) == [b"1\n", b"2\n"]


def test_a_large_file_and_a_new_day_close_it(tmp_path: Path) -> None:
    log = a_log(tmp_path, close_after_bytes=4, close_after_seconds=1_000_000)
    for day in (5, 5, 6):
        log.append([b"123"], NOW.replace(day=day))
    log.append([b"4"], NOW.replace(day=7))
    log.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dt=2026-01-05", "dt=2026-01-06", "dt=2026-01-07"]
    assert content(tmp_path) == [b"123\n", b"123\n", b"123\n", b"4\n"]


def test_a_half_written_last_line_is_cut_off_and_the_whole_ones_land(tmp_path: Path) -> None:
    folder = tmp_path / "dt=2026-01-05"
    folder.mkdir()
    (folder / ".deliveries-x-1-1.jsonl.open").write_bytes(b'{"id": 1}\n{"id": 2}\n{"id": ' + b"3" * 100_000)
    (folder / ".deliveries-x-1-2.jsonl.open").write_bytes(b'{"id": 4')
    left = land_left_behind(tmp_path)
    assert [(item.file, item.cut_bytes) for item in left] == [
        ("dt=2026-01-05/deliveries-x-1-1.jsonl", 100_007),
        (None, 8),
    ]
    assert content(tmp_path) == [b'{"id": 1}\n{"id": 2}\n']
    assert [path.name for path in folder.iterdir()] == ["deliveries-x-1-1.jsonl"]


def test_the_file_of_a_living_receiver_is_left_alone(tmp_path: Path) -> None:
    log = a_log(tmp_path)
    log.append([b"1"], NOW)
    assert land_left_behind(tmp_path) == ()
    log.append([b"2"], NOW)
    log.close()
    assert content(tmp_path) == [b"1\n2\n"]


def test_a_full_disk_is_told_and_leaves_no_half_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = a_log(tmp_path)
    log.append([b"1"], NOW)
    monkeypatch.setattr(os, "fsync", _full)
    with pytest.raises(OSError, match="No space left"):
        log.append([b"2"], NOW)
    monkeypatch.undo()
    log.append([b"3"], NOW)
    log.close()
    assert content(tmp_path) == [b"1\n3\n"]


def _full(_: int) -> None:
    raise OSError(28, "No space left on device")


def test_a_receiver_whose_secret_is_not_set_does_not_start(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["receive", "--project", str(root)]) == 10
    assert "config/feeds/shop.yml:9: The environment variable SHOP_SECRET is not set." in capsys.readouterr().err
