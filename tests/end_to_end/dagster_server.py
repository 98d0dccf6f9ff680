"""A Dagster web server and daemon over a project, as an engineer starts them, asked over GraphQL."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

START_SECONDS = 180
RUN_SECONDS = 240
_ENDED = {"SUCCESS", "FAILURE", "CANCELED"}


@dataclass(frozen=True)
class Server:
    """A running web server."""

    port: int

    def ask(self, query: str, **variables: Any) -> Any:
        """The data of a GraphQL answer."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/graphql", body, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            told = json.load(answer)
        assert "errors" not in told, told["errors"]
        return told["data"]

    def launch(self, job: str, assets: list[list[str]] | None = None, **tags: str) -> str:
        """Launch a run as the launchpad does; return its id."""
        selector: dict[str, Any] = {
            "pipelineName": job,
            "repositoryName": "__repository__",
            "repositoryLocationName": "cdp",
        }
        if assets is not None:
            selector |= {"assetSelection": [{"path": path} for path in assets]}
        data = self.ask(
            """mutation($params: ExecutionParams!) {
              launchRun(executionParams: $params) {
                __typename
                ... on LaunchRunSuccess { run { runId } }
                ... on PythonError { message }
                ... on RunConfigValidationInvalid { errors { message } }
              }
            }""",
            params={
                "selector": selector,
                "runConfigData": {},
                "executionMetadata": {"tags": [{"key": key, "value": value} for key, value in tags.items()]},
            },
        )["launchRun"]
        assert data["__typename"] == "LaunchRunSuccess", data
        return str(data["run"]["runId"])

    def runs(self) -> list[dict[str, Any]]:
        """All runs, newest first."""
        query = """{ runsOrError(limit: 50) { ... on Runs { results {
            runId status pipelineName startTime endTime tags { key value } assetSelection { path }
        } } } }"""
        return list(self.ask(query)["runsOrError"]["results"])

    def run(self, run_id: str) -> dict[str, Any]:
        """One run."""
        return next(item for item in self.runs() if item["runId"] == run_id)

    def ended(self, run_id: str) -> dict[str, Any]:
        """One run, when it has ended."""
        wait_for(lambda: self.run(run_id)["status"] in _ENDED, RUN_SECONDS, f"run {run_id} to end")
        return self.run(run_id)

    def steps(self, run_id: str) -> dict[str, str]:
        """Step → status of a run."""
        query = """query($id: ID!) { runOrError(runId: $id) { ... on Run { stepStats { stepKey status } } } }"""
        found = self.ask(query, id=run_id)["runOrError"]["stepStats"]
        return {item["stepKey"]: item["status"] for item in found}

    def partitions(self, *path: str) -> dict[str, Any]:
        """How many days of a feed are materialized, failed, and which ranges are in which state."""
        query = """query($key: AssetKeyInput!) { assetNodeOrError(assetKey: $key) { ... on AssetNode {
            partitionStats { numMaterialized numFailed }
            assetPartitionStatuses { ... on TimePartitionStatuses { ranges { status startKey endKey } } }
        } } }"""
        return dict(self.ask(query, key={"path": list(path)})["assetNodeOrError"])

    def materializations(self, *path: str) -> list[dict[str, Any]]:
        """The materializations of an asset, newest first."""
        query = """query($key: AssetKeyInput!) { assetOrError(assetKey: $key) { ... on Asset {
            assetMaterializations(limit: 200) {
                runId partition metadataEntries { label ... on IntMetadataEntry { intValue } }
            }
        } } }"""
        return list(self.ask(query, key={"path": list(path)})["assetOrError"]["assetMaterializations"])


def wait_for(holds: Callable[[], bool], seconds: float, what: str) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"waited {seconds} s in vain for {what}"
        time.sleep(0.3)


@contextmanager
def serving(
    root: Path, environment: Mapping[str, str] | None = None, *, by: Literal["dagster", "dg"] = "dagster"
) -> Iterator[Server]:
    """`dagster dev` or `dg dev` in the project's folder, on a free port of loopback, for the length of the block."""
    port = _free_port()
    program = str(Path(sys.executable).with_name(by))
    kept = {key: value for key, value in os.environ.items() if key not in {"CDP_PROJECT", "DAGSTER_HOME"}}
    log = (root.parent / f"dagster-{port}.log").open("w", encoding="utf-8")
    process = subprocess.Popen(
        [program, "dev", *("--host", "127.0.0.1", "--port", str(port))],
        cwd=root,
        env=kept | {"DAGSTER_HOME": str(root), "PYTHONWARNINGS": "ignore"} | dict(environment or {}),
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    server = Server(port)
    try:
        wait_for(lambda: process.poll() is not None or _answers(server), START_SECONDS, "the web server")
        assert process.poll() is None, Path(log.name).read_text(encoding="utf-8")[-4000:]
        yield server
    finally:
        _stop(process)
        log.close()


def _answers(server: Server) -> bool:
    try:
        return bool(server.ask("{ version }"))
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGINT)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=20)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)  # the session that was started for it, and whoever is left in it
    process.wait(timeout=20)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
