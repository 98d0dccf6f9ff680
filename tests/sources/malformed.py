"""Files that should not exist, made from good ones with a seed: what a fuzzer of ingestion lands."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import zstandard

COLUMNS = ("message_id", "message_channel", "message_event", "occurred_at", "email", "campaign_name")


@dataclass(frozen=True)
class BadFile:
    """One file. ``rows``: how many source rows it holds, where that can be said without the reader; so ``accepted``."""

    name: str
    data: bytes
    rows: int | None = None
    accepted: int | None = None


def messages(prefix: str, count: int) -> list[dict[str, str]]:
    """Messages that keep the contract."""
    return [
        {
            "message_id": f"{prefix}-{number}",
            "message_channel": "email",
            "message_event": "sent",
            "occurred_at": f"2026-01-05T10:{number % 60:02d}:00Z",
            "email": f"p{number}@shop.example",
            "campaign_name": "春季 – 全场包邮",
        }
        for number in range(count)
    ]


def json_lines(rows: list[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def delimited(rows: list[dict[str, str]], delimiter: str = ",") -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, delimiter=delimiter, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def flipped(data: bytes, chance: random.Random, bits: int) -> bytes:
    changed = bytearray(data)
    for _ in range(bits):
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def broken_bytes(stem: str, good: bytes, chance: random.Random) -> Iterator[BadFile]:
    """Damage that any text file may suffer."""
    for number in range(5):
        yield BadFile(f"{stem}-truncated-{number}", good[: chance.randrange(1, len(good))])
        yield BadFile(f"{stem}-flipped-{number}", flipped(good, chance, 1 + 4 * number))
    lines = good.split(b"\n")
    for number in range(3):
        at = chance.randrange(len(good))
        yield BadFile(f"{stem}-nul-{number}", good[:at] + b"\0" * (1 + number) + good[at:])
        yield BadFile(f"{stem}-mark-inside-{number}", good[:at] + codecs.BOM_UTF8 + good[at:])
        yield BadFile(f"{stem}-half-character-{number}", good[:at] + "春".encode()[: 1 + number % 2] + good[at:])
        shuffled = [line + chance.choice((b"\n", b"\r\n", b"\r", b"\n\n")) for line in lines]
        yield BadFile(f"{stem}-newlines-{number}", b"".join(shuffled))
    text = good.decode()
    for encoding in ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "gb18030", "big5", "shift_jis", "latin-1", "cp1252"):
        yield BadFile(f"{stem}-{encoding}", text.encode(encoding, "replace"))
    yield BadFile(f"{stem}-odd-utf-16", text.encode("utf-16")[:-1])
    yield BadFile(f"{stem}-random", bytes(chance.randrange(256) for _ in range(3000)))
    yield BadFile(f"{stem}-marked", codecs.BOM_UTF8 + good)
    yield BadFile(f"{stem}-only-a-mark", codecs.BOM_UTF8, rows=1, accepted=0)
    yield BadFile(f"{stem}-blank", b" \t\r\n\n  \n", rows=1, accepted=0)
    yield BadFile(f"{stem}-empty", b"", rows=1, accepted=0)
    yield BadFile(f"{stem}-zeros", b"\0" * 2000, rows=1, accepted=0)


def compressed(stem: str, good: bytes, rows: int, chance: random.Random) -> Iterator[BadFile]:
    """Damage to compressed files; whole members after one another are no damage."""
    half = good.index(b"\n", len(good) // 2) + 1
    zipped = gzip.compress(good, mtime=0)
    packed = zstandard.ZstdCompressor().compress(good)
    members = gzip.compress(good[:half], mtime=0) + gzip.compress(good[half:], mtime=0)
    frames = zstandard.ZstdCompressor().compress(good[:half]) + zstandard.ZstdCompressor().compress(good[half:])
    whole = {"gzip": zipped, "zstd": packed, "gzip-members": members, "zstd-frames": frames}
    for name, data in whole.items():
        yield BadFile(f"{stem}-{name}", data, rows=rows, accepted=rows)
        yield BadFile(f"{stem}-{name}-truncated", data[: chance.randrange(3, len(data))])
        yield BadFile(f"{stem}-{name}-flipped", flipped(data, chance, 3))
        yield BadFile(f"{stem}-{name}-trailing", data + b"what is this?")
    yield BadFile(f"{stem}-gzip-padded", zipped + b"\0" * 512, rows=rows, accepted=rows)
    yield BadFile(f"{stem}-gzip-inside-cut", gzip.compress(zipped[: len(zipped) // 2], mtime=0))
    yield BadFile(f"{stem}-gzip-twice", gzip.compress(zipped, mtime=0))
    yield BadFile(f"{stem}-gzip-of-nothing", gzip.compress(b"", mtime=0), rows=0, accepted=0)
    yield BadFile(f"{stem}-cut-member", gzip.compress(good[:half], mtime=0) + zipped[:20])


def odd_json(seed: int) -> Iterator[BadFile]:
    """JSON lines that are wrong in JSON's own ways: every line counts, whatever it holds."""
    good = messages(f"j{seed}", 6)
    text = json.dumps(good[1], ensure_ascii=False)
    wrong = {
        "nan": text[:-1] + ', "n": NaN}',
        "infinity": text[:-1] + ', "n": -Infinity}',
        "trailing-comma": text[:-1] + ",}",
        "single-quotes": text.replace('"', "'"),
        "comment": text[:-1] + " /* why */ }",
        "deep": '{"deep": ' + "[" * 3000 + "]" * 3000 + "}",
        "unclosed": text[:-1],
        "two-values": text + " " + text,
        "surrogate": text.replace("shop.example", "\\ud800.example"),
        "bad-escape": text.replace("shop", "\\q"),
        "number": "17",
        "null": "null",
        "list": "[1, 2]",
        "huge-number": text[:-1].replace('"sent"', "1" * 400) + "}",
        "raw-control": text.replace("shop", "sh\x01op"),
        "key-without-value": '{"message_id"}',
    }
    for name, line in wrong.items():
        data = json_lines(good[2:]) + line.encode() + b"\n" + json_lines(good[:1])
        yield BadFile(f"json-{name}", data, rows=6, accepted=5)
    tolerated = {
        "duplicate-keys": text[:-1] + ', "email": "other@shop.example"}',
        "huge-field": text[:-1] + ', "note": "' + "x" * 2_000_000 + '"}',
        "many-keys": text[:-1] + "".join(f', "k{number}": {number}' for number in range(2000)) + "}",
        "spaces": "  \t" + text + "   ",
        "escapes": json.dumps(good[1]),
        "carriage-return": text + "\r",
    }
    for name, line in tolerated.items():
        data = json_lines(good[2:]) + line.encode() + b"\n" + json_lines(good[:1])
        yield BadFile(f"json-{name}", data, rows=6, accepted=6)
    array = json.dumps(good, ensure_ascii=False)
    for name, data in {
        "cut-array": array[:-30],
        "array-then-more": array + array,
        "array-of-arrays": json.dumps([good]),
        "unknown-envelope": json.dumps({"stuff": good}),
        "empty-array": "[]",
        "empty-object": "{}",
        "text": '"hello"',
        "open": "[",
        "commas": "[,,,]",
    }.items():
        yield BadFile(f"json-{name}", data.encode())


