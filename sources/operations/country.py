"""The names that people and vendors write for countries, as codes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from sources.operations.operation import Operation, Scope, SqlScope, SqlValue, Value
from sources.operations.text import Strip
from sources.operations.words import Lookup

_NAMES: Final[dict[str, tuple[str, ...]]] = {
    "AE": ("United Arab Emirates", "阿联酋"),
    "AR": ("Argentina", "阿根廷"),
    "AT": ("Austria", "Österreich", "奥地利"),
    "AU": ("Australia", "澳大利亚"),
    "BE": ("Belgium", "België", "Belgique", "比利时"),
    "BR": ("Brazil", "Brasil", "巴西"),
    "CA": ("Canada", "加拿大"),
    "CH": ("Switzerland", "Schweiz", "Suisse", "瑞士"),
    "CN": ("China", "中国", "中國", "中国大陆", "P.R. China", "PRC", "Mainland China", "People's Republic of China"),
    "CZ": ("Czech Republic", "Czechia", "捷克"),
    "DE": ("Germany", "Deutschland", "德国", "德國"),
    "DK": ("Denmark", "Danmark", "丹麦"),
    "ES": ("Spain", "España", "西班牙"),
    "FI": ("Finland", "Suomi", "芬兰"),
    "FR": ("France", "法国", "法國"),
    "GB": ("United Kingdom", "UK", "U.K.", "Great Britain", "England", "Scotland", "Wales", "英国", "英國"),
    "GR": ("Greece", "希腊"),
    "HK": ("Hong Kong", "Hong Kong SAR", "香港", "中国香港", "中國香港"),
    "ID": ("Indonesia", "印度尼西亚"),
    "IE": ("Ireland", "爱尔兰"),
    "IL": ("Israel", "以色列"),
    "IN": ("India", "印度"),
    "IT": ("Italy", "Italia", "意大利"),
    "JP": ("Japan", "日本"),
    "KR": ("South Korea", "Korea, Republic of", "Republic of Korea", "韩国", "韓國"),
    "LU": ("Luxembourg", "卢森堡"),
    "MO": ("Macao", "Macau", "澳门", "澳門", "中国澳门"),
    "MX": ("Mexico", "México", "墨西哥"),
    "MY": ("Malaysia", "马来西亚"),
    "NL": ("Netherlands", "The Netherlands", "Nederland", "Holland", "荷兰"),
    "NO": ("Norway", "Norge", "挪威"),
    "NZ": ("New Zealand", "新西兰"),
    "PH": ("Philippines", "菲律宾"),
    "PL": ("Poland", "Polska", "波兰"),
    "PT": ("Portugal", "葡萄牙"),
    "RU": ("Russia", "Russian Federation", "俄罗斯"),
    "SE": ("Sweden", "Sverige", "瑞典"),
    "SG": ("Singapore", "新加坡"),
    "TH": ("Thailand", "泰国"),
    "TR": ("Turkey", "Türkiye", "土耳其"),
    "TW": ("Taiwan", "台湾", "台灣", "中国台湾"),
    "US": ("United States", "United States of America", "USA", "U.S.A.", "U.S.", "America", "美国", "美國"),
    "VN": ("Vietnam", "Viet Nam", "越南"),
    "ZA": ("South Africa", "南非"),
}
_LOOKUP: Final = Lookup(tuple((name, code) for code, names in _NAMES.items() for name in names))


@dataclass(frozen=True)
class CountryCode(Operation):
    """The common English, Chinese and own names of countries become ISO 3166 codes; everything else stays."""

    name: ClassVar[str] = "country_code"

    def apply(self, value: Value, scope: Scope) -> Value:
        """The Python form."""
        stripped = Strip().apply(value, scope)
        return None if stripped is None else _LOOKUP.apply(stripped, scope)

    def sql(self, value: SqlValue, scope: SqlScope) -> SqlValue:
        """The SQL form."""
        return _LOOKUP.sql(Strip().sql(value, scope), scope)

    @property
    def rule(self) -> str:
        """The operation in words."""
        return "common names of countries as ISO codes"
