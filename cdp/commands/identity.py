"""``cdp identity``: link and de-duplicate any table of person records, and look after who is who."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cdp.commands.identity_diff import diff
from cdp.commands.identity_models import app as models
from cdp.commands.identity_review import review
from cdp.commands.identity_score import score
from cdp.commands.identity_train import train
from cdp.terminal import AnyProjectOption, JsonOption, say, show_json
from warehouse.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa

    from identity.linker.declaration import LinkRules
    from identity.linker.people import People

app = typer.Typer(help="Who is who: link and de-duplicate tables of person records.", no_args_is_help=True)

IgnoreOption = Annotated[
    list[str] | None, typer.Option("--ignore", help="A column that is never looked at. May be repeated.")
]


@app.command("suggest")
def suggest(
    file: Annotated[Path, typer.Argument(help="CSV or Parquet with one person record a row.")],
    ignore: IgnoreOption = None,
    output: Annotated[
        Path | None, typer.Option("--output", help="Where to write the rules; default: print them.")
    ] = None,
    _project: AnyProjectOption = None,
) -> None:
    """Write a first version of the rules for a table: what each column means, and why."""
    from identity.linker.files import read_people
    from identity.linker.suggestion import suggest as suggested
    from identity.linker.suggestion import written

    table, _ = read_people([file])
    _known(table, ignore or [])
    text = written(suggested(table, frozenset(ignore or [])), file.name)
    if output is None:
        say(text.rstrip())
        return
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(text, encoding="utf-8")
    say(f"Wrote {output}. Check it, then: cdp identity run --input {file} --config {output} --output clusters.parquet")


_OTHER_FORMS = frozenset({".xlsx", ".xls", ".json", ".jsonl", ".tsv", ".txt", ".yml", ".yaml"})


@app.command("run")
def run(
    inputs: Annotated[list[Path], typer.Option("--input", help="CSV or Parquet; may be repeated.")],
    output: Annotated[Path, typer.Option("--output", help="Clusters: record_id, cluster_id (.parquet or .csv).")],
    config: Annotated[
        Path | None, typer.Option("--config", help="Rules; default: as `suggest` would write them.")
    ] = None,
    edges: Annotated[Path | None, typer.Option("--edges", help="Scored pairs with their evidence.")] = None,
    record_id: Annotated[str | None, typer.Option("--id", help="The column that names a record.")] = None,
    source: Annotated[
        str | None, typer.Option("--source", help="The column that says where a record comes from.")
    ] = None,
    link_only: Annotated[bool, typer.Option("--link-only", help="Only pairs across sources.")] = False,
    ignore: IgnoreOption = None,
    truth: Annotated[
        str | None, typer.Option("--truth", help="The true person: read only after the clusters stand.")
    ] = None,
    _project: AnyProjectOption = None,
    json: JsonOption = False,
) -> None:
    """Find which records are one person."""
    from identity.linker.files import read_people, write_table
    from identity.linker.people import link_people

    for option, path in (("--output", output), ("--edges", edges)):
        if path is not None and path.suffix.lower() in _OTHER_FORMS:
            raise typer.BadParameter(f"{path.name!r} must end in .parquet or .csv", param_hint=option)
    table, files = read_people(inputs)
    unseen = frozenset(ignore or []) | ({truth} if truth else set())
    _known(table, [*unseen, *(name for name in (record_id, source) if name)])
    rules = _rules(table, config, unseen)
    ids = _ids(table, record_id or rules.record_id)
    from_where = source or rules.source
    where = table.column(from_where).combine_chunks() if from_where else files if len(inputs) > 1 else None
    if link_only and where is None:
        raise InputError(
            "--link-only needs to know where records come from.", "Add --source COLUMN, or several --input."
        )
    found = link_people(table, rules, ids=ids, source=where, across=link_only)
    write_table(found.clusters(), output)
    if edges is not None:
        write_table(found.edges(), edges)
    scores = dict(found.scores(table.column(truth).combine_chunks())) if truth else {}
    _tell(found, scores, output, json)


def _tell(found: People, scores: dict[str, float], output: Path, json: bool) -> None:
    sizes = len(set(found.linked.label.tolist()))
    figures: dict[str, object] = {
        "records": found.records.size,
        "clusters": sizes,
        "pairs": len(found.linked.pairs.left),
        "rules": len(found.linked.rules),
        "output": str(output),
    }
    if json:
        show_json(figures | scores)
        return
    pairs = len(found.linked.pairs.left)
    say(f"{found.records.size:,} records are {sizes:,} persons; {pairs:,} pairs were compared. Wrote {output}.")
    for metric, value in scores.items():
        say(f"  {metric:20} {value:.4f}")


def _rules(table: pa.Table, config: Path | None, unseen: frozenset[str]) -> LinkRules:
    from identity.linker.declaration import LinkRules
    from identity.linker.suggestion import suggest as suggested
    from warehouse.declaration import Problems, read_partly, suggestion

    if config is None:
        return suggested(table, unseen)
    problems = Problems()
    rules = read_partly(config, LinkRules, problems, shown_as=config.name).declaration
    if rules is not None:
        named: list[tuple[tuple[str | int, ...], str | None]] = [
            (("fields", place, "columns"), name) for place, rule in enumerate(rules.fields) for name in rule.columns
        ]
        for at, name in [*named, (("record_id",), rules.record_id), (("source",), rules.source)]:
            if name is not None and name not in table.column_names:
                fix = suggestion(name, table.column_names)
                problems.add(config.name, rules.line_of(*at), f"There is no column `{name}`.", fix)
    problems.raise_if_any()
    assert rules is not None, "a declaration that is not read leaves a problem"
    kept = tuple(rule for rule in rules.fields if not unseen.intersection(rule.columns))
    if not kept:
        problems.add(config.name, rules.line_of("fields"), "Every field is ignored.", "Leave a field to compare.")
        problems.raise_if_any()
    return rules.model_copy(update={"fields": kept})


def _ids(table: pa.Table, column: str | None) -> pa.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    if column is None:
        width = len(str(table.num_rows))
        return pa.array([str(number).zfill(width) for number in range(1, table.num_rows + 1)], pa.string())
    ids = table.column(column).combine_chunks()
    if pc.any(pc.is_null(ids)).as_py():
        raise InputError(f"Some rows have no {column}.", "Name a column that every row fills (--id), or none.")
    return ids


def _known(table: pa.Table, names: list[str]) -> None:
    from warehouse.declaration import suggestion

    for name in names:
        if name not in table.column_names:
            raise typer.BadParameter(f"There is no column {name!r}. {suggestion(name, table.column_names)}")


app.command("review")(review)
app.command("diff")(diff)
app.command("score")(score)
app.command("train")(train)
app.add_typer(models, name="models")
