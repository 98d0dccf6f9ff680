"""The truth about generated files: whose each row is, which rows are bad and why, and how every person behaves."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from types import TracebackType

from cdp.demo.calendar import shanghai
from cdp.demo.world import World

PERSONS, BAD_ROWS, BEHAVIOUR = "persons.csv", "bad_rows.csv", "behaviour.csv"
BEHAVIOUR_COLUMNS = (
    "person_id", "kind", "language", "country", "household_id", "first_purchase_on", "last_purchase_on", "purchases",
    "churned_on", "is_alive", "purchase_rate_per_day", "dropout_probability", "expected_orders_90d", "next_orders_90d",
)  # fmt: skip


class TruthFiles:
    """persons.csv (feed, file, row, person_id) and bad_rows.csv (feed, file, row, code), written along with the files.

    Nobody's rows (robots, walk-ins, our own posts) and bad rows do not stand in persons.csv.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._persons = (folder / PERSONS).open("w", encoding="utf-8", newline="\n")
        self._bad_rows = (folder / BAD_ROWS).open("w", encoding="utf-8", newline="\n")
        self._persons.write("feed,file,row,person_id\n")
        self._bad_rows.write("feed,file,row,code\n")

    def __enter__(self) -> TruthFiles:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._persons.close()
        self._bad_rows.close()

    def add(self, feed: str, file: str, rows: Iterable[tuple[str, str]]) -> None:
        """Take down the (person_id, code) of each row of a file, in order; an empty code is a good row."""
        begin = f"{feed},{file},"
        good, bad = [], []
        for number, (person_id, code) in enumerate(rows, 1):
            if code:
                bad.append(f"{begin}{number},{code}\n")
            elif person_id:
                good.append(f"{begin}{number},{person_id}\n")
        self._persons.writelines(good)
        self._bad_rows.writelines(bad)


def write_behaviour(world: World, folder: Path) -> None:
    """behaviour.csv: one line per person. Purchases are what BG/NBD made: no voided, test or pending orders."""
    behaviour = world.behaviour
    facts = {int(person): at for at, person in enumerate(behaviour.person)}
    purchases: dict[int, list[int]] = {}
    for person, moment in zip(behaviour.purchase_person.tolist(), behaviour.purchase_at.tolist(), strict=True):
        purchases.setdefault(person, []).append(moment)
    with (folder / BEHAVIOUR).open("w", encoding="utf-8", newline="\n") as file:
        file.write(",".join(BEHAVIOUR_COLUMNS) + "\n")
        for number, person in enumerate(world.people):
            who = [person.person_id, person.kind, person.language, person.country, f"h{person.household:07d}"]
            at = facts.get(number)
            if at is None:
                file.write(",".join([*who, "", "", "0", "", "", "", "", "0.0", "0"]) + "\n")
                continue
            mine, left = purchases[number], int(behaviour.churned_at[at])
            life = [
                _day(mine[0]),
                _day(mine[-1]),
                str(len(mine)),
                _day(left) if left >= 0 else "",
                str(left < 0).lower(),
            ]
            rates = (behaviour.rate[at], behaviour.dropout[at], behaviour.expected_90d[at])
            file.write(",".join([*who, *life, *(f"{rate:.8f}" for rate in rates), str(behaviour.next_90d[at])]) + "\n")


def _day(moment: int) -> str:
    return shanghai(moment, "%Y-%m-%d")
