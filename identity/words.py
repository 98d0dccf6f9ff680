"""Outcomes of comparisons in words, for people who ask why."""

from __future__ import annotations

from identity.words_zh import CERTAIN_ZH, WORDS_ZH

_WORDS = {
    ("account", "same"): "the same account",
    ("order", "same"): "both name the same order",
    ("national_id", "same"): "the same national id",
    ("national_id", "one_off"): "national ids one character apart",
    ("national_id", "different"): "different national ids",
    ("email", "same"): "the same e-mail",
    ("email", "one_off"): "e-mails one slip apart",
    ("email", "same_local"): "the same name before the @, at another provider",
    ("email", "similar_local"): "similar names before the @",
    ("email", "different"): "different e-mails",
    ("phone", "same"): "the same phone",
    ("phone", "masked"): "phones that agree where digits are shown",
    ("phone", "one_off"): "phones one digit apart",
    ("phone", "different"): "different phones",
    ("name", "same"): "the same name",
    ("name", "same_sound"): "names that sound the same in other characters",
    ("name", "swapped"): "the same name with given and family name swapped",
    ("name", "near"): "names a slip apart",
    ("name", "short"): "one given name is short for the other",
    ("name", "one_part"): "the only part of the name both have agrees",
    ("name", "other_family"): "the same given name with another family name",
    ("name", "alike"): "similar names",
    ("name", "other_given"): "the same family name with another given name",
    ("name", "different"): "different names",
    ("birth_on", "same"): "the same day of birth",
    ("birth_on", "near"): "days of birth a slip apart",
    ("birth_on", "same_year"): "the same year of birth only",
    ("birth_on", "different"): "different days of birth",
    ("address", "same"): "the same address",
    ("address", "near"): "the same address, written otherwise",
    ("address", "alike"): "similar streets with other numbers",
    ("address", "different"): "different addresses",
    ("postcode", "same"): "the same postcode",
    ("postcode", "near"): "neighbouring postcodes",
    ("postcode", "different"): "different postcodes",
    ("city", "same"): "the same city",
    ("city", "different"): "different cities",
    ("alias", "same"): "the same handle, or handle and e-mail name",
    ("alias", "near"): "similar handles",
    ("alias", "different"): "different handles",
    ("gender", "same"): "the same gender",
    ("gender", "different"): "different genders",
    ("guard", "household"): "looks like two people of one household: what they share is the home's",
    ("guard", "another_person"): "looks like two people who share a phone or address",
    ("guard", "another_birthday"): "two days of birth",
    ("guard", "another_account"): "two accounts in one id space",
    ("prior", "two people at random"): "how seldom two records at random are one person",
}
_CERTAIN = {
    "source_id": "the same id at the source",
    "wechat_unionid": "the same WeChat union id",
    "wechat_openid": "the same WeChat open id",
    "wecom_external_userid": "the same WeCom user",
    "social_account": "the same social account",
    "all values": "the same values in everything",
}


def words_for(comparison: str, level: str, language: str = "en") -> str:
    """The outcome of a comparison as a phrase; guards of a business's own are named as they are."""
    words, certain = (WORDS_ZH, CERTAIN_ZH) if language == "zh" else (_WORDS, _CERTAIN)
    return words.get((comparison, level)) or certain.get(comparison) or f"{comparison}: {level}".replace("_", " ")
