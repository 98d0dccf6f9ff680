"""Every mistake in every declaration of a project is told at once, as `file:line: what. What to do.`"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.declared import read_project
from cdp.commands.schema import models_by_name
from warehouse.declaration import Declaration, Problems, parse_declaration
from warehouse.errors import DeclarationError
from warehouse.project import Project

BUSINESS = "name: Shop\nbase_currency: EUR\ntime_zone: Europe/Berlin\ndefault_country: DE\n"
FEED = """kind: purchases
mapping: csv
fields:
  order_id: Order
  placed_at: Date
  status: {constant: paid}
  currency: {constant: EUR}
"""
CASES = yaml.safe_load((Path(__file__).parent / "broken_declarations.yml").read_text(encoding="utf-8"))


def told_of(root: Path, files: dict[str, str]) -> list[str]:
    for name, text in ({"business.yml": BUSINESS} | files).items():
        path = root / "config" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    try:
        read_project(Project(root))
    except DeclarationError as error:
        return [str(problem).removeprefix("config/") for problem in error.problems]
    return []


@pytest.mark.parametrize("case", CASES, ids=[case["it"] for case in CASES])
def test_all_problems_of_a_project_are_told_at_once(tmp_path: Path, case: dict[str, Any]) -> None:
    assert told_of(tmp_path, case["files"]) == case["told"]


def test_one_file_that_is_wrong_hides_nothing_in_another(tmp_path: Path) -> None:
    files = {name: text for case in CASES for name, text in case["files"].items()}
    named_by_others = ("segments/", "traits/", "survivorship", "corrections/")
    apart = {name: text for name, text in files.items() if not name.startswith(named_by_others)}
    alone = [told_of(tmp_path / str(number), {name: text}) for number, (name, text) in enumerate(apart.items())]
    assert len(apart) >= 7
    assert set(told_of(tmp_path / "together", apart)) == {line for told in alone for line in told}


def test_the_declarations_of_a_good_project_are_in_order(tmp_path: Path) -> None:
    assert told_of(tmp_path, {"feeds/shop.yml": FEED}) == []


_KEYS = st.sampled_from(["a", "kind", "field", "in", ""])
_ANY = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(-3, 10**12), st.floats(-1, 2),
        st.sampled_from(["", " ", "zz", "China", "RMB", "2026-02-30", "A b", "s3", "http", "all", "x" * 200]),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_KEYS, inner, max_size=3)),
    max_leaves=6,
)  # fmt: skip
_RAW = re.compile(
    r"Input should|should be a|Value error|should match|a valid |unable to|at least 1 item|pydantic|type=",
    re.IGNORECASE,
)


@pytest.mark.parametrize("name", [name for name, model in models_by_name().items() if issubclass(model, Declaration)])
@settings(max_examples=60)
@given(data=st.data())
def test_whatever_stands_in_a_declaration_is_answered_in_plain_words(name: str, data: st.DataObject) -> None:
    model = models_by_name()[name]
    keys = [info.alias or key for key, info in model.model_fields.items()]
    written = data.draw(st.dictionaries(st.sampled_from(keys), _ANY, max_size=4))
    problems = Problems()
    parse_declaration(yaml.safe_dump(written, allow_unicode=True), model, problems, shown_as="config/x.yml")  # type: ignore[type-var]
    for problem in problems.found:
        assert re.match(r"config/x\.yml:[1-9]\d*: \S.*[.?] \S.*[.?]$", str(problem), re.DOTALL), str(problem)
        assert not _RAW.search(str(problem)), str(problem)
        assert "nothing that may stand here" not in problem.what, "a kind of mistake that nobody has put into words"
