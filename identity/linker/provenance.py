"""Columns that say where a record comes from: they tell of systems and shops, not of people, and are no evidence."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import numpy as np
import pyarrow as pa

from identity.arrays import encoded
from identity.linker.profile import Column

CALLED: Final = (
    r"source|(^|_)file(_?name)?$|register|registry|data_?set|system|origin|channel|platform|(^|_)batch|(^|_)feed(_|$)"
    r"|来源|出处|数据源|渠道|平台|系统|文件|批次"
)
"""What such columns are called."""

_WORD_TEXT: Final = (
    "crm erp pos dms cdp scrm web website site app mobile desktop ios android online offline store shop retail portal "
    "form landing newsletter campaign import imported upload export legacy manual api sftp ftp feed csv excel xlsx "
    "database db warehouse hotline callcenter kiosk marketplace ecommerce survey loyalty event events partner referral "
    "email mail sms phone call chat social ads organic seo sem wechat weixin weibo taobao tmall jd jingdong douyin "
    "tiktok xiaohongshu pinduoduo kuaishou alipay wecom amazon ebay shopify woocommerce magento stripe square "
    "salesforce hubspot zendesk zoho mailchimp marketo intercom typeform fxiaoke facebook instagram twitter linkedin "
    "google youtube register registry census"
)
_WORDS: Final = frozenset(_WORD_TEXT.split())
_HAN: Final = re.compile(
    "淘宝|天猫|京东|拼多多|抖音|快手|小红书|微信|企微|微博|支付宝|美团|饿了么|公众号|小程序|视频号|官网|网站|网页|商城|旗舰店|门店"
    "|线上|线下|网店|直播|系统|平台|渠道|导入|上传|表单|问卷|活动|地推|展会|广告|电商|电话|客服|热线|短信|邮件|后台|接口|自营|经销|代理"
)
_FILE: Final = re.compile(r"(?i).+\.(csv|tsv|txt|xlsx?|jsonl?|ndjson|parquet|avro|xml|gz|zip|zst|sql|db)")
_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_MOST: Final = 40
_MOST_WORDS: Final = 3
_MOSTLY: Final = 0.6
_DEPENDS: Final = 0.5
_ENOUGH: Final = 20
_TELLS: Final = 0.3


def judge(column: Column) -> tuple[float, str]:
    """How much the values look like places that records come from, and why."""
    if column.distinct < column.rows and column.share(_FILE.fullmatch) > 0.9:
        return 1.2, "names of files: where a record comes from"
    is_closed = 2 <= column.distinct <= max(_MOST, column.held * 0.02) and column.novelty <= 0.5
    if not is_closed:
        return 0.0, ""
    told = column.share(_names_a_system)
    if told >= _MOSTLY:
        return 0.9, f"{100 * told:.0f} % of the values are words for systems and channels: where a record comes from"
    return 0.32, f"{column.distinct} different values: where a record comes from"


def _names_a_system(value: str) -> bool:
    words = re.findall(r"[a-z]+", _CAMEL.sub(" ", value).lower())
    return bool(_HAN.search(value)) or (len(words) <= _MOST_WORDS and not _WORDS.isdisjoint(words))


def decides_what_is_filled(table: pa.Table, column: str, others: Sequence[str]) -> bool:
    """Whether it depends on a column's value which others have one."""
    codes, _ = encoded(table.column(column).combine_chunks())
    counts = np.bincount(codes)
    enough = counts >= _ENOUGH
    if enough.sum() < 2:
        return False
    for other in others:
        filled = np.asarray(table.column(other).is_valid()).astype(np.float64)
        shares = np.bincount(codes, weights=filled)[enough] / counts[enough]
        if shares.max() - shares.min() > _DEPENDS:
            return True
    return False


def goes_with(table: pa.Table, column: str, place: str) -> bool:
    """Whether a place, such as a town or a postcode, mostly tells the column's value, as it does of its region."""
    both = table.select([column, place]).drop_null()
    if not both.num_rows:
        return False
    values, names = encoded(both.column(column).combine_chunks())
    places, _ = encoded(both.column(place).combine_chunks())
    cells = np.unique(places.astype(np.int64) * len(names) + values, return_counts=True)
    best = np.zeros(int(places.max()) + 1, dtype=np.int64)
    np.maximum.at(best, cells[0] // len(names), cells[1])
    several = np.bincount(places) > 1
    held = int(np.bincount(places)[several].sum())
    by_chance = np.bincount(values).max() / len(values)
    return held > 0 and (best[several].sum() / held - by_chance) > _TELLS * (1 - by_chance)
