"""Hanzi that any Chinese text is full of: prose, family names and given names, addresses, orders and parcels.

Two thirds of the different hanzi in a short text stand here, and hardly a fifth of those that bytes of another
encoding happen to spell. Which they are was chosen for coverage; adding rare ones makes telling encodings apart worse.
"""

from __future__ import annotations

from typing import Final

_PROSE: Final = (
    "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里用道行所然家种事成方多经么去法学如都"
    "同现当没动面起看定天分还进好小部其些主样理心她本前开但因只从想实日军者意无力它与长把机十民第公此已工使情明性知全三又关点正业外将两高间由"
    "问很最重并物手应战向头文体政美相见被利什二等产或新己制身果加西斯月话合回特代内信表化老给世位次度门任常先海通教儿原东声提立及比员解水名真"
    "论处走义各入几口认条平系气题活尔更别打女变四神总何电数安少报才结反受目太量再感建务做接必场件计管期市直德资命山金指克许统区保至队形社便空"
    "决治展马科司五基眼书非则听白却界达光放强即像难且权思王象完设式色路记南品住告类求据程北边死张该交规万取拉格望觉术领共确传师观清今切院让识"
    "候带导争运八六七九百千零亿元角春夏秋冬季节茶具快慢早晚午夜钱买卖店商价格单号客服务质优惠满减包邮送货收发退换款付支订购物流配套装件双色码优选推荐赠券"
)
_NAMES: Final = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦"
    "邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤欧阳伟芳娜秀英敏静丽强磊军洋勇艳杰娟涛明超兰霞平刚桂文辉玲建华国红春梅志海燕波飞云峰"
    "鹏宇浩佳雪婷晨思嘉欣怡梓涵雨轩子豪俊博琳慧琪颖莉萍洁倩宁凯鑫帅斌亮健旭楠凤珍荣爱"
)
_PLACES: Final = (
    "省市区县镇乡村街道路巷号楼栋单元室层园苑城府花大厦广场北京上海天津重庆河南山东西江苏浙安徽福建广湖川贵云陕甘青宁夏新疆藏蒙古吉林辽黑龙港澳台"
    "深圳杭州武汉成都厦门青岛沈阳长沙郑济合肥昆石家庄朝阳浦东海淀中国联系电话手机邮箱姓名地址备注微信会员注册登录积分客户编号日期时间状态性别男女年月日"
)

FREQUENT_HANZI: Final = frozenset(_PROSE + _NAMES + _PLACES)
