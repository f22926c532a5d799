"""The native vocabulary (docs/protocol.md, "Requests") over a real server and a real database."""

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from server.app import RunningServer
from tests.support.in_process_server import running_server
from tests.support.raw_client import RawClient, raw_client


@pytest.fixture
async def server(tmp_path: Path) -> AsyncGenerator[RunningServer]:
    async with running_server(tmp_path, rate_limit="off") as running:
        yield running


@pytest.fixture
async def ann(server: RunningServer) -> AsyncGenerator[RawClient]:
    async with raw_client(server.url) as client:
        yield client


async def say(client: RawClient, *texts: str, room: str = "tea") -> list[dict[str, Any]]:
    return [await client.request("sendMessage", {"room": room, "message": text}) for text in texts]


async def test_the_first_join_tells_all_there_is_to_know(ann: RawClient) -> None:
    joined = await ann.join(" Tea ", "Ann")
    assert joined["room"] == {"name": "Tea", "topic": "", "lastSeq": 0, "visibility": "public"}
    assert (joined["nickName"], joined["messages"], joined["hasMore"]) == ("Ann", [], False)
    assert joined["members"] == [{"memberId": joined["memberId"], "nickName": "Ann", "role": "member"}]
    notice = await ann.wait_for_push("message")
    assert (notice["kind"], notice["nickName"], notice["message"]) == ("join", "Ann", "Ann 加入了 Tea 房间")
    assert "seq" not in notice


async def test_who_joins_later_gets_the_newest_of_what_was_said(server: RunningServer, ann: RawClient) -> None:
    await ann.join("tea", "ann")
    sent = await say(ann, *[str(number) for number in range(60)])
    assert [answer["seq"] for answer in sent] == list(range(1, 61))
    async with raw_client(server.url) as bob:
        joined = await bob.join("TEA", "bob")
        assert (joined["room"]["name"], joined["room"]["lastSeq"], joined["hasMore"]) == ("tea", 60, True)
        assert [entry["seq"] for entry in joined["messages"]] == list(range(11, 61))
        assert joined["messages"][-1] == {
            "kind": "message",
            "room": "tea",
            "seq": 60,
            "id": sent[-1]["id"],
            "nickName": "ann",
            "memberId": joined["messages"][0]["memberId"],
            "message": "59",
            "ts": sent[-1]["ts"],
        }
        resumed = await bob.join("tea", "bob", since=58)
        assert ([entry["seq"] for entry in resumed["messages"]], resumed["hasMore"]) == ([59, 60], False)
        behind = await bob.join("tea", "bob", since=5, limit=10)
        assert ([entry["seq"] for entry in behind["messages"]], behind["hasMore"]) == (list(range(51, 61)), True)


@pytest.mark.parametrize(
    ("place", "seqs", "has_more"),
    [
        ({"before": 4, "limit": 2}, [2, 3], True),
        ({"before": 3, "limit": 5}, [1, 2], False),
        ({"after": 7, "limit": 2}, [8, 9], True),
        ({"after": 8, "limit": 5}, [9, 10], False),
        ({"after": 10}, [], False),
        ({"around": 5, "limit": 3}, [4, 5, 6], True),
    ],
)
async def test_history_pages(ann: RawClient, place: dict[str, int], seqs: list[int], has_more: bool) -> None:
    await ann.join("tea", "ann")
    await say(ann, *"0123456789")
    page = await ann.request("history", {"room": "tea", **place})
    assert ([entry["seq"] for entry in page["messages"]], page["hasMore"], page["lastSeq"]) == (seqs, has_more, 10)


async def test_a_guest_key_brings_back_the_same_member_even_beside_its_dead_connection(
    server: RunningServer, ann: RawClient
) -> None:
    first = await ann.join("tea", "ann")
    async with raw_client(server.url) as again, raw_client(server.url) as stranger:
        second = await again.join("tea", "ann", guestKey=first["guestKey"])
        assert (second["memberId"], second["nickName"]) == (first["memberId"], "ann")
        assert len(second["members"]) == 1
        assert (await stranger.join("tea", "ann"))["nickName"] == "ann2"
        assert (await stranger.join("x", "y", guestKey="forged.key"))["memberId"] != first["memberId"]


async def test_a_guest_is_the_same_member_after_the_server_was_restarted(tmp_path: Path) -> None:
    async with running_server(tmp_path) as server, raw_client(server.url) as ann:
        first = await ann.join("tea", "ann")
        await say(ann, "before")
    async with running_server(tmp_path) as server, raw_client(server.url) as ann:
        again = await ann.join("tea", "ann", guestKey=first["guestKey"], since=0)
        assert again["memberId"] == first["memberId"]
        assert [entry["message"] for entry in again["messages"]] == ["before"]
        assert (await say(ann, "after"))[0]["seq"] == 2


