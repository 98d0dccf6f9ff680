"""What Dagster is told of the batches of a feed: the same numbers for every one, so that it plots them over time."""

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from quality.contracts.check import CODES
from sources.batch_load import BatchLoad
from sources.drift import SchemaChange
from sources.reason_ledger import ReasonShare
from sources.schema_ledger import told
from warehouse.foreign_text import shown

Metadata: TypeAlias = dict[str, int | float | str]

_MOST_TOLD = 20
_LONGEST_SAMPLE = 300


def batch_metadata(batch: BatchLoad, changes: Iterable[SchemaChange], reasons: Iterable[ReasonShare] = ()) -> Metadata:
    """One batch; ``changes`` are those of its source fields, ``reasons`` why rows of it are refused, masked."""
    found = list(changes)
    told_of: Metadata = dict(_numbers(batch))
    told_of |= {"schema_changes": len(found), "unknown_columns": len(batch.unknown_columns)}
    told_of["absent_columns"] = len(batch.absent_columns)
    if batch.unknown_columns:
        told_of["unknown_columns_named"] = ", ".join(map(shown, batch.unknown_columns[:_MOST_TOLD]))
    if batch.absent_columns:
        told_of["absent_columns_named"] = ", ".join(map(shown, batch.absent_columns[:_MOST_TOLD]))
    if found:
        told_of["schema_changes_told"] = told_changes(found)
    if refused := told_reasons(reasons):
        told_of["rejected_told"] = refused
    return told_of


def told_reasons(reasons: Iterable[ReasonShare]) -> str:
    """Reasons in words: rows, share, and one masked row of each."""
    return "\n".join(
        f"{reason.field or '(row)'} {reason.code}: {reason.rows:,} rows, {reason.share_ratio:.1%}, such as"
        f" {reason.sample_id} {reason.sample[:_LONGEST_SAMPLE]}"
        for reason in list(reasons)[:_MOST_TOLD]
    )


def feed_metadata(batches: Iterable[BatchLoad]) -> Metadata:
    """A load that no partition stands for: the sums of its batches."""
    found = list(batches)
    seconds = sum(batch.seconds for batch in found)
    return {
        "batches": len(found),
        "files": sum(batch.files for batch in found),
        "bytes": sum(batch.bytes for batch in found),
        "rows_read": sum(batch.rows_read for batch in found),
        "accepted": sum(batch.accepted for batch in found),
        "duplicate": sum(batch.duplicate for batch in found),
        "rejected": sum(batch.rejected for batch in found),
        "late_rows": sum(batch.lateness.late_rows for batch in found),
        "rows_per_second": _rate(sum(batch.rows_read for batch in found), seconds),
    }


def told_changes(changes: Iterable[SchemaChange], *, with_days: bool = False) -> str:
    """Changes in words, of several batches with their days."""
    found = list(changes)
    more = f"; and {len(found) - _MOST_TOLD} more" if len(found) > _MOST_TOLD else ""
    return (
        "; ".join((f"{change.batch_on}: " if with_days else "") + told(change) for change in found[:_MOST_TOLD]) + more
    )


def _numbers(batch: BatchLoad) -> Mapping[str, int | float]:
    """A code that no row was rejected for counts 0: a plot has no holes then."""
    return {
        "dagster/partition_row_count": batch.accepted,
        "files": batch.files,
        "bytes": batch.bytes,
        "rows_read": batch.rows_read,
        "accepted": batch.accepted,
        "duplicate": batch.duplicate,
        "rejected": batch.rejected,
        **{f"rejected_{code}": batch.reasons.get(code, 0) for code in CODES},
        "late_rows": batch.lateness.late_rows,
        "days_late": batch.lateness.days_late,
        "seconds": round(batch.seconds, 3),
        "rows_per_second": _rate(batch.rows_read, batch.seconds),
    }


def _rate(rows: int, seconds: float) -> int:
    return round(rows / seconds) if seconds > 0 else 0
