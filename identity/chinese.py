"""Chinese names and their romanisation: surnames, their readings, and what counts as pinyin.

Readings come from pypinyin; surnames that are read otherwise than the common character (曾 zeng, 单 shan, 解 xie …)
stand in a table here, because pypinyin reads them as words.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opencc import OpenCC

HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0002fa1f·]+")

TITLES = re.compile(r"(先生|女士|小姐|太太|夫人|老师|同学|经理|医生|老板|总监|师傅)$")

_COMPOUND_TEXT = (
    "欧阳 司马 上官 诸葛 东方 皇甫 尉迟 公孙 令狐 慕容 司徒 夏侯 宇文 长孙 轩辕 端木 独孤 南宫 西门 申屠 太史 "
    "闻人 澹台 公冶 宗政 濮阳 淳于 单于 公羊 钟离 呼延 赫连 万俟 司空 百里 东郭 拓跋"
)
COMPOUND_SURNAMES = frozenset(_COMPOUND_TEXT.split())

_READINGS = {
    "曾": "zeng",
    "单": "shan",
    "解": "xie",
    "仇": "qiu",
    "区": "ou",
    "查": "zha",
    "任": "ren",
    "盖": "ge",
    "缪": "miao",
    "朴": "piao",
    "翟": "zhai",
    "种": "chong",
    "折": "she",
    "员": "yun",
    "黑": "he",
    "冼": "xian",
    "洗": "xian",
    "召": "shao",
    "乐": "yue",
    "秘": "bi",
    "哈": "ha",
    "那": "na",
    "覃": "qin",
    "佴": "nai",
    "重": "chong",
    "繁": "po",
    "尉迟": "yuchi",
    "万俟": "moqi",
    "长孙": "zhangsun",
    "单于": "chanyu",
    "澹台": "tantai",
}

_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石"
    "廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤常温康施文牛樊葛邢安齐易乔伍庞颜倪庄聂章鲁岳翟"
    "殷詹申欧耿关兰焦俞左柳甘祝包宁尚符舒阮柯纪梅童凌毕单季裴霍涂成苗谷盛曲翁冉骆蓝路游辛靳管柴蒙鲍华喻祁蒲房滕屈饶解牟艾尤"
)


@cache
def _simplifier() -> OpenCC:
    from opencc import OpenCC  # its tables are read only where there are Chinese characters

    return OpenCC("t2s")


def simplified(text: str) -> str:
    """Traditional characters as simplified ones."""
    return str(_simplifier().convert(text))


@cache
def _reading(character: str) -> str:
    from pypinyin import lazy_pinyin  # likewise

    return "".join(lazy_pinyin(character)).lower()


def reading(characters: str) -> str:
    """Pinyin without tones and spaces, as given names are read (小明 → xiaoming)."""
    return "".join(_reading(character) for character in characters)


@cache
def surname_reading(surname: str) -> str:
    """Pinyin of a surname (曾 → zeng, 欧阳 → ouyang)."""
    return _READINGS.get(surname) or reading(surname)


def split_name(name: str) -> tuple[str, str]:
    """Surname and given name of a Chinese name in simplified characters; the given name may be empty."""
    if len(name) > 2 and name[:2] in COMPOUND_SURNAMES:
        return name[:2], name[2:]
    return name[:1], name[1:]


def is_surname(character: str) -> bool:
    """Whether one character is a common surname."""
    return character in _SURNAMES


@cache
def _syllables() -> re.Pattern[str]:
    from pypinyin.constants import PINYIN_DICT

    found: set[str] = set()
    for readings in PINYIN_DICT.values():
        for syllable in readings.split(","):
            plain = unicodedata.normalize("NFD", syllable.replace("ü", "v").replace("ǚ", "v").replace("ǜ", "v"))
            letters = "".join(c for c in plain if c.isascii() and c.isalpha()).lower()
            if len(letters) > 1 or letters in ("a", "e", "o"):
                found.add(letters)
    longest_first = sorted(found, key=lambda syllable: (-len(syllable), syllable))
    return re.compile("(?:" + "|".join(longest_first) + ")+")


@cache
def pinyin_surnames() -> frozenset[str]:
    """How the common surnames are written in pinyin."""
    return frozenset(surname_reading(name) for name in (*_SURNAMES, *COMPOUND_SURNAMES))


def is_pinyin(word: str) -> bool:
    """Whether a lower-case word can be read as pinyin syllables. Short Western names may be, too (dan, susan)."""
    return _syllables().fullmatch(word) is not None
