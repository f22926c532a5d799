"""Requests `search` and `history` with `at` on a running server (docs/protocol.md, "Search")."""

from pathlib import Path

import pytest

from tests.support.in_process_server import running_server
from tests.support.raw_client import raw_client


async def test_search_returns_newest_hits_first_in_all_rooms_or_one(tmp_path: Path) -> None:
    async with running_server(tmp_path, rate_limit="off") as server, raw_client(server.url) as ann:
        await ann.join("tea", "ann")
        await ann.join("coffee", "ann")
        for room, text in (("tea", "green leaves"), ("coffee", "green beans"), ("tea", "绿茶很好")):
            await ann.request("sendMessage", {"room": room, "message": text})
        async with raw_client(server.url) as client:
            results = await client.request("search", {"query": "GREEN"})
            assert [(entry["room"], entry["message"]) for entry in results["messages"]] == [
                ("coffee", "green beans"),
                ("tea", "green leaves"),
            ]
            assert results["hasMore"] is False
            assert "next" not in results
            assert "incomplete" not in results
            in_room = await client.request("search", {"query": "茶", "room": "TEA"})
            assert [entry["message"] for entry in in_room["messages"]] == ["绿茶很好"]
            page = await client.request("search", {"query": "green", "limit": 1})
            assert page["hasMore"] is True
            rest = await client.request("search", {"query": "green", "before": page["next"]})
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
async def test_an_invalid_search_is_rejected(tmp_path: Path, request_: dict[str, object], code: str) -> None:
    async with running_server(tmp_path) as server, raw_client(server.url) as ann:
        response = await ann.request("search", request_)
        assert (response["ok"], response["error"]["code"]) == (False, code)


async def test_searches_have_a_separate_rate_limit(tmp_path: Path) -> None:
    async with running_server(tmp_path) as server, raw_client(server.url) as ann:
        await ann.join("tea", "ann")
        responses = [await ann.request("search", {"query": "tea"}) for _ in range(12)]
        assert responses[0]["ok"]
        errors = [response["error"] for response in responses if not response["ok"]]
        assert errors
        assert errors[0]["code"] == "rate_limited"
        assert errors[0]["message"] == "too many searches"
        assert (await ann.request("sendMessage", {"room": "tea", "message": "still"}))["ok"]
        assert (await ann.request("listRooms", {}))["ok"]


async def test_history_with_at_returns_entries_around_the_time(tmp_path: Path) -> None:
    async with running_server(tmp_path, rate_limit="off") as server, raw_client(server.url) as ann:
        await ann.join("tea", "ann")
        sent = [await ann.request("sendMessage", {"room": "tea", "message": str(number)}) for number in range(9)]
        page = await ann.request("history", {"room": "tea", "at": sent[-1]["ts"] + 1, "limit": 3})
        assert [entry["seq"] for entry in page["messages"]] == [7, 8, 9]
        page = await ann.request("history", {"room": "tea", "at": 0, "limit": 3})
        assert [entry["seq"] for entry in page["messages"]] == [1, 2, 3]
        rejected = await ann.request("history", {"room": "tea", "at": 0, "around": 1})
        assert rejected["error"]["code"] == "bad_request"
