"""Fields judged one by one, once for equal source texts, are judged as pydantic judges whole rows, each for itself."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quality.contracts.check import Accepted, check, check_field
from quality.contracts.registry import CONTRACTS
from sources.evaluation import RowScope
from sources.feed import Feed
from sources.judgement import Judge, judge
from sources.mapped_feed import MappedFeed, map_feed
from tests.properties.test_sources_contracts import ODD, VALUES, declared, flat_template, template

ODD_VALUES = st.one_of(ODD, st.sampled_from(VALUES))
SEGMENT = map_feed(Feed.named("feed", kind="web_events", mapping="segment", time_zone="Asia/Shanghai"))
CALL = {"messageId": "m-1", "type": "track", "event": "Tried", "timestamp": "2026-01-05T10:00:00Z"}


@pytest.mark.parametrize("kind", sorted(CONTRACTS))
@given(data=st.data())
def test_the_faults_of_fields_alone_are_those_of_the_row(kind: str, data: st.DataObject) -> None:
    model = CONTRACTS[kind]
    names = sorted(model.model_fields)
    row = template(model) | data.draw(st.dictionaries(st.sampled_from(names), ODD_VALUES, max_size=4))
    verdict = check(kind, row)
    faults = tuple(reason for name in model.model_fields for reason in check_field(kind, name, row.get(name)))
    if faults:
        assert not isinstance(verdict, Accepted)
        assert verdict.reasons == faults
    elif not isinstance(verdict, Accepted):
        assert {reason.code for reason in verdict.reasons} == {"inconsistent"}


@pytest.mark.parametrize("kind", sorted(CONTRACTS))
@given(data=st.data())
def test_a_judge_remembers_nothing_but_the_truth(kind: str, data: st.DataObject) -> None:
    """Values stand in several rows, and those that equal each other in Python alone (1, 1.0, true) in others."""
    is_flat = data.draw(st.booleans())
    mapped = map_feed(declared(kind, "csv" if is_flat else "jsonl"))
    base: dict[str, Any] = dict(flat_template(kind) if is_flat else template(CONTRACTS[kind]))
    few = data.draw(st.lists(ODD if is_flat else ODD_VALUES, min_size=1, max_size=4))
    changes = st.dictionaries(st.sampled_from(sorted(base)), st.sampled_from(few), max_size=3)
    rows = [base | change for change in data.draw(st.lists(changes, min_size=1, max_size=8))]
    assert_same(mapped, rows, is_flat)


@given(
    calls=st.lists(
        st.dictionaries(
            st.sampled_from(["type", "timestamp", "receivedAt", "userId", "properties", "traits", "context"]),
            st.one_of(ODD_VALUES, st.dictionaries(st.sampled_from(["email", "value", "currency", "url"]), ODD_VALUES)),
        ),
        min_size=1,
        max_size=6,
    )
)
def test_it_does_so_where_fields_are_made_of_several_places(calls: list[dict[str, Any]]) -> None:
    assert_same(SEGMENT, [CALL | call for call in calls], False)


def assert_same(mapped: MappedFeed, rows: list[dict[str, Any]], is_flat: bool) -> None:
    groups = [[RowScope(json.loads(json.dumps(row)), mapped.setting, 1, is_flat)] for row in rows]
    remembering = Judge(mapped)
    first = remembering.judge(groups)
    assert first == [judge(mapped, group) for group in groups]
    assert remembering.judge(groups[::-1]) == first[::-1]
