"""Vendors' signatures: made here by their documents, and never accepted when a byte differs."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sources.origin_declaration import Signature
from sources.origins.signature import Delivery, is_signed

SECRET = "whsec_5f1c"
NOW = datetime(2026, 1, 5, 9, 30, tzinfo=UTC)
SECONDS = str(int(NOW.timestamp()))
BODY = b'{"id": 7, "name": "\xc3\xa9"}'
URL = "https://hooks.example.com/feeds/crm?from=a%3Ab"


def hexed(data: bytes, way: Any = hashlib.sha256, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), data, way).hexdigest()


def based(data: bytes, way: Any = hashlib.sha256, secret: str = SECRET) -> str:
    return base64.b64encode(hmac.new(secret.encode(), data, way).digest()).decode()


Headers = Callable[[bytes, str], dict[str, str]]

VENDORS: dict[str, tuple[dict[str, Any], Headers]] = {
    "segment": ({}, lambda body, key: {"x-signature": hexed(body, hashlib.sha1, key)}),
    "shopify": ({}, lambda body, key: {"x-shopify-hmac-sha256": based(body, secret=key)}),
    "woocommerce": ({}, lambda body, key: {"x-wc-webhook-signature": based(body, secret=key)}),
    "typeform": ({}, lambda body, key: {"typeform-signature": "sha256=" + based(body, secret=key)}),
    "intercom": ({}, lambda body, key: {"x-hub-signature": "sha1=" + hexed(body, hashlib.sha1, key)}),
    "stripe": (
        {},
        lambda body, key: {
            "stripe-signature": f"t={SECONDS},v1={'0' * 64},v1={hexed(SECONDS.encode() + b'.' + body, secret=key)},v0=x"
        },
    ),
    "zendesk": (
        {},
        lambda body, key: {
            "x-zendesk-webhook-signature": based(b"2026-01-05T09:30:00Z" + body, secret=key),
            "x-zendesk-webhook-signature-timestamp": "2026-01-05T09:30:00Z",
        },
    ),
    "hubspot": (
        {},
        lambda body, key: {
            "x-hubspot-signature-v3": based(
                b"POST" + b"https://hooks.example.com/feeds/crm?from=a:b" + body + f"{SECONDS}000".encode(), secret=key
            ),
            "x-hubspot-request-timestamp": f"{SECONDS}000",
        },
    ),
    "hmac": (
        {"header": "X-Sig", "digest": "sha512", "encoding": "base64", "prefix": "v1,"},
        lambda body, key: {"x-sig": "v1," + based(body, hashlib.sha512, key)},
    ),
    "token": ({"header": "Authorization", "prefix": "Bearer "}, lambda _, key: {"authorization": f"Bearer {key}"}),
}


def a_signature(vendor: str, **changed: Any) -> Signature:
    return Signature.model_validate({"by": vendor, "secret": "${S}"} | VENDORS[vendor][0] | changed)


def accepts(vendor: str, headers: dict[str, str], body: bytes = BODY, **changed: Any) -> bool:
    delivery = Delivery("POST", URL, headers, body)
    secrets, now = changed.pop("secrets", [SECRET]), changed.pop("now", NOW)
    return is_signed(a_signature(vendor, **changed), delivery, secrets, now)


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_delivery_that_the_vendor_signed_is_accepted(vendor: str) -> None:
    assert accepts(vendor, VENDORS[vendor][1](BODY, SECRET))


@pytest.mark.parametrize("vendor", VENDORS)
def test_another_secret_no_signature_or_an_empty_one_is_refused(vendor: str) -> None:
    headers = VENDORS[vendor][1](BODY, "another secret")
    assert not accepts(vendor, headers)
    assert not accepts(vendor, {})
    assert not accepts(vendor, dict.fromkeys(headers, ""))
    assert not accepts(vendor, dict.fromkeys(headers, "é,t=1,v1="))


@pytest.mark.parametrize("vendor", sorted(VENDORS.keys() - {"token"}))
def test_a_body_that_differs_by_one_byte_is_refused(vendor: str) -> None:
    assert not accepts(vendor, VENDORS[vendor][1](BODY, SECRET), BODY + b" ")


@pytest.mark.parametrize("vendor", VENDORS)
def test_while_a_secret_is_changed_the_old_and_the_new_one_are_accepted(vendor: str) -> None:
    assert accepts(vendor, VENDORS[vendor][1](BODY, SECRET), secrets=["new", SECRET])


@pytest.mark.parametrize("vendor", ["stripe", "hubspot"])
@pytest.mark.parametrize("late", [-301, 301])
def test_a_signature_that_is_too_old_or_from_the_future_is_refused(vendor: str, late: int) -> None:
    headers = VENDORS[vendor][1](BODY, SECRET)
    assert not accepts(vendor, headers, now=NOW + timedelta(seconds=late))
    assert accepts(vendor, headers, now=NOW + timedelta(seconds=late), tolerance_seconds=600)


def test_hubspot_signs_the_public_address_where_a_proxy_stands_before_us() -> None:
    headers = VENDORS["hubspot"][1](BODY, SECRET)
    delivery = Delivery("POST", "http://127.0.0.1:8787/feeds/crm", headers, BODY)
    assert is_signed(a_signature("hubspot", public_url=URL), delivery, [SECRET], NOW)
    assert not is_signed(a_signature("hubspot"), delivery, [SECRET], NOW)
