"""What a fetch brought, and why one failed."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass

from warehouse.errors import InputError


@dataclass(frozen=True)
class Fetched:
    """What one fetch did for one feed. ``files`` are paths below its landing folder.

    ``gone`` objects are no longer listed; what they brought stays. ``refused`` objects cannot be files of a folder;
    half deliveries, which a receiver had not answered for when it died, count as refused too.
    """

    feed: str
    files: tuple[str, ...] = ()
    bytes: int = 0
    rows: int | None = None
    unchanged: int = 0
    gone: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()


class OriginError(InputError):
    """An origin could not be reached, refused, or answered with something that cannot be used.

    Its words are our own: what a server or driver says may repeat addresses, headers, passwords or rows.
    """


_OF_THE_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO)


def causes_of(error: BaseException) -> tuple[BaseException, ...]:
    """The error, and all that led to it."""
    found: list[BaseException] = []
    current: BaseException | None = error
    while current is not None and current not in found:
        found.append(current)
        current = current.__cause__ or current.__context__
    return tuple(found)


def disk_error(error: BaseException) -> OriginError | None:
    """What to tell when it was not the origin that failed but the disk the files land on; None otherwise."""
    for item in causes_of(error):
        if isinstance(item, OSError) and item.errno in _OF_THE_DISK:
            what = os.strerror(item.errno)
            return OriginError(
                f"What was fetched could not be written: {what}.", "Make room, or mend the rights on landing/."
            )
    return None
