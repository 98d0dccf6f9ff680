"""A currency, country, language or time zone is written as a code; whoever writes a name is told the code."""

from __future__ import annotations

import pytest

from warehouse.codes import check_code
from warehouse.misfit import MisfitError


@pytest.mark.parametrize(
    ("sort", "codes"),
    [
        ("currency", ["CNY", "EUR", "USD", "JPY", "XOF", "DEM"]),
        ("country", ["CN", "GB", "US", "TW", "XK", "AQ"]),
        ("language", ["zh", "en", "en-GB", "zh-Hans", "zh_CN", "yue"]),
        ("time zone", ["UTC", "Asia/Shanghai", "America/Argentina/Salta"]),
    ],
)
def test_codes_are_known(sort, codes):
    assert [check_code(sort, code) for code in codes] == codes


@pytest.mark.parametrize(
    ("sort", "word", "meant"),
    [
        ("currency", "RMB", "CNY"),
        ("currency", "eur", "EUR"),
        ("currency", "EUX", "EUR"),
        ("currency", "GPB", "GBP"),
        ("currency", "人民币", "CNY"),
        ("currency", "US Dollar", "USD"),
        ("country", "China", "CN"),
        ("country", "中国", "CN"),
        ("country", "Germny", "DE"),
        ("country", "UK", "GB"),
        ("country", "美国", "US"),
        ("country", "cn", "CN"),
        ("language", "Chinese", "zh"),
        ("language", "中文", "zh"),
        ("language", "cn", "zh"),
        ("language", "jp", "ja"),
        ("time zone", "Europe/Lundun", "Europe/London"),
        ("time zone", "Asia/Beijing", "Asia/Shanghai"),
        ("time zone", "Shanghai", "Asia/Shanghai"),
    ],
)
def test_a_word_that_is_no_code_is_met_with_the_one_to_write(sort, word, meant):
    with pytest.raises(MisfitError, match=f"`{word}` is .*Did you mean `{meant}`\\?"):
        check_code(sort, word)


@pytest.mark.parametrize(
    ("sort", "word"), [("currency", "QQQ"), ("country", "ZZ"), ("language", "zz"), ("time zone", "x")]
)
def test_a_word_that_is_like_nothing_is_met_with_an_example(sort, word):
    with pytest.raises(MisfitError, match=f"`{word}` .*Write .*such as"):
        check_code(sort, word)