async def test_a_new_nickname_is_told_to_the_room_and_kept_unique(server: RunningServer, ann: RawClient) -> None:
    await ann.join("tea", "ann")
    async with raw_client(server.url) as bob:
        bobs = await bob.join("tea", "bob")
        assert (await bob.request("changeNick", {"nickName": "ANN"}))["nickName"] == "ANN2"
        while (notice := await ann.wait_for_push("message"))["kind"] != "nick":
            pass
        assert (notice["oldNickName"], notice["nickName"], notice["memberId"]) == ("bob", "ANN2", bobs["memberId"])
        renames: list[Any] = []
        while not renames:
            presence = await ann.wait_for_push("presence")
            renames = presence["renamed"] or [member for member in presence["joined"] if member["nickName"] == "ANN2"]
        assert renames[0]["memberId"] == bobs["memberId"]
        assert (await bob.request("changeNick", {"nickName": "\x00"}))["error"]["code"] == "nick_invalid"


async def test_typing_is_told_to_the_others_only(server: RunningServer, ann: RawClient) -> None:
    await ann.join("tea", "ann")
    async with raw_client(server.url) as bob:
        bobs = await bob.join("tea", "bob")
        assert (await bob.request("typing", {"room": "tea", "on": True}))["ok"]
        assert await ann.wait_for_push("typing") == {"room": "tea", "memberId": bobs["memberId"], "on": True}
        await bob.request("listRooms", {})
        assert not [packet for packet in bob.pushes if '"typing"' in packet]


async def test_rooms_are_listed_with_who_is_there(server: RunningServer, ann: RawClient) -> None:
    await ann.join("tea", "ann")
    await ann.join("Coffee", "ann")
    await say(ann, "hi")
    async with raw_client(server.url) as bob:
        await bob.join("Coffee", "bob")
        await ann.request("leaveRoom", {"room": "tea"})
        listed = (await bob.request("listRooms", {}))["rooms"]
        assert listed == [
            {"name": "Coffee", "topic": "", "members": 2, "lastSeq": 0},
            {"name": "tea", "topic": "", "members": 0, "lastSeq": 1},
        ]
        assert [room["name"] for room in (await bob.request("listRooms", {"query": "TE"}))["rooms"]] == ["tea"]
        assert [room["name"] for room in (await bob.request("listRooms", {"query": "COF"}))["rooms"]] == ["Coffee"]


async def test_who_left_hears_nothing_more_and_may_not_send(server: RunningServer, ann: RawClient) -> None:
    await ann.join("tea", "ann")
    async with raw_client(server.url) as bob:
        await bob.join("tea", "bob")
        assert (await bob.request("leaveRoom", {"room": "tea"}))["ok"]
        await say(ann, "are you gone?")
        refused = await bob.request("sendMessage", {"room": "tea", "message": "no"})
        assert refused["error"]["code"] == "not_joined"
        assert not [packet for packet in bob.pushes if "are you gone" in packet]
        assert (await bob.request("leaveRoom", {"room": "tea"}))["error"]["code"] == "not_joined"


async def test_edits_deletions_reactions_and_topics_are_entries_of_the_log(
    server: RunningServer, ann: RawClient
) -> None:
    mine = await ann.join("tea", "ann")
    await say(ann, "helo", "oops")
    assert (await ann.request("editMessage", {"room": "tea", "seq": 1, "message": "hello"}))["revision"] == 3
    assert (await ann.request("deleteMessage", {"room": "tea", "seq": 2}))["revision"] == 4
    assert (await ann.request("react", {"room": "tea", "seq": 1, "emoji": "👍", "on": True}))["revision"] == 5
    assert (await ann.request("setTopic", {"room": "tea", "topic": "leaves"}))["revision"] == 6
    updates = [await ann.wait_for_push("update") for _ in range(4)]
    assert [(update["kind"], update["seq"], update.get("target")) for update in updates] == [
        ("edit", 3, 1),
        ("delete", 4, 2),
        ("reaction", 5, 1),
        ("topic", 6, None),
    ]
    async with raw_client(server.url) as bob:
        joined = await bob.join("tea", "bob")
        first, second = joined["messages"][:2]
        assert (first["message"], first["edited"], first["reactions"]) == ("hello", 3, {"👍": [mine["memberId"]]})
        assert (second["message"], second["deleted"]) == ("", True)
        assert joined["room"]["topic"] == "leaves"
        refused = await bob.request("editMessage", {"room": "tea", "seq": 1, "message": "mine now"})
        assert refused["error"]["code"] == "forbidden"
        missing = await bob.request("react", {"room": "tea", "seq": 99, "emoji": "👍", "on": True})
        assert missing["error"]["code"] == "not_found"


async def test_a_reply_names_a_message_that_exists(ann: RawClient) -> None:
    await ann.join("tea", "ann")
    await say(ann, "question")
    assert (await ann.request("sendMessage", {"room": "tea", "message": "answer", "replyTo": 1}))["ok"]
    refused = await ann.request("sendMessage", {"room": "tea", "message": "answer", "replyTo": 50})
    assert refused["error"]["code"] == "not_found"
    page = await ann.request("history", {"room": "tea", "after": 1})
    assert [entry["replyTo"] for entry in page["messages"]] == [1]
