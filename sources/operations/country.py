"""The names that people and vendors write for countries, as codes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from sources.operations.operation import Operation, Scope, SqlScope, SqlValue, Value
from sources.operations.text import Strip
from sources.operations.words import Lookup

_NAMES: Final[dict[str, tuple[str, ...]]] = {
    "AE": ("United Arab Emirates", "阿联酋", "ARE"),
    "AR": ("Argentina", "阿根廷", "ARG"),
    "AT": ("Austria", "Österreich", "奥地利", "Autriche", "AUT"),
    "AU": ("Australia", "澳大利亚", "Australien", "Australie", "オーストラリア", "AUS"),
    "BE": ("Belgium", "België", "Belgique", "比利时", "Belgien", "Bélgica", "BEL"),
    "BR": ("Brazil", "Brasil", "巴西", "Brasilien", "Brésil", "BRA"),
    "CA": ("Canada", "加拿大", "Kanada", "Canadá", "カナダ", "CAN"),
    "CH": ("Switzerland", "Schweiz", "Suisse", "瑞士", "Svizzera", "Suiza", "CHE"),
    "CN": (
        "China",
        "中国",
        "中國",
        "中国大陆",
        "P.R. China",
        "PRC",
        "Mainland China",
        "People's Republic of China",
        "Chine",
        "CHN",
    ),
    "CZ": ("Czech Republic", "Czechia", "捷克", "Tschechien", "Česko", "CZE"),
    "DE": (
        "Germany",
        "Deutschland",
        "德国",
        "德國",
        "Allemagne",
        "Alemania",
        "Germania",
        "Alemanha",
        "Duitsland",
        "ドイツ",
        "DEU",
    ),
    "DK": ("Denmark", "Danmark", "丹麦", "Dänemark", "Danemark", "DNK"),
    "ES": ("Spain", "España", "西班牙", "Spanien", "Espagne", "Spagna", "Espanha", "ESP"),
    "FI": ("Finland", "Suomi", "芬兰", "Finnland", "FIN"),
    "FR": ("France", "法国", "法國", "Frankreich", "Francia", "França", "Frankrijk", "フランス", "FRA"),
    "GB": (
        "United Kingdom",
        "UK",
        "U.K.",
        "Great Britain",
        "England",
        "Scotland",
        "Wales",
        "英国",
        "英國",
        "Vereinigtes Königreich",
        "Großbritannien",
        "Royaume-Uni",
        "Reino Unido",
        "Regno Unito",
        "イギリス",
        "GBR",
    ),
    "GR": ("Greece", "希腊", "Griechenland", "GRC"),
    "HK": ("Hong Kong", "Hong Kong SAR", "香港", "中国香港", "中國香港", "HKG"),
    "ID": ("Indonesia", "印度尼西亚", "IDN"),
    "IE": ("Ireland", "爱尔兰", "Irland", "Irlande", "Irlanda", "Éire", "IRL"),
    "IL": ("Israel", "以色列", "ISR"),
    "IN": ("India", "印度", "Indien", "Inde", "IND"),
    "IT": ("Italy", "Italia", "意大利", "Italien", "Italie", "ITA"),
    "JP": ("Japan", "日本", "Japon", "Japón", "Giappone", "JPN"),
    "KR": (
        "South Korea",
        "Korea, Republic of",
        "Republic of Korea",
        "韩国",
        "韓國",
        "Südkorea",
        "Corée du Sud",
        "Corea del Sur",
        "KOR",
    ),
    "LU": ("Luxembourg", "卢森堡", "Luxemburg", "LUX"),
    "MO": ("Macao", "Macau", "澳门", "澳門", "中国澳门", "MAC"),
    "MX": ("Mexico", "México", "墨西哥", "Mexiko", "Mexique", "MEX"),
    "MY": ("Malaysia", "马来西亚", "MYS"),
    "NL": (
        "Netherlands",
        "The Netherlands",
        "Nederland",
        "Holland",
        "荷兰",
        "Niederlande",
        "Pays-Bas",
        "Países Bajos",
        "Paesi Bassi",
        "NLD",
    ),
    "NO": ("Norway", "Norge", "挪威", "Norwegen", "Norvège", "NOR"),
    "NZ": ("New Zealand", "新西兰", "Neuseeland", "NZL"),
    "PH": ("Philippines", "菲律宾", "PHL"),
    "PL": ("Poland", "Polska", "波兰", "Polen", "Pologne", "Polonia", "POL"),
    "PT": ("Portugal", "葡萄牙", "PRT"),
    "RU": ("Russia", "Russian Federation", "俄罗斯", "Russland", "Россия", "RUS"),
    "SE": ("Sweden", "Sverige", "瑞典", "Schweden", "Suède", "SWE"),
    "SG": ("Singapore", "新加坡", "Singapur", "SGP"),
    "TH": ("Thailand", "泰国", "THA"),
    "TR": ("Turkey", "Türkiye", "土耳其", "Türkei", "Turquie", "TUR"),
    "TW": ("Taiwan", "台湾", "台灣", "中国台湾", "TWN"),
    "US": (
        "United States",
        "United States of America",
        "USA",
        "U.S.A.",
        "U.S.",
        "America",
        "美国",
        "美國",
        "Vereinigte Staaten",
        "Vereinigte Staaten von Amerika",
        "États-Unis",
        "Estados Unidos",
        "Stati Uniti",
        "Verenigde Staten",
        "アメリカ",
        "アメリカ合衆国",
    ),
    "VN": ("Vietnam", "Viet Nam", "越南", "VNM"),
    "ZA": ("South Africa", "南非", "Südafrika", "ZAF"),
}
_LOOKUP: Final = Lookup(tuple((name, code) for code, names in _NAMES.items() for name in names))


@dataclass(frozen=True)
class CountryCode(Operation):
    """Common names of countries, in the languages of exports, and alpha-3 codes become alpha-2; all else stays."""

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
