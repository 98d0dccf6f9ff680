"""Records for the linker from a table of texts and the rules for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from identity.linker.comparison import Records, make_records
from identity.linker.declaration import FieldRule, LinkRules
from identity.linker.fields import Codes, Dictionary, Field, encode, make_field
from identity.linker.roles import Role
from identity.linker.values import middle_of, name_words, normalised, present, split_names

_CHINESE_FROM: Final = 0.05
_EMPTY: Final = 0.015


@dataclass(frozen=True)
class _Column:
    """A column as codes into its distinct values."""

    codes: Codes
    distinct: pa.Array

    def each(self, changed: pa.Array) -> pa.Array:
        """Changed distinct values, back in the places of the records."""
        return changed.take(pa.array(self.codes))


def records_of(table: pa.Table, rules: LinkRules) -> Records:
    """The records of a table. Columns that no field names are not looked at."""
    texts: dict[tuple[str, Role], pa.Array] = {}
    full: dict[str, _Column] = {}
    for rule in rules.fields:
        column = _dates(table, rule) if len(rule.columns) > 1 else _column(table, rule.columns[0])
        if rule.role is Role.FULL:
            full[rule.name] = column
        else:
            texts[rule.name, rule.role] = column.each(normalised(rule.role, column.distinct))
    _take_names(texts, full, table)
    return make_records(table.num_rows, tuple(_fields(texts)))


def _take_names(texts: dict[tuple[str, Role], pa.Array], full: dict[str, _Column], table: pa.Table) -> None:
    """Chinese names become one field, whole; Latin full names are split, or give what their parts leave out."""
    parts = {role: next((key for key in texts if key[1] is role), None) for role in (Role.GIVEN, Role.FAMILY)}
    given, family = parts[Role.GIVEN], parts[Role.FAMILY]
    if given is not None and family is not None and not full and _is_chinese(table, given[0], family[0]):
        joined = pc.binary_join_element_wise(_text(table, family[0]), _text(table, given[0]), "")
        [codes], dictionary = encode([joined])
        del texts[given], texts[family]
        full = {f"{family[0]}+{given[0]}": _Column(codes, dictionary.values)}
    for name, column in full.items():
        if _share(column.distinct, r"\p{Han}") >= _CHINESE_FROM:
            texts[name, Role.FULL] = column.each(normalised(Role.FULL, column.distinct))
        elif given is None or family is None:
            _split(texts, name, column)
        elif not any(role is Role.MIDDLE for _, role in texts):
            whole = column.each(name_words(present(column.distinct)))
            texts[name, Role.MIDDLE] = pa.array(middle_of(whole, texts[given], texts[family]), pa.string())


def _split(texts: dict[tuple[str, Role], pa.Array], name: str, column: _Column) -> None:
    there = {role for _, role in texts}
    for role, found in split_names(present(column.distinct)).items():
        if role not in there:
            texts[f"{name}.{role.value}", role] = column.each(found)


def _fields(texts: dict[tuple[str, Role], pa.Array]) -> list[Field]:
    """Fields with their dictionaries: given and family name share one, so that crossed names are equal numbers."""
    coded: dict[tuple[str, Role], tuple[Codes, Dictionary]] = {}
    names = [key for key in texts if key[1] in (Role.GIVEN, Role.FAMILY)]
    if names:
        codes, shared = encode([texts[key] for key in names])
        coded = {key: (code, shared) for key, code in zip(names, codes, strict=True)}
    found = []
    for key, values in texts.items():
        if key not in coded:
            [code], dictionary = encode([values])
            coded[key] = (code, dictionary)
        code, dictionary = coded[key]
        if (code > 0).mean() > _EMPTY:
            found.append(make_field(key[0], key[1], code, dictionary))
    return found


def _column(table: pa.Table, name: str) -> _Column:
    [codes], dictionary = encode([_text(table, name)])
    return _Column(codes, dictionary.values)


def _text(table: pa.Table, name: str) -> pa.Array:
    found = table.column(name).combine_chunks()
    found = pa.concat_arrays(found.chunks) if isinstance(found, pa.ChunkedArray) else found
    return pc.fill_null(found.cast(pa.string()), "")


def _dates(table: pa.Table, rule: FieldRule) -> _Column:
    """Year, month and day as one date; parts that are not there are ``?``."""
    year, month, day = (_part(table, name, width) for name, width in zip(rule.columns, (4, 2, 2), strict=True))
    joined = pc.binary_join_element_wise(year, month, day, "")
    [codes], dictionary = encode([pc.if_else(pc.equal(joined, "????????"), "", joined)])
    return _Column(codes, dictionary.values)


def _part(table: pa.Table, name: str, width: int) -> pa.Array:
    digits = pc.replace_substring_regex(pc.replace_substring_regex(_text(table, name), r"\.0$", ""), r"\D", "")
    filled = pc.utf8_slice_codeunits(pc.utf8_lpad(digits, width, "0"), -width)
    return pc.if_else(pc.equal(digits, ""), "?" * width, filled)


def _is_chinese(table: pa.Table, *names: str) -> bool:
    return all(_share(_text(table, name), r"\p{Han}") >= _CHINESE_FROM for name in names)


def _share(texts: pa.Array, pattern: str) -> float:
    held = max(pc.sum(pc.not_equal(texts, "")).as_py() or 0, 1)
    return (pc.sum(pc.match_substring_regex(texts, pattern)).as_py() or 0) / held
