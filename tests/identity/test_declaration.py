"""config/identity.yml: a complete, readable list, and every mistake in it told with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from identity.declaration import LEVELS, IdentityRules, default_rules, load_identity
from warehouse.declaration import Problems, parse_declaration
from warehouse.errors import DeclarationError
from warehouse.project import Project

ROOT = Path(__file__).resolve().parent.parent.parent
TEXT = (ROOT / "config" / "identity.yml").read_text(encoding="utf-8")


def test_the_sample_business_declares_what_the_package_assumes() -> None:
    packaged = (ROOT / "identity" / "defaults" / "identity.yml").read_text(encoding="utf-8")
    assert packaged == TEXT


def test_a_project_without_rules_runs_with_the_packaged_ones(tmp_path: Path) -> None:
    assert load_identity(Project(tmp_path)) == default_rules()


def test_everything_that_can_be_compared_is_declared() -> None:
    rules = load_identity(Project(ROOT))
    assert [item.comparison for item in rules.comparisons] == list(LEVELS)


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        ("  days_before_first: 30", "  days_before_frist: 30", "Did you mean `days_before_first`?"),
        ("on: [account]", "on: [acount]", "`acount` cannot be blocked on"),
        (
            "{level: one_off, weight: -4, rarity: 1.0}",
            "{level: one_of, weight: -4}",
            "not the levels of `phone`. Write all",
        ),
        ("when: {birth_on: [different]}", "when: {birth_on: [other]}", "`birth_on` has no level `other`"),
        ("- comparison: gender", "- comparison: city", "the comparison `city` is declared twice"),
        (
            "- {rule: email, on: [email]",
            "- {rule: account, on: [email]",
            "the blocking rule `account` is declared twice",
        ),
    ],
)
def test_a_mistake_is_told_with_file_and_remedy(right: str, wrong: str, told: str) -> None:
    assert right in TEXT
    problems = Problems()
    assert (
        parse_declaration(TEXT.replace(right, wrong, 1), IdentityRules, problems, shown_as="config/identity.yml")
        is None
    )
    with pytest.raises(DeclarationError) as raised:
        problems.raise_if_any()
    assert told in str(raised.value)
    assert "config/identity.yml:" in str(raised.value)
