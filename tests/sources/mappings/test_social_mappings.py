"""Pages, streams, pushes and webhooks of X, Instagram, Mastodon and Weibo."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

USERS = [
    {"id": "2244994945", "username": "XDev", "name": "X &amp; Dev", "public_metrics": {"followers_count": 500}},
    {"id": "9", "username": "marta", "name": "Marta"},
]


def a_post(**fields: Any) -> dict[str, Any]:
    post = {"id": "1", "text": "Hi", "author_id": "9", "created_at": "2026-01-05T10:00:00.000Z", "lang": "en"}
    return post | fields


def a_page(*posts: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"data": list(posts), "includes": {"users": USERS}, "meta": {"result_count": len(posts)}} | more


def test_xs_documented_page_holds_the_moment_of_a_post_in_its_id(deliver, samples: Path) -> None:
    page = json.loads((samples / "x_api_v2/tweet_excerpt.json").read_text("utf-8"))
    bare = deliver("x_v2", page)
    assert (bare.unknown, bare.refused) == (set(), {})
    assert bare.rows[0]["occurred_at"].replace(microsecond=0) == datetime(2019, 12, 31, 19, 26, 16)
    page["data"][0]["created_at"] = "2019-12-31T19:26:16.000Z"
    found = deliver("x_v2", page | {"includes": {"users": USERS}})
    assert (found.unknown, found.refused) == (set(), {})
    [row] = found.rows
    assert row.pop("text").startswith("We believe the best future version of our API")
    assert row == {
        "interaction_id": "1212092628029698048",
        "platform": "x",
        "interaction_kind": "reply",
        "occurred_at": datetime(2019, 12, 31, 19, 26, 16),
        "updated_at": datetime(2019, 12, 31, 19, 26, 16),
        "account_id": "2244994945",
        "handle": "XDev",
        "display_name": "X & Dev",
        "language": "en",
        "in_reply_to_id": "1212092627178287104",
        "by_us": False,
        "followers_count": 500,
    }


def test_a_post_of_x_with_default_fields_only_is_dated_by_its_id(deliver) -> None:
    page = {
        "data": [
            {"id": "1000000000000000000", "text": "Hi", "edit_history_tweet_ids": ["1000000000000000000"]},
            {"id": 20, "text": "just setting up"},
        ]
    }
    found = deliver("x_v2", page)
    assert [(row["interaction_id"], row["occurred_at"], row["text"]) for row in found.rows] == [
        ("1000000000000000000", datetime(2018, 5, 25, 13, 5, 53, 758000), "Hi")
    ]
    assert found.refused == {2: [("occurred_at", "missing")]}


def test_xs_posts_know_their_author_whichever_way_they_arrive(deliver) -> None:
    pages = [
        json.dumps(a_page(a_post())),
        json.dumps([a_page(a_post())]),
        json.dumps({"data": a_post(), "includes": {"users": USERS}, "matching_rules": [{"id": "1", "tag": "us"}]}),
        json.dumps(a_page(a_post())) + "\n" + json.dumps({"meta": {"result_count": 0}}) + "\n",
        json.dumps(a_post(author=USERS[1])) + "\n",
        json.dumps(a_page(a_post(), errors=[{"title": "Not Found Error", "resource_id": "5"}])),
    ]
    for page in pages:
        found = deliver("x_v2", page)
        assert (found.unknown, found.refused) == (set(), {})
        assert [(row["interaction_id"], row.get("handle")) for row in found.rows] == [("1", "marta")]


def test_reposts_quotes_replies_and_mentions(deliver) -> None:
    posts = [
        a_post(id="1", text="RT @XDev: cut sho…", referenced_tweets=[{"type": "retweeted", "id": "77"}]),
        a_post(id="2", text="so true", referenced_tweets=[{"type": "quoted", "id": "78"}]),
        a_post(id="3", text="@XDev no", referenced_tweets=[{"type": "replied_to", "id": "79"}]),
        a_post(id="4", text="@XDev hi", entities={"mentions": [{"username": "XDev", "start": 0}], "urls": []}),
        a_post(id="5", text="me &amp; you &lt;3", lang="und"),
        a_post(id="6", text="short…", note_tweet={"text": "the whole &amp; long story"}),
    ]
    rows = deliver("x_v2", a_page(*posts)).rows
    assert [(row["interaction_kind"], row.get("in_reply_to_id"), row.get("text")) for row in rows] == [
        ("share", "77", None),
        ("share", "78", "so true"),
        ("reply", "79", "@XDev no"),
        ("mention", None, "@XDev hi"),
        ("post", None, "me & you <3"),
        ("post", None, "the whole & long story"),
    ]
    assert [row.get("language") for row in rows] == ["en", "en", "en", "en", None, "en"]


def test_edits_of_a_post_are_versions_of_one(deliver) -> None:
    first = a_post(id="10", edit_history_tweet_ids=["10"])
    edited = a_post(id="11", text="Hello", edit_history_tweet_ids=["10", "11"], created_at="2026-01-05T10:20:00Z")
    rows = deliver("x_v2", a_page(first, edited)).rows
    assert [(row["interaction_id"], row["updated_at"], row["text"]) for row in rows] == [
        ("10", datetime(2026, 1, 5, 10), "Hi"),
        ("10", datetime(2026, 1, 5, 10, 20), "Hello"),
    ]


def test_xs_compliance_takes_the_words_back(deliver) -> None:
    job = {
        "id": "1", "action": "delete", "created_at": "2026-01-05T10:00:00.000Z",
        "redacted_at": "2026-02-01T00:00:00.000Z", "reason": "deleted",
    }  # fmt: skip
    stream = {"data": {"delete": {"tweet": {"id": "1", "author_id": "9"}, "event_at": "2026-02-01T00:00:00Z"}}}
    found = deliver("x_v2", json.dumps(job) + "\n" + json.dumps(stream) + "\n")
    assert (found.unknown, found.refused) == (set(), {})
    assert [(row["interaction_id"], row["deleted_at"], row["updated_at"]) for row in found.rows] == [
        ("1", datetime(2026, 2, 1), datetime(2026, 2, 1))
    ] * 2
    assert not (found.rows[0] | found.rows[1]).keys() & {"text", "handle"}


def a_post_of_version_1(**fields: Any) -> dict[str, Any]:
    user = {"id": 6253282, "id_str": "6253282", "name": "X &amp; API", "screen_name": "XAPI", "followers_count": 21}
    return {
        "created_at": "Wed Oct 10 20:19:24 +0000 2018", "id": 1050118621198921728, "id_str": "1050118621198921728",
        "full_text": "the whole &amp; long story", "text": "the whole…", "truncated": True, "lang": "en", "user": user,
        "entities": {"hashtags": [], "symbols": [], "user_mentions": [], "urls": []}, "retweet_count": 1,
    } | fields  # fmt: skip


def test_posts_of_xs_version_1_are_read_as_well(deliver) -> None:
    posts = [
        a_post_of_version_1(),
        a_post_of_version_1(id_str="2", retweeted_status={"id": 77, "id_str": "77", "text": "of another"}),
        a_post_of_version_1(id_str="3", in_reply_to_status_id_str="79", in_reply_to_user_id_str="9"),
        a_post_of_version_1(id_str="4", entities={"user_mentions": [{"screen_name": "us"}]}),
    ]
    for content in (posts, {"statuses": posts, "search_metadata": {}}, [{"tweet": post} for post in posts]):
        found = deliver("x_v2", content)
        assert (found.unknown, found.refused) == (set(), {})
        assert [(row["interaction_kind"], row.get("in_reply_to_id"), row.get("text")) for row in found.rows] == [
            ("post", None, "the whole & long story"),
            ("share", "77", None),
            ("reply", "79", "the whole & long story"),
            ("mention", None, "the whole & long story"),
        ]
        first = found.rows[0]
        assert (first["interaction_id"], first["account_id"], first["handle"], first["display_name"]) == (
            "1050118621198921728",
            "6253282",
            "XAPI",
            "X & API",
        )
        assert first["occurred_at"] == datetime(2018, 10, 10, 20, 19, 24)


COMMENT = {
    "id": "17873440459141021", "text": "This is an example.", "timestamp": "2026-01-05T10:00:00+0000",
    "username": "marta.lind", "from": {"id": "232323232", "username": "marta.lind"}, "like_count": 2, "hidden": False,
    "media": {"id": "17856", "media_product_type": "FEED"},
}  # fmt: skip
REPLY = {"id": "178734404591410222", "text": "Thanks!", "timestamp": "2026-01-05T11:00:00+0000", "username": "us"}


def test_instagrams_documented_comments_and_the_replies_inside_them(deliver) -> None:
    comment = COMMENT | {"replies": {"data": [REPLY], "paging": {"cursors": {"after": "x"}}}}
    found = deliver("instagram_comments", {"data": [comment], "paging": {"cursors": {}}})
    assert (found.unknown, found.refused, found.places) == (set(), {}, [1, 2])
    assert found.rows[0] == {
        "interaction_id": "17873440459141021",
        "platform": "instagram",
        "interaction_kind": "comment",
        "occurred_at": datetime(2026, 1, 5, 10),
        "account_id": "232323232",
        "handle": "marta.lind",
        "text": "This is an example.",
        "in_reply_to_id": "17856",
        "by_us": False,
        "extra": '{"media_id":"17856","media_kind":"FEED"}',
    }
    assert found.rows[1] == {
        "interaction_id": "178734404591410222",
        "platform": "instagram",
        "interaction_kind": "reply",
        "occurred_at": datetime(2026, 1, 5, 11),
        "handle": "us",
        "text": "Thanks!",
        "in_reply_to_id": "17873440459141021",
        "by_us": False,
        "extra": '{"media_id":"17856"}',
    }


def test_replies_are_found_in_lines_too(deliver) -> None:
    lines = [COMMENT | {"id": "1", "replies": {"data": [REPLY]}}, COMMENT | {"id": "2"}, COMMENT | {"id": "3"}]
    found = deliver("instagram_comments", "\n".join(map(json.dumps, lines)))
    assert [(place, row["interaction_id"]) for place, row in zip(found.places, found.rows, strict=True)] == [
        (1, "1"), (2, "178734404591410222"), (3, "2"), (4, "3"),
    ]  # fmt: skip


def test_media_with_their_comments(deliver) -> None:
    plain = {name: value for name, value in COMMENT.items() if name != "media"}
    found = deliver("instagram_comments", {"data": [{"id": "17856", "comments": {"data": [plain]}}], "paging": {}})
    assert [(row["interaction_id"], row["in_reply_to_id"]) for row in found.rows] == [("17873440459141021", "17856")]


def test_instagrams_webhook_has_the_time_of_its_entry(deliver) -> None:
    value = {
        "id": "17865799348089039", "text": "Where is it?", "from": {"id": "232323232", "username": "marta.lind"},
        "media": {"id": "17856", "media_product_type": "AD", "ad_id": "6001"}, "parent_id": "1231231234",
    }  # fmt: skip
    changes = [{"field": "comments", "value": value}]
    hook = {"object": "instagram", "entry": [{"id": "90010177253934", "time": 1772000000, "changes": changes}]}
    for content in (json.dumps(hook), json.dumps(hook) + "\n" + json.dumps(hook | {"entry": []}) + "\n"):
        found = deliver("instagram_comments", content)
        assert (found.unknown, found.refused) == (set(), {})
        [row] = found.rows
        assert (row["occurred_at"], row["interaction_kind"]) == (datetime(2026, 2, 25, 6, 13, 20), "reply")
        assert (row["in_reply_to_id"], row["campaign_id"]) == ("1231231234", "6001")


def test_a_mastodon_status_has_one_id_on_every_server(deliver, samples: Path) -> None:
    [status] = json.loads((samples / "mastodon/Status.json").read_text("utf-8"))
    elsewhere = status | {"id": "999", "edited_at": "2019-12-09T00:00:00.000Z"}
    found = deliver("mastodon", {"ancestors": [status], "descendants": [elsewhere]})
    assert found.unknown == set()
    assert [(row["interaction_id"], row["updated_at"]) for row in found.rows] == [
        ("103270115826048975", datetime(2019, 12, 8, 3, 48, 33, 901000)),
        ("103270115826048975", datetime(2019, 12, 9)),
    ]


def test_of_a_private_status_nothing_is_kept_but_that_it_was(deliver) -> None:
    account = {"id": "9", "acct": "marta@other.example", "display_name": "Marta"}
    status = {
        "id": "1", "uri": "https://other.example/users/marta/statuses/1", "created_at": "2026-01-05T10:00:00.000Z",
        "content": "<p>secret</p>", "account": account, "in_reply_to_id": "5",
    }  # fmt: skip
    rows = deliver("mastodon", [status | {"visibility": kind} for kind in ("private", "direct", "unlisted")]).rows
    assert [row.get("handle") for row in rows] == [None, None, "marta@other.example"]
    personal = {"account_id", "handle", "display_name", "text", "url", "in_reply_to_id"}
    assert not (rows[0] | rows[1]).keys() & personal
    assert personal <= rows[2].keys()


def test_a_quote_on_mastodon_is_a_share_with_words_of_its_own(deliver) -> None:
    status = {
        "id": "1", "created_at": "2026-01-05T10:00:00.000Z", "content": "<p>so true</p>", "account": {"id": "9"},
        "quote": {"state": "accepted", "quoted_status": {"id": "7", "content": "<p>others</p>"}},
    }  # fmt: skip
    [row] = deliver("mastodon", status).rows
    assert (row["interaction_kind"], row["in_reply_to_id"], row["text"]) == ("share", "7", "so true")


def a_weibo(**fields: Any) -> dict[str, Any]:
    user = {"id": 1404376560, "idstr": "1404376560", "screen_name": "小明", "followers_count": 1369}
    post = {"idstr": "5100000000000001", "created_at": "Wed Apr 16 18:58:11 +0800 2014", "text": "好", "user": user}
    return post | fields


def test_weibos_pushes_hold_one_status_and_say_when_it_was_taken_back(deliver) -> None:
    said = {
        "id": 1,
        "text": {"type": "status", "event": "add", "status": a_weibo(source="<a href=x>微博 weibo.com</a>")},
    }
    gone = {"id": 2, "text": {"type": "status", "event": "delete", "status": a_weibo()}}
    found = deliver("weibo", json.dumps(said, ensure_ascii=False) + "\n" + json.dumps(gone, ensure_ascii=False) + "\n")
    assert (found.unknown, found.refused) == (set(), {})
    first, second = found.rows
    assert (first["text"], first["extra"]) == ("好", '{"client":"微博 weibo.com"}')
    assert "updated_at" not in first
    assert second["deleted_at"] == datetime(2026, 3, 5)
    assert "text" not in second


def test_weibos_reposts_keep_the_persons_own_words_and_emoticons(deliver) -> None:
    original = {"id": 4999999999999999, "deleted": "1", "text": "抱歉，此微博已被作者删除。"}
    link = "哈哈<img alt=[泪] src='x.png'>//<a href='/n/老王'>@老王</a>:原来如此"
    rows = deliver(
        "weibo",
        [
            a_weibo(text=link, retweeted_status=original),
            a_weibo(text="转发微博", retweeted_status=original),
            a_weibo(text="//@老王:原来如此", retweeted_status=original),
            a_weibo(text="\u200b#茶# [爱你]&gt;&gt;", status=a_weibo(idstr="77"), reply_comment={"idstr": "78"}),
            a_weibo(text="好", status=a_weibo(idstr="77")),
        ],
    ).rows
    assert [(row["interaction_kind"], row.get("in_reply_to_id"), row.get("text")) for row in rows] == [
        ("share", "4999999999999999", "哈哈[泪]"),
        ("share", "4999999999999999", None),
        ("share", "4999999999999999", None),
        ("reply", "78", "#茶# [爱你]>>"),
        ("comment", "77", "好"),
    ]


def test_times_as_they_were_seen_on_weibo_count_from_the_crawl(deliver) -> None:
    told = {
        "刚刚": datetime(2026, 1, 1, 0, 30),
        "5分钟前": datetime(2026, 1, 1, 0, 25),
        "10小时前": datetime(2025, 12, 31, 14, 30),
        "今天 07:05": datetime(2025, 12, 31, 23, 5),
        "昨天 12:30": datetime(2025, 12, 31, 4, 30),
        "11-02": datetime(2025, 11, 1, 16),
        "01-02": datetime(2025, 1, 1, 16),
        "02-29": datetime(2024, 2, 28, 16),
        "2025-11-02 08:00": datetime(2025, 11, 2),
    }
    for seen in ("2026-01-01 08:30:00", "2026-01-01T00:30:00Z", 1767227400, "1767227400000"):
        posts = [a_weibo(idstr=str(n), created_at=text, crawl_time=seen) for n, text in enumerate(told)]
        found = deliver("weibo", posts)
        assert (found.refused, found.unknown) == ({}, set())
        assert [row["occurred_at"] for row in found.rows] == list(told.values())


def test_without_the_moment_of_the_crawl_they_count_from_the_day_of_the_batch(deliver) -> None:
    found = deliver("weibo", [a_weibo(created_at=text) for text in ("5分钟前", "昨天 12:30", "08-25", "00-25", "soon")])
    assert [row["occurred_at"] for row in found.rows] == [
        datetime(2026, 3, 5, 3, 55),
        datetime(2026, 3, 4, 4, 30),
        datetime(2025, 8, 24, 16),
    ]
    assert found.refused == {4: [("occurred_at", "bad_format")], 5: [("occurred_at", "bad_format")]}
