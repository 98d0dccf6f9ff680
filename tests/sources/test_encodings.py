"""Text in whatever encoding: read as it was meant, or refused line by line; never as other characters."""

from __future__ import annotations

import codecs
import json

import pytest
from pydantic import ValidationError

from sources.feed import Feed
from sources.readers.encoding import text_blocks

FILE = "dt=2026-01-05/part.csv"
HEADER = "message_id,message_channel,message_event,occurred_at,campaign_name\n"

CHINESE = ["张伟", "欧阳", "李娜"]
MORE_CHINESE = ["张伟，您的订单已经发货，请注意查收", "北京市朝阳区建国路八号", "客服电话很难打通，不满意", "李娜"]
KOREAN = ["김철수", "이영희", "박지성", "서울특별시 강남구 테헤란로", "주문하신 상품이 도착했습니다", "감사합니다"]
JAPANESE = ["山田太郎", "佐藤花子", "東京都千代田区丸の内", "ご注文の商品が届きました", "高橋美咲"]
TRADITIONAL = ["陳美玲", "林志明", "台北市信義區", "訂單已經付款，謝謝您的購買", "商品非常滿意"]
GERMAN = ["Müller", "Jürgen Weiß", "Straße"]
RUSSIAN = ["Иванов", "Пётр", "МОСКВА"]


def a_file(names, encoding):
    text = HEADER + "".join(f"m{number},email,sent,2026-01-05,{name}\n" for number, name in enumerate(names))
    return text.encode(encoding)


def read(names, encoding, declared=None, mark=b""):
    """The names that are read of a file in an encoding, and how many lines are refused."""
    [block] = text_blocks(iter([mark + a_file(names, encoding)]), declared)
    lines = block.data.decode().splitlines()[1:]
    return [line.rpartition(",")[2] for n, line in enumerate(lines, 1) if n not in block.bad], len(block.bad)


@pytest.mark.parametrize(
    ("names", "encoding", "declared", "staged"),
    [(CHINESE, "utf-8", "gb18030", CHINESE), (KOREAN, "euc-kr", None, []), (KOREAN, "euc-kr", "euc-kr", KOREAN)],
)
def test_rows_are_staged_as_they_were_meant_or_refused(shop, a_message_feed, names, encoding, declared, staged):
    shop.land("mail", FILE, a_file(names, encoding))
    shop.load(a_message_feed(mapping="csv", encoding=declared))
    found = shop.ask("select campaign_name from staging._messages_versions order by _row")
    assert [name for (name,) in found] == staged
    assert shop.counts("mail")[FILE] == (len(names), len(staged), 0, len(names) - len(staged))


@pytest.mark.parametrize("declared", ["gb18030", "gbk", "cp1252", "latin-1", "koi8-r", "big5", "euc-kr", "shift_jis"])
@pytest.mark.parametrize(
    "names", [CHINESE, ["Müller"], KOREAN, RUSSIAN], ids=["chinese", "german", "korean", "russian"]
)
def test_a_file_that_is_utf_8_is_read_as_that_whatever_is_declared(names, declared):
    assert read(names, "utf-8", declared) == (names, 0)


@pytest.mark.parametrize(
    ("names", "encoding"),
    [
        (CHINESE, "gb18030"),
        (["猫"], "gb18030"),  # its bytes are è in UTF-8
        (["联通", "䶮𠮷"], "gb18030"),
        (GERMAN, "cp1252"),
        (["NESCAFÉ®"], "cp1252"),  # its last two bytes are valid UTF-8
        (RUSSIAN, "cp1251"),
        (RUSSIAN, "koi8-r"),
        (KOREAN, "euc-kr"),
        (JAPANESE, "shift_jis"),
        (JAPANESE, "euc-jp"),
        (TRADITIONAL, "big5"),
    ],
)
def test_a_declared_encoding_is_taken_at_its_word(names, encoding):
    assert read(names, encoding, encoding) == (names, 0)


@pytest.mark.parametrize(
    ("names", "encoding"),
    [
        (KOREAN, "euc-kr"),
        (KOREAN[:3], "euc-kr"),
        (["배송 준비중"] * 500, "euc-kr"),
        (JAPANESE, "euc-jp"),
        (JAPANESE[:2], "euc-jp"),
        (JAPANESE, "shift_jis"),
        (["ﾔﾏﾀﾞ", "ｻﾄｳ", "ﾊﾅｺ"], "shift_jis"),
        (TRADITIONAL, "big5"),
        (RUSSIAN, "cp1251"),
        (["иван", "анна", "юрий"], "koi8-r"),
        (GERMAN, "cp1252"),
        (["张"], "gb18030"),  # one hanzi is no certainty
    ],
)
def test_what_nobody_declared_and_is_not_certain_is_refused(names, encoding):
    assert read(names, encoding) == ([], len(names))


@pytest.mark.parametrize("encoding", ["gb2312", "gbk", "gb18030"])
def test_chinese_is_certain_by_the_hanzi_every_text_is_full_of(encoding):
    assert read(MORE_CHINESE, encoding) == (MORE_CHINESE, 0)
    assert read([*MORE_CHINESE, "丁"] * 300, encoding) == ([*MORE_CHINESE, "丁"] * 300, 0)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("names", [GERMAN, MORE_CHINESE], ids=["german", "chinese"])
def test_the_byte_order_of_wide_text_without_a_mark_is_found(names, encoding):
    assert read(names, encoding, encoding[:6]) == (names, 0)


def test_wide_text_that_is_hardly_ascii_is_read_in_its_byte_order():
    assert read(["很好" * 1000], "utf-16-be", "utf-16") == (["很好" * 1000], 0)


@pytest.mark.parametrize(
    ("mark", "encoding"),
    [
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (codecs.BOM_UTF32_LE, "utf-32-le"),
        (codecs.BOM_UTF32_BE, "utf-32-be"),
    ],
)
@pytest.mark.parametrize("declared", [None, "gb18030", "cp1252"])
def test_a_mark_says_the_encoding(mark, encoding, declared):
    assert read(MORE_CHINESE, encoding, declared, mark) == (MORE_CHINESE, 0)


def test_damaged_wide_text_costs_its_own_lines_only(shop, a_message_feed, a_message):
    lines = [json.dumps(a_message(number)) + "\n" for number in range(3)]
    beyond = (0x7FFFFFFF).to_bytes(4, "little")
    data = lines[0].encode("utf-32-le") + beyond + "\n".encode("utf-32-le") + lines[2].encode("utf-32-le")
    shop.land("mail", FILE, codecs.BOM_UTF32_LE + data)
    shop.load(a_message_feed())
    assert shop.counts("mail") == {FILE: (3, 2, 0, 1)}
    assert shop.refused("messages") == [(FILE, 2, "", "unreadable")]


@pytest.mark.parametrize(
    "name",
    [
        "base64",
        "rot13",
        "hex",
        "zlib",
        "hz",
        "idna",
        "punycode",
        "utf-7",
        "unicode_escape",
        "iso2022_jp",
        "cp500",
        "no",
    ],
)
def test_what_is_no_encoding_of_lines_of_text_cannot_be_declared(name):
    with pytest.raises(ValidationError, match=f"`{name}` is not an encoding of lines of text. Write one such as utf-8"):
        Feed.named("mail", kind="messages", mapping="csv", encoding=name)
