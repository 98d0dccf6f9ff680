"""Just enough of SVG to draw a report: shapes and texts placed by hand, escaped, with a fixed set of styles."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from xml.sax.saxutils import escape, quoteattr

STYLE = """
svg{background:#fff}text{font-family:system-ui,'Noto Sans SC','PingFang SC','Microsoft YaHei',sans-serif;fill:#1f2933}
.h{font-size:17px;font-weight:600}.n{font-size:13px;font-weight:600}.t{font-size:13px}.s{font-size:12px;fill:#52606d}
.w{font-size:12px;fill:#fff;font-weight:600}.for{fill:#2f6f9f}.against{fill:#c2622d}.sum{fill:#1f2933}.sum-{fill:#8a949e}
.card{fill:#f7f5f0;stroke:#d8d3c7}.zero{stroke:#1f2933;stroke-width:1}.step{stroke:#9aa5b1;stroke-dasharray:2 2}
.tie{stroke:#2f6f9f;fill:none}.weak{stroke:#c2622d;stroke-dasharray:5 4;fill:none}.said{stroke:#2f7a6d;stroke-width:3;
stroke-dasharray:2 5;stroke-linecap:round;fill:none}.node{fill:#2f6f9f;stroke:#fff;stroke-width:2}
"""
_WIDE = frozenset("WF")


@dataclass
class Drawing:
    """A picture that grows downwards; coordinates are pixels from the upper left."""

    width: float
    title: str
    description: str
    height: float = 0.0
    parts: list[str] = field(default_factory=list)

    def text(self, x: float, y: float, words: str, style: str = "t", anchor: str = "start") -> None:
        """Words on a baseline."""
        self.parts.append(
            f'<text x="{x:.1f}" y="{y:.1f}" class="{style}" text-anchor="{anchor}">{escape(words)}</text>'
        )
        self._reach(y + 6)

    def box(self, x: float, y: float, width: float, height: float, style: str, *, round_by: float = 0) -> None:
        """A rectangle."""
        self.parts.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 0):.1f}" height="{height:.1f}" rx="{round_by}" '
            f'class="{style}"/>'
        )
        self._reach(y + height)

    def line(self, ends: tuple[float, float, float, float], style: str, width: float | None = None) -> None:
        """A straight line between two points."""
        x1, y1, x2, y2 = ends
        thick = "" if width is None else f' stroke-width="{width:.1f}"'
        self.parts.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{style}"{thick}/>')
        self._reach(max(y1, y2))

    def circle(self, x: float, y: float, radius: float, style: str, told: str = "") -> None:
        """A circle, with words that show when one points at it."""
        title = f"<title>{escape(told)}</title>" if told else ""
        self.parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}" class="{style}">{title}</circle>')
        self._reach(y + radius)

    def written(self, language: str) -> str:
        """The whole file."""
        height = self.height + 20
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width:.0f} {height:.0f}" '
            f'width="{self.width:.0f}" height="{height:.0f}" role="img" lang={quoteattr(language)} '
            'aria-labelledby="title desc">'
        )
        named = f'<title id="title">{escape(self.title)}</title><desc id="desc">{escape(self.description)}</desc>'
        return "\n".join((head, named, f"<style>{STYLE}</style>", *self.parts, "</svg>", ""))

    def _reach(self, y: float) -> None:
        self.height = max(self.height, y)


def shortened(words: str, most: float, size: float = 13) -> str:
    """Words that fit into so many pixels; Chinese characters are twice as wide as Latin ones."""
    used = 0.0
    for place, letter in enumerate(words):
        used += size * (1.0 if unicodedata.east_asian_width(letter) in _WIDE else 0.56)
        if used > most:
            return words[: max(place - 1, 1)] + "…"
    return words
