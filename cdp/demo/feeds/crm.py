"""HubSpot contacts: a weekly CSV export, with the labels of the user interface, of the contacts that changed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from cdp.demo.calendar import DAY, shanghai
from cdp.demo.delivery import Line, csv_table
from cdp.demo.noise import ABSENT, BELL, TOO_LONG, Damage, csv_line
from cdp.demo.people import NEVER
from cdp.demo.person import Names, Person
from cdp.demo.scribe import Scribe
from cdp.demo.world import World

COLUMNS = (
    "Record ID", "First Name", "Last Name", "Email", "Phone Number", "Mobile Phone Number", "Contact owner",
    "Lifecycle Stage", "Lead Status", "Original Source", "Create Date", "Last Modified Date", "Last Activity Date",
    "Unsubscribed from all email", "Marketing contact status", "Additional email addresses", "Merged record IDs",
    "Preferred channels", "Associated Company IDs (Primary)", "Associated Company (Primary)", "Company Name",
    "Job Title", "Street Address", "City", "State/Region", "Postal Code", "Country/Region", "Preferred language",
    "Gender", "Date of birth", "Interests", "Income band", "WeChat UnionID", "Loyalty tier", "Points balance",
    "Referred by", "Email consent", "SMS consent", "Consent updated at",
)  # fmt: skip
CRM = csv_table(
    "crm",
    "contacts.csv",
    (
        Damage("missing", {"Record ID": ABSENT}),
        Damage("out_of_range", {"Last Modified Date": "2199-01-01 00:00"}),
        Damage("bad_format", {"Create Date": "yesterday"}),
        Damage("too_long", {"Record ID": TOO_LONG}),
        Damage("wrong_type", {"Points balance": "many"}),
        Damage("bad_format", {"Record ID": BELL}),
    ),
    COLUMNS,
)
_SOURCES = (
    "Organic Search",
    "Paid Search",
    "Social Media",
    "Offline Sources",
    "Direct Traffic",
    "Email Marketing",
    "Referrals",
)
_COUNTRIES = {"CN": "China", "GB": "United Kingdom"}
_GENDERS = {"f": "Female", "m": "Male"}
_TIERS = ("", "Bronze", "Silver", "Gold")


@dataclass(frozen=True)
class Contact:
    """A contact as it was first typed in: its own names, mailbox and phone."""

    record_id: int
    person: Person
    names: Names
    email: str
    shows_phone: bool
    shows_address: bool
    shows_birthday: bool
    created_at: int
    unionid: str


def crm_weeks(world: World) -> Iterator[tuple[int, list[Line]]]:
    """(day, contacts) of every week in which a contact was made or changed."""
    scribe, calendar = world.scribe("crm"), world.calendar
    changes: defaultdict[int, list[tuple[int, Contact]]] = defaultdict(list)
    for contact in _contacts(world, scribe):
        for moment in _moments(contact, scribe, calendar.end):
            changes[calendar.week_end(calendar.day(moment))].append((moment, contact))
    for day in sorted(changes):
        in_time = sorted(changes[day], key=lambda change: (change[0], change[1].record_id))
        newest = {contact.record_id: (moment, contact) for moment, contact in in_time}
        yield day, [_line(moment, contact, scribe) for moment, contact in newest.values()]


def _contacts(world: World, scribe: Scribe) -> Iterator[Contact]:
    draw, record_id = scribe.coins, 20_100
    for number, person in enumerate(world.people):
        if not person.in_crm:
            continue
        created = min(int(world.known_from[number]) + draw.randrange(20 * DAY), world.calendar.end - DAY)
        unionid = f"o6_{draw.getrandbits(88):022x}" if person.language == "zh" and scribe.happens(0.4) else ""
        knows_address = scribe.happens(0.5) or not person.crm_meets_shop
        record_id += draw.randrange(1, 9)
        yield Contact(
            record_id, person, person.crm_names, person.crm_email, person.crm_phone_shown, knows_address,
            scribe.happens(0.7), created, unionid,
        )  # fmt: skip
        if scribe.happens(world.difficulty.second_contact) and not person.shares_phone:
            record_id += draw.randrange(1, 9)
            again = min(created + draw.randrange(1, 90 * DAY), world.calendar.end - 1)
            yield Contact(
                record_id, person, scribe.names(person.names), person.other_email, True, True, True, again, unionid
            )


def _moments(contact: Contact, scribe: Scribe, end: int) -> Iterator[int]:
    """When the contact was made, edited, moved house or changed number."""
    yield contact.created_at
    moment = contact.created_at
    while scribe.happens(0.35):
        moment += scribe.coins.randrange(3 * DAY, 120 * DAY)
        if moment < end:
            yield moment
    for change in (contact.person.moves_at, contact.person.phone_changes_at):
        if contact.created_at < change < NEVER and change + DAY < end and scribe.happens(0.6):
            yield change + DAY


def _line(moment: int, contact: Contact, scribe: Scribe) -> Line:
    person, stamp = contact.person, shanghai(moment)
    home = person.home_at(moment)
    phone = person.phone_at(moment) if contact.shows_phone else ""
    phone = phone if person.number % 5 else phone.removeprefix("+86").replace("+44", "0")
    email = contact.email
    if scribe.happens(scribe.difficulty.placeholder) and contact.shows_address:
        made_up_email, made_up_phone = scribe.placeholder()
        email, phone = made_up_email or email, made_up_phone or phone
    bought = person.kind == "buyer"
    opted_out = person.number % 23 == 0
    cells = {
        "Record ID": contact.record_id,
        "First Name": contact.names.given,
        "Last Name": contact.names.family,
        "Email": email,
        "Mobile Phone Number": phone,
        "Contact owner": "Mei Lin (mei@harbour-lantern.example)"
        if person.language == "zh"
        else "Tom Reed (tom@harbour-lantern.example)",
        "Lifecycle Stage": "Customer" if bought else "Lead",
        "Lead Status": "" if bought else "New",
        "Original Source": _SOURCES[person.number * 7 % len(_SOURCES)],
        "Create Date": shanghai(contact.created_at),
        "Last Modified Date": stamp,
        "Last Activity Date": stamp,
        "Unsubscribed from all email": "true" if opted_out else "",
        "Marketing contact status": "Non-marketing contact" if opted_out else "Marketing contact",
        "Preferred channels": "Email" if person.language == "en" else "SMS",
        "Company Name": "N/A" if person.number % 41 == 0 else person.company,
        "Job Title": person.occupation,
        "City": home.city,
        "State/Region": home.region,
        "Country/Region": _COUNTRIES[home.country],
        "Preferred language": person.language,
        "Gender": _GENDERS[person.gender] if person.number % 6 else "",
        "Date of birth": person.birth_on.isoformat() if contact.shows_birthday else "",
        "Interests": ";".join(person.interests) if person.number % 4 else "",
        "Income band": person.income_band if person.number % 3 else "",
        "WeChat UnionID": contact.unionid,
        "Loyalty tier": _TIERS[person.number % 4] if bought else "",
        "Points balance": person.number * 37 % 4_000 if bought and person.number % 4 else "",
        "Email consent": "false" if opted_out else "true",
        "SMS consent": ("true", "false", "")[person.number % 3],
        "Consent updated at": shanghai(contact.created_at),
    }
    if contact.shows_address:
        cells |= {"Street Address": scribe.street(home), "Postal Code": home.postcode}
    return Line(csv_line(cells.get(column, "") for column in COLUMNS), person.person_id)
