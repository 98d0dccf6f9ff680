"""``config/identity.yml``: which identifiers count, what is compared, what speaks against, when records are one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field

from warehouse.declaration import (
    Declaration,
    MisfitError,
    Name,
    Problems,
    Text,
    as_meant,
    parse_declaration,
    read_declaration,
    suggestion,
)
from warehouse.misfit import Misfit, twice
from warehouse.project import Project

Strength = Literal["unique", "strong", "weak", "device"]
IdentifierKind = Literal[
    "source_id",
    "wechat_unionid",
    "wecom_external_userid",
    "wechat_openid",
    "national_id",
    "social_account",
    "order",
    "email",
    "phone",
    "handle",
    "name",
    "cookie",
    "device",
]
FEATURES = (
    "account",
    "order",
    "national_id",
    "email",
    "phone",
    "phone_start",
    "phone_end",
    "alias",
    "local_start",
    "name_key",
    "given",
    "family",
    "birth_on",
    "birth_year",
    "address_key",
    "postcode",
    "city",
)
LEVELS: dict[str, tuple[str, ...]] = {
    "account": ("same",),
    "order": ("same",),
    "national_id": ("same", "one_off", "different"),
    "email": ("same", "one_off", "same_local", "similar_local", "different"),
    "phone": ("same", "masked", "one_off", "different"),
    "name": (
        "same",
        "same_sound",
        "swapped",
        "near",
        "short",
        "one_part",
        "other_family",
        "alike",
        "other_given",
        "different",
    ),
    "birth_on": ("same", "near", "same_year", "different"),
    "address": ("same", "near", "alike", "different"),
    "postcode": ("same", "near", "different"),
    "city": ("same", "different"),
    "alias": ("same", "near", "different"),
    "gender": ("same", "different"),
}
"""The comparisons there are, each with its levels, best first. ``identity.compare`` decides them."""

CONFLICT = {"source_conflict": ("conflict",)}
"""Facts about a pair that only guards read: two different source ids in one id space."""


def _levels_in_words() -> str:
    return "; ".join(f"{name} ({', '.join(levels)})" for name, levels in LEVELS.items()) + "."


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise MisfitError(
            f"it is not a regular expression: {error}",
            "Mend it; `\\.` is a full stop that stands for itself.",
        ) from error
    return text


def _feature(name: str) -> str:
    if name not in FEATURES:
        raise MisfitError(f"`{name}` cannot be blocked on", suggestion(name, FEATURES))
    return name


class Devices(Declaration):
    """How anonymous devices attach to people: by time."""

    belongs_to: Literal["last_identified"] = Field(
        "last_identified", description="Events of a device belong to the person who identified last."
    )
    days_before_first: int = Field(
        30, ge=0, le=3650, description="Events before the first identification go to that person, so many days back."
    )


class Identifier(Declaration):
    """A kind of identifier, what it proves, and when one of its values stops naming anybody."""

    kind: IdentifierKind = Field(description="Which identifier.")
    strength: Strength = Field(
        description="unique: names one person for certain. strong: names one person as a rule. weak: supports. "
        "device: attaches events by time and never links two people."
    )
    personal: bool = Field(description="A customer with one such identifier is known; without any, a visitor.")
    people: int = Field(ge=1, description="A value tied to more different names than this is blocked.")
    records: int = Field(ge=1, description="A value tied to more records than this is blocked.")


class Blocked(Declaration):
    """Values of one kind that name nobody."""

    kind: IdentifierKind = Field(description="The kind of identifier.")
    values: tuple[str, ...] = Field((), description="The values, normalised: phones as +86…, addresses in lower case.")
    pattern: Annotated[str, AfterValidator(_pattern)] | None = Field(
        None, description="Regular expression that the whole normalised value matches."
    )
    reason: Text = Field(description="Why they name nobody, such as `placeholder`; `cdp customer explain` says it.")


class BlockingRule(Declaration):
    """Records that agree on all features of ``on`` are compared, unless more than ``at_most`` do."""

    stand_ins: ClassVar[Mapping[str, object]] = {"on": [FEATURES[0]]}

    rule: Name = Field(description="Name of the rule, as evidence shows it.")
    on: tuple[Annotated[str, AfterValidator(_feature)], ...] = Field(
        min_length=1, max_length=3, description=f"One to three of {', '.join(FEATURES)}."
    )
    at_most: int = Field(ge=2, le=1000, description="Values that more records share are passed over by this rule.")


class Level(Declaration):
    """What it says when a comparison comes out so: log2 odds, plus ``rarity`` times the bits of the value."""

    level: Text = Field(description="Name of the level; every comparison has its own.")
    weight: float = Field(description="Bits (log2 odds) that it adds; below zero it speaks against one person.")
    rarity: float = Field(
        0.0, ge=0, le=2, description="Times log2 of how few people hold the value: rare values say more. Added too."
    )


class Comparison(Declaration):
    """One thing that is compared; its levels, best first."""

    comparison: Text = Field(description="What is compared, with its levels: " + _levels_in_words())
    levels: tuple[Level, ...] = Field(min_length=1, description="All of its levels, best first.")
    short_of_link: float | None = Field(
        None, description="Agreeing on this alone stays so many bits short of a link. Default: it may link."
    )
    silent_after: dict[str, tuple[str, ...]] = Field(
        default_factory=dict,
        description="Comparison → levels at which this one says nothing more; an empty list: at any of them.",
    )

    def misfits(self) -> Iterator[Misfit]:
        """Every comparison has levels of its own."""
        meant = as_meant(self.comparison, LEVELS)
        known = LEVELS[meant] if meant is not None else None
        yield from _unknown_levels("silent_after", self.silent_after)
        if self.comparison not in LEVELS:
            what = f"`{self.comparison}` cannot be compared"
            yield Misfit(what, suggestion(self.comparison, LEVELS), (("comparison",),))
        if known is not None and tuple(level.level for level in self.levels) != known:
            what = f"these are not the levels of `{meant}`"
            fix = f"Write all of them, in this order: {', '.join(known)}."
            names = tuple(("levels", place, "level") for place in range(len(self.levels)))
            yield Misfit(what, fix, (("levels",), ("comparison",)), (("comparison",), *names))


class Guard(Declaration):
    """Evidence against: when the named comparisons come out so, other evidence is explained and weight is taken."""

    guard: Text = Field(description="Name of the guard, as evidence shows it.")
    when: dict[str, tuple[str, ...]] = Field(
        min_length=1,
        description="Comparison → levels; the guard speaks when each came out so. `source_conflict: [conflict]`: two "
        "ids in one id space.",
    )
    explains: dict[str, Annotated[float, Field(ge=0, le=1)]] = Field(
        default_factory=dict, description="Comparison → share of its weight for one person that is left, 0 to 1."
    )
    weight: float = Field(0.0, le=0, description="Bits that it adds: 0, or less to speak against one person.")
    apart: float | None = Field(
        None, description="A pair whose whole evidence stays below so many bits speaks against its clusters as a whole."
    )

    def misfits(self) -> Iterator[Misfit]:
        """It speaks of what is compared."""
        yield from _unknown_levels("when", self.when)
        for name in self.explains:
            if name not in LEVELS:
                yield Misfit(f"`{name}` is not compared", suggestion(name, LEVELS), (("explains", name),), ())


class Clusters(Declaration):
    """When pairs become one customer."""

    link_at: float = Field(0.0, description="Bits from which a pair is a link.")
    review_from: float = Field(-4.0, description="Doubtful pairs from here on are queued for people.")
    weight_at_most: float = Field(16.0, gt=0, description="Most bits that one pair says in the mean of a cluster.")
    weight_at_least: float = Field(-3.0, lt=0, description="Least bits that one pair says in that mean.")
    weight_apart: float = Field(-16.0, lt=0, description="What a pair that a guard keeps apart says in that mean.")
    informed_by: tuple[str, ...] = Field(
        ("name", "email", "phone", "birth_on", "address", "national_id", "account", "order"),
        description="Comparisons that make a pair's word count in its clusters.",
    )
    informed_at: int = Field(3, ge=1, description="How many of them make it count in full.")
    largest: int = Field(
        120, ge=2, le=1000, description="Larger groups are cut at a higher threshold before pair is held against pair."
    )
    ambiguous_within: float = Field(
        3.0,
        ge=0,
        description="A record without a name that fits two people kept apart, within so many bits, joins none.",
    )

    def misfits(self) -> Iterator[Misfit]:
        """It speaks of what is compared."""
        for place, name in enumerate(self.informed_by):
            if name not in LEVELS:
                yield Misfit(f"`{name}` is not compared", suggestion(name, LEVELS), (("informed_by", place),))


class IdentityRules(Declaration):
    """Everything that decides which records are one customer."""

    devices: Devices = Field(default_factory=Devices, description="How anonymous devices attach to people.")
    identifiers: tuple[Identifier, ...] = Field(description="Kinds of identifier, and what each proves.")
    blocked: tuple[Blocked, ...] = Field((), description="Values that name nobody: placeholders, service numbers.")
    blocking: tuple[BlockingRule, ...] = Field(
        min_length=1, max_length=60, description="Which pairs of records are compared at all."
    )
    comparisons: tuple[Comparison, ...] = Field(min_length=1, description="What is compared, and what each level says.")
    guards: tuple[Guard, ...] = Field((), description="Evidence against one person.")
    clusters: Clusters = Field(
        default_factory=Clusters, description="From how much evidence on pairs are one customer."
    )

    def misfits(self) -> Iterator[Misfit]:
        """Nothing is declared twice."""
        groups: tuple[tuple[str, str, str, list[str]], ...] = (
            ("identifier kind", "identifiers", "kind", [str(item.kind) for item in self.identifiers]),
            ("blocking rule", "blocking", "rule", [item.rule for item in self.blocking]),
            ("comparison", "comparisons", "comparison", [item.comparison for item in self.comparisons]),
            ("guard", "guards", "guard", [item.guard for item in self.guards]),
        )
        for what, group, key, names in groups:
            for place, first in twice(names):
                about = ((group, place, key), (group, first, key))
                yield Misfit(f"the {what} `{names[place]}` is declared twice", "Keep one of them.", about)


def load_identity(project: Project, problems: Problems | None = None, *, at: Path | None = None) -> IdentityRules:
    """Read ``config/identity.yml``, or the file ``at`` in its place; without one the packaged rules hold.

    Raises:
        DeclarationError: the file is wrong, together with the problems collected before.
    """
    problems = problems if problems is not None else Problems()
    path = at or project.config / "identity.yml"
    if path.exists():
        rules = read_declaration(path, IdentityRules, problems, shown_as=at.name if at else "config/identity.yml")
    else:
        rules = default_rules(problems)
    if rules is None:
        problems.raise_if_any()
        raise AssertionError("a declaration that is not read leaves a problem")
    return rules


def default_rules(problems: Problems | None = None) -> IdentityRules | None:
    """The rules that come with the package."""
    text = (files("identity") / "defaults" / "identity.yml").read_text(encoding="utf-8")
    return parse_declaration(
        text, IdentityRules, problems if problems is not None else Problems(), shown_as="identity/defaults/identity.yml"
    )


def _unknown_levels(key: str, chosen: dict[str, tuple[str, ...]]) -> Iterator[Misfit]:
    known = LEVELS | CONFLICT
    for comparison, levels in chosen.items():
        if comparison not in known:
            yield Misfit(f"`{comparison}` is not compared", suggestion(comparison, known), ((key, comparison),), ())
        meant = as_meant(comparison, known)
        for place, level in enumerate(levels if meant else ()):
            if level not in known[str(meant)]:
                what = f"`{meant}` has no level `{level}`"
                yield Misfit(what, suggestion(level, known[str(meant)]), ((key, comparison, place),))
