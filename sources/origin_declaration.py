"""The key ``origin:`` of a feed: where its files come from, when nobody puts them into the landing folder by hand.

Whatever the origin, what arrives are files below ``landing/<feed>/``, and everything after that is one path.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, ClassVar, Literal, TypeAlias
from urllib.parse import urlsplit

from pydantic import Field, StringConstraints, field_validator

from sources.secret import Secret, is_secret, names_in
from warehouse.declaration import Declaration, MisfitError, Text
from warehouse.explained import NOT_BLANK
from warehouse.misfit import Misfit, raise_misfits

Name: TypeAlias = Annotated[str, StringConstraints(pattern=NOT_BLANK, strip_whitespace=True)]
Start: TypeAlias = str | int | float

_BUCKET = re.compile(r"s3://(?P<bucket>[^/]+)(?:/(?P<prefix>.*))?\Z")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+\Z")
_TABLE = re.compile(r"[^.\s]+(\.[^.\s]+)?\Z")
_NAME_A_VARIABLE = "Name the environment variable that holds it instead, as ${NAME}."
_NEXT_PAGE = "where the answer names the next page"
_SECRET_WORDS = re.compile(r"authorization|cookie|token|secret|passw|api-?key|signature", re.IGNORECASE)


class S3Origin(Declaration):
    """A bucket of an S3-compatible store: every object below a prefix that the feed's globs name."""

    stand_ins: ClassVar[Mapping[str, object]] = {"url": "s3://bucket"}

    kind: Literal["s3"]
    url: str = Field(description="Bucket and prefix: s3://bucket/folder.")
    endpoint: str | None = Field(None, description="Address of a store that is not Amazon's, such as MinIO or R2.")
    region: Text = Field("us-east-1", description="Region of the bucket.")
    access_key: Secret | None = Field(None, description="Environment variable of the access key, as ${NAME}.")
    secret_key: Secret | None = Field(None, description="Environment variable of the secret key, as ${NAME}.")
    session_token: Secret | None = Field(None, description="Environment variable of a temporary key's token.")
    anonymous: bool = Field(False, description="The bucket is public: sign nothing.")
    parallel: int = Field(4, ge=1, le=64, description="Objects fetched at the same time.")

    @property
    def bucket(self) -> str:
        """The bucket's name."""
        found = _BUCKET.match(self.url)
        assert found is not None
        return found["bucket"]

    @property
    def prefix(self) -> str | None:
        """The folder inside the bucket; None: all of it."""
        found = _BUCKET.match(self.url)
        assert found is not None
        return (found["prefix"] or "").strip("/") or None

    @field_validator("url")
    @classmethod
    def _names_a_bucket(cls, url: str) -> str:
        if not _BUCKET.match(url):
            raise MisfitError("it is not the address of a bucket", "Write it as s3://bucket/folder.")
        return url

    @field_validator("endpoint")
    @classmethod
    def _is_address(cls, url: str | None) -> str | None:
        return url and _web_address(url)

    def misfits(self) -> Iterator[Misfit]:
        """Both keys, or none."""
        if (self.access_key is None) != (self.secret_key is None):
            keys = (("access_key",), ("secret_key",))
            absent = keys[:1] if self.access_key is None else keys[1:]
            yield Misfit("`access_key` and `secret_key` go together", "Write both, or none.", keys, absent)
        if self.anonymous and self.access_key is not None:
            what, fix = "an anonymous origin has no keys", "Take `anonymous` or the keys out."
            yield Misfit(what, fix, (("anonymous",), ("access_key",)), (("anonymous",),))


class Pages(Declaration):
    """How a web API says where the next page is."""

    by: Literal["link_header", "link", "cursor", "offset", "number"] = Field(
        description="link_header: the Link header; link: an address in the answer; cursor: a text in the answer; "
        "offset: rows skipped; number: pages counted."
    )
    field: Name | None = Field(None, description="Where the address or cursor of the next page stands in the answer.")
    parameter: Name | None = Field(None, description="Query parameter of the cursor, offset or page number.")
    size: int | None = Field(None, ge=1, description="Rows a page is asked to have; needed by offset.")
    size_parameter: Name | None = Field(None, description="Query parameter of the size; offset: `limit`.")
    first: int = Field(1, ge=0, description="Number of the first page.")

    def misfits(self) -> Iterator[Misfit]:
        """Every way of paging has keys that it needs."""
        needed = {
            "link": {"field": _NEXT_PAGE},
            "cursor": {"field": _NEXT_PAGE, "parameter": "the query parameter that takes the cursor"},
            "offset": {"size": "the rows of a full page"},
        }
        for key, meaning in needed.get(self.by, {}).items():
            if getattr(self, key) is None:
                what, fix = f"pages by {self.by} need `{key}`", f"Add `{key}:`, {meaning}."
                yield Misfit(what, fix, (("by",), (key,)))


