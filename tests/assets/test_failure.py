"""What is told of a step that fails."""

from __future__ import annotations

import dagster as dg

from assets.failure import shown_in_dagster
from warehouse.database import open_warehouse
from warehouse.errors import InputError

SOMEBODY = "O'Connor, Balthazar"


def test_a_bug_is_logged_without_the_values_that_it_quotes(instance: dg.DagsterInstance) -> None:
    """A cast says which text could not be cast, and a key that is not there says which it was."""

    @dg.asset
    def cast() -> None:
        with shown_in_dagster(), open_warehouse() as opened:
            opened.cursor().execute("select cast($name as integer)", {"name": SOMEBODY})

    @dg.asset
    def look_up() -> None:
        with shown_in_dagster():
            try:
                _ = dict[str, int]()[SOMEBODY]
            except KeyError as error:
                raise RuntimeError("broken") from error

    result = dg.materialize([cast, look_up], instance=instance, raise_on_error=False)
    logged = "\n".join(map(str, instance.all_logs(result.run_id)))
    assert "Could not convert string '•••' to INT32" in logged
    assert "broken" in logged
    assert "Balthazar" not in logged


def test_an_error_masks_what_files_and_columns_are_called_after() -> None:
    error = InputError("mail/kim@shop.example.csv lacks 13912345678 and 11010519491231002X", "Ask kim@shop.example.")
    assert str(error) == "mail/••• lacks ••• and ••• Ask •••."
