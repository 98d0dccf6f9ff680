"""A line of recent observations as an inline picture that also says in words what it shows."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

_WIDTH, _HEIGHT, _EDGE = 96, 22, 3


def sparkline(values: Sequence[float], label: str) -> str:
    """SVG of ``values`` from left (oldest) to right; nothing when there are fewer than two."""
    if len(values) < 2:
        return ""
    low, high = min(values), max(values)
    span = (high - low) or 1
    step = (_WIDTH - 2 * _EDGE) / (len(values) - 1)
    # A line that never moves lies at the bottom, where zero breaches belong.
    points = [
        (_EDGE + step * place, _HEIGHT - _EDGE - (value - low) / span * (_HEIGHT - 2 * _EDGE))
        for place, value in enumerate(values)
    ]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    x, y = points[-1]
    said = escape(f"{label}: {', '.join(f'{value:,.10g}' for value in values)}", quote=True)
    return (
        f'<svg class="trend" role="img" aria-label="{said}" width="{_WIDTH}" height="{_HEIGHT}" '
        f'viewBox="0 0 {_WIDTH} {_HEIGHT}"><title>{said}</title><polyline points="{line}"/>'
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.2"/></svg>'
    )
