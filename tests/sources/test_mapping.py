"""Mappings are read from the package and can be told in words."""

from __future__ import annotations

import pytest

from sources.grammar import parse_expression
from sources.mapping import Mapping, describe_mapping, mapping_ids, read_mapping


@pytest.mark.parametrize("name", mapping_ids())
def test_every_mapping_is_sound_and_described(name):
    mapping = read_mapping(name)
    assert mapping.description.endswith(".")
    described = describe_mapping(mapping)
    assert {field.split("[")[0] for _, field, _ in described} == set(mapping.fields)
    assert all(source or rule for source, _, rule in described), described


def test_a_mapping_is_told_field_by_field():
    mapping = Mapping(
        description="A shop.",
        kind="purchases",
        format="json",
        fields={
            "order_id": "id",
            "placed_at": {"coalesce": ["processed_at", "created_at"], "then": [{"time": "iso"}]},
            "currency": {"coalesce": ["currency", {"setting": "currency"}], "then": ["upper"]},
            "status": {"when": "state", "in": ["ok", "done"], "value": {"constant": "paid"}, "else": "state"},
            "coupon_code": {"pick": "codes", "where": {"kind": "coupon"}, "value": "code"},
            "lines": {"each": "items", "fields": {"line_id": {"position": True}, "quantity": "count"}},
        },
    )
    assert describe_mapping(mapping) == [
        ("id", "order_id", ""),
        ("processed_at, created_at", "placed_at", "first that is present; moment (iso)"),
        ("currency", "currency", "first that is present; else the feed's currency; upper"),
        ("state", "status", "always 'paid' if state is 'ok' or 'done', else state"),
        ("codes[].code", "coupon_code", "first where kind is coupon"),
        ("", "lines[].line_id", "position of the row"),
        ("items[].count", "lines[].quantity", ""),
    ]


@pytest.mark.parametrize(
    ("written", "told"),
    [
        (5, "this is no expression. Write a path, or one of"),
        ({"coalesce": "a"}, "takes a list"),
        ({"when": "a", "value": "b"}, "`equals` or `in`"),
        ({"setting": "colour"}, "not a setting"),
        ({"sum_of": {"each": "a"}}, "`value`"),
        ({"path": "a", "else": "b"}, "does not go with `path`"),
        ({"path": "a", "then": [{"epoch": "hours"}]}, "seconds, milliseconds or microseconds"),
        ({"path": "a", "then": [{"strip": 1, "lower": 1}]}, "one operation at a time"),
        ({"path": "a", "then": ["time"]}, "needs an argument"),
        ({"path": "a", "then": [{"first": 0}]}, "above zero"),
        ({"path": "a", "then": [{"replace": {}}]}, "old text: new text"),
    ],
)
def test_what_is_wrong_with_an_expression_is_told(written, told):
    with pytest.raises(ValueError, match=told):
        parse_expression(written)
