"""A project with a recognisable personal value in every awkward place of its feeds, and everything it says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from cdp.command import run_command

DAY = "dt=2026-01-05"
FEEDS = {
    # Objects whose keys are what persons are called by.
    "mail": "{kind: messages, mapping: jsonl, max_reject_ratio: 1, expectations: ["
    "{name: mail_is_ours, expect: matches, column: email, pattern: '.*@ours[.]example', severity: warn,"
    " description: We write to ourselves.},"
    "{name: campaigns_are_known, expect: in_set, column: campaign_name, values: [spring], severity: warn,"
    " description: Campaigns are planned.},"
    '{name: no_numbers, expect: rule, rule: "cast(phone as integer) > 0", severity: warn, description: Odd.}]}',
    # A flat file with free text under harmless names.
    "people": """{kind: contacts, mapping: csv, max_reject_ratio: 1, fields: {contact_id: Id, email: Mail,
      full_name: Name, phone: Phone, address_line: Street, created_at: Created,
      updated_at: {path: Created}, lead_source: status}}""",
    # Its file begins with a row instead of a header.
    "bare": "{kind: contacts, mapping: csv, max_reject_ratio: 1, fields: {contact_id: Id, email: Mail}}",
    # The first row is taken for a header, since the feed needs but one of its columns.
    "named": "{kind: contacts, mapping: csv, max_reject_ratio: 1, fields: {contact_id: Id}}",
    "shop": "{kind: purchases, mapping: shopify_orders, max_reject_ratio: 1, currency: EUR}",
    "stops": "{kind: messages, mapping: jsonl, on_new_column: stop}",
    "web": "{kind: web_events, mapping: segment, max_reject_ratio: 1}",
    "words": "{kind: feedback, mapping: typeform, max_reject_ratio: 1}",
}
PLANTED = {
    "key at the top": "top.key@planted.example",
    "phone as a key": "+44 20 7946 0011",
    "mobile as a key": "13912340012",
    "key inside": "inner.key@planted.example",
    "key deep inside a list": "listed.key@planted.example",
    "name beside a key that is an e-mail": "Wolfgang Keyfeather",
    "e-mail that breaks an expectation": "expected@planted.example",
    "name that breaks an expectation": "Campaign of Ottoline Marsh",
    "phone that breaks a cast": "13912340013",
    "enum": "pigeon of Quentin Fogg",
    "moment": "when Clementine Rook said so",
    "wrong type": "typed@planted.example",
    "unreadable line": "Persephone Unread",
    "name in Chinese": "欧阳翠花",
    "name in Latin": "Balthazar Quillfeather",
    "address": "17 Bramblewick Lane",
    "address in Chinese": "静安区南京西路1266弄",
    "national id": "11010519491231002X",
    "card": "4111111111111111",
    "device": "3f2504e0-4f89-11d3-9a0c-0305e82c3301",
    "cookie": "GA1.2.1123581321.1345589144",
    "status": "Hieronymus Loud shouted",
    "position": "beside Araminta Swift",
    "note": "ring Peregrine Vole at home",
    "header e-mail": "header@planted.example",
    "header name": "Ignatius Header",
    "header phone": "13912340014",
    "header id": "310105199001011236",
    "header address": "8 Thistledown Mews",
    "second header e-mail": "header2@planted.example",
    "second header name": "Lavinia Second",
    "second header name in Chinese": "司马二妞",
    "second header card": "5500005555555559",
    "second header address": "21 Larkspur Close",
    "file name": "file.name@planted.example",
    "mobile in a file name": "13912340015",
    "folder": "folder@planted.example",
    "stopped key": "stopped@planted.example",
    "quoted": "O'Planted' OR '1'='1",
    "line of an order": "Engraved for Theodora Finch",
    "order e-mail": "order@planted.example",
    "database": "Millicent Baseworth",
    "repair": "Cornelius Mended",
    "corrected": "Drusilla Corrected",
    "decision": "decided@planted.example",
    "decision reason": "Euphemia Judged",
    "words": "Ask Fitzgerald Moss about it",
}
P = PLANTED


def a_message(number: int, **changed: Any) -> dict[str, Any]:
    return {
        "message_id": f"m{number}",
        "message_channel": "email",
        "message_event": "sent",
        "occurred_at": "2026-01-05T10:00:00Z",
        "email": P["e-mail that breaks an expectation"],
        "campaign_name": "spring",
    } | changed


def an_order(number: int, **changed: Any) -> dict[str, Any]:
    return {
        "id": number,
        "created_at": "2026-01-05T10:00:00Z",
        "updated_at": "2026-01-05T10:00:00Z",
        "currency": "EUR",
        "total_price": "10.00",
        "financial_status": "paid",
        "email": P["order e-mail"],
        "customer": {"id": 7, "first_name": P["name in Latin"], "note": P["note"]},
        "line_items": [{"id": 1, "title": P["line of an order"], "quantity": 1, "price": "10.00"}],
    } | changed


def lines(*rows: object) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


FILES = {
    f"mail/{DAY}/{P['file name']}.jsonl": lines(a_message(1), a_message(2, message_channel=P["enum"])),
    f"mail/{DAY}/{P['mobile in a file name']}.jsonl": lines(a_message(3, occurred_at=P["moment"])),
    f"mail/{DAY}/keys.jsonl": lines(
        a_message(4, **{P["key at the top"]: 1, P["phone as a key"]: 2, P["mobile as a key"]: "x"}),
        a_message(5, preferences={P["key inside"]: True, P["name beside a key that is an e-mail"]: False}),
        a_message(6, friends=[{P["key deep inside a list"]: {"since": 2020}}]),
        a_message(7, campaign_name=P["name that breaks an expectation"], phone=P["phone that breaks a cast"]),
        a_message(8, message_channel=[P["wrong type"]], status=P["status"], position=P["position"], note=P["note"]),
        a_message(9, message_event=P["quoted"], source_customer_id=P["device"], account_id=P["cookie"]),
        a_message(
            10,
            message_event="x",
            status=P["name in Chinese"],
            type=P["address in Chinese"],
            order=P["national id"],
            sku=P["card"],
            device_id=P["device"],
            source=P["cookie"],
        ),
    )
    + '{"message_id": "m11", "note": "' + P["unreadable line"] + "\n",
    f"people/{DAY}/people.csv": "Id,Mail,Name,Phone,Street,Created,status,position,note\n"
    f"p1,ok@planted.example,{P['name in Latin']},13912340016,{P['address']},2026-01-05,{P['status']},"
    f"{P['position']},{P['note']}\n"
    f"p2,bad@planted.example,{P['name in Chinese']},13912340017,{P['address in Chinese']},{P['moment']},"
    f"{P['national id']},{P['card']},{P['quoted']}\n"
    f"p3,mended@planted.example,{P['repair']},1,2,3\n",
    f"bare/{DAY}/bare.csv": f"b1,{P['header e-mail']},{P['header name']},{P['header phone']},{P['header id']},"
    f"{P['header address']}\nb2,b2@planted.example,{P['name in Chinese']},13912340018,x,y\n",
    f"named/{DAY}/named.csv": f"Id,{P['second header e-mail']},{P['second header name']},"
    f"{P['second header name in Chinese']},{P['second header card']},{P['second header address']}\nn1,a,b,c,d,e\n",
    f"shop/{DAY}/orders.json": json.dumps({"orders": [
        an_order(1), an_order(2, line_items=[{"id": 2, "title": P["line of an order"], "quantity": "many"}]),
        an_order(3, note_attributes=[{"name": P["name in Latin"], "value": P["address"]}],
                 client_details={P["key inside"]: 1}, currency=P["name in Latin"])]}),
    f"stops/{DAY}/stops.jsonl": lines(a_message(1, **{P["stopped key"]: 1})),
    f"web/{DAY}/web.jsonl": lines(
        {"type": "track", "event": "Viewed", "messageId": "e1", "anonymousId": P["device"],
         "timestamp": P["moment"], "context": {"traits": {"email": "web@planted.example"}},
         "properties": {P["key inside"]: P["name in Latin"], "note": P["note"]}},
        {"type": "track", "event": P["name in Latin"], "messageId": "e2", "anonymousId": P["cookie"],
         "timestamp": "2026-01-05T10:00:00Z", "traits": {P["key deep inside a list"]: 1}}),
    f"words/{DAY}/words.json": json.dumps({"items": [{"response_id": "r1", "submitted_at": P["moment"],
         "answers": [{"type": "text", "text": P["words"], "field": {"id": "f", "ref": P["key inside"]}}]}]}),
    f"{P['folder']}/x.csv": "a,b\n1,2\n",
    f"mail/{DAY}/left.{P['folder']}.zip.part": "x",
}  # fmt: skip


def make(folder: Path) -> Path:
    """The project; nothing is run yet."""
    assert run_command(["init", str(folder)]) == 0
    for name, text in FEEDS.items():
        (folder / "config" / "feeds" / f"{name}.yml").write_text(text, encoding="utf-8")
    for name, text in FILES.items():
        path = folder / "landing" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder
