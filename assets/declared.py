"""What a project declares, read at once so that one call tells every problem. Knows nothing of Dagster itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from assets.ledgers import ledger_steps
from identity.pipeline import identity_steps
from profiles.pipeline import profile_steps
from quality.reason_jumps import JumpRule
from quality.suites import Suite, load_jump_rule, load_suites
from sources.corrections import check_corrections
from sources.feed import Feed, load_feeds
from sources.staging import staging_steps
from warehouse.business import Business, load_business
from warehouse.declaration import Problems, check_endings
from warehouse.project import Project
from warehouse.step import Step


@dataclass(frozen=True)
class Declared:
    """What a project declares, read and checked."""

    project: Project
    business: Business
    feeds: Mapping[str, Feed]
    steps: tuple[Step, ...]
    suites: Mapping[str, Suite]
    jump_rule: JumpRule = field(default_factory=JumpRule)


def read_project(project: Project) -> Declared:
    """Read every declaration of a project.

    Raises:
        DeclarationError: with all problems of all files.
    """
    problems = Problems()
    check_endings(project.config, "config", problems)
    feeds = load_feeds(project, problems)
    check_corrections(project, feeds, problems)
    suites = load_suites(project, problems, feeds.values())
    below = problems.of(lambda: (*staging_steps(feeds), *identity_steps(project)))  # of feeds, none can be wrong
    above = problems.of(lambda: profile_steps(project))
    business = problems.of(lambda: load_business(project))
    problems.raise_if_any()
    assert business is not None, "a declaration that is not read leaves a problem"
    rule = load_jump_rule(project)
    steps = (*(below or ()), *(above or ()))
    return Declared(project, business, feeds, (*steps, *ledger_steps(steps)), suites, rule)
