"""Any table of person records is linked without labels and without tuning, whatever its columns are called."""

from __future__ import annotations

import json
import random
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cdp.command import run_command
from identity.linker.people import link_people
from identity.linker.suggestion import suggest
from identity.scores import cluster_scores

LABELLED = {
    "fake_1000": 0.976,
    "febrl1": 0.997,
    "febrl3": 0.997,
    "rldata500": 0.986,
    "pp_multi": 0.986,
    "zh_10k": 0.991,
}
"""Pairwise F1 that a labelled set reaches at least, at the one default."""

UNTRUE = "truth"


def labelled(real_data: Path, name: str) -> pa.Table:
    path = real_data / "identity" / f"{name}.parquet"
    if not path.exists():
        pytest.skip(f"{path.name} is absent")
    return pq.read_table(path)


def f1_of(table: pa.Table, truth: str) -> float:
    rest = table.drop_columns([truth])
    rules = suggest(rest)
    ids = pa.array([f"{row:07}" for row in range(table.num_rows)], pa.string())
    source = table.column(rules.source).combine_chunks() if rules.source else None
    found = link_people(rest, rules, ids=ids, source=source)
    return found.scores(table.column(truth).combine_chunks())["f1"]


@pytest.mark.parametrize("name", LABELLED)
def test_a_labelled_set_is_linked_at_the_one_default(real_data: Path, name: str) -> None:
    assert f1_of(labelled(real_data, name), "cluster_id") >= LABELLED[name]


@pytest.mark.parametrize("name", ["fake_1000", "febrl1", "rldata500", "zh_10k"])
def test_renamed_columns_cost_next_to_nothing(real_data: Path, name: str) -> None:
    table = labelled(real_data, name)
    names = ["truth" if column == "cluster_id" else f"c{place}" for place, column in enumerate(table.column_names, 1)]
    assert f1_of(table.rename_columns(names), "truth") >= LABELLED[name] - 0.01


def test_the_order_of_rows_and_of_columns_changes_no_cluster(real_data: Path) -> None:
    table = labelled(real_data, "fake_1000")
    rules = suggest(table, frozenset({"cluster_id"}))
    ids = table.column("record_id").combine_chunks()
    straight = link_people(table, rules, ids=ids).clusters()
    order = list(range(table.num_rows))
    random.Random(4).shuffle(order)
    shuffled = table.take(pa.array(order)).select(table.column_names[::-1])
    turned = link_people(shuffled, rules, ids=shuffled.column("record_id").combine_chunks()).clusters()
    assert dict(zip(*straight.to_pydict().values(), strict=True)) == dict(
        zip(*turned.to_pydict().values(), strict=True)
    )


@pytest.mark.parametrize("name", ["fake_1000", "febrl1", "rldata500", "pp_multi", "zh_10k"])
def test_keys_and_true_persons_are_recognised_and_never_compared(real_data: Path, name: str) -> None:
    table = labelled(real_data, name)
    plain = table.rename_columns([f"c{place}" for place in range(1, table.num_columns + 1)])
    compared = {column for rule in suggest(plain).fields for column in rule.columns}
    keys = {f"c{table.column_names.index(column) + 1}" for column in ("record_id", "cluster_id")}
    assert compared.isdisjoint(keys)


def test_links_across_two_files_join_only_records_of_different_files(tmp_path: Path, real_data: Path) -> None:
    table = labelled(real_data, "febrl1").drop_columns(["cluster_id"])
    for part in (0, 1):
        rows = [row for row in range(table.num_rows) if row % 2 == part]
        pq.write_table(table.take(pa.array(rows)), tmp_path / f"{part}.parquet")
    inputs = [argument for part in (0, 1) for argument in ("--input", str(tmp_path / f"{part}.parquet"))]
    edges, clusters = tmp_path / "edges.parquet", tmp_path / "clusters.parquet"
    command = ["identity", "run", *inputs, "--link-only", "--output", str(clusters), "--edges", str(edges)]
    assert run_command(command) == 0
    number = {row["record_id"]: place % 2 for place, row in enumerate(table.select(["record_id"]).to_pylist())}
    found = pq.read_table(edges).filter(pa.compute.not_equal(pq.read_table(edges)["rule"], "within_group")).to_pylist()
    assert found
    assert all(number[row["record_id_l"]] != number[row["record_id_r"]] for row in found)


@pytest.mark.parametrize("name", ["fake_1000", "pp_multi", "zh_10k"])
def test_the_evidence_of_a_pair_adds_up_to_its_weight(real_data: Path, name: str) -> None:
    table = labelled(real_data, name)
    ids = table.column("record_id").combine_chunks()
    edges = link_people(table, suggest(table, frozenset({"cluster_id"})), ids=ids).edges()
    assert edges.num_rows > 100
    for row in edges.select(["weight", "evidence"]).to_pylist():
        assert sum(entry["weight"] for entry in row["evidence"]) == pytest.approx(row["weight"], abs=1e-6)
        assert all(entry["level"] for entry in row["evidence"])


CHINESE = """\
编号,姓名,手机号,城市,出生年,出生月,出生日
"""


def test_chinese_headers_and_split_dates_are_understood(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "客户.csv"
    rng = random.Random(1)
    surnames, names = "王李张刘陈杨黄赵吴周曾单", "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超霞平刚"
    lines, people = [], []
    for person in range(200):
        name = rng.choice(surnames) + "".join(rng.sample(names, 2))
        phone = f"13{rng.randrange(10**9):09}"
        born = (rng.randrange(1950, 2005), rng.randrange(1, 13), rng.randrange(1, 29))
        city = rng.choice(["北京市", "上海市", "广州市", "成都市"])
        for copy in range(2):
            shown = f"+86 {phone[:3]} {phone[3:7]} {phone[7:]}" if copy else phone
            lines.append(f"k{len(lines):05},{name},{shown},{city},{born[0]},{born[1]},{born[2]}")
            people.append(person)
    file.write_bytes((CHINESE + "\n".join(lines) + "\n").encode("gb18030"))
    rules = tmp_path / "rules.yml"
    assert run_command(["identity", "suggest", str(file), "--output", str(rules)]) == 0
    text = rules.read_text(encoding="utf-8")
    for said in ('role: full_name, columns: ["姓名"]', 'role: phone, columns: ["手机号"]'):
        assert said in text
    assert 'role: birth_on, columns: ["出生年", "出生月", "出生日"]' in text
    output = tmp_path / "clusters.csv"
    capsys.readouterr()
    command = ["identity", "run", "--input", str(file), "--config", str(rules), "--output", str(output), "--json"]
    assert run_command(command) == 0
    assert json.loads(capsys.readouterr().out)["records"] == 400
    rows = [line.replace('"', "").split(",") for line in output.read_text().splitlines()[1:]]
    codes = {name: place for place, name in enumerate(sorted({row[1] for row in rows}))}
    assert [row[0] for row in rows] == [line.split(",")[0] for line in lines]
    assert cluster_scores(np.array(people), np.array([codes[row[1]] for row in rows]))["f1"] > 0.99
