"""``cdp identity diff`` against what a run then does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cdp.command import run_command
from warehouse.database import open_warehouse
from warehouse.project import Project

_LINKS = "select record_id, customer_id from identity.customer_links order by 1"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample business, small, after a run."""
    folder = tmp_path_factory.mktemp("diff") / "shop"
    assert run_command(["init", str(folder), "--sample"]) == 0
    generated = ["demo", "generate", "--customers", "150", "--days", "90", "--seed", "5", "--out", str(folder)]
    assert run_command(generated) == 0
    assert run_command(["run", "--project", str(folder)]) == 0
    return folder


def links(project: Path) -> dict[str, str]:
    with open_warehouse(Project(project).database, read_only=True) as warehouse:
        return dict(warehouse.cursor().execute(_LINKS).fetchall())


@pytest.mark.end_to_end
def test_the_preview_tells_what_a_run_under_the_new_rules_then_does_and_changes_nothing_itself(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = links(project)
    rules = (project / "config" / "identity.yml").read_text(encoding="utf-8")
    stricter = tmp_path / "stricter.yml"
    stricter.write_text(rules.replace("link_at: 0 ", "link_at: 9 "), encoding="utf-8")
    capsys.readouterr()

    assert run_command(["identity", "diff", "--config", str(stricter), "--json", "--project", str(project)]) == 0
    told = json.loads(capsys.readouterr().out)

    assert links(project) == before
    (project / "config" / "identity.yml").write_text(stricter.read_text(encoding="utf-8"), encoding="utf-8")
    assert run_command(["run", "--project", str(project)]) == 0
    after = links(project)
    assert told["customers_before"] == len(set(before.values()))
    assert told["customers_after"] == len(set(after.values())) > told["customers_before"]
    assert told["records_moved"] == sum(after[record] != customer for record, customer in before.items())
    parts = {group["customer_id"]: set(group["parts"]) for group in told["split"]}
    assert parts
    for customer, found in parts.items():
        assert found == {after[record] for record, held in before.items() if held == customer}
    assert any(shift["entering"] or shift["leaving"] for shift in told["segments"])

    capsys.readouterr()
    assert run_command(["identity", "diff", "--project", str(project)]) == 0
    assert "Nothing would change." in capsys.readouterr().out


@pytest.mark.end_to_end
def test_a_trained_version_is_previewed_pinned_and_used(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def told(*arguments: str, expect: int = 0) -> Any:
        capsys.readouterr()
        assert run_command([*arguments, "--project", str(project)]) == expect
        return json.loads(capsys.readouterr().out)

    truth = str(project / "truth" / "persons.csv")
    assert told("identity", "train", "--labels", truth, "--dry-run", "--json")["version"] is None
    alone = told("identity", "train", "--unlabelled", "--labels", truth, "--dry-run", "--json")
    assert alone["estimated_pairs"]["match"] > 0
    assert alone["scores"]["learned"]["log_loss"] < alone["scores"]["declared"]["log_loss"]
    learned = told("identity", "train", "--labels", truth, "--json")
    assert (learned["version"], learned["is_pinned"]) == (2, False)
    assert {"declared", "learned"} == learned["scores"].keys()
    assert any(row["learned"] != row["declared"] and row["pairs"] for row in learned["weights"])

    before = links(project)
    preview = told("identity", "diff", "--model", "2", "--json")
    assert links(project) == before
    assert run_command(["identity", "models", "pin", "2", "--force", "--project", str(project)]) == 0
    assert run_command(["run", "--project", str(project)]) == 0
    after = links(project)
    assert preview["customers_after"] == len(set(after.values()))
    assert preview["records_moved"] == sum(after[record] != customer for record, customer in before.items())

    (newest,) = {row["run_id"] for row in told("identity", "score", "--runs", "1", "--json")}
    figures = {
        (row["data_set"], row["metric"]): row["value"]
        for row in told("identity", "score", "--runs", "1", "--json")
        if row["run_id"] == newest
    }
    assert figures["model", "version"] == 2
    assert max(value for (data_set, _), value in figures.items() if data_set == "drift") < 0.01
    assert [row["is_pinned"] for row in told("identity", "models", "list", "--json")] == [False, True]
    assert run_command(["identity", "models", "pin", "9", "--project", str(project)]) == 2


@pytest.mark.end_to_end
def test_the_scores_of_the_last_runs_stand_side_by_side(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert run_command(["identity", "score", "--json", "--project", str(project)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {"f1", "precision", "recall"} <= {row["metric"] for row in found if row["data_set"] == "truth"}
    assert all(0 < row["value"] <= 1 for row in found if row["metric"] == "f1")


def test_a_wrong_configuration_is_told_by_its_own_name(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = tmp_path / "wrong.yml"
    wrong.write_text("clusters: {link_at: high}\n", encoding="utf-8")
    assert run_command(["identity", "diff", "--config", str(wrong), "--project", str(project)]) == 10
    assert "wrong.yml:1" in capsys.readouterr().err
    assert run_command(["identity", "diff", "--config", str(tmp_path / "none.yml"), "--project", str(project)]) == 11
