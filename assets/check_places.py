"""At which table an expectation that looks at several tables is asked, so that all of them are made before it is.

It is asked at its own table where that can be, and holds back what is made from that. Where a table it looks at is made
*from* its own table, or two tables look at each other, it is asked at the one made last instead: it cannot hold back
what it needs. A warning holds back nothing and is always asked at its own table.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from assets.tables import TableGraph
from quality.suites import Suite
from quality.vocabulary import Expectation, tables_read


@dataclass(frozen=True)
class Place:
    """An expectation of ``table``, the table at which it is asked, and what else must be made before."""

    table: str
    expectation: Expectation
    asked_at: str
    after: frozenset[str]

    @property
    def check_name(self) -> str:
        """Its name among the checks of the table at which it is asked."""
        name = self.expectation.name
        return name if self.asked_at == self.table else f"{self.table.replace('.', '_')}_{name}"

    @property
    def blocks(self) -> bool:
        """Whether a breach holds back what is made from the table at which it is asked."""
        return self.expectation.severity == "error"


def places(graph: TableGraph, suites: Mapping[str, Suite]) -> tuple[Place, ...]:
    """Every expectation about a table that is made, in the order of the suites."""
    order = _Order(graph)
    return tuple(
        _place(order, table, item)
        for table, suite in suites.items()
        if table in graph.specs
        for item in suite.expectations
    )


def _place(order: "_Order", table: str, item: Expectation) -> Place:
    made = {order.graph.made_table(name) for name in tables_read(item, table)} - {None, table}
    others = frozenset(name for name in made if name is not None and not order.comes_from(table, name))
    if item.severity == "warn" or not others:
        return Place(table, item, table, others)
    below = sorted(name for name in others if order.is_above(table, name))
    if not below:
        for name in sorted(others):
            order.put_above(name, table)
        return Place(table, item, table, others)
    last = max(below, key=lambda name: (sum(order.is_above(other, name) for other in others), name))
    for name in sorted(others - {last}):
        if not order.is_above(last, name):
            order.put_above(name, last)
    return Place(table, item, last, frozenset(name for name in others | {table} if not order.comes_from(last, name)))


class _Order:
    """Which step comes before which: by what they read, and by what was decided for expectations."""

    def __init__(self, graph: TableGraph) -> None:
        self.graph = graph
        self._step_of = {spec.full_name: step.name for step in graph.steps for spec in step.tables}
        self._reads = {step.name: set(self._steps_read(step.reads, step.name)) for step in graph.steps}
        self._above = {name: set(found) for name, found in self._reads.items()}

    def _steps_read(self, tables: frozenset[str], own: str) -> Iterator[str]:
        for table in tables:
            made = self.graph.made_table(table)
            if made is not None and self._step_of[made] != own:
                yield self._step_of[made]

    def is_above(self, table: str, other: str) -> bool:
        """Whether ``table`` stands when ``other`` does: made before it, or by the same step."""
        return _reaches(self._above, self._step_of[other], self._step_of[table])

    def comes_from(self, table: str, other: str) -> bool:
        """Whether ``table`` is made from ``other``, directly or not, or by the same step."""
        return _reaches(self._reads, self._step_of[table], self._step_of[other])

    def put_above(self, table: str, other: str) -> None:
        """Decide that ``table`` is made before the expectations of ``other`` are asked."""
        self._above[self._step_of[other]].add(self._step_of[table])


def _reaches(edges: Mapping[str, set[str]], start: str, goal: str) -> bool:
    seen, waiting = {start}, [start]
    while waiting:
        step = waiting.pop()
        if step == goal:
            return True
        new = edges[step] - seen
        seen |= new
        waiting.extend(new)
    return False
