"""How our errors look in Dagster: a failure with its reason, its remedy and its exit code.

Only a warehouse that another process holds is tried again; the other errors would be the same the next time.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import dagster as dg
from dagster._core.errors import DagsterAssetCheckFailedError
from dagster_shared.error import SerializableErrorInfo

from warehouse.bug import without_values
from warehouse.errors import (
    CdpError,
    IdentityConflictError,
    InputError,
    QualityGateError,
    UsageError,
    WarehouseBusyError,
    WarehouseError,
)

_RETRIES = 2
_SECONDS_BETWEEN = 10

_ERRORS: Mapping[int, type[CdpError]] = {
    kind.exit_code: kind for kind in (UsageError, InputError, QualityGateError, WarehouseError, IdentityConflictError)
}


@contextmanager
def shown_in_dagster() -> Iterator[None]:
    """Turn our errors into Dagster failures, and a warehouse that is busy into a wish to try again.

    What a bug quotes is masked: Dagster keeps its words in the log of the run, and sends them out with alerts.

    A retry policy would also repeat bugs, which cost their delays and end the same.
    """
    try:
        yield
    except WarehouseBusyError as error:
        raise dg.RetryRequested(max_retries=_RETRIES, seconds_to_wait=_SECONDS_BETWEEN) from error
    except CdpError as error:
        raise failure_of(error) from None  # what it was made of may quote values
    except (dg.Failure, dg.DagsterError):
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, it is raised again
        raise without_values(error) from None


def failure_of(error: CdpError) -> dg.Failure:
    """The failure that says what the error says; `error_in` makes the same error of its metadata again."""
    metadata: dict[str, str | int] = {"reason": error.reason, "fix": error.fix, "exit_code": error.exit_code}
    return dg.Failure(str(error), metadata=metadata, allow_retries=False)


def error_in(metadata: Mapping[str, dg.MetadataValue]) -> CdpError | None:
    """The error of ours that a failure's metadata tell; None for any other failure."""
    if "exit_code" not in metadata:
        return None
    told = {key: value.value for key, value in metadata.items()}
    kind = _ERRORS.get(int(str(told["exit_code"])), CdpError)
    return kind(str(told["reason"]), str(told["fix"]))


@dataclass(frozen=True)
class Failed:
    """A step that failed: with an error of ours, by a blocking check, or (neither) by a bug."""

    step: str
    error: CdpError | None
    is_check: bool
    told: str


def failures_of(events: Iterable[dg.DagsterEvent]) -> Iterator[Failed]:
    """The steps of a run that failed for good, in order; without any, what kept the run from beginning or ending."""
    has_failed_step = False
    for event in events:
        if event.is_step_failure:
            has_failed_step = True
            data = event.step_failure_data
            metadata = data.user_failure_data.metadata if data.user_failure_data else {}
            chain = list(_causes(data.error))
            yield Failed(
                step=event.step_key or "",
                error=error_in(metadata) or _busy(chain),
                is_check=any(item.cls_name == DagsterAssetCheckFailedError.__name__ for item in chain),
                told=data.error.to_string() if data.error else "",
            )
        elif event.is_run_failure and not has_failed_step and (error := event.job_failure_data.error) is not None:
            yield Failed("", _busy(list(_causes(error))), is_check=False, told=error.to_string())


def _causes(error: SerializableErrorInfo | None) -> Iterator[SerializableErrorInfo]:
    while error is not None:
        yield error
        error = error.cause


def _busy(chain: Iterable[SerializableErrorInfo]) -> CdpError | None:
    if any(item.cls_name == WarehouseBusyError.__name__ for item in chain):
        return WarehouseBusyError(
            "Another process is writing the warehouse.", "Wait for its run to end (`cdp status`), then start again."
        )
    return None
