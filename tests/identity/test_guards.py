"""Who is kept apart and who is not, whatever they share."""

from __future__ import annotations

from datetime import date

import pytest
from people import a_record, match, partition, resolve

from warehouse.database import Warehouse
from warehouse.step import Run

HOME = {"phone": "07911 123456", "address_line": "12 High Street", "city": "Leeds", "postcode": "LS1 4AP"}


def records_of(links: dict[str, str], *groups: list[dict]) -> None:
    """Assert that the customers are exactly these groups of records."""
    assert partition(links) == {frozenset(row["record_id"] for row in group) for group in groups}


def test_a_family_sharing_phone_and_address_stays_apart(prepared: Warehouse, run: Run) -> None:
    mary = [a_record(given_name="Mary", family_name="Baxter", email="mary.baxter@a.example", **HOME)]
    john = [a_record(given_name="John", family_name="Baxter", email="john.baxter@b.example", **HOME)]
    son = [a_record(given_name="Oliver", family_name="Baxter", **HOME)]
    records_of(resolve(prepared, run, [*mary, *john, *son]), mary, john, son)


def test_a_family_sharing_an_email_stays_apart(prepared: Warehouse, run: Run) -> None:
    shared = {"email": "baxters@a.example"} | HOME
    mary, john = (
        a_record(given_name="Mary", family_name="Baxter", **shared),
        a_record(given_name="John", family_name="Baxter", **shared),
    )
    records_of(resolve(prepared, run, [mary, john]), [mary], [john])


def test_someone_without_a_name_joins_neither_of_two_who_share_a_phone(prepared: Warehouse, run: Run) -> None:
    mary = a_record(given_name="Mary", family_name="Baxter", phone=HOME["phone"])
    john = a_record(given_name="John", family_name="Baxter", phone=HOME["phone"])
    nameless = a_record(phone=HOME["phone"])
    records_of(resolve(prepared, run, [mary, john, nameless]), [mary], [john], [nameless])
    reasons = prepared.cursor().execute("select distinct reason from identity.review_queue").fetchall()
    assert reasons == [("link not made: it would tie people who are kept apart",)]


def test_someone_without_a_name_joins_the_only_owner_of_a_phone(prepared: Warehouse, run: Run) -> None:
    mary, nameless = (
        a_record(given_name="Mary", family_name="Baxter", phone=HOME["phone"]),
        a_record(phone="+447911123456"),
    )
    records_of(resolve(prepared, run, [mary, nameless]), [mary, nameless])


def test_many_orders_of_nothing_but_one_address_are_one_customer(prepared: Warehouse, run: Run) -> None:
    loyal = [a_record(email="loyal@a.example", person_key=f"order:{number}") for number in range(20)]
    others = [a_record(email=f"guest{number}@a.example", person_key=f"order:o{number}") for number in range(60)]
    records_of(resolve(prepared, run, [*loyal, *others]), loyal, *([row] for row in others))


def test_colleagues_sharing_a_company_domain_and_switchboard_stay_apart(prepared: Warehouse, run: Run) -> None:
    office = {"phone": "0113 496 0100", "address_line": "1 Canal Wharf", "city": "Leeds", "company": "Acme"}
    names = [("Ann", "Archer"), ("Bob", "Bishop"), ("Carl", "Cooper")]
    rows = [
        a_record(given_name=given, family_name=family, email=f"{given}.{family}@acme.example", **office)
        for given, family in names
    ]
    records_of(resolve(prepared, run, rows), *([row] for row in rows))


def test_where_all_bear_one_name_it_tells_nobody_apart(prepared: Warehouse, run: Run) -> None:
    rows = [
        a_record(
            source_customer_id=f"c{number}",
            email=f"somebody{number}@a.example",
            full_name="Test User",
            phone=f"+4479111234{number:02}",
            birth_on=date(1980, 1, 1 + number % 28),
            city="Leeds",
        )
        for number in range(40)
    ]
    records_of(resolve(prepared, run, rows), *([row] for row in rows))


