"""``cdp customer``, as a data steward or a script calls it."""

from __future__ import annotations

import io
import json
import shutil
import sys
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cdp.command import run_command
from identity.declaration import default_rules
from identity.pipeline import matching_steps
from warehouse.business import Business
from warehouse.database import open_warehouse
from warehouse.project import Project
from warehouse.step import Run, materialise

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "identity"))

from people import a_record, match, prepare, resolve

ANN = a_record(email="ann@a.example", full_name="Ann Archer")
BEA = [a_record(email="bea@b.example", full_name="Bea Baxter", phone=f"0791112345{n}") for n in (1, 2)]
CLEO = a_record(email="cleo@c.example", full_name="Cleo Carter")
BUSINESS = Business(name="A shop", base_currency="GBP", time_zone="Europe/London", default_country="GB")


class Shop:
    """A project whose warehouse knows three customers."""

    def __init__(self, root: Path, capsys: pytest.CaptureFixture[str] | None) -> None:
        self.root, self.capsys, self.runs = root, capsys, 0

    def make(self) -> None:
        (self.root / "config").mkdir(parents=True)
        (self.root / "config" / "business.yml").write_text(
            "name: A shop\nbase_currency: GBP\ntime_zone: Europe/London\ndefault_country: GB\n", encoding="utf-8"
        )
        with open_warehouse(Project(self.root).database) as warehouse:
            prepare(warehouse)
            resolve(warehouse, self.a_run(), [ANN, *BEA, CLEO])
            warehouse.cursor().execute(
                "create table ops.runs as select 'run' as run_id, date '2026-01-31' as as_of,"
                " timestamp '2026-02-01' as started_at, false as full_refresh, 'published' as status"
            )

    def a_run(self) -> Run:
        """The next run: long after whatever was decided before."""
        self.runs += 1
        now = datetime(2126, 1, 1) if self.runs > 1 else datetime(2026, 2, 1)
        return Run(f"run-{self.runs}", date(2026, 1, 31), now + timedelta(hours=self.runs), BUSINESS)

    def doubt(self, one: dict[str, Any], other: dict[str, Any]) -> None:
        """Put two records into the queue of what people should look at."""
        left, right = sorted((one["record_id"], other["record_id"]))
        with open_warehouse(Project(self.root).database) as warehouse:
            warehouse.cursor().execute(
                "insert into identity.edges select $l, $r, 'rule', -1, 0.33,"
                " [{'comparison': 'phone', 'level': 'same', 'weight': 2.5}], false",
                {"l": left, "r": right},
            )
            rules = default_rules()
            assert rules is not None
            for step in matching_steps(rules)[-2:]:
                materialise(warehouse, step, replace(self.a_run(), full_refresh=True))

    def run(self) -> dict[str, str]:
        """What `cdp run` does about identities."""
        self.runs += 1
        with open_warehouse(Project(self.root).database) as warehouse:
            return match(warehouse, self.a_run())

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        with open_warehouse(Project(self.root).database) as warehouse:
            return warehouse.cursor().execute(query).fetchall()

    def call(self, *arguments: str, code: int = 0) -> str:
        """What a command prints, after its exit code was as expected."""
        assert self.capsys is not None
        self.capsys.readouterr()
        assert run_command([*arguments, "--project", str(self.root)]) == code
        printed = self.capsys.readouterr()
        return printed.err if code else printed.out

    def json(self, *arguments: str) -> Any:
        return json.loads(self.call(*arguments, "--json"))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("made") / "shop"
    Shop(root, None).make()
    return root


