"""Columns that say whether somebody may be written to: 可发邮件, SMS opt-in, newsletter."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from quality.contracts.contract import Contract
from sources.trial.chosen import Chosen, FieldGuess
from sources.trial.observed import Observed
from sources.trial.words import words_of

_CHANNELS: Final[Mapping[str, str]] = {
    "email": "电子邮件|邮件|邮箱|email|e mail|mail",
    "sms": "短信|sms|text",
    "call": "电话|去电|call|phone",
}
_AGREED: Final = "opt ?in|consent|allowed|permission|subscribed"
_ALLOWS: Final = (
    "(?:是否)?(?:可以?|允许|同意|接受|接收|愿意|订阅)(?:接收|接受|收|发送?|打|订阅)?(?:营销|推广)?{}(?:营销|推广)?"
    f"|(?:accepts? )?{{}} (?:marketing )?(?:{_AGREED})|(?:accepts?|allow|may) {{}}(?: marketing)?"
)
_REFUSES: Final = (
    "(?:是否)?(?:拒绝|拒收|拒接|退订|不接受|勿发)(?:接收|接受|发送)?(?:营销|推广)?{}|{}退订"
    "|{} (?:marketing )?(?:opt ?out|unsubscribed)|(?:no|do not) {}"
)
_YES: Final = ("是", "可", "可以", "同意", "允许", "yes", "y", "true", "1")
_NO: Final = ("否", "不", "不可", "不可以", "不同意", "拒绝", "no", "n", "false", "0")


def take_permissions(chosen: Chosen, contract: type[Contract], sources: Sequence[Observed]) -> None:
    """Consents, where the name says the channel, and every value plainly yes or no. Silence stays silence."""
    if "consents" not in contract.model_fields or "consents" in chosen.fields:
        return
    found: list[tuple[Observed, str, bool]] = []
    for source in sources:
        told = _channel(source.name) if source.name not in chosen.used else None
        words = {text.lower() for text in source.texts}
        if told is not None and words <= {*_YES, *_NO} and _states(words, told[1]):
            found.append((source, *told))
    if not found:
        return
    names = ", ".join(source.name for source, _, _ in found)
    written = [_consent(*item) for item in found]
    chosen.fields["consents"] = FieldGuess({"list": written}, f"called {names}: check, it says who may be written to")
    chosen.used |= {source.name for source, _, _ in found}


def _channel(name: str) -> tuple[str, bool] | None:
    """The channel a name speaks of, and whether yes allows it."""
    text = words_of(name)
    for channel, words in _CHANNELS.items():
        for is_allowed, form in ((False, _REFUSES), (True, _ALLOWS)):
            if re.fullmatch(form.replace("{}", f"(?:{words})"), text):
                return channel, is_allowed
    return None


def _consent(source: Observed, channel: str, is_allowed: bool) -> object:
    table = _states({text.lower() for text in source.texts}, is_allowed)
    said = {"path": source.name, "then": ["strip", "lower"]}
    state = {"path": source.name, "then": ["strip", "lower", {"lookup": table, "else": "unknown"}]}
    return {"when": said, "in": list(table), "value": {"object": {"channel": {"constant": channel}, "state": state}}}


def _states(words: set[str], is_allowed: bool) -> dict[str, str]:
    """Word → what it says of a consent. Who did not refuse has not agreed by that."""
    yes, no = ("in", "out") if is_allowed else ("out", "")
    told = {word: state for meant, state in ((_YES, yes), (_NO, no)) for word in meant if word in words}
    return {word: state for word, state in told.items() if state}
