"""What the records teach by themselves: weights without labels, in declared terms."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from people import give_records, later, match, partition, prepare, resolve
from test_training import Row, keep, labels, model, people, rules

from identity.model import Artefact
from identity.training import Trained, train
from warehouse.database import Warehouse, open_warehouse
from warehouse.step import Run


@pytest.fixture
def known(prepared: Warehouse, run: Run) -> dict[str, list[Row]]:
    """Sixty people of two records each, in the warehouse."""
    found = people()
    resolve(prepared, run, [row for rows in found.values() for row in rows])
    return found


def trained(warehouse: Warehouse, run: Run, file: Path | None = None) -> Trained:
    with warehouse.rehearsal() as connection:
        return train(connection, rules(), run, file, unlabelled_only=True)


def test_records_alone_teach_how_often_one_person_and_two_people_agree(
    prepared: Warehouse, run: Run, known: dict[str, list[Row]]
) -> None:
    artefact = trained(prepared, run).artefact
    assert artefact.classes["match"] == pytest.approx(60, abs=3)
    name, phone, email = (artefact.chances[of] for of in ("name", "phone", "email"))
    assert name["same"].match > 0.9 > 0.1 > name["same"].random
    assert phone["same"].match > 0.9
    assert phone["same"].household > 10 * phone["same"].random
    assert email["different"].match > 0.7  # mail addresses change here: two of them say little
    for levels in artefact.chances.values():
        assert sum(level.match for level in levels.values()) == pytest.approx(1, abs=0.01)
        assert sum(level.random for level in levels.values()) == pytest.approx(1, abs=0.01)


def test_labels_that_are_not_learned_from_find_the_estimate_better_than_what_is_declared(
    prepared: Warehouse, run: Run, known: dict[str, list[Row]], tmp_path: Path
) -> None:
    file = labels(tmp_path / "persons.csv", prepared, known)
    alone, judged = trained(prepared, run), trained(prepared, run, file)
    assert judged.artefact.corrections == alone.artefact.corrections
    assert judged.artefact.prior == alone.artefact.prior
    scores = judged.artefact.scores
    assert scores["learned"]["log_loss"] < scores["declared"]["log_loss"]
    assert scores["learned"]["f1"] >= scores["declared"]["f1"]


def test_an_estimate_is_used_when_it_is_pinned_and_tells_the_reasons_of_each_pair(
    prepared: Warehouse, run: Run, known: dict[str, list[Row]]
) -> None:
    found = trained(prepared, run)
    keep(prepared, run, found)
    assert all(item.short_of_link is None for item in model(prepared).corrected(rules()).comparisons)
    links = match(prepared, later(run))
    assert partition(links) == {frozenset(row["record_id"] for row in rows) for rows in known.values()}
    evidence = prepared.cursor().execute("select weight, list_sum([e.weight for e in evidence]) from identity.edges")
    assert all(told == pytest.approx(weight, abs=0.1) for weight, told in evidence.fetchall())


def test_what_was_learned_has_one_fingerprint_before_and_after_it_is_kept_and_on_what_earlier_releases_kept(
    prepared: Warehouse, run: Run, known: dict[str, list[Row]]
) -> None:
    found = trained(prepared, run).artefact
    assert Artefact.model_validate_json(found.model_dump_json()).fingerprint() == found.fingerprint()
    kept = Artefact(prior=1.0, declaration="d")
    assert kept.fingerprint() == "132a8571dadd0923"
    assert Artefact.model_validate_json(kept.model_dump_json()).fingerprint() == kept.fingerprint()


def test_the_order_of_records_does_not_change_what_they_teach(run: Run) -> None:
    rows = [row for of_one in people().values() for row in of_one]
    found = []
    for seed in range(3):
        random.Random(seed).shuffle(rows)
        with open_warehouse() as warehouse:
            prepare(warehouse)
            give_records(warehouse, rows)
            found.append(trained(warehouse, run).artefact)
    assert found[0].corrections
    assert found[0] == found[1] == found[2]