class Login(Declaration):
    """How an HTTP API knows who asks: a bearer token, or a user with a password."""

    bearer: Secret | None = Field(None, description="Environment variable of a token, as ${NAME}.")
    user: Text | None = Field(None, description="User of HTTP basic authentication; may be ${NAME}.")
    password: Secret | None = Field(None, description="Environment variable of the user's password, as ${NAME}.")

    def misfits(self) -> Iterator[Misfit]:
        """One way, and all of it."""
        if (self.bearer is None) == (self.user is None) or (self.user is None) != (self.password is None):
            absent = tuple((key,) for key in ("bearer", "user", "password") if getattr(self, key) is None)
            yield Misfit(
                "a login is either `bearer`, or `user` and `password`",
                "Write the one or the two that the API takes.",
                rests_on=absent,
            )


class ApiCursor(Declaration):
    """What was seen last decides from where the next fetch asks."""

    field: Name = Field(description="Field of a row that only grows, such as updated_at or id; dots go inwards.")
    parameter: Name = Field(description="Query parameter that asks for rows from a value on.")
    start: Start | None = Field(None, description="Value of the first fetch; absent: the API's whole history.")
    missing: Literal["fail", "keep"] = Field(
        "fail", description="A row without the field: fail, or keep it in every fetch that brings it."
    )


class HttpOrigin(Declaration):
    """An HTTP API that answers with JSON, page after page; needs the extra `connectors`."""

    kind: Literal["http"]
    url: str = Field(description="Address of the first page.")
    query: dict[str, str | int | float] = Field(default_factory=dict, description="Query parameters of every page.")
    headers: dict[str, str] = Field(default_factory=dict, description="Headers; secret ones as ${NAME}.")
    login: Login | None = Field(None, description="Bearer token, or user and password.")
    rows: Name | None = Field(None, description="Where the list of rows stands in an answer; absent: it is the answer.")
    pages: Pages | None = Field(None, description="How to come to the next page; absent: there is one.")
    cursor: ApiCursor | None = Field(None, description="Fetch only what is new; absent: everything, each time.")
    timeout_seconds: float = Field(60, gt=0, description="Longest wait for an answer to begin or go on.")
    attempts: int = Field(6, ge=1, le=20, description="Requests per page before the fetch fails.")
    longest_wait_seconds: float = Field(300, ge=0, description="Longest wait between two attempts, also if asked to.")

    @field_validator("url")
    @classmethod
    def _is_address(cls, url: str) -> str:
        return _web_address(url)

    @field_validator("headers")
    @classmethod
    def _keep_secrets_out(cls, headers: dict[str, str]) -> dict[str, str]:
        wrong = [Misfit(*_no_header(name), ((name,),)) for name in headers if not _HEADER.match(name)]
        raise_misfits([*wrong, *_told_secrets(name for name in headers if not names_in(headers[name]))])
        return headers

    @field_validator("query")
    @classmethod
    def _keep_keys_out(cls, query: dict[str, str | int | float]) -> dict[str, str | int | float]:
        open_names = (name for name, value in query.items() if not names_in(str(value)) and "page" not in name.lower())
        raise_misfits(_told_secrets(open_names))
        return query


class TableCursor(Declaration):
    """What was seen last decides from where the next fetch asks."""

    column: Name = Field(description="Column that only grows, such as updated_at or an id; rows without it are left.")
    start: Start | None = Field(None, description="Value of the first fetch; absent: the whole table.")