def test_father_and_son_of_one_name_are_told_apart_by_their_birthdays(prepared: Warehouse, run: Run) -> None:
    father = a_record(given_name="John", family_name="Baxter", birth_on=date(1950, 3, 1), **HOME)
    son = a_record(given_name="John", family_name="Baxter", birth_on=date(1984, 11, 23), **HOME)
    resolve(prepared, run, [father, son])
    different = prepared.cursor().execute("select weight from identity._scores").fetchall()[0][0]
    unknown = a_record(given_name="John", family_name="Baxter", **HOME)
    resolve(prepared, run, [father, unknown])
    assert prepared.cursor().execute("select weight from identity._scores").fetchall()[0][0] > different + 5


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"full_name": "王小明"}, {"full_name": "Wang Xiaoming"}),
        ({"full_name": "王小明"}, {"given_name": "Xiaoming", "family_name": "Wang"}),
        ({"full_name": "Benjamin Clarke"}, {"full_name": "Ben Clarke"}),
        ({"full_name": "Clarke Benjamin"}, {"full_name": "Benjamin Clarke"}),
        ({"full_name": "Benjamin Clarke"}, {"full_name": "Benjmain Clarke"}),
        ({"full_name": "Benjamin Clarke"}, {"full_name": "B Clarke"}),
        ({"full_name": "张伟"}, {"full_name": "张*"}),
    ],
)
def test_one_person_written_in_two_ways_is_one_customer(
    prepared: Warehouse, run: Run, one: dict[str, str], other: dict[str, str]
) -> None:
    rows = [a_record(phone="+8613812345670", **one), a_record(phone="138 1234 5670", country="CN", **other)]
    records_of(resolve(prepared, run, rows), rows)


def test_one_name_alone_links_nobody(prepared: Warehouse, run: Run) -> None:
    rows = [a_record(full_name="Benjamin Clarke", phone=phone) for phone in ("07911 123456", "07922 654321")]
    assert len(set(resolve(prepared, run, rows).values())) == 2


def test_records_of_one_source_person_are_one_customer_whatever_changed(prepared: Warehouse, run: Run) -> None:
    before = a_record(source_customer_id="17", person_key="id:17", email="old@a.example", full_name="Ann Archer")
    after = a_record(source_customer_id="17", person_key="id:17", email="new@b.example", full_name="Ann Bishop")
    records_of(resolve(prepared, run, [before, after]), [before, after])


def test_equal_ids_of_two_id_spaces_are_two_people(prepared: Warehouse, run: Run) -> None:
    shop = a_record(source_customer_id="17", person_key="id:17")
    crm = a_record(feed="crm", kind="contacts", source_customer_id="17", person_key="id:17")
    records_of(resolve(prepared, run, [shop, crm]), [shop], [crm])


def test_wechat_ids_keep_their_case(prepared: Warehouse, run: Run) -> None:
    one, other = a_record(wechat_unionid="oABC"), a_record(wechat_unionid="oabc")
    same = a_record(wechat_unionid="oABC", feed="crm")
    records_of(resolve(prepared, run, [one, other, same]), [one, same], [other])


def test_a_cookie_or_device_never_links_two_people(prepared: Warehouse, run: Run) -> None:
    ann = a_record(feed="web", kind="web_events", anonymous_id="k", source_customer_id="1", person_key="id:1")
    bob = a_record(feed="web", kind="web_events", anonymous_id="k", source_customer_id="2", person_key="id:2")
    visitor = a_record(feed="web", kind="web_events", anonymous_id="k", person_key="visitor")
    records_of(resolve(prepared, run, [ann, bob, visitor]), [ann], [bob], [visitor])


def test_what_people_decided_binds_whole_clusters(prepared: Warehouse, run: Run) -> None:
    rows = [a_record(full_name="Ann Archer", email="ann@a.example", address_line=f"{n} High Street") for n in (1, 2, 3)]
    assert len(set(resolve(prepared, run, rows).values())) == 1
    decide(prepared, run, "forbid", rows[0], rows[1])
    links = match(prepared, run)
    assert links[rows[0]["record_id"]] != links[rows[1]["record_id"]]
    decide(prepared, run, "merge", rows[0], rows[1], after=1)
    assert len(set(match(prepared, run).values())) == 1


def test_people_may_put_together_what_no_evidence_ties(prepared: Warehouse, run: Run) -> None:
    rows = [
        a_record(full_name="Ann Archer", email="ann@a.example"),
        a_record(full_name="Zoe Young", email="zoe@b.example"),
    ]
    resolve(prepared, run, rows)
    decide(prepared, run, "merge", *rows)
    assert len(set(match(prepared, run).values())) == 1


def decide(warehouse: Warehouse, run: Run, action: str, one: dict, other: dict, after: int = 0) -> None:
    warehouse.cursor().execute(
        "insert into identity.decisions values ($id, $at::timestamp + to_hours($after), null, 'person', 'a steward',"
        " $action, $one, $other, null, null, null, null)",
        {
            "id": f"d{after}",
            "at": run.now,
            "after": after,
            "action": action,
            "one": one["record_id"],
            "other": other["record_id"],
        },
    )
