"""Requests `search` and `history` with `at` on a running server (docs/protocol.md, "Search")."""

from pathlib import Path

import pytest

from tests.support.in_process_server import running_server
from tests.support.raw_client import raw_client
from tests.support.storage import ManualClock


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
            rest = await client.request("search", {"query": "green", "cursor": page["next"]})
            assert [entry["message"] for entry in rest["messages"]] == ["green leaves"]


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        ({"query": "中" * 251}, "too_long"),
        ({"query": " \t"}, "bad_request"),
        ({"query": "tea", "limit": 101}, "bad_request"),
        ({"query": "tea", "cursor": 5}, "bad_request"),
        ({"query": "tea", "cursor": "x" * 129}, "bad_request"),
        ({"query": 5}, "bad_request"),
        ({"query": "tea", "room": "nowhere"}, "not_found"),
    ],
)
async def test_an_invalid_search_is_rejected(tmp_path: Path, request_: dict[str, object], code: str) -> None:
    async with running_server(tmp_path) as server, raw_client(server.url) as ann:
        response = await ann.request("search", request_)
        assert (response["ok"], response["error"]["code"]) == (False, code)


@pytest.mark.parametrize("query", ["green", "-"])
async def test_messages_that_arrive_between_pages_do_not_change_the_older_pages(tmp_path: Path, query: str) -> None:
    async with running_server(tmp_path, rate_limit="off") as server, raw_client(server.url) as ann:
        sent: list[tuple[str, str]] = []

        async def send(room: str, text: str) -> None:
            await ann.request("sendMessage", {"room": room, "message": text})
            sent.insert(0, (room, text))

        for room in ("tea", "coffee"):
            await ann.join(room, "ann")
        for number in range(12):
            await send(("tea", "coffee")[number % 3 == 0], f"green - {number}")
        for room in ("tea", None):
            expected = [message for message in sent if room in {None, message[0]}]
            found: list[tuple[str, str]] = []
            request = {"query": query, "room": room, "limit": 3, "cursor": None}
            while True:
                page = await ann.request("search", request)
                found += [(message["room"], message["message"]) for message in page["messages"]]
                assert page["hasMore"] == ("next" in page)
                if "next" not in page:
                    break
                request["cursor"] = page["next"]
                for new_room in ("tea", "coffee"):
                    await send(new_room, f"green - new {len(sent)}")
            assert found == expected


async def test_a_cursor_is_valid_only_for_its_search_and_survives_a_restart(tmp_path: Path) -> None:
    green_tea = {"query": "green", "room": "TEA", "limit": 1}
    async with running_server(tmp_path / "other", rate_limit="off") as server, raw_client(server.url) as ann:
        await ann.join("tea", "ann")
        await ann.send_messages("tea", ["green 1", "green 2"])
        foreign_cursor = (await ann.request("search", green_tea))["next"]
    async with running_server(tmp_path / "chat", rate_limit="off") as server, raw_client(server.url) as ann:
        await ann.join("tea", "ann")
        await ann.send_messages("tea", ["green 1", "green 2"])
        await ann.join("coffee", "ann")
        cursor = (await ann.request("search", green_tea))["next"]
        swapped = cursor[:12].swapcase() + cursor[12:]
        for request in (
            *(
                {**green_tea, "cursor": invalid}
                for invalid in (foreign_cursor, swapped, cursor[:-1], "", "茶", "2", "====")
            ),
            {**green_tea, "room": "coffee", "cursor": cursor},
            {"query": "green", "cursor": cursor},
            {**green_tea, "query": "gree", "cursor": cursor},
        ):
            error = (await ann.request("search", request))["error"]
            assert (error["code"], error["reason"]) == ("bad_request", "cursor_invalid"), request
    async with running_server(tmp_path / "chat", rate_limit="off") as server, raw_client(server.url) as bob:
        page = await bob.request("search", {**green_tea, "room": "tea", "limit": 50, "cursor": cursor})
        assert [message["message"] for message in page["messages"]] == ["green 1"]


async def test_searches_have_a_separate_rate_limit(tmp_path: Path) -> None:
    async with running_server(tmp_path) as server, raw_client(server.url) as ann:
        await ann.join("tea", "ann")
        request_ids = range(100, 130)
        for request_id in request_ids:
            await ann.ws.send_str(f'42{request_id}["search",{{"query":"tea"}}]')
        responses = [await ann.read_response(request_id) for request_id in request_ids]
        assert responses[0]["ok"]
        errors = [response["error"] for response in responses if not response["ok"]]
        assert errors
        assert errors[0]["code"] == "rate_limited"
        assert errors[0]["message"] == "too many searches"
        assert (await ann.request("sendMessage", {"room": "tea", "message": "still"}))["ok"]
        assert (await ann.request("listRooms", {}))["ok"]


async def test_history_with_at_returns_entries_around_the_time(tmp_path: Path) -> None:
    clock = ManualClock()
    start = clock.now
    async with running_server(tmp_path, rate_limit="off", now=clock) as server, raw_client(server.url) as ann:
        await ann.join("tea", "ann")
        for number in range(9):
            clock.now += 1000
            await ann.request("sendMessage", {"room": "tea", "message": str(number)})
        for at, seqs in ((0, [1, 2, 3]), (start + 4500, [4, 5, 6]), (clock.now + 1, [7, 8, 9])):
            page = await ann.request("history", {"room": "tea", "at": at, "limit": 3})
            assert [entry["seq"] for entry in page["messages"]] == seqs
        rejected = await ann.request("history", {"room": "tea", "at": 0, "around": 1})
        assert rejected["error"]["code"] == "bad_request"
