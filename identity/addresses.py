"""What two addresses can be found and compared by: their numbers and their words."""

from __future__ import annotations

_LAST = 3


def numbers_of(address: str) -> tuple[str, ...]:
    """The numbers of a normalised address, in order."""
    return tuple(token for token in address.split() if token.isdigit())


def address_key(address: str) -> str | None:
    """The last three numbers and the start of the longest word: equal for most spellings of one address."""
    tokens = address.split()
    numbers = sorted(token for token in tokens if token.isdigit())[-_LAST:]
    if not numbers:
        return None
    words = sorted(
        (token for token in tokens if token.isascii() and token.isalpha()), key=lambda word: (-len(word), word)
    )
    characters = [token for token in tokens if not token.isascii()]
    start = words[0][:_LAST] if words else "".join(characters[:2]) if len(numbers) < _LAST else ""
    return " ".join((*numbers, start))


def are_numbers_alike(left: tuple[str, ...], right: tuple[str, ...]) -> bool:
    """Equal, or the numbers of one all stand in the other."""
    if not left or not right:
        return False
    one, other = set(left), set(right)
    return one <= other or other <= one


def are_ends_equal(left: tuple[str, ...], right: tuple[str, ...]) -> bool:
    """The last three numbers are equal (building, entrance, room)."""
    return len(left) >= _LAST and len(right) >= _LAST and left[-_LAST:] == right[-_LAST:]
