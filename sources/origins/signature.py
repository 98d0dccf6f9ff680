"""Whether a delivery comes from who it says: the ways in which vendors sign webhooks.

Digests are compared in constant time. The signed bytes are the body as it came, never one that was parsed and written
again. A second secret may be valid at the same time, so that one can be changed without losing a delivery.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sources.origin_declaration import Signature

_ESCAPED_BY_HUBSPOT = re.compile(r"%(3A|2F|3F|40|21|24|27|28|29|2A|2C|3B)", re.IGNORECASE)


@dataclass(frozen=True)
class Delivery:
    """One request as it came; names of headers in small letters."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes


Claim = tuple[str, bytes]
"""What a header says, and the bytes that should lead to it."""


def is_signed(signature: Signature, delivery: Delivery, secrets: Sequence[str], now: datetime) -> bool:
    """Whether one of the secrets signed the delivery, and, where the vendor signs the time, not too long ago."""
    if signature.by == "token":
        given = delivery.headers.get((signature.header or "").lower(), "").encode()
        return any(hmac.compare_digest(given, f"{signature.prefix}{secret}".encode()) for secret in secrets)
    digest = _digest_of(signature)
    found = False
    for said, signed in _CLAIMS.get(signature.by, _plain)(signature, delivery, now):
        for secret in secrets:
            found |= hmac.compare_digest(said.encode(), digest(secret.encode(), signed).encode())
    return found


def _digest_of(signature: Signature) -> Callable[[bytes, bytes], str]:
    name, encoding = _WAYS.get(signature.by, (signature.digest, signature.encoding))

    def digest(secret: bytes, signed: bytes) -> str:
        made = hmac.new(secret, signed, getattr(hashlib, name)).digest()
        return made.hex() if encoding == "hex" else base64.b64encode(made).decode()

    return digest


_WAYS = {
    "segment": ("sha1", "hex"),
    "shopify": ("sha256", "base64"),
    "stripe": ("sha256", "hex"),
    "woocommerce": ("sha256", "base64"),
    "typeform": ("sha256", "base64"),
    "intercom": ("sha1", "hex"),
    "zendesk": ("sha256", "base64"),
    "hubspot": ("sha256", "base64"),
}
_HEADERS = {
    "segment": ("x-signature", ""),
    "shopify": ("x-shopify-hmac-sha256", ""),
    "woocommerce": ("x-wc-webhook-signature", ""),
    "typeform": ("typeform-signature", "sha256="),
    "intercom": ("x-hub-signature", "sha1="),
}


def _plain(signature: Signature, delivery: Delivery, _now: datetime) -> Iterator[Claim]:
    header, prefix = _HEADERS.get(signature.by, ((signature.header or "").lower(), signature.prefix))
    said = delivery.headers.get(header, "")
    if said.startswith(prefix):
        yield said.removeprefix(prefix).strip(), delivery.body


def _stripe(signature: Signature, delivery: Delivery, now: datetime) -> Iterator[Claim]:
    parts = [part.strip().partition("=") for part in delivery.headers.get("stripe-signature", "").split(",")]
    times = [value for name, _, value in parts if name == "t"]
    if len(times) == 1 and _is_recent(times[0], 1, signature, now):
        for name, _, value in parts:
            if name == "v1":
                yield value, times[0].encode() + b"." + delivery.body


def _zendesk(_signature: Signature, delivery: Delivery, _now: datetime) -> Iterator[Claim]:
    time = delivery.headers.get("x-zendesk-webhook-signature-timestamp", "")
    yield delivery.headers.get("x-zendesk-webhook-signature", ""), time.encode() + delivery.body


def _hubspot(signature: Signature, delivery: Delivery, now: datetime) -> Iterator[Claim]:
    time = delivery.headers.get("x-hubspot-request-timestamp", "")
    if _is_recent(time, 1000, signature, now):
        url = _ESCAPED_BY_HUBSPOT.sub(lambda found: chr(int(found.group(1), 16)), signature.public_url or delivery.url)
        signed = delivery.method.encode() + url.encode() + delivery.body + time.encode()
        yield delivery.headers.get("x-hubspot-signature-v3", ""), signed


_CLAIMS = {"stripe": _stripe, "zendesk": _zendesk, "hubspot": _hubspot}


def _is_recent(time: str, per_second: int, signature: Signature, now: datetime) -> bool:
    if not re.fullmatch(r"[0-9]{1,15}", time):
        return False
    return abs(now.astimezone(UTC).timestamp() - int(time) / per_second) <= signature.tolerance_seconds
