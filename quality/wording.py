"""What a check found, in one sentence of counts and names of columns; never a value of a row."""

from __future__ import annotations

from quality.vocabulary import Between, Expectation, InSet, Length, Matches, Median, NoRows, Present, RowCount, Unique

Bounds = tuple[float | None, float | None]


def what_was_found(
    item: Expectation, passed: bool, unexpected: int, rows: int, observed: float | None, bounds: Bounds
) -> str:
    """The sentence for a check that was asked."""
    if isinstance(item, RowCount | Median):
        return _measured(item, observed, bounds)
    if unexpected == 0:
        return f"All {rows:,} rows hold it." if rows else "There are no rows."
    sentence = f"{_breach(item, unexpected, rows)}."
    share = getattr(item, "share", 1.0)
    if share < 1:
        sentence += f" {'Up to' if passed else 'Only'} {1 - share:.3g} of them may."
    return sentence


def _breach(item: Expectation, unexpected: int, rows: int) -> str:
    one = unexpected == 1
    some, have = f"{unexpected:,} of {rows:,} rows", "has" if one else "have"
    if isinstance(item, Unique):
        stand = "key stands" if one else "keys stand"
        return f"{unexpected:,} {stand} in more than one row ({', '.join(item.columns)})"
    if isinstance(item, NoRows):
        return f"{unexpected:,} {'breach was' if one else 'breaches were'} found"
    if isinstance(item, Present):
        return f"{some} {have} no {item.column}"
    if isinstance(item, InSet):
        return f"{some} {have} a {item.column} outside the set"
    if isinstance(item, Between):
        return f"{some} {have} a {item.column} out of range"
    if isinstance(item, Length):
        return f"{some} {have} a {item.column} that is too short or too long"
    if isinstance(item, Matches):
        return f"{some} {have} a {item.column} of another form"
    return f"{some} {'breaks' if one else 'break'} the rule"


def _measured(item: RowCount | Median, observed: float | None, bounds: Bounds) -> str:
    what = "rows" if isinstance(item, RowCount) else f"median of {item.column}"
    if observed is None:
        return f"No {what} to observe."
    low, high = bounds
    if low is None and high is None:
        return f"{what[0].upper()}{what[1:]}: {observed:,.10g}; nothing to compare with yet."
    wanted = [] if low is None else [f"at least {low:,.10g}"]
    wanted += [] if high is None else [f"at most {high:,.10g}"]
    return f"{what[0].upper()}{what[1:]}: {observed:,.10g}; expected {' and '.join(wanted)}."
