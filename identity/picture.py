"""A customer as a picture: which records it is made of, what ties them, and how the evidence of each pair adds up.

Above, the graph of the cluster with its records beside it: a circle is all records that certain evidence makes one.
Below, a waterfall per tie: from the odds that two people at random are one, over what speaks for it and against it, to
the sum in bits. The weakest tie comes first: it is the one to doubt. Values are masked unless they are asked for.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from identity.explain import Branch, Explanation, Pair, Reason, SeenRecord
from identity.masked import masked_value
from identity.svg import Drawing, shortened
from identity.words import words_for

LANGUAGES = ("en", "zh")

_WIDTH = 1080.0
_MOST_GROUPS, _MOST_TIES, _MOST_VALUES = 24, 12, 3
_GRAPH = (210.0, 250.0, 150.0)
"""Middle and radius of the ring on which the circles stand."""
_LIST_X, _LIST_TOP, _LIST_STEP = 440.0, 92.0, 40.0
_BARS = (400.0, 1000.0)
_KINDS = ("name", "email", "phone", "source_id", "social_account", "handle", "cookie")

_SAID = {
    "en": {
        "title": "Why these {records} records are customer {customer}",
        "about": "{groups} groups of records that certain evidence makes one, and the evidence between them.",
        "records": "{count} records",
        "record": "1 record",
        "more": "and {count} more",
        "graph": "Lines: evidence, the thicker the stronger",
        "against": "dashed: evidence against",
        "person": "dotted: decided by people",
        "ties": "How the evidence adds up, in bits (+1 doubles the odds); the weakest tie first",
        "none": "Certain evidence or people alone make this customer: there is nothing to weigh.",
        "sum": "in all: probability {probability}",
    },
    "zh": {
        "title": "为什么这 {records} 条记录是客户 {customer}",
        "about": "由确定证据合并的 {groups} 组记录，以及各组之间的证据。",
        "records": "{count} 条记录",
        "record": "1 条记录",
        "more": "另有 {count} 组",
        "graph": "连线：证据，越粗越强",
        "against": "虚线：反对的证据",
        "person": "点线：人工决定",
        "ties": "证据如何相加（单位：比特，+1 即可能性翻倍）；最弱的一条在前",
        "none": "此客户只由确定证据或人工决定构成，没有需要权衡的证据。",
        "sum": "合计：概率 {probability}",
    },
}


@dataclass(frozen=True)
class _Group:
    """Records that certain evidence makes one, under one letter."""

    letter: str
    records: tuple[SeenRecord, ...]


@dataclass(frozen=True)
class _Tie:
    """The evidence that ties a group to another."""

    left: str
    right: str
    weight: float
    probability: float
    reasons: tuple[Reason, ...]


def picture(found: Explanation, *, language: str = "en", reveal: bool = False) -> str:
    """The explanation of a customer as SVG."""
    said = _SAID[language]
    groups = _groups(found)
    letter_of = {record.record_id: group.letter for group in groups for record in group.records}
    title = said["title"].format(records=len(found.records), customer=found.customer_id)
    drawing = Drawing(_WIDTH, title, said["about"].format(groups=len(groups)))
    drawing.text(24, 36, title, "h")
    drawing.text(24, 58, said["about"].format(groups=len(groups)), "s")
    shown = groups[:_MOST_GROUPS]
    _draw_graph(drawing, found, shown, letter_of, said)
    _draw_list(drawing, shown, len(groups) - len(shown), said, reveal)
    ties = sorted((tie for tree in found.trees for tie in _ties(tree, letter_of)), key=lambda tie: tie.weight)
    _draw_ties(drawing, ties[:_MOST_TIES], language)
    return drawing.written(language)


def _groups(found: Explanation) -> list[_Group]:
    """Groups in the order of their oldest records."""
    home: dict[str, str] = {}
    for tree in found.trees:
        home[tree.record_id] = tree.record_id
        for above, below in _edges(tree):
            is_certain = (below.rule or "").startswith("same_")
            home[below.record_id] = home[above.record_id] if is_certain else below.record_id
    members: dict[str, list[SeenRecord]] = {}
    for record in found.records:
        members.setdefault(home[record.record_id], []).append(record)
    return [_Group(_letter(place), tuple(records)) for place, records in enumerate(members.values())]


def _letter(place: int) -> str:
    return (_letter(place // 26 - 1) if place >= 26 else "") + chr(ord("A") + place % 26)


def _edges(tree: Branch) -> Iterator[tuple[Branch, Branch]]:
    """Every branch with the one above it, from the root on."""
    waiting = [tree]
    while waiting:
        above = waiting.pop(0)
        for below in above.below:
            yield above, below
            waiting.append(below)


def _ties(tree: Branch, letter_of: dict[str, str]) -> Iterator[_Tie]:
    for above, below in _edges(tree):
        one, other = letter_of[above.record_id], letter_of[below.record_id]
        if one != other and below.weight is not None and below.probability is not None:
            yield _Tie(min(one, other), max(one, other), below.weight, below.probability, below.reasons)


def _draw_graph(
    drawing: Drawing, found: Explanation, groups: list[_Group], letter_of: dict[str, str], said: dict[str, str]
) -> None:
    x, y, radius = _GRAPH
    turn = 2 * math.pi / max(len(groups), 1)
    far = radius if len(groups) > 1 else 0.0
    places = {
        group.letter: (x + far * math.sin(turn * nth), y - far * math.cos(turn * nth))
        for nth, group in enumerate(groups)
    }
    for (one, other), pair in _strongest(found.pairs, letter_of).items():
        if one in places and other in places:
            width = min(1.0 + abs(pair.weight) / 5, 6.0)
            drawing.line((*places[one], *places[other]), "tie" if pair.weight >= 0 else "weak", width)
    for decision in found.decisions:
        one, other = (letter_of.get(record, "") for record in (decision.record_id_l, decision.record_id_r))
        if one in places and other in places:
            drawing.line((*places[one], *places[other]), "said")
    for group in groups:
        across, down = places[group.letter]
        size = min(13.0 + 2 * math.sqrt(len(group.records)), 24.0)
        drawing.circle(across, down, size, "node", f"{group.letter}: {_feeds(group)}")
        drawing.text(across, down + 4, group.letter, "w", "middle")
    for line, name in enumerate(("graph", "against", "person")):
        drawing.text(24, y + radius + 52 + 18 * line, said[name], "s")


def _strongest(pairs: tuple[Pair, ...], letter_of: dict[str, str]) -> dict[tuple[str, str], Pair]:
    """The strongest pair between each two groups."""
    found: dict[tuple[str, str], Pair] = {}
    for pair in pairs:
        one, other = sorted((letter_of[pair.record_id_l], letter_of[pair.record_id_r]))
        if one != other and ((one, other) not in found or found[one, other].weight < pair.weight):
            found[one, other] = pair
    return found


def _draw_list(drawing: Drawing, groups: list[_Group], more: int, said: dict[str, str], reveal: bool) -> None:
    y = _LIST_TOP
    for group in groups:
        count = len(group.records)
        told = said["record"] if count == 1 else said["records"].format(count=count)
        drawing.text(_LIST_X, y, group.letter, "n")
        drawing.text(_LIST_X + 28, y, shortened(f"{_feeds(group)} · {told}", 560), "t")
        drawing.text(_LIST_X + 28, y + 17, shortened(" · ".join(_values(group, reveal)), 600, 12), "s")
        y += _LIST_STEP
    if more > 0:
        drawing.text(_LIST_X + 28, y, said["more"].format(count=more), "s")


def _feeds(group: _Group) -> str:
    return ", ".join(dict.fromkeys(record.feed for record in group.records))


def _values(group: _Group, reveal: bool) -> list[str]:
    """What the records of a group are known by: of every kind a few."""
    seen = [item for record in group.records for item in record.identifiers if item.blocked_because is None]
    found = []
    for kind in _KINDS:
        raw = dict.fromkeys((item.raw_value or item.value) for item in seen if item.kind == kind)
        shown = [text if reveal else masked_value(kind, text) for text in raw][:_MOST_VALUES]
        found += shown
    return list(dict.fromkeys(found))


def _draw_ties(drawing: Drawing, ties: list[_Tie], language: str) -> None:
    said = _SAID[language]
    y = drawing.height + 44
    drawing.text(24, y, said["ties"] if ties else said["none"], "n")
    sums = [value for tie in ties for value in _running(tie)]
    low, high = min([0.0, *sums]), max([0.0, *sums])
    left, right = _BARS
    scale = (right - left) / max(high - low, 1.0)

    def at(bits: float) -> float:
        return left + (bits - low) * scale

    for tie in ties:
        y += 22
        _draw_waterfall(drawing, tie, y, at, language)
        y += 22 * (len(tie.reasons) + 2)


def _running(tie: _Tie) -> list[float]:
    """The sum before and after each reason, the starting odds first."""
    sums = [0.0]
    for reason in _in_order(tie):
        sums.append(sums[-1] + reason.weight)
    return sums


def _in_order(tie: _Tie) -> list[Reason]:
    return sorted(tie.reasons, key=lambda reason: reason.comparison != "prior")


def _draw_waterfall(drawing: Drawing, tie: _Tie, y: float, at: Callable[[float], float], language: str) -> None:
    reasons = _in_order(tie)
    drawing.box(16, y - 4, _WIDTH - 32, 22 * (len(reasons) + 2) + 8, "card", round_by=8)
    drawing.text(28, y + 14, f"{tie.left} – {tie.right}", "n")
    drawing.line((at(0), y + 20, at(0), y + 22 * (len(reasons) + 2)), "zero")
    y += 22
    for reason, (before, after) in zip(reasons, pairwise(_running(tie)), strict=True):
        words = words_for(reason.comparison, reason.level, language)
        drawing.text(28, y + 14, shortened(words, _BARS[0] - 40), "t")
        style = "for" if after >= before else "against"
        drawing.box(at(min(before, after)), y + 3, max(abs(at(after) - at(before)), 1.5), 14, style, round_by=2)
        drawing.text(at(max(before, after)) + 6, y + 14, f"{reason.weight:+.1f}", "s")
        drawing.line((at(after), y + 17, at(after), y + 25), "step")
        y += 22
    said = _SAID[language]["sum"].format(probability=f"{tie.probability:.4f}")
    drawing.text(28, y + 14, said, "n")
    drawing.box(at(min(0.0, tie.weight)), y + 3, abs(at(tie.weight) - at(0)), 14, "sum", round_by=2)
    drawing.text(at(max(0.0, tie.weight)) + 6, y + 14, f"{tie.weight:+.1f}", "n")
