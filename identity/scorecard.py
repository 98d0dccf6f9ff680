"""How good the partition is: against known truth where it exists, by estimates and signals that need none.

Table ``identity.scorecard`` (run_id, data_set, metric, value, measured_at), one row per run, data set and metric.
*F1*, *precision*, *recall* are pairwise over all record pairs that the final customers imply, recall over all true
pairs; *b_cubed* is over records; *exact_cluster_f1* counts customers reproduced member for member. Truth is read
here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from identity.arrays import encoded, read_table
from identity.drift import drift_figures
from identity.estimated import estimated_scores
from identity.scores import cluster_scores
from identity.specs import spec
from warehouse.database import Connection
from warehouse.step import Run, Step

_CREATE = """
    create table if not exists identity.scorecard (
        run_id varchar not null, data_set varchar not null, metric varchar not null, value double not null,
        measured_at timestamp not null
    )
"""
_SIGNALS = """
    with sizes as (
        select customer_id, count(*) as records
        from identity.customer_links
        group by customer_id
    ),

    known as (
        select distinct links.customer_id
        from identity.customer_links as links
        inner join identity.identifiers as identifiers on links.record_id = identifiers.record_id
        where identifiers.is_personal and not identifiers.is_blocked
    ),

    given as (
        select links.customer_id, count(distinct left(features.value, 3)) as given_names
        from identity.customer_links as links
        inner join identity._nodes as nodes on links.record_id = nodes.record_id
        inner join identity._features as features on nodes.node_id = features.node_id and features.feature = 'given'
        group by links.customer_id
    ),

    spread as (
        select identifiers.identifier_kind, identifiers.value, count(distinct links.customer_id) as customers
        from identity.identifiers as identifiers
        inner join identity.customer_links as links on identifiers.record_id = links.record_id
        where identifiers.strength = 'strong' and not identifiers.is_blocked
        group by 1, 2
    ),

    links_before as (
        select count(*) as records
        from identity.customer_link_history
        where valid_from < $now and (valid_to is null or valid_to >= $now)
    ),

    links_ended as (
        select count(*) as records
        from identity.customer_link_history
        where valid_to = $now
    )

    select 'records' as metric, cast(count(*) as double) as value from identity.customer_links
    union all
    select 'customers', count(*) from known
    union all
    select 'visitors', (select count(*) from sizes) - (select count(*) from known)
    union all
    select 'records_per_customer', avg(cast(sizes.records as double))
    from sizes inner join known on sizes.customer_id = known.customer_id
    union all
    select 'largest_customer', max(records) from sizes
    union all
    select 'customers_with_more_than_3_given_names', count(*) from given where given_names > 3
    union all
    select 'strong_values_shared_across_customers', count(*) from spread where customers > 1
    union all
    select 'blocked_values', count(*) from identity.blocked_identifiers
    union all
    select 'pairs_to_review', count(*) from identity.review_queue
    union all
    select 'id_churn', case when links_before.records > 0
        then cast(links_ended.records as double) / links_before.records else 0 end
    from links_before cross join links_ended
"""
_FIGURES = "select data_set || ': ' || metric, value from identity.scorecard where run_id = $run_id order by 1"
_TRUTH = """
    with truth as (
        select feed, file, cast(row as bigint) as row, cast(person_id as varchar) as person_id
        from read_csv($truth, all_varchar = true, header = true)
        where person_id is not null and person_id <> ''
    ),

    counted as (
        select rows_of.record_id, truth.person_id, count(*) as rows
        from truth
        inner join identity.row_records as rows_of
            on truth.feed = rows_of.feed and truth.file = rows_of.file and truth.row = rows_of.row
        where rows_of.record_id is not null
        group by 1, 2
    ),

    ranked as (
        select *, row_number() over (partition by record_id order by rows desc, person_id) as nth
        from counted
    )

    select ranked.record_id, ranked.person_id, links.customer_id
    from ranked
    inner join identity.customer_links as links on ranked.record_id = links.record_id
    where
        ranked.nth = 1
        and ($with_visitors or links.customer_id in (
            select l.customer_id
            from identity.customer_links as l
            inner join identity.identifiers as i on l.record_id = i.record_id
            where i.is_personal
        ))
    order by ranked.record_id
"""


def scorecard_step(truth: Path, declaration: str) -> Step:
    """Add this run's figures to ``identity.scorecard``.

    ``truth``: persons.csv (feed, file, row, person_id), if any. ``declaration``: the fingerprint of the rules in force.
    """
    table = spec("scorecard", "How good the partition of a run is, one figure a row.", ("run_id", "data_set", "metric"))
    reads = frozenset(
        {
            "identity.customer_links",
            "identity.customer_link_history",
            "identity.identifiers",
            "identity.row_records",
            "identity.blocked_identifiers",
            "identity.review_queue",
            "identity._nodes",
            "identity._features",
            "identity._scores",
            "identity._outcomes",
            "identity._shared_values",
            "identity.models",
            "identity.model_values",
        }
    )
    return Step(table.full_name, (table,), reads, partial(_execute, truth, declaration), figures=_FIGURES)


def _execute(truth: Path, declaration: str, connection: Connection, run: Run) -> None:
    connection.execute(_CREATE)
    connection.execute("delete from identity.scorecard where run_id = $run_id", {"run_id": run.run_id})
    figures = [("signals", metric, value) for metric, value in _signals(connection, run)]
    figures += [("estimated", metric, value) for metric, value in estimated_scores(connection).items()]
    figures += drift_figures(connection, declaration)
    if truth.exists():
        for data_set, with_visitors in (("truth", True), ("truth_known_customers", False)):
            scores = _against(connection, truth, with_visitors)
            figures += [(data_set, metric, value) for metric, value in scores.items()]
    for data_set, metric, value in figures:
        connection.execute(
            "insert into identity.scorecard values ($run_id, $data_set, $metric, $value, $now)",
            {"run_id": run.run_id, "data_set": data_set, "metric": metric, "value": value, "now": run.now},
        )


def _signals(connection: Connection, run: Run) -> list[tuple[str, float]]:
    rows = connection.execute(_SIGNALS, {"now": run.now}).fetchall()
    return [(str(metric), float(value)) for metric, value in rows if value is not None]


def _against(connection: Connection, truth: Path, with_visitors: bool) -> Mapping[str, float]:
    table = read_table(connection, _TRUTH, {"truth": str(truth), "with_visitors": with_visitors})
    persons, _ = encoded(table.column("person_id"))
    customers, _ = encoded(table.column("customer_id"))
    return cluster_scores(persons, customers)