@pytest.fixture
def shop(made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shop:
    return Shop(Path(shutil.copytree(made, tmp_path / "shop")), capsys)


def test_a_merge_says_what_was_written_when_it_holds_and_how_to_take_it_back(shop: Shop) -> None:
    told = shop.call("customer", "merge", "ann@a.example", "bea@b.example", "--reason", "she rang us", "--by", "Joe")
    assert "1 record of c" in told
    assert "2 records of c" in told
    assert "takes effect with the next run" in told
    assert "ann@a.example" not in told
    (decision,) = shop.json("customer", "decisions")
    assert f"cdp customer undo {decision['decision_id']}" in told
    assert (decision["actor"], decision["action"], decision["reason"]) == ("Joe", "merge", "she rang us")
    assert decision["state"] == "waits for the next run"
    links = shop.run()
    assert links[ANN["record_id"]] == links[BEA[0]["record_id"]] != links[CLEO["record_id"]]


def test_split_forbid_allow_and_undo_are_written_in_their_order(shop: Shop) -> None:
    shop.call("customer", "split", "bea@b.example", BEA[0]["record_id"], "--reason", "her sister")
    links = shop.run()
    assert links[BEA[0]["record_id"]] != links[BEA[1]["record_id"]]
    shop.call("customer", "forbid", "ann@a.example", "cleo@c.example", "--reason", "cousins")
    shop.call("customer", "allow", "ann@a.example", "cleo@c.example", "--reason", "not cousins")
    for decision in shop.json("customer", "decisions"):
        shop.call("customer", "undo", decision["decision_id"], "--reason", "a test")
    assert {item["state"] for item in shop.json("customer", "decisions")} == {"taken back"}
    assert [item["action"] for item in shop.json("customer", "decisions", "cleo@c.example")] == ["allow", "forbid"]
    assert len(set(shop.run().values())) == 3


def test_contradictions_end_with_code_14_a_reason_and_a_fix(shop: Shop) -> None:
    shop.call("customer", "forbid", "ann@a.example", "bea@b.example", "--reason", "sisters")
    told = shop.call("customer", "merge", "ann@a.example", "bea@b.example", "--reason", "one", code=14)
    assert told.startswith("error: Decision d")
    assert "fix: `cdp customer allow` them first" in told
    assert len(shop.json("customer", "decisions")) == 1


def test_times_are_told_on_the_business_s_clock(shop: Shop) -> None:
    with open_warehouse(Project(shop.root).database) as warehouse:
        warehouse.cursor().execute("update identity.records set first_seen_at = timestamp '2026-07-01 23:30:00'")
    page = shop.call("customer", "explain", "ann@a.example")
    assert "times are those of Europe/London" in page
    assert "2026-07-02 00:30 – " in page


def test_who_is_unknown_is_told_without_the_value(shop: Shop) -> None:
    assert "zoe" not in shop.call("customer", "merge", "ann@a.example", "zoe@z.example", code=11)


def test_a_file_is_brought_in_and_written_out(shop: Shop, tmp_path: Path) -> None:
    file = tmp_path / "decisions.csv"
    file.write_text("action,left,right,reason\nmerge,ann@a.example,cleo@c.example,one\n", encoding="utf-8")
    assert shop.json("customer", "import", str(file)) == {"written": 1, "known": 0}
    assert shop.json("customer", "import", str(file)) == {"written": 0, "known": 1}
    kept = tmp_path / "kept.csv"
    shop.call("customer", "decisions", "--output", str(kept))
    assert shop.json("customer", "import", str(kept)) == {"written": 0, "known": 1}
    file.write_text("action,left,right,reason\nmerge,ann@a.example,,one\n", encoding="utf-8")
    assert "decisions.csv:2: `right` is empty" in shop.call("customer", "import", str(file), code=11)


def test_before_the_first_run_there_is_nobody_to_decide_about(shop: Shop) -> None:
    Project(shop.root).database.unlink()
    assert "cdp run" in shop.call("customer", "merge", "a", "b", "--reason", "x", code=13)


def test_history_tells_who_an_email_was_on_a_day(shop: Shop) -> None:
    (held,) = shop.json("customer", "history", "ann@a.example", "--on", "2026-02-01")["links"]
    assert held["record_id"] == ANN["record_id"]
    assert held["customer_id"] in shop.call("customer", "history", "ann@a.example")
    shop.call("customer", "history", "ann@a.example", "--on", "2026-01-01", code=11)


def test_a_review_walks_through_questions_and_writes_the_answers(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.doubt(ANN, CLEO)
    shop.doubt(ANN, BEA[0])
    (first, second) = shop.json("identity", "review")
    monkeypatch.setattr("sys.stdin", io.StringIO("what?\ny\nq\n"))
    told = shop.call("identity", "review", "--by", "Joe")
    assert "1 of 2" in told
    assert "2 of 2" in told
    assert "wrote 1 decision;" in told
    assert "ann@a.example" not in told
    (decision,) = shop.json("customer", "decisions")
    assert (decision["action"], decision["actor"]) == ("merge", "Joe")
    file = tmp_path / "answers.csv"
    header = "record_id_l,record_id_r,answer,reason\n"
    file.write_text(f"{header}{second['record_id_l']},{second['record_id_r']},no,sisters\n", encoding="utf-8")
    assert shop.json("identity", "review", "--answers", str(file)) == {"yes": 0, "no": 1, "skip": 0}
    file.write_text(f"{header}{first['record_id_l']},{first['record_id_r']},no,no\n", encoding="utf-8")
    assert "answers.csv:2: " in shop.call("identity", "review", "--answers", str(file), code=14)
    assert len(shop.json("customer", "decisions")) == 2


def test_revealing_values_in_a_review_is_noted(shop: Shop) -> None:
    shop.doubt(ANN, CLEO)
    assert "ann@a.example" not in shop.call("identity", "review", "--json")
    assert "ann@a.example" in shop.call("identity", "review", "--json", "--reveal", "--why", "a call", "--by", "Joe")
    assert shop.ask("select accessed_by, command, rows, why from ops.access_log") == [
        ("Joe", "identity review", 2, "a call")
    ]


def test_a_picture_is_drawn_masked_and_a_revealed_one_is_noted(shop: Shop, tmp_path: Path) -> None:
    file = tmp_path / "bea.svg"
    assert "masked" in shop.call("customer", "explain", "bea@b.example", "--picture", str(file))
    assert "bea@b" not in file.read_text(encoding="utf-8")
    shop.call("customer", "explain", "bea@b.example", "--picture", str(file), "--reveal", "--why", "a call")
    assert "bea@b.example" in file.read_text(encoding="utf-8")
    assert shop.ask("select command, rows, why from ops.access_log") == [("customer explain", 2, "a call")]
    shop.call("customer", "explain", "bea@b.example", "--picture", str(file), "--language", "zh")
    assert "为什么" in file.read_text(encoding="utf-8")


def test_the_status_page_tells_what_is_in_doubt_and_what_no_run_has_heard(shop: Shop) -> None:
    shop.call("customer", "forbid", "ann@a.example", "cleo@c.example")
    shop.doubt(ANN, BEA[0])
    found = shop.json("status")
    assert (found["decisions_waiting"], found["pairs_in_doubt"]) == (1, 1)


def test_the_same_split_again_stands_already(shop: Shop) -> None:
    words = ("customer", "split", "bea@b.example", BEA[0]["record_id"], "--reason", "her sister")
    first = shop.json(*words)
    again = shop.json(*words)
    assert (first["is_new"], again["is_new"]) == (True, False)
    assert again["decision_id"] == first["decision_id"]
    told = shop.call(*words)
    assert "1 record of c" in told
    assert "It stands already; nothing was written." in told
    assert "takes effect" not in told
    assert len(shop.json("customer", "decisions")) == 1
    shop.call("customer", "undo", first["decision_id"])
    assert shop.json(*words)["is_new"]


def test_decisions_are_listed_on_the_business_s_clock(shop: Shop) -> None:
    shop.call("customer", "forbid", "ann@a.example", "cleo@c.example")
    with open_warehouse(Project(shop.root).database) as warehouse:
        warehouse.cursor().execute("update identity.decisions set decided_at = timestamp '2026-07-01 23:30:00.123456'")
    told = shop.call("customer", "decisions")
    assert "times are those of Europe/London" in told
    assert "2026-07-02 00:30" in told
    assert "123456" not in told


def test_what_names_nobody_is_told_with_the_customer(shop: Shop) -> None:
    with open_warehouse(Project(shop.root).database) as warehouse:
        cursor = warehouse.cursor()
        cursor.execute("create schema if not exists profiles")
        for table, columns in _PROFILES.items():
            cursor.execute(f"create table profiles.{table} ({columns})")
        cursor.execute("update identity.identifiers set is_blocked = true where raw_value = '07911123451'")
        cursor.execute(
            "insert into identity.blocked_identifiers by name select identifier_kind, value, 'placeholder' as reason"
            " from identity.identifiers where is_blocked"
        )
    assert "not used as evidence: phone 07911123451 (placeholder)" in shop.call("customer", "show", "bea@b.example")
    assert "not used as evidence" not in shop.call("customer", "show", "ann@a.example")
    assert "1 record, 0 edges between them" in shop.call("customer", "explain", "ann@a.example")


_PROFILES = {
    "customers": "customer_id varchar",
    "segment_members": "customer_id varchar, segment varchar",
    "households": "customer_id varchar, household_id varchar",
    "orders": "customer_id varchar, placed_at timestamp, order_id varchar, feed varchar, status varchar,"
    " net_amount decimal(18, 4), currency varchar",
    "activities": "customer_id varchar, occurred_at timestamp, kind varchar, feed varchar, channel varchar,"
    " summary varchar, source_key varchar",
}
