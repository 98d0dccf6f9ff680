"""Posts that name the shop: Mastodon statuses (an array) and Weibo statuses (under a key), a file a week each."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Any

import msgspec

from cdp.demo.calendar import DAY, SHANGHAI, iso
from cdp.demo.delivery import Line, json_array
from cdp.demo.noise import ABSENT, AGES_AHEAD, BELL, TOO_LONG, Damage
from cdp.demo.person import Person
from cdp.demo.phrases import opinion, phrases
from cdp.demo.spelling import romanised
from cdp.demo.world import World

MASTODON = json_array(
    "mastodon",
    "mentions.json",
    (
        Damage("missing", {"id": ABSENT, "uri": ABSENT, "url": ABSENT}),
        Damage("out_of_range", {"created_at": AGES_AHEAD}),
        Damage("bad_format", {"created_at": "yesterday"}),
        Damage("too_long", {"id": TOO_LONG, "uri": TOO_LONG}),
        Damage("wrong_type", {"account.id": ["17"]}),
    ),
)
WEIBO = json_array(
    "weibo",
    "mentions.json",
    (
        Damage("missing", {"idstr": ABSENT, "mid": ABSENT, "id": ABSENT}),
        Damage("bad_format", {"created_at": "yesterday"}),
        Damage("too_long", {"idstr": TOO_LONG, "mid": TOO_LONG}),
        Damage("wrong_type", {"user.idstr": ["17"], "user.id": ["17"]}),
        Damage("bad_format", {"idstr": BELL, "mid": BELL}),
    ),
    envelope="statuses",
)
_OURS = {"en": ("harbourlantern", "Harbour & Lantern"), "zh": ("港灯官方", "港灯")}
_WEIBO_TIME = "%a %b %d %H:%M:%S +0800 %Y"


@dataclass(frozen=True)
class Account:
    """A social account: of a person, of a robot (person_id is empty), or ours."""

    number: int
    handle: str
    display_name: str
    city: str
    followers: int
    is_robot: bool
    person_id: str


@dataclass(frozen=True)
class Post:
    """A post about the shop, or our answer to one."""

    number: int
    account: Account
    moment: int
    text: str
    answers: int


def mastodon_weeks(world: World) -> Iterator[tuple[int, list[Line]]]:
    """(day, statuses) of every week, in English."""
    for day, posts in _weeks(world, "en"):
        yield day, [Line(msgspec.json.encode(_status(post)), post.account.person_id) for post in posts]


def weibo_weeks(world: World) -> Iterator[tuple[int, list[Line]]]:
    """(day, statuses) of every week, in Chinese."""
    for day, posts in _weeks(world, "zh"):
        yield day, [Line(msgspec.json.encode(_weibo(post)), post.account.person_id) for post in posts]


def _weeks(world: World, language: str) -> Iterator[tuple[int, list[Post]]]:
    draw, calendar = world.scribe(f"social {language}").coins, world.calendar
    weeks: defaultdict[int, list[Post]] = defaultdict(list)
    ours = Account(1, *_OURS[language], "", 25_000, False, "")
    number = 0
    for account, mood, since in _accounts(world, language, draw):
        for _ in range(min(1 + int(draw.expovariate(0.28)), 30)):
            moment = since + int(draw.random() * (calendar.end - since))
            product = draw.choice(world.catalogue.products).names[language]
            post = Post(
                number := number + 1, account, moment, opinion(mood + draw.gauss(0, 0.6), language, product, draw), 0
            )
            weeks[calendar.week_end(calendar.day(moment))].append(post)
            answered = moment + draw.randrange(600, 2 * DAY)
            if draw.random() < 0.2 and answered < calendar.end:
                thanks = phrases()["shop"][language] + (
                    ": 谢谢你的反馈！" if language == "zh" else ": thank you for telling us!"
                )
                answer = Post(number := number + 1, ours, answered, thanks, post.number)
                weeks[calendar.week_end(calendar.day(answered))].append(answer)
    for day in sorted(weeks):
        yield day, sorted(weeks[day], key=lambda post: (post.moment, post.number))


def _accounts(world: World, language: str, draw: random.Random) -> Iterator[tuple[Account, float, int]]:
    """(account, mood, first moment): one customer in twenty, and a few robots."""
    number, start = 109_000, world.calendar.start
    for at, person in enumerate(world.people):
        if person.kind == "visitor" or person.language != language or draw.random() > 0.05:
            continue
        number += draw.randrange(1, 90)
        yield _account(number, person, draw), person.mood, int(world.known_from[at])
    for robot in range(1 + len(world.people) // 1_500):
        number += 1
        yield Account(number, f"dealsbot{robot}", "Deals 优惠", "", 7, True, ""), 1.0, start


def _account(number: int, person: Person, draw: random.Random) -> Account:
    mailbox = (person.known_email or person.email).partition("@")[0]
    handle = mailbox if draw.random() < 0.85 else romanised(person.names.given).lower() + str(number)
    shown = person.names.full(person.language) if draw.random() < 0.75 or handle != mailbox else handle
    followers = int(draw.paretovariate(0.9) * 20) % 90_000
    return Account(number, handle, shown, person.home.city.removesuffix("市"), followers, False, person.person_id)


def _status(post: Post) -> dict[str, Any]:
    account, status_id = post.account, str(113_000_000_000_000_000 + post.number)
    uri = f"https://social.example/users/{account.handle}/statuses/{status_id}"
    mention = (
        ""
        if account.number == 1
        else '<span class="h-card"><a href="https://social.example/@harbourlantern">@harbourlantern</a></span> '
    )
    return {
        "id": status_id,
        "created_at": iso(post.moment),
        "in_reply_to_id": str(113_000_000_000_000_000 + post.answers) if post.answers else None,
        "in_reply_to_account_id": None,
        "visibility": "public",
        "sensitive": False,
        "spoiler_text": "",
        "language": "en",
        "uri": uri,
        "url": f"https://social.example/@{account.handle}/{status_id}",
        "replies_count": 0,
        "reblogs_count": post.number % 3,
        "favourites_count": post.number % 7,
        "content": f"<p>{mention}{escape(post.text)}</p>",
        "reblog": None,
        "account": {
            "id": str(account.number),
            "username": account.handle,
            "acct": account.handle,
            "display_name": account.display_name,
            "bot": account.is_robot,
            "created_at": "2023-05-01T00:00:00.000Z",
            "note": "",
            "url": f"https://social.example/@{account.handle}",
            "followers_count": account.followers,
            "fields": [],
        },
        "mentions": [{"id": "1", "acct": "harbourlantern", "url": "https://social.example/@harbourlantern"}]
        if mention
        else [],
        "tags": [],
        "media_attachments": [],
        "edited_at": None,
    }


def _weibo(post: Post) -> dict[str, Any]:
    account, number = post.account, 5_100_000_000_000_000 + post.number
    return {
        "created_at": datetime.fromtimestamp(post.moment, SHANGHAI).strftime(_WEIBO_TIME),
        "id": number,
        "mid": str(number),
        "idstr": str(number),
        "text": post.text if account.number == 1 else f"@港灯官方 {post.text}",
        "source": '<a href="http://app.weibo.example" rel="nofollow">iPhone客户端</a>',
        "favorited": False,
        "truncated": False,
        "in_reply_to_status_id": str(5_100_000_000_000_000 + post.answers) if post.answers else "",
        "in_reply_to_user_id": "",
        "in_reply_to_screen_name": "",
        "geo": None,
        "user": {
            "id": 1_700_000_000 + account.number,
            "idstr": str(1_700_000_000 + account.number),
            "screen_name": account.display_name,
            "name": account.display_name,
            "domain": account.handle,
            "profile_url": account.handle,
            "location": account.city,
            "gender": "n",
            "followers_count": account.followers,
            "verified": account.number == 1,
            "verified_type": 2 if account.number == 1 else -1,
        },
        "reposts_count": post.number % 3,
        "comments_count": 0,
        "attitudes_count": post.number % 7,
        "visible": {"type": 0, "list_id": 0},
        "pic_urls": [],
    }
