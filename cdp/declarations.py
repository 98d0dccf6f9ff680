"""Every declaration of a project, read at once, so that one call tells every problem."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from identity.declaration import load_identity
from profiles.pipeline import profile_steps
from quality.suites import Suite, load_suites
from sources.feed import Feed, load_feeds
from warehouse.business import Business, load_business
from warehouse.declaration import Problems
from warehouse.errors import DeclarationError
from warehouse.project import Project


@dataclass(frozen=True)
class Declared:
    """What a project declares."""

    business: Business
    feeds: Mapping[str, Feed]
    suites: Mapping[str, Suite]


def read_all(project: Project) -> Declared:
    """Read and check everything below ``config/``.

    Raises:
        DeclarationError: with every problem of every file.
    """
    problems = Problems()
    feeds = load_feeds(project, problems)
    suites = load_suites(project, problems, feeds.values())
    load_identity(project, problems)
    try:
        business = load_business(project)
        profile_steps(project, business)
    except DeclarationError as error:
        problems.found.extend(error.problems)
    problems.raise_if_any()
    return Declared(business, feeds, suites)
