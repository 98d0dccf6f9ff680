"""Splink on invented people, tuned by hand for them. Run by an interpreter that has splink 5; prints JSON.

    python splink_people.py FILE.parquet

``cpu`` is user and system time of this process with its imports up to the clusters; F1 is that of the best threshold,
a match weight in bits.
"""

from __future__ import annotations

import json
import logging
import resource
import sys

import duckdb
import splink.comparison_level_library as cll
import splink.comparison_library as cl
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

_THRESHOLDS = sorted(range(-4, 31), key=abs)
"""Bits, as the peer on labelled sets sweeps them; even odds, which its cost is told for, first."""

_PEOPLE = """
    create table people as
    select * exclude (cluster_id), given || ' ' || family as both_names from read_parquet($path)
"""
_SCORES = """
    with labels as (
        select truth.cluster_id as person, found.cluster_id as cluster
        from read_parquet($path) as truth inner join found on truth.record_id = found.record_id
    ), sizes as (
        select 'right' as what, count(*) as size from labels group by person, cluster
        union all select 'claimed', count(*) from labels group by cluster
        union all select 'wanted', count(*) from labels group by person
    )
    select what, sum(size * (size - 1) / 2) from sizes group by what
"""


def _edits(column: str, *steps: int, frequencies: bool = False) -> cl.CustomComparison:
    exact = cll.ExactMatchLevel(column, term_frequency_adjustments=frequencies)
    levels = [cll.DamerauLevenshteinLevel(column, step) for step in steps]
    return cl.CustomComparison(
        output_column_name=column, comparison_levels=[cll.NullLevel(column), exact, *levels, cll.ElseLevel()]
    )


def _similar(column: str, *steps: float) -> cl.CustomComparison:
    exact = cll.ExactMatchLevel(column, term_frequency_adjustments=True)
    levels = [cll.JaroWinklerLevel(column, step) for step in steps]
    return cl.CustomComparison(
        output_column_name=column, comparison_levels=[cll.NullLevel(column), exact, *levels, cll.ElseLevel()]
    )


def _names() -> cl.CustomComparison:
    both = [cll.JaroWinklerLevel("given", 0.88), cll.JaroWinklerLevel("family", 0.88)]
    levels = [
        cll.And(cll.NullLevel("given"), cll.NullLevel("family")),
        cll.ExactMatchLevel("both_names", term_frequency_adjustments=True),
        cll.ColumnsReversedLevel("given", "family", symmetrical=True),
        cll.And(*both),
        cll.ExactMatchLevel("family", term_frequency_adjustments=True),
        cll.ExactMatchLevel("given", term_frequency_adjustments=True),
        *reversed(both),
        cll.ElseLevel(),
    ]
    return cl.CustomComparison(output_column_name="name", comparison_levels=levels)


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def main(path: str) -> None:
    """Link the file and print how well and at what cost."""
    logging.getLogger("splink").setLevel(logging.ERROR)
    connection = duckdb.connect()
    connection.execute(_PEOPLE, {"path": path})
    settings = SettingsCreator(
        unique_id_column_name="record_id",
        link_type="dedupe_only",
        comparisons=[
            _names(),
            _edits("birth", 1, 2),
            _edits("phone", 1, 2),
            _similar("street", 0.9, 0.8),
            _similar("city", 0.88),
            _edits("postcode", 1, frequencies=True),
            _edits("email", 1, 3),
        ],
        blocking_rules_to_generate_predictions=[
            block_on("email"),
            block_on("phone"),
            block_on("given", "family", "city"),
            block_on("given", "family", "substr(birth, 1, 4)"),
            block_on("family", "birth"),
            block_on("given", "birth"),
            block_on("street", "city"),
            block_on("given", "postcode"),
            block_on("family", "postcode"),
        ],
        retain_intermediate_calculation_columns=False,
        retain_matching_columns=False,
    )
    linker = Linker(DuckDBAPI(connection=connection).register("people"), settings)
    known = [block_on("email"), block_on("given", "family", "birth"), block_on("family", "phone")]
    linker.training.estimate_probability_two_random_records_match(known, recall=0.8)
    linker.training.estimate_u_using_random_sampling(max_pairs=1e6, seed=7)
    for rule in (block_on("given", "birth"), block_on("family", "postcode"), block_on("email")):
        linker.training.estimate_parameters_using_expectation_maximisation(rule, estimate_without_term_frequencies=True)
    pairs = linker.inference.predict(threshold_match_weight=-5)
    spent = 0.0
    best = (0.0, 0)
    for threshold in _THRESHOLDS:
        clusters = linker.clustering.cluster_pairwise_predictions_at_threshold(pairs, threshold_match_weight=threshold)
        spent = spent or _cpu()
        connection.table(clusters.physical_name).create_view("found", replace=True)
        counts = dict(connection.execute(_SCORES, {"path": path}).fetchall())
        right, claimed, wanted = (float(counts.get(what, 0)) for what in ("right", "claimed", "wanted"))
        best = max(best, (2 * right / (claimed + wanted), threshold))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"config": "people", "f1": best[0], "threshold": best[1], "cpu": spent, "rss": peak}))


if __name__ == "__main__":
    main(sys.argv[1])