class SqlOrigin(Declaration):
    """A table or view of a SQL database; needs the extra `connectors`."""

    stand_ins: ClassVar[Mapping[str, object]] = {"url": "${STAND_IN}"}

    kind: Literal["sql"]
    url: str = Field(description="postgresql://user:${PASSWORD}@host:5432/database, or ${NAME} for all of it.")
    table: str = Field(description="Table or view, with its schema before a dot where it needs one.")
    columns: tuple[Name, ...] = Field((), description="Columns to fetch; absent: all.")
    cursor: TableCursor | None = Field(None, description="Fetch only what is new; absent: the table, each time.")
    chunk_rows: int = Field(50_000, ge=1, description="Rows held in memory at once.")
    attempts: int = Field(3, ge=1, le=20, description="Tries before the fetch fails, when the database goes away.")

    @field_validator("url")
    @classmethod
    def _holds_no_password(cls, url: str) -> str:
        if is_secret(url):
            return url
        if "://" not in url:
            raise MisfitError(
                "it is not the address of a database",
                "Write it as postgresql://user:${PASSWORD}@host/database, or all of it as ${NAME}.",
            )
        password = re.match(r"[^:]+://[^:@/]*:(?P<password>[^@]*)@", url)
        if password and not is_secret(password["password"]):
            raise MisfitError("the password stands in the address", _NAME_A_VARIABLE)
        return url

    @field_validator("table")
    @classmethod
    def _is_table(cls, table: str) -> str:
        if not _TABLE.match(table):
            raise MisfitError(f"`{table}` is not a table", "Write it as orders, or with its schema as shop.orders.")
        return table


Vendor: TypeAlias = Literal[
    "segment", "shopify", "stripe", "woocommerce", "typeform", "intercom", "zendesk", "hubspot", "hmac", "token"
]


class Signature(Declaration):
    """How a delivery proves who sent it."""

    by: Vendor = Field(description="The vendor's way; hmac: a digest in a header; token: the secret itself in one.")
    secret: Secret = Field(description="Environment variable of the signing secret, as ${NAME}.")
    also: Secret | None = Field(None, description="A second secret that is accepted too, while one is being changed.")
    header: str | None = Field(None, description="hmac, token: the header. RudderStack: token, set as custom header.")
    digest: Literal["sha256", "sha1", "sha512"] = Field("sha256", description="hmac: the hash function.")
    encoding: Literal["hex", "base64"] = Field("hex", description="hmac: how the digest is written.")
    prefix: str = Field("", description="hmac, token: text before the value, such as `sha256=` or `Bearer `.")
    tolerance_seconds: int = Field(300, ge=1, description="Oldest accepted signature, where the vendor signs the time.")
    public_url: str | None = Field(
        None, description="hubspot: the address HubSpot calls, as it signs it; absent: the one the request names."
    )

    def misfits(self) -> Iterator[Misfit]:
        """Ways that name no vendor say where the value stands."""
        if self.by in {"hmac", "token"} and not self.header:
            what, fix = f"a signature by {self.by} needs `header`", "Add `header:`, the header that holds it."
            yield Misfit(what, fix, (("by",), ("header",)))
        elif self.header is not None and not _HEADER.match(self.header):
            yield Misfit(*_no_header(self.header), (("header",),))


class WebhookOrigin(Declaration):
    """Deliveries that a vendor sends to `cdp receive`, at /feeds/<name>."""

    kind: Literal["webhook"]
    signature: Signature = Field(description="How a delivery proves who sent it; there is no unsigned webhook.")
    max_bytes: int = Field(1 << 20, ge=1, le=64 << 20, description="Largest delivery; a larger one is refused (413).")
    close_after_seconds: int = Field(60, ge=1, description="A landing file is closed, and can be loaded, after this.")
    close_after_bytes: int = Field(64 << 20, ge=1, description="… or when it is this large.")


Origin: TypeAlias = Annotated[S3Origin | HttpOrigin | SqlOrigin | WebhookOrigin, Field(discriminator="kind")]


def _no_header(name: str) -> tuple[str, str]:
    return f"`{name}` is not the name of a header", "Write letters, digits and hyphens, such as `X-Shop`."


def _told_secrets(names: Iterable[str]) -> Iterator[Misfit]:
    """Names that sound like those of secrets, whose values are written out."""
    for name in names:
        if _SECRET_WORDS.search(name):
            yield Misfit(f"`{name}` sounds secret", _NAME_A_VARIABLE, ((name,),))


def _web_address(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise MisfitError("it is not the address of a page", "Begin it with https:// or http://.")
    if parts.username or parts.password:
        raise MisfitError(
            "a user or password stands in the address", "Take it out, and use the keys that are made for it."
        )
    return url
