"""Where Dagster keeps its records of a project: in ``.dagster/`` of the project, and quickly.

``dagster.yaml`` names these classes. They differ from Dagster's own SQLite storage in two ways. The folder is derived
from ``DAGSTER_HOME``, so that one file fits every project. And the event log keeps its connections: Dagster makes a new
engine and opens the file anew for every event, which costs 23 ms an event and a minute over a full run; kept open, the
same events cost 4 ms.
"""

import os
import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy
from dagster import StringSource
from dagster._config.config_schema import UserConfigSchema
from dagster._core.events import ASSET_CHECK_EVENTS, ASSET_EVENTS, DagsterEventType
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable, SqlEventLogStorageTable
from dagster._core.storage.local_compute_log_manager import LocalComputeLogManager
from dagster._core.storage.root import LocalArtifactStorage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage
from dagster._serdes import ConfigurableClassData, serialize_value
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.pool import StaticPool

_FOLDER = ".dagster"
_INSERT = SqlEventLogStorageTable.insert()
_STEP_EVENTS = frozenset((DagsterEventType.STEP_START, DagsterEventType.STEP_OUTPUT, DagsterEventType.STEP_SUCCESS))
"""Most events by far, and of interest to their run alone."""
_OPEN_SHARDS = 8
"""Runs whose files stay open; each run has a file of its own."""


