"""Recency, frequency and money: equal values score equally, whatever order the rows come in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from warehouse.business import Business
from warehouse.database import Warehouse, open_warehouse
from warehouse.sql_model import sql_step
from warehouse.step import Run, materialise

AS_OF = date(2026, 1, 31)
Sale = tuple[int, int, Decimal | None]
"""Number of the customer, days before the as-of date, amount."""


def make_rfm(warehouse: Warehouse, sales: Sequence[Sale], run: Run) -> dict[str, tuple[object, ...]]:
    connection = warehouse.cursor()
    connection.execute("create or replace table profiles._golden (customer_id varchar)")
    connection.execute("insert into profiles._golden select 'c' || number from range(50) as numbers (number)")
    connection.execute(
        "create or replace table profiles.orders "
        "(customer_id varchar, order_id bigint, placed_on date, is_sale boolean, base_amount decimal(18, 4))"
    )
    rows = [
        [f"c{customer}", number, AS_OF - timedelta(days=days), True, amount]
        for number, (customer, days, amount) in enumerate(sales)
    ]
    connection.executemany("insert into profiles.orders values (?, ?, ?, ?, ?)", rows)
    materialise(warehouse, sql_step("profiles", "profiles", "rfm"), run)
    found = connection.execute(
        "select customer_id, recency_days, frequency, monetary_base_amount, r_score, f_score, m_score, rfm_code, "
        "rfm_segment from profiles.rfm"
    ).fetchall()
    return {customer: tuple(rest) for customer, *rest in found}


SALES = st.lists(
    st.tuples(st.integers(0, 12), st.integers(0, 40), st.integers(-500, 5000).map(lambda pence: Decimal(pence) / 100)),
    min_size=1,
    max_size=40,
)


@settings(max_examples=20)
@given(sales=SALES)
def test_a_score_says_which_fifth_of_the_buyers_do_strictly_worse(sales: list[Sale]) -> None:
    business = Business(name="A shop", base_currency="GBP", time_zone="Europe/London", default_country="GB")
    run = Run("run-1", AS_OF, datetime(2026, 2, 1), business)
    with open_warehouse() as warehouse:
        found = make_rfm(warehouse, sales, run)
        assert make_rfm(warehouse, sales[::-1], run) == found
    buyers = sorted({customer for customer, *_ in sales})
    recency = {buyer: min(days for customer, days, _ in sales if customer == buyer) for buyer in buyers}
    frequency = {buyer: sum(customer == buyer for customer, *_ in sales) for buyer in buyers}
    money = {buyer: sum(amount or 0 for customer, _, amount in sales if customer == buyer) for buyer in buyers}

    def fifth(worse: int) -> int:
        return 1 + 5 * worse // len(buyers)

    for buyer in buyers:
        scores = (
            fifth(sum(other > recency[buyer] for other in recency.values())),
            fifth(sum(other < frequency[buyer] for other in frequency.values())),
            fifth(sum(other < money[buyer] for other in money.values())),
        )
        code = "".join(map(str, scores))
        assert found[f"c{buyer}"][:-1] == (recency[buyer], frequency[buyer], money[buyer], *scores, code)
    assert len(found) == len(buyers)


def test_five_different_buyers_score_from_one_to_five(warehouse: Warehouse, run: Run) -> None:
    sales = [(number, 10 * number, Decimal(100 - number)) for number in range(5)]
    found = make_rfm(warehouse, sales, run)
    assert [found[f"c{number}"][3] for number in range(5)] == [5, 4, 3, 2, 1]
    assert {found[f"c{number}"][4] for number in range(5)} == {1}, "all bought once"


def test_a_sale_without_a_rate_leaves_the_money_unknown_and_the_group_known(warehouse: Warehouse, run: Run) -> None:
    found = make_rfm(warehouse, [(1, 3, Decimal(10)), (1, 5, None), (2, 9, Decimal(20))], run)
    recency, frequency, money, _, _, m_score, code, group = found["c1"]
    assert (recency, frequency, money, m_score, code) == (3, 2, None, None, None)
    assert group is not None
    assert found["c2"][5] == 1


def test_every_pair_of_scores_has_a_group(warehouse: Warehouse, run: Run) -> None:
    """One buyer for each of the 25 fields: rank n in recency and frequency puts a buyer into that fifth."""
    sales = [
        (5 * fresh + often, 100 - fresh, Decimal(1))
        for fresh in range(5)
        for often in range(5)
        for _ in range(often + 1)
    ]
    found = make_rfm(warehouse, sales, run)
    groups = {(row[3], row[4]): row[-1] for row in found.values()}
    assert len(groups) == 25
    assert groups[5, 5] == "champion"
    assert groups[1, 5] == "cannot_lose"
    assert groups[5, 1] == "newcomer"
    assert groups[1, 1] == "hibernating"
    assert len(set(groups.values())) == 10
