"""Model versions: the first learns nothing, the others what labels say; a pinned one holds whatever arrives."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from people import a_record, later, match, partition, resolve

from identity.declaration import IdentityRules, default_rules
from identity.drift import drift_figures
from identity.model import Model
from identity.models import add_version, pin, pinned_model, versions
from identity.stewardship import decide, party_of
from identity.training import FEWEST, Trained, train
from quality.resolution import Attempt
from warehouse.database import Warehouse
from warehouse.errors import InputError, UsageError
from warehouse.step import Run

GIVEN = [
    "Ann",
    "Bea",
    "Cleo",
    "Dora",
    "Eve",
    "Fay",
    "Gina",
    "Hope",
    "Ida",
    "Joan",
    "Kate",
    "Lena",
    "Mona",
    "Nora",
    "Olga",
    "Pia",
    "Rosa",
    "Sue",
    "Tess",
    "Uma",
]
FAMILY = ["Archer", "Baxter", "Carter", "Draper", "Easton", "Fisher", "Garner", "Harper", "Irving", "Jarvis"]

Row = dict[str, Any]


def rules() -> IdentityRules:
    found = default_rules()
    assert found is not None
    return found


def people() -> dict[str, list[Row]]:
    """Sixty people with two records each: homes of three, who share phone and address; mail addresses change."""
    found: dict[str, list[Row]] = {}
    for number in range(60):
        given, family, home = GIVEN[number % 20], FAMILY[number // 6], number // 3
        shared = {
            "phone": f"07911 {home:06}",
            "address_line": f"{home + 1} High Street",
            "postcode": f"LS{home % 9 + 1} 4AB",
        }
        born = date(1960 + number % 37, 1 + number % 12, 1 + number % 28)
        found[f"p{number}"] = [
            a_record(given_name=given, family_name=family, email=f"{given}{number}@a.example", birth_on=born, **shared),
            a_record(feed="crm", given_name=given, family_name=family, email=f"x{number}@b.example", **shared),
        ]
    return found


def labels(path: Path, warehouse: Warehouse, known: dict[str, list[Row]]) -> Path:
    """persons.csv of the records in the warehouse."""
    person = {row["record_id"]: name for name, rows in known.items() for row in rows}
    found = warehouse.cursor().execute("select feed, file, row, record_id from identity.row_records").fetchall()
    lines = [f"{feed},{file},{row},{person[record]}" for feed, file, row, record in found]
    path.write_text("feed,file,row,person_id\n" + "\n".join(lines), encoding="utf-8")
    return path


def trained(warehouse: Warehouse, run: Run, file: Path | None) -> Trained:
    with warehouse.rehearsal() as connection:
        return train(connection, rules(), run, file)


def keep(warehouse: Warehouse, run: Run, found: Trained) -> int:
    """The trained version, pinned."""
    attempt = Attempt(run.now, run.run_id, "Joe", "a test")
    with warehouse.transaction() as connection:
        version = add_version(connection, found.artefact, found.values, attempt)
        pin(connection, version, attempt)
    return version


def model(warehouse: Warehouse) -> Model:
    return pinned_model(warehouse.cursor())


@pytest.fixture
def known(prepared: Warehouse, run: Run) -> dict[str, list[Row]]:
    """The people, in the warehouse."""
    found = people()
    resolve(prepared, run, [row for rows in found.values() for row in rows])
    return found


def test_the_first_run_makes_a_version_that_has_learned_nothing_and_no_other_run_makes_any(
    prepared: Warehouse, run: Run
) -> None:
    resolve(prepared, run, [a_record(email="ann@a.example")])
    resolve(prepared, later(run), [a_record(email="bob@a.example")])
    (only,) = versions(prepared.cursor())
    assert (only.version, only.is_pinned, only.made_by, only.run_id) == (1, True, "rule", run.run_id)
    assert only.artefact.corrections == {}
    assert prepared.cursor().execute("select count(*) from identity.model_values").fetchall() == [(0,)]


def test_labels_of_persons_teach_weights_that_foretell_held_out_people_better(
    prepared: Warehouse, run: Run, known: dict[str, list[Row]], tmp_path: Path
) -> None:
    found = trained(prepared, run, labels(tmp_path / "persons.csv", prepared, known))
    scores = found.artefact.scores
    assert scores["learned"]["log_loss"] < scores["declared"]["log_loss"]
    assert scores["learned"]["f1"] >= scores["declared"]["f1"]
    assert found.worse == ()
    assert found.artefact.rests_on["name"]["same"] > 0


def test_training_depends_on_rows_rules_and_labels_and_not_on_the_version_in_use(
    prepared: Warehouse, run: Run, known: dict[str, list[Row]], tmp_path: Path
) -> None:
    file = labels(tmp_path / "persons.csv", prepared, known)
    first = trained(prepared, run, file)
    assert keep(prepared, run, first) == 2
    match(prepared, later(run))
    again = trained(prepared, later(run, 2), file)
    assert (again.artefact, again.values) == (first.artefact, first.values)
    assert model(prepared).version == 2


def test_few_records_and_few_labels_teach_no_weights_but_what_is_common_is_remembered(
    prepared: Warehouse, run: Run
) -> None:
    resolve(prepared, run, [row for rows in list(people().values())[:24] for row in rows])
    found = trained(prepared, run, None)
    assert found.values
    assert max(found.artefact.labelled.values()) < FEWEST
    assert found.artefact.corrections == {}
    assert found.artefact.is_capped
    before = partition(match(prepared, later(run)))
    keep(prepared, later(run), found)
    assert partition(match(prepared, later(run, 2))) == before


def test_what_people_decided_is_learned_from(prepared: Warehouse, run: Run, known: dict[str, list[Row]]) -> None:
    names = list(known)
    with prepared.transaction() as connection:
        customers = dict(connection.execute("select record_id, customer_id from identity.customer_links").fetchall())
        for number, name in enumerate(names[:48]):
            other = names[(number + 1) % 60]
            at = Attempt(later(run, number).now, f"by-hand-{number}", "Joe", "seen")
            one, two, stranger = (*known[name], known[other][0])
            sides = [
                party_of(connection, customers[row["record_id"]], row["record_id"]) for row in (one, two, stranger)
            ]
            decide(connection, "merge", sides[0], sides[1], at, f"m{number}")
            decide(connection, "forbid", sides[0], sides[2], at, f"f{number}")
    found = trained(prepared, later(run, 100), None)
    assert found.artefact.labelled["one_person"] >= FEWEST
    assert found.artefact.labelled["two_people"] >= FEWEST
    assert found.artefact.corrections


def test_a_weight_that_is_declared_anew_still_counts_under_a_trained_version(
    prepared: Warehouse, run: Run, known: dict[str, list[Row]], tmp_path: Path
) -> None:
    keep(prepared, run, trained(prepared, run, labels(tmp_path / "persons.csv", prepared, known)))
    given = rules()
    gender = next(item for item in given.comparisons if item.comparison == "gender")
    raised = [level.model_copy(update={"weight": level.weight + 2.0}) for level in gender.levels]
    changed = given.model_copy(
        update={
            "comparisons": tuple(
                item.model_copy(update={"levels": tuple(raised)}) if item is gender else item
                for item in given.comparisons
            )
        }
    )
    weights = [
        [
            level.weight
            for item in model(prepared).corrected(of).comparisons
            if item.comparison == "gender"
            for level in item.levels
        ]
        for of in (given, changed)
    ]
    assert [after - before for before, after in zip(*weights, strict=True)] == pytest.approx([2.0, 2.0])


def test_a_version_remembers_no_value_that_few_hold_and_none_in_clear(
    prepared: Warehouse, run: Run, known: dict[str, list[Row]], tmp_path: Path
) -> None:
    found = trained(prepared, run, labels(tmp_path / "persons.csv", prepared, known))
    keep(prepared, run, found)
    written = str(prepared.cursor().execute("select * from identity.models").fetchall())
    written += str(prepared.cursor().execute("select * from identity.model_values").fetchall())
    assert not [word for word in ("Archer", "archer", "07911", "7911", "@a.example", "High Street") if word in written]
    assert found.values
    assert min(nodes for *_, nodes in found.values) >= 5


def test_a_value_that_grows_common_is_reported_and_not_blocked_until_a_version_knows_it(
    prepared: Warehouse, run: Run, known: dict[str, list[Row]]
) -> None:
    keep(prepared, run, trained(prepared, run, None))
    everybody = [row for rows in known.values() for row in rows]
    office = [
        a_record(given_name=given, family_name=family, email="desk@c.example")
        for given in GIVEN
        for family in FAMILY[:3]
    ]
    resolve(prepared, later(run), [*everybody, *office])
    blocked = "select count(*) from identity.blocked_identifiers where value = 'desk@c.example'"
    assert prepared.cursor().execute(blocked).fetchall() == [(0,)]
    figures = {metric: value for _, metric, value in drift_figures(prepared.cursor(), "")}
    assert figures["shared_values_not_blocked"] == 1.0
    assert figures["psi_email"] > 0.25

    keep(prepared, later(run), trained(prepared, later(run), None))
    match(prepared, later(run, 2))
    assert prepared.cursor().execute(blocked).fetchall() == [(1,)]
    figures = {metric: value for _, metric, value in drift_figures(prepared.cursor(), "")}
    assert figures["shared_values_not_blocked"] == 0.0
    assert figures["psi_email"] == figures["psi_weight"] == 0.0


def test_a_shared_unique_identifier_is_blocked_whatever_the_version_knows(prepared: Warehouse, run: Run) -> None:
    resolve(prepared, run, [a_record(given_name="Ann", family_name="Archer")])
    keep(prepared, run, trained(prepared, run, None))
    rows = [a_record(given_name=given, family_name=given, source_customer_id="0815") for given in GIVEN]
    found = resolve(prepared, later(run), rows)
    assert len(set(found.values())) == len(GIVEN)


def test_labels_of_pairs_are_told_line_by_line_when_they_are_wrong(
    prepared: Warehouse, run: Run, known: dict[str, list[Row]], tmp_path: Path
) -> None:
    file = tmp_path / "pairs.csv"
    record = next(iter(known.values()))[0]["record_id"]
    file.write_text(f"record_id_l,record_id_r,answer\n{record},{record},maybe\n{record},gone,yes\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"pairs.csv:2: `answer`.*\n.*pairs.csv:3: `record_id_r`"):
        trained(prepared, run, file)
    file.write_text("who,what\n1,2\n", encoding="utf-8")
    with pytest.raises(InputError, match="neither the columns of persons nor those of pairs"):
        trained(prepared, run, file)


def test_a_version_that_does_not_exist_cannot_be_pinned(prepared: Warehouse, run: Run) -> None:
    resolve(prepared, run, [a_record(email="ann@a.example")])
    with prepared.transaction() as connection, pytest.raises(UsageError, match="There is no model version 7"):
        pin(connection, 7, Attempt(run.now, run.run_id))


def test_rules_declared_otherwise_are_told_as_drift(prepared: Warehouse, run: Run, known: dict[str, list[Row]]) -> None:
    found = trained(prepared, run, None)
    keep(prepared, run, replace(found))
    match(prepared, later(run))
    for declaration, changed in ((found.artefact.declaration, 0.0), ("another", 1.0)):
        figures = {metric: value for _, metric, value in drift_figures(prepared.cursor(), declaration)}
        assert figures["declaration_changed"] == changed