class OpenEventLog(SqliteEventLogStorage):
    """Dagster's SQLite event log with connections that stay open and batches that are written in one transaction."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._engines: OrderedDict[str, Engine] = OrderedDict()
        self._engines_lock = threading.Lock()
        self._known_tables: set[str] = set()
        super().__init__(base_dir, inst_data)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        with self._db_lock:
            engine = self._engine(shard)
            if shard not in self._initialized_dbs:
                self._initdb(engine)
                self._initialized_dbs.add(shard)
            with engine.connect() as connection, connection.begin():
                yield connection

    def _engine(self, shard: str) -> Engine:
        with self._engines_lock:
            if shard not in self._engines:
                self._engines[shard] = _open(self.conn_string_for_shard(shard))
            self._engines.move_to_end(shard)
            while len(self._engines) > _OPEN_SHARDS:
                self._engines.popitem(last=False)[1].dispose()
            return self._engines[shard]

    def store_event(self, event: EventLogEntry) -> None:
        """Write one event. Dagster builds a statement anew for each; here the frequent ones share one."""
        is_evaluation = _is_of(event, ASSET_CHECK_EVENTS) and not _is_planned_check(event)
        if not is_evaluation and not _is_of(event, _STEP_EVENTS):
            super().store_event(event)
            return
        row = self._event_to_row(event)
        with self.run_connection(event.run_id) as connection:
            connection.execute(_INSERT, row)
        if is_evaluation:
            with self.index_connection() as connection:
                key = _inserted(connection, row)
            self.store_asset_check_event(event, key)

    def store_event_batch(self, events: Sequence[EventLogEntry]) -> None:
        """Write events of one run, as for hundreds of partitions, in one transaction per file."""
        known = ASSET_EVENTS | ASSET_CHECK_EVENTS
        if len({event.run_id for event in events}) != 1 or not all(_is_of(event, known) for event in events):
            super().store_event_batch(events)
            return
        rows = [self._event_to_row(event) for event in events]
        with self.run_connection(events[0].run_id) as connection:
            connection.execute(_INSERT, rows)
        with self.index_connection() as connection:
            ids = [_inserted(connection, row) for row in rows]
            of_assets = [(event, key) for event, key in zip(events, ids, strict=True) if _is_of(event, ASSET_EVENTS)]
            self._store_asset_event_tags(connection, [event for event, _ in of_assets], [key for _, key in of_assets])
            latest = {
                (event.get_dagster_event().asset_key, event.dagster_event_type): (event, key)
                for event, key in of_assets
            }
            for event, key in latest.values():  # an asset's entry shows its last event of each type
                self._store_asset_event(connection, event, key)
            planned = [item for item in zip(events, ids, strict=True) if _is_planned_check(item[0])]
            if planned:
                connection.execute(AssetCheckExecutionsTable.insert(), [self._planned_row(*item) for item in planned])
        for event, key in zip(events, ids, strict=True):
            if _is_of(event, ASSET_CHECK_EVENTS) and not _is_planned_check(event):
                self.store_asset_check_event(event, key)

    def _planned_row(self, event: EventLogEntry, key: int) -> Mapping[str, object]:
        check = event.get_dagster_event().asset_check_planned_data
        return {
            "asset_key": check.asset_key.to_string(),
            "check_name": check.check_name,
            "run_id": event.run_id,
            "execution_status": AssetCheckExecutionRecordStatus.PLANNED.value,
            "evaluation_event": serialize_value(event),
            "evaluation_event_timestamp": self._event_insert_timestamp(event),  # type: ignore[no-untyped-call]
            "evaluation_event_storage_id": key,
        }

    def has_table(self, table_name: str) -> bool:
        """Whether the index has a table. Dagster asks with every event; one that was there stays."""
        if table_name not in self._known_tables and super().has_table(table_name):
            self._known_tables.add(table_name)
        return table_name in self._known_tables

    def _has_asset_key_index_cols_on_connection(self, _: Connection) -> bool:
        return True

    def wipe(self) -> None:
        """Forget everything; the files go away, so they are closed first."""
        self._close()
        super().wipe()
        self._close()

    def dispose(self) -> None:
        """Close all files."""
        self._close()
        super().dispose()

    def _close(self) -> None:
        with self._engines_lock:
            for engine in self._engines.values():
                engine.dispose()
            self._engines.clear()


def _open(url: str) -> Engine:
    arguments = {"timeout": SQLITE_BUSY_TIMEOUT_SECONDS, "check_same_thread": False}
    engine = sqlalchemy.create_engine(url, poolclass=StaticPool, connect_args=arguments)

    @sqlalchemy.event.listens_for(engine, "connect")
    def _set_up(connection: sqlite3.Connection, _: object) -> None:
        # With a write-ahead log this loses at most the last events of a machine that loses power, never the file.
        connection.execute("pragma synchronous = normal")

    return engine


def _is_planned_check(event: EventLogEntry) -> bool:
    if event.dagster_event_type != DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED:
        return False
    return event.get_dagster_event().asset_check_planned_data.partitions_subset is None


def _inserted(connection: Connection, row: Mapping[str, object]) -> int:
    key = connection.execute(_INSERT, row).inserted_primary_key
    assert key is not None
    return int(key[0])


def _is_of(event: EventLogEntry, kinds: Collection[DagsterEventType]) -> bool:
    return event.is_dagster_event and event.dagster_event_type in kinds


class ProjectStorage(DagsterSqliteStorage):
    """Runs, events and ticks of a project, below ``.dagster/`` of the folder ``home``."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        # Dagster writes a batch (a run over 400 partitions makes 400 events an asset) as one only when told to.
        os.environ.setdefault("DAGSTER_EVENT_BATCH_SIZE", "1000")
        super().__init__(base_dir, inst_data)
        self._event_log_storage = OpenEventLog(str(Path(base_dir) / "history" / "runs"))

    @classmethod
    def config_type(cls) -> UserConfigSchema:
        """What ``dagster.yaml`` gives."""
        return {"home": StringSource}

    @classmethod
    def from_config_value(  # type: ignore[override] # another config
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, str]
    ) -> "ProjectStorage":
        """Called by Dagster with what ``dagster.yaml`` gives."""
        return cls.from_local(_below(config_value), inst_data)


class ProjectArtifacts(LocalArtifactStorage):
    """Files of runs, below ``.dagster/`` of the folder ``home``."""

    @classmethod
    def config_type(cls) -> UserConfigSchema:
        """What ``dagster.yaml`` gives."""
        return {"home": StringSource}

    @classmethod
    def from_config_value(  # type: ignore[override] # another config
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, str]
    ) -> "ProjectArtifacts":
        """Called by Dagster with what ``dagster.yaml`` gives."""
        return cls(_below(config_value), inst_data)


class ProjectLogs(LocalComputeLogManager):
    """What steps print, below ``.dagster/`` of the folder ``home``."""

    @classmethod
    def config_type(cls) -> UserConfigSchema:
        """What ``dagster.yaml`` gives."""
        return {"home": StringSource}

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, str]
    ) -> "ProjectLogs":
        """Called by Dagster with what ``dagster.yaml`` gives."""
        return cls(str(Path(_below(config_value)) / "logs"), inst_data=inst_data)


def _below(config: Mapping[str, str]) -> str:
    return str(Path(config["home"]).resolve() / _FOLDER)
