"""`search` and `history at` over a real server (docs/protocol.md, "Searching")."""

from pathlib import Path

import pytest

from tests.support.in_process_server import running_server
from tests.support.raw_client import raw_client


async def test_what_was_said_is_found_newest_first_in_all_rooms_or_one(tmp_path: Path) -> None:
    async with running_server(tmp_path, rate_limit="off") as server, raw_client(server.url) as ann:
        await ann.join("tea", "ann")
        await ann.join("coffee", "ann")
        for room, text in (("tea", "green leaves"), ("coffee", "green beans"), ("tea", "绿茶很好")):
            await ann.request("sendMessage", {"room": room, "message": text})
        async with raw_client(server.url) as stranger:
            found = await stranger.request("search", {"query": "GREEN"})
            assert [(entry["room"], entry["message"]) for entry in found["messages"]] == [
                ("coffee", "green beans"),
                ("tea", "green leaves"),
            ]
            assert found["hasMore"] is False
            assert "next" not in found
            assert "incomplete" not in found
            one = await stranger.request("search", {"query": "茶", "room": "TEA"})
            assert [entry["message"] for entry in one["messages"]] == ["绿茶很好"]
            page = await stranger.request("search", {"query": "green", "limit": 1})
            assert page["hasMore"] is True
            rest = await stranger.request("search", {"query": "green", "before": page["next"]})
            assert [entry["message"] for entry in rest["messages"]] == ["green leaves"]


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        ({"query": "中" * 251}, "too_long"),
        ({"query": " \t"}, "bad_request"),
        ({"query": "tea", "limit": 101}, "bad_request"),
        ({"query": "tea", "before": 0}, "bad_request"),
        ({"query": 5}, "bad_request"),
        ({"query": "tea", "room": "nowhere"}, "not_found"),
    ],
)
async def test_a_search_that_cannot_be_made_is_refused(tmp_path: Path, request_: dict[str, object], code: str) -> None:
    async with running_server(tmp_path) as server, raw_client(server.url) as ann:
        answer = await ann.request("search", request_)
        assert (answer["ok"], answer["error"]["code"]) == (False, code)


async def test_searches_have_a_rate_of_their_own(tmp_path: Path) -> None:
    async with running_server(tmp_path) as server, raw_client(server.url) as ann:
        await ann.join("tea", "ann")
        answers = [await ann.request("search", {"query": "tea"}) for _ in range(12)]
        assert answers[0]["ok"]
        refused = [answer["error"] for answer in answers if not answer["ok"]]
        assert refused
        assert refused[0]["code"] == "rate_limited"
        assert refused[0]["message"] == "too many searches"
        assert (await ann.request("sendMessage", {"room": "tea", "message": "still"}))["ok"]
        assert (await ann.request("listRooms", {}))["ok"]


async def test_history_begins_at_a_time(tmp_path: Path) -> None:
    async with running_server(tmp_path, rate_limit="off") as server, raw_client(server.url) as ann:
        await ann.join("tea", "ann")
        sent = [await ann.request("sendMessage", {"room": "tea", "message": str(number)}) for number in range(9)]
        page = await ann.request("history", {"room": "tea", "at": sent[-1]["ts"] + 1, "limit": 3})
        assert [entry["seq"] for entry in page["messages"]] == [7, 8, 9]
        page = await ann.request("history", {"room": "tea", "at": 0, "limit": 3})
        assert [entry["seq"] for entry in page["messages"]] == [1, 2, 3]
        refused = await ann.request("history", {"room": "tea", "at": 0, "around": 1})
        assert refused["error"]["code"] == "bad_request"
