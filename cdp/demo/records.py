"""Generated files read back as identity records: one per feed, person key and set of identifying values.

An independent and simple reading of the vendors' files, for calibration only: the platform has its own.
"""

from __future__ import annotations

import csv
import gzip
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from cdp.demo.spelling import romanised
from cdp.demo.truth import PERSONS

_ANONYMOUS_DAYS = timedelta(days=30)
_NOT_DIGITS = re.compile(r"\D")


@dataclass(frozen=True)
class Identity:
    """What a row says about who it is from; empty text where it says nothing. ``key`` is the source's person key."""

    feed: str
    key: str
    customer_id: str = ""
    email: str = ""
    phone: str = ""
    name: str = ""
    city: str = ""
    postcode: str = ""
    device: str = ""
    account: str = ""


@dataclass(frozen=True)
class Record:
    """An identity with the person who stands behind most of its rows."""

    identity: Identity
    person_id: str
    rows: int


def read_records(folder: Path) -> list[Record]:
    """All records of a generated project. Bad rows and rows of nobody are left out: the truth does not name them."""
    owners = _owners(folder / "truth" / PERSONS)
    seen: defaultdict[Identity, defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
    for feed, reader in _READERS.items():
        for path in sorted((folder / "landing" / feed).glob("*/*")):
            file = f"{path.parent.name}/{path.name}"
            for number, row in reader(path):
                person_id = owners.get((feed, file, number))
                if person_id and (identity := _IDENTITIES[feed](row)):
                    seen[identity][person_id] += 1
    for identity, persons in _web_identities(folder, owners):
        for person_id, rows in persons.items():
            seen[identity][person_id] += rows
    records = []
    for identity, persons in seen.items():
        person_id = min(persons, key=lambda someone: (-persons[someone], someone))
        records.append(Record(identity, person_id, sum(persons.values())))
    return records


def mailbox_of(text: str | None) -> str:
    """An e-mail address in small letters without tag, empty when it is none."""
    local, at, host = (text or "").strip().lower().partition("@")
    return f"{local.partition('+')[0]}@{host}" if at else ""


def digits_of(text: str | None) -> str:
    """The last ten digits of a phone number, empty when there are fewer than seven."""
    digits = _NOT_DIGITS.sub("", text or "")
    return digits[-10:] if len(digits) >= 7 else ""


def name_of(*parts: str | None) -> str:
    """A name as sorted romanised words, so that 王小明 and Xiaoming Wang are near each other."""
    words = romanised(" ".join(part for part in parts if part)).lower().split()
    return "".join(sorted("".join(words)))


def _owners(path: Path) -> dict[tuple[str, str, int], str]:
    with path.open(encoding="utf-8", newline="") as file:
        return {(row["feed"], row["file"], int(row["row"])): row["person_id"] for row in csv.DictReader(file)}


def _json_rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    content = msgspec.json.decode(path.read_bytes())
    rows = content if isinstance(content, list) else next(iter(content.values()))
    yield from enumerate(rows, 1)


def _csv_rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from enumerate(csv.DictReader(file), 1)


def _of_order(row: dict[str, Any]) -> Identity:
    customer, address = row["customer"] or {}, row["shipping_address"] or {}
    customer_id = str(customer.get("id") or "")
    return Identity(
        "shop_orders",
        customer_id or str(row["id"]),
        customer_id,
        mailbox_of(row["email"]),
        digits_of(row["phone"]),
        name_of(address.get("first_name"), address.get("last_name")),
        address.get("city") or "",
        address.get("zip") or "",
    )


def _of_ticket(row: dict[str, Any]) -> Identity | None:
    source = row["via"]["source"]["from"]
    identity = Identity(
        "tickets",
        row["external_id"] or "",
        row["external_id"] or "",
        mailbox_of(source.get("address")),
        digits_of(source.get("phone")),
        name_of(source.get("name")),
    )
    return identity if identity.key or identity.email or identity.phone else None


def _of_contact(row: dict[str, Any]) -> Identity:
    return Identity(
        "crm",
        row["Record ID"],
        "",
        mailbox_of(row["Email"]),
        digits_of(row["Mobile Phone Number"]),
        name_of(row["First Name"], row["Last Name"]),
        row["City"],
        row["Postal Code"],
        row["WeChat UnionID"],
    )


def _of_answer(row: dict[str, Any]) -> Identity:
    return Identity("nps", "", "", mailbox_of(row["Email"]), digits_of(row["Phone Number"]), name_of(row["Name"]))


def _of_message(row: dict[str, Any]) -> Identity:
    return Identity("email", row["customer_id"], row["customer_id"], mailbox_of(row["email"]))


def _of_status(row: dict[str, Any]) -> Identity:
    account = row["account"]
    return Identity("mastodon", account["id"], name=name_of(account["display_name"]), account=account["acct"])


def _of_weibo(row: dict[str, Any]) -> Identity:
    user = row["user"]
    return Identity("weibo", user["idstr"], name=name_of(user["screen_name"]), account=user["domain"])


_READERS = {
    "shop_orders": _json_rows, "tickets": _json_rows, "crm": _csv_rows, "nps": _csv_rows, "email": _csv_rows,
    "mastodon": _json_rows, "weibo": _json_rows,
}  # fmt: skip
_IDENTITIES = {
    "shop_orders": _of_order, "tickets": _of_ticket, "crm": _of_contact, "nps": _of_answer, "email": _of_message,
    "mastodon": _of_status, "weibo": _of_weibo,
}  # fmt: skip


class _Device(msgspec.Struct):
    id: str = ""


class _Context(msgspec.Struct):
    device: _Device | None = None


class _Event(msgspec.Struct):
    type: str
    anonymousId: str  # noqa: N815 - Segment's spelling
    timestamp: str
    context: _Context
    userId: str | None = None  # noqa: N815 - likewise
    traits: dict[str, Any] = msgspec.field(default_factory=dict)


def _web_identities(folder: Path, owners: dict[tuple[str, str, int], str]) -> Iterator[tuple[Identity, dict[str, int]]]:
    """(record, rows by person): a cookie by signed-in span; what was before the first one belongs to it for 30 days."""
    decoder = msgspec.json.Decoder(_Event)
    cookies: defaultdict[str, list[tuple[str, _Event, str]]] = defaultdict(list)
    for path in sorted((folder / "landing" / "web").glob("*/*")):
        for number, line in enumerate(gzip.decompress(path.read_bytes()).splitlines(), 1):
            person_id = owners.get(("web", f"{path.parent.name}/{path.name}", number))
            if person_id:
                event = decoder.decode(line)
                cookies[event.anonymousId].append((event.timestamp, event, person_id))
    for cookie, events in cookies.items():
        events.sort(key=lambda event: event[0])
        for span in _spans(events):
            persons: defaultdict[str, int] = defaultdict(int)
            for _, _, person_id in span:
                persons[person_id] += 1
            yield _of_span(cookie, [event for _, event, _ in span]), persons


def _spans(events: list[tuple[str, _Event, str]]) -> Iterator[list[tuple[str, _Event, str]]]:
    spans: list[list[tuple[str, _Event, str]]] = [[]]
    current = ""
    for at, event, person_id in events:
        mine = event.userId or (str(event.traits.get("email") or "") if event.type == "identify" else "")
        if mine and current and mine != current:
            spans.append([])
        elif mine and not current:
            reach = datetime.fromisoformat(at) - _ANONYMOUS_DAYS
            early = [known for known in spans[0] if datetime.fromisoformat(known[0]) < reach]
            spans = [early, spans[0][len(early) :]] if early else spans
        current = mine or current
        spans[-1].append((at, event, person_id))
    yield from spans


def _of_span(cookie: str, events: list[_Event]) -> Identity:
    told: dict[str, Any] = {}
    for event in events:
        told |= event.traits
    customer_id = next((event.userId for event in events if event.userId), "")
    device = next((event.context.device.id for event in events if event.context.device), "")
    address = told.get("address") or {}
    return Identity(
        "web",
        f"{cookie}/{customer_id or told.get('email', '')}",
        customer_id,
        mailbox_of(told.get("email")),
        digits_of(told.get("phone")),
        name_of(told.get("firstName"), told.get("lastName")),
        address.get("city", ""),
        address.get("postalCode", ""),
        device,
    )