def odd_delimited(seed: int) -> Iterator[BadFile]:
    """CSV that is wrong in CSV's own ways."""
    rows = messages(f"c{seed}", 6)
    good = delimited(rows).decode()
    header, *lines = good.splitlines()
    body = "\n".join(lines) + "\n"

    def case(name: str, text: str, count: int | None = None, accepted: int | None = None) -> BadFile:
        return BadFile(f"csv-{name}", text.encode(), count, accepted)

    yield case("no-header", body, 6, 0)
    yield case("one-line-without-header", lines[0], 1, 0)
    yield case("stray-quote-in-the-header", f'"{header}\n{body}', 6, 6)
    yield case(
        "stray-quote-and-quoted-rows", good.replace("message_channel", '"message_channel').replace("春", '"春'), 6, 0
    )
    yield case("only-a-header", header + "\n", 0, 0)
    yield case("twice-the-header", f"{header}\n{header}\n{body}", 7, 6)
    yield case("equal-columns", f"{header},email\n" + "".join(f"{line},x@y.example\n" for line in lines), 6, 6)
    order = list(reversed(COLUMNS))
    out = io.StringIO()
    writer = csv.DictWriter(out, order, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    yield case("reordered", out.getvalue(), 6, 6)
    yield case("nameless-columns", f"{header},,\n" + "".join(f"{line},,\n" for line in lines), 6, 6)
    yield case("too-short", f"{header}\n{body}x1,email\n", 7, 6)
    yield case("too-long", f"{header}\n{body}{lines[0]},more,and more\n", 7, 6)
    yield case("blank-lines", f"{header}\n\n" + "\n\n".join(lines) + "\n\n", 6, 6)
    yield case("other-delimiter", good.replace(",", ";"), 6, 6)
    yield case("open-quote-at-the-end", f'{header}\n{body}x9,email,sent,2026-01-05,"never ends\n', 7, 6)
    yield case("open-quote", f'{header}\nx9,email,sent,2026-01-05,"never ends\n{body}', 7, 6)
    yield case("quote-inside", f'{header}\n{body}x9,email,sent,2026-01-05,a"b"@c.example,5" pipe\n', 7, None)
    yield case("text-behind-quote", f'{header}\n{body}"x9"y,email,sent,2026-01-05,,\n', 7, 7)
    yield case("quoted-line-ends", f'{header}\n{body}x9,email,sent,2026-01-05,,"two\nlines"\n', 7, 7)
    yield case("huge-field", f"{header}\n{body}x9,email,sent,2026-01-05,,{'y' * 2_000_000}\n", 7, 6)
    yield case("no-last-line-end", good.rstrip("\n"), 6, 6)
    yield case("wide", ",".join(f"c{n}" for n in range(400)) + "\n" + ",".join("1" for _ in range(400)) + "\n", 1, 0)
    yield case("one-cell", "hello", 1, 0)
    yield case("separators", ",,,,\n,,,,\n", 1, 0)


def odd_parquet(chance: random.Random) -> Iterator[BadFile]:
    """Parquet of the wrong types, of none, and damaged."""
    rows = messages("p", 6)
    good = pa.Table.from_pylist(rows)

    def case(name: str, table: pa.Table, accepted: int | None = None, **options: Any) -> BadFile:
        out = io.BytesIO()
        pq.write_table(table, out, **options)
        return BadFile(f"parquet-{name}", out.getvalue(), table.num_rows, accepted)

    def with_id(values: list[Any], kind: pa.DataType | None = None) -> pa.Table:
        index = good.column_names.index("message_id")
        return good.set_column(index, "message_id", pa.array(values, kind))

    whole = case("good", good, 6).data
    yield case("zero-rows", good.slice(0, 0), 0)
    yield BadFile("parquet-no-columns", case("", good.select([])).data, rows=0)
    yield case("other-columns", good.rename_columns([f"c{n}" for n in range(len(COLUMNS))]), 0)
    yield case("integers", with_id([1, 2, 3, 4, 5, 6]), 6)
    yield case("floats", with_id([1.0, 2.5, float("nan"), float("inf"), -0.0, None], pa.float64()))
    yield case("booleans", with_id([True, False, True, None, True, False]))
    yield case("days", with_id([date(2026, 1, n) for n in range(1, 7)]))
    yield case("moments", with_id([datetime(2026, 1, n, 3) for n in range(1, 7)]))
    yield case("times", with_id([time(n) for n in range(6)]))
    yield case("spans", with_id([timedelta(n) for n in range(6)]))
    yield case("decimals", with_id([Decimal(f"{n}.25") for n in range(6)]))
    yield case("bytes", with_id([bytes([n, 255]) for n in range(6)]))
    yield case("lists", with_id([[n] for n in range(6)]))
    yield case("structs", with_id([{"a": n, "b": [n]} for n in range(6)]))
    yield case("maps", with_id([[("a", n)] for n in range(6)], pa.map_(pa.string(), pa.int64())))
    yield case("nothing", with_id([None] * 6, pa.null()), 0)
    yield case(
        "dictionary",
        with_id([f"d{n}" for n in range(6)]).set_column(
            1, "message_channel", pa.array(["email"] * 6).dictionary_encode()
        ),
        6,
    )
    yield case("far-moments", good.set_column(3, "occurred_at", pa.array([2**62] * 6, pa.timestamp("us"))), None)
    yield case(
        "nanoseconds",
        good.set_column(3, "occurred_at", pa.array([1_700_000_000_000_000_001] * 6, pa.timestamp("ns", "UTC"))),
        None,
    )
    yield case("large-texts", good.cast(pa.schema([(name, pa.large_string()) for name in COLUMNS])), 6)
    yield case("tiny-groups", good, 6, row_group_size=1)
    yield case("brotli", good, 6, compression="brotli")
    double = pa.table([good.column(0), *good.columns], names=["message_id", *good.column_names])
    yield case("equal-columns", double, None)
    for column in ("message_id", "campaign_name"):
        spoilt = pa.array([b"caf\xe9", b"\xff", *(b"x%d" % n for n in range(4))]).view(pa.string())
        index = good.column_names.index(column)
        yield case(f"bad-text-{column}", good.set_column(index, column, spoilt), None, compression="none")
    name = case("", good.rename_columns(["x" * 10, *good.column_names[1:]])).data
    yield BadFile("parquet-bad-name", name.replace(b"x" * 10, b"\xdf" * 10), None, 0)
    for number in range(8):
        yield BadFile(f"parquet-truncated-{number}", whole[: chance.randrange(4, len(whole))])
        yield BadFile(f"parquet-flipped-{number}", whole[:4] + flipped(whole[4:], chance, 1 + number))
    yield BadFile("parquet-no-footer", whole[:-8] + b"\xff\xff\xff\x7fPAR1")
    yield BadFile("parquet-only-magic", b"PAR1", None, 0)
    yield BadFile("parquet-magic-twice", b"PAR1PAR1", None, 0)
    yield BadFile("parquet-encrypted-magic", b"PARE" + whole[4:], 1, 0)
    yield BadFile("parquet-is-text", delimited(rows), 1, 0)
    yield BadFile("parquet-is-empty", b"", 1, 0)
    yield BadFile("parquet-in-gzip", gzip.compress(whole, mtime=0), 1, 0)


def bad_files(form: str, seed: int) -> list[BadFile]:
    """The malformed files of a form: jsonl, csv, tsv or parquet."""
    chance = random.Random(f"{form}-{seed}")
    if form == "parquet":
        return list(odd_parquet(chance))
    rows = messages(f"{form}{seed}", 12)
    good = {
        "jsonl": lambda: json_lines(rows),
        "csv": lambda: delimited(rows),
        "tsv": lambda: delimited(rows, "\t"),
    }[form]()
    found = [*broken_bytes(form, good, chance), *compressed(form, good, len(rows), chance)]
    odd: dict[str, Callable[[int], Iterator[BadFile]]] = {"jsonl": odd_json, "csv": odd_delimited}
    return found + (list(odd[form](seed)) if form in odd else [])
