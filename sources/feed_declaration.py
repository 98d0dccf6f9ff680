"""The keys of ``config/feeds/<name>.yml``: what arrives, in which form, and how it becomes contract rows."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, PrivateAttr, field_validator

from quality.vocabulary import Expectation
from sources.encodings import line_encoding
from sources.grammar import FieldExpression
from sources.mapping import Format
from sources.origin_declaration import Origin
from warehouse.codes import Country, Currency, TimeZone
from warehouse.declaration import Declaration, MisfitError, Text
from warehouse.misfit import Misfit, raise_misfits


class Feed(Declaration):
    """One declared feed. Its name is the name of its file."""

    kind: Text = Field(description="The contract its rows must satisfy.")
    mapping: Text = Field(description="The mapping that makes contract rows of it; see `cdp feeds show`.")
    origin: Origin | None = Field(
        None, description="Where the files come from; absent: they are put into landing/<name>/. See docs/origins.md."
    )
    files: tuple[Text, ...] = Field(("**/*",), description="Globs below landing/<name>/.")
    format: Format | None = Field(None, description="Form of the files, where it differs from the mapping's.")
    encoding: str | None = Field(None, description="Encoding of text files; absent: UTF-8, or what is certain.")
    delimiter: str | None = Field(None, description="Field separator of csv files; absent: a comma.", max_length=1)
    sheet: Text | None = Field(
        None, description="Glob of the sheets to read of excel files; absent: the first one that holds rows."
    )
    columns: tuple[Text, ...] = Field((), description="Column names in order, of csv files without a header.")
    envelope: tuple[Text, ...] = Field((), description="Keys under which an array of the objects may stand.")
    group_by: Text | None = Field(None, description="Column whose equal values make one contract row.")
    time_zone: TimeZone = Field("UTC", description="The zone of moments that are written without one.")
    country: Country | None = Field(None, description="Country of rows that name none, except of web events.")
    currency: Currency | None = Field(None, description="Currency of rows that name none.")
    fields: dict[str, FieldExpression] = Field(
        default_factory=dict, description="Contract field → source column or expression; wins over the mapping."
    )
    constants: dict[str, str | bool | int | float | None] = Field(
        default_factory=dict, description="Contract field → the same value in every row."
    )
    rename: dict[Text, Text] = Field(
        default_factory=dict, description="Column of this source → the column the mapping expects."
    )
    ignore: tuple[Text, ...] = Field((), description="Source fields left out on purpose, besides the mapping's.")
    duplicates: Literal["collapse", "keep"] = Field(
        "collapse", description="Rows of one file that repeat exactly: one of them, or all of them."
    )
    on_new_column: Literal["report", "stop", "keep"] = Field(
        "report", description="A source field nobody mentions: report it, stop, or keep its values in `extra`."
    )
    max_reject_ratio: float = Field(
        0.2, ge=0, le=1, description="A batch with a larger share of rejected rows stops and replaces nothing."
    )
    id_space: Text | None = Field(
        None, description="Feeds of one id space share their customer, user and contact ids; absent: the feed's own."
    )
    owner: Text = Field("", validate_default=False, description="Who answers for the feed.")
    purpose: Text = Field("", validate_default=False, description="What its data may be used for.")
    description: Text = Field("", validate_default=False, description="What arrives, in a sentence.")
    expectations: tuple[Expectation, ...] = Field(
        (), description="What must hold for the rows of this feed besides; see config/quality.yml."
    )
    _name: str = PrivateAttr(default="")

    @property
    def name(self) -> str:
        """The feed's name: of its file, its landing folder, and of `_feed` in staging."""
        return self._name

    @property
    def ids_from(self) -> str:
        """The id space of the feed's customer ids."""
        return self.id_space or self._name

    @classmethod
    def named(cls, name: str, **declared: object) -> Feed:
        """A feed declared in code."""
        return cls.model_validate(declared).with_name(name)

    def with_name(self, name: str) -> Feed:
        """The same feed under this name."""
        copy = self.model_copy()
        copy._name = name
        return copy

    @field_validator("files", mode="before")
    @classmethod
    def _one_or_more(cls, value: object) -> object:
        return [value] if isinstance(value, str) else value

    @field_validator("files")
    @classmethod
    def _below_landing(cls, globs: tuple[str, ...]) -> tuple[str, ...]:
        fix = "Write it as seen from landing/<name>/, such as `**/*.csv`."
        raise_misfits(
            Misfit(f"`{glob}` is not a glob below the feed's landing folder", fix, ((place,),))
            for place, glob in enumerate(globs)
            if not glob or glob.startswith("/") or ".." in glob.split("/")
        )
        return globs

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, name: str | None) -> str | None:
        if name is None:
            return None
        known = line_encoding(name)
        if known is None:
            raise MisfitError(
                f"`{name}` is not an encoding of lines of text", "Write one such as utf-8, utf-16 or gb18030."
            )
        return known
