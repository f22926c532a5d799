"""Native dialect (docs/protocol.md, "Requests") on a running server with a database file."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from server.app import RunningServer
from tests.support.in_process_server import running_server
from tests.support.raw_client import RawClient, raw_client


async def send_messages(client: RawClient, *texts: str, room: str = "tea") -> list[dict[str, Any]]:
    """Send messages and return the responses, including errors."""
    return [await client.request("sendMessage", {"room": room, "message": text}) for text in texts]


async def test_a_join_returns_room_and_members_and_sends_a_join_notice(client: RawClient) -> None:
    joined = await client.join(" Tea ", "Ann")
    assert joined["room"].pop("logId")
    assert joined["room"] == {"name": "Tea", "topic": "", "firstSeq": 1, "lastSeq": 0, "visibility": "public"}
    assert (joined["nickName"], joined["messages"], joined["hasMore"]) == ("Ann", [], False)
    assert joined["members"] == [{"memberId": joined["memberId"], "nickName": "Ann", "role": "member"}]
    notice = await client.wait_for_push("message")
    assert (notice["kind"], notice["nickName"], notice["message"]) == ("join", "Ann", "Ann 加入了 Tea 房间")
    assert "seq" not in notice


async def test_a_join_response_contains_the_newest_messages(server: RunningServer, client: RawClient) -> None:
    await client.join("tea", "ann")
    sent = await send_messages(client, *[str(number) for number in range(60)])
    assert [response["seq"] for response in sent] == list(range(1, 61))
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
            "n": 60,
            "ts": sent[-1]["ts"],
        }
        resumed = await bob.join("tea", "bob", since=58)
        assert ([entry["seq"] for entry in resumed["messages"]], resumed["hasMore"]) == ([59, 60], False)
        limited = await bob.join("tea", "bob", since=5, limit=10)
        assert ([entry["seq"] for entry in limited["messages"]], limited["hasMore"]) == (list(range(51, 61)), True)


async def test_history_returns_pages_before_after_and_around_an_entry(client: RawClient) -> None:
    await client.join("tea", "ann")
    await send_messages(client, *"0123456789")
    for position, seqs, has_more in (
        ({"before": 4, "limit": 2}, [2, 3], True),
        ({"before": 3, "limit": 5}, [1, 2], False),
        ({"after": 7, "limit": 2}, [8, 9], True),
        ({"after": 8, "limit": 5}, [9, 10], False),
        ({"after": 10}, [], False),
        ({"around": 5, "limit": 3}, [4, 5, 6], True),
    ):
        page = await client.request("history", {"room": "tea", **position})
        found = ([entry["seq"] for entry in page["messages"]], page["hasMore"], page["lastSeq"])
        assert found == (seqs, has_more, 10), position


async def test_a_guest_key_joins_a_second_connection_to_the_same_member(
    server: RunningServer, client: RawClient
) -> None:
    first = await client.join("tea", "ann")
    async with raw_client(server.url) as second_client, raw_client(server.url) as other_client:
        second = await second_client.join("tea", "ann", guestKey=first["guestKey"])
        assert (second["memberId"], second["nickName"]) == (first["memberId"], "ann")
        assert len(second["members"]) == 1
        assert (await other_client.join("tea", "ann"))["nickName"] == "ann2"
        assert (await other_client.join("x", "y", guestKey="forged.key"))["memberId"] != first["memberId"]


async def test_a_guest_key_is_valid_after_a_server_restart(tmp_path: Path) -> None:
    async with running_server(tmp_path) as server, raw_client(server.url) as client:
        first = await client.join("tea", "ann")
        await send_messages(client, "before")
    async with running_server(tmp_path) as server, raw_client(server.url) as client:
        rejoined = await client.join("tea", "ann", guestKey=first["guestKey"], since=0)
        assert rejoined["memberId"] == first["memberId"]
        assert [entry["message"] for entry in rejoined["messages"]] == ["before"]
        assert (await send_messages(client, "after"))[0]["seq"] == 2


async def test_a_nickname_change_is_announced_and_made_unique(server: RunningServer, client: RawClient) -> None:
    await client.join("tea", "ann")
    async with raw_client(server.url) as bob:
        joined = await bob.join("tea", "bob")
        assert (await bob.request("changeNick", {"nickName": "ANN"}))["nickName"] == "ANN2"
        notice = await client.wait_for_push("message", kind="nick")
        assert (notice["oldNickName"], notice["nickName"], notice["memberId"]) == ("bob", "ANN2", joined["memberId"])
        renames: list[Any] = []
        while not renames:
            presence = await client.wait_for_push("presence")
            renames = presence["renamed"] or [member for member in presence["joined"] if member["nickName"] == "ANN2"]
        assert renames[0]["memberId"] == joined["memberId"]
        assert (await bob.request("changeNick", {"nickName": "\x00"}))["error"]["code"] == "nick_invalid"


async def test_typing_is_sent_to_other_members_only(server: RunningServer, client: RawClient) -> None:
    await client.join("tea", "ann")
    async with raw_client(server.url) as bob:
        joined = await bob.join("tea", "bob")
        assert (await bob.request("typing", {"room": "tea", "on": True}))["ok"]
        assert await client.wait_for_push("typing") == {"room": "tea", "memberId": joined["memberId"], "on": True}
        await bob.request("listRooms", {})
        assert not [packet for packet in bob.pushes if '"typing"' in packet]


async def test_the_room_list_contains_member_counts_and_filters_by_query(
    server: RunningServer, client: RawClient
) -> None:
    await client.join("tea", "ann")
    await client.join("Coffee", "ann")
    await send_messages(client, "hi")
    async with raw_client(server.url) as bob:
        await bob.join("Coffee", "bob")
        await client.request("leaveRoom", {"room": "tea"})
        listed = (await bob.request("listRooms", {}))["rooms"]
        assert listed == [
            {"name": "Coffee", "topic": "", "members": 2, "lastSeq": 0},
            {"name": "tea", "topic": "", "members": 0, "lastSeq": 1},
        ]
        assert [room["name"] for room in (await bob.request("listRooms", {"query": "TE"}))["rooms"]] == ["tea"]
        assert [room["name"] for room in (await bob.request("listRooms", {"query": "COF"}))["rooms"]] == ["Coffee"]


async def test_rooms_beyond_the_first_page_have_topic_and_position(server: RunningServer, client: RawClient) -> None:
    await client.join("Straße", "ann")
    assert (await client.request("setTopic", {"room": "Straße", "topic": "Über Bäume"}))["ok"]
    await client.join("unwritten Straße", "ann")
    async with raw_client(server.url) as bob:
        await bob.join("newer", "bob")
        await send_messages(bob, "hi", room="newer")
        await bob.request("leaveRoom", {"room": "newer"})
        for query in ("STRASSE", "ｓtraße", "ÜBER B", "ｂÄUME", None):
            listed = (await bob.request("listRooms", {"limit": 1, **({"query": query} if query else {})}))["rooms"]
            assert listed == [{"name": "Straße", "topic": "Über Bäume", "members": 1, "lastSeq": 1}]
        listed = (await bob.request("listRooms", {"query": "ＳtraSSe"}))["rooms"]
        assert [(room["name"], room["lastSeq"]) for room in listed] == [("Straße", 1), ("unwritten Straße", 0)]


async def test_a_former_member_receives_no_pushes_and_cannot_send(server: RunningServer, client: RawClient) -> None:
    await client.join("tea", "ann")
    async with raw_client(server.url) as bob:
        await bob.join("tea", "bob")
        assert (await bob.request("leaveRoom", {"room": "tea"}))["ok"]
        await send_messages(client, "are you gone?")
        rejected = await bob.request("sendMessage", {"room": "tea", "message": "no"})
        assert rejected["error"]["code"] == "not_joined"
        assert not [packet for packet in bob.pushes if "are you gone" in packet]
        assert (await bob.request("leaveRoom", {"room": "tea"}))["error"]["code"] == "not_joined"


async def test_a_repeated_change_with_a_client_id_changes_nothing(server: RunningServer, client: RawClient) -> None:
    await client.join("tea", "ann")
    await send_messages(client, "one")
    requests: list[tuple[str, dict[str, Any]]] = [
        ("editMessage", {"seq": 1, "message": "two"}),
        ("react", {"seq": 1, "emoji": "👍", "on": True}),
        ("setTopic", {"topic": "leaves"}),
        ("deleteMessage", {"seq": 1}),
    ]
    for revision, (event, fields) in enumerate(requests, 2):
        request = {"room": "tea", "clientId": str(uuid4()), **fields}
        assert [(await client.request(event, request))["revision"] for _ in range(2)] == [revision, revision]
    async with raw_client(server.url) as bob:
        await bob.join("tea", "bob")
        await bob.request("setTopic", {"room": "tea", "topic": "mine", "clientId": (client_id := str(uuid4()))})
        refused = await client.request("setTopic", {"room": "tea", "topic": "taken", "clientId": client_id})
        assert (refused["error"]["code"], refused["error"]["reason"]) == ("conflict", "client_id_in_use")


async def test_a_room_has_one_log_id_before_and_after_its_first_entry(server: RunningServer, client: RawClient) -> None:
    joined = (await client.join("tea", "ann"))["room"]
    empty_page = await client.request("history", {"room": "tea", "before": 9})
    await send_messages(client, "first")
    page = await client.request("history", {"room": "tea", "before": 9})
    async with raw_client(server.url) as bob:
        rejoined = (await bob.join("TEA", "bob"))["room"]
        other = (await bob.join("coffee", "bob"))["room"]
    assert {joined["logId"]} == {empty_page["logId"], page["logId"], rejoined["logId"]}
    assert other["logId"] != joined["logId"]
    assert [state["firstSeq"] for state in (joined, empty_page, page, rejoined)] == [1, 1, 1, 1]


async def test_edits_deletions_reactions_and_topics_are_log_entries(server: RunningServer, client: RawClient) -> None:
    own = await client.join("tea", "ann")
    await send_messages(client, "helo", "oops")
    assert (await client.request("editMessage", {"room": "tea", "seq": 1, "message": "hello"}))["revision"] == 3
    assert (await client.request("deleteMessage", {"room": "tea", "seq": 2}))["revision"] == 4
    assert (await client.request("react", {"room": "tea", "seq": 1, "emoji": "👍", "on": True}))["revision"] == 5
    assert (await client.request("setTopic", {"room": "tea", "topic": "leaves"}))["revision"] == 6
    updates = [await client.wait_for_push("update") for _ in range(4)]
    assert [(update["kind"], update["seq"], update.get("target")) for update in updates] == [
        ("edit", 3, 1),
        ("delete", 4, 2),
        ("reaction", 5, 1),
        ("topic", 6, None),
    ]
    async with raw_client(server.url) as bob:
        joined = await bob.join("tea", "bob")
        first, second = joined["messages"][:2]
        assert (first["message"], first["edited"], first["reactions"]) == (
            *("hello", 3),
            {"👍": {"count": 1, "by": [{"memberId": own["memberId"], "nickName": "ann"}], "own": False}},
        )
        assert (second["message"], second["deleted"]) == ("", True)
        assert joined["room"]["topic"] == "leaves"


async def test_edits_by_other_members_and_changes_of_unknown_messages_are_rejected(
    server: RunningServer, client: RawClient
) -> None:
    await client.join("tea", "ann")
    await send_messages(client, "hello")
    async with raw_client(server.url) as bob:
        await bob.join("tea", "bob")
        rejected = await bob.request("editMessage", {"room": "tea", "seq": 1, "message": "mine now"})
        assert rejected["error"]["code"] == "forbidden"
        missing = await bob.request("react", {"room": "tea", "seq": 99, "emoji": "👍", "on": True})
        assert missing["error"]["code"] == "not_found"


async def test_invisible_messages_are_rejected_and_invisible_topics_are_empty(client: RawClient) -> None:
    await client.join("tea", "ann")
    (sent,) = await send_messages(client, "visible")
    for invisible in ("\u2800", "\u3164 \u115f", "\u00ad", "\u200b\u200d", "\ufe0f", "\U000e0067\U000e007f"):
        (posted,) = await send_messages(client, invisible)
        edited = await client.request("editMessage", {"room": "tea", "seq": sent["seq"], "message": invisible})
        assert (posted["error"]["reason"], edited["error"]["reason"]) == ("message_empty", "message_empty")
        joined = await client.request("joinRoom", {"roomName": invisible, "nickName": "ann"})
        assert joined["error"]["code"] == "room_invalid"
        await client.request("setTopic", {"room": "tea", "topic": "green"})
        assert (await client.wait_for_push("update"))["topic"] == "green"
        await client.request("setTopic", {"room": "tea", "topic": invisible})
        assert (await client.wait_for_push("update"))["topic"] == ""


async def test_a_reply_requires_an_existing_message(client: RawClient) -> None:
    await client.join("tea", "ann")
    await send_messages(client, "question")
    assert (await client.request("sendMessage", {"room": "tea", "message": "answer", "replyTo": 1}))["ok"]
    rejected = await client.request("sendMessage", {"room": "tea", "message": "answer", "replyTo": 50})
    assert rejected["error"]["code"] == "not_found"
    page = await client.request("history", {"room": "tea", "after": 1})
    assert [entry["replyTo"] for entry in page["messages"]] == [1]


async def test_presence_contains_the_number_of_members_after_a_short_visit(
    server: RunningServer, client: RawClient
) -> None:
    await client.join("tea", "ann")
    assert (await client.wait_for_push("presence"))["memberCount"] == 1
    async with raw_client(server.url) as visitor:
        visitor_id = (await visitor.join("tea", "bob"))["memberId"]
        await visitor.request("leaveRoom", {"room": "tea"})
        while visitor_id not in (push := await client.wait_for_push("presence"))["left"]:
            pass
        assert push["memberCount"] == 1


async def test_confusable_nicknames_are_marked_in_members_and_presence(
    server: RunningServer, client: RawClient
) -> None:
    await client.join("tea", "Ann")
    async with raw_client(server.url) as impostor:
        joined = await impostor.join("tea", "\u0410nn")
        assert [member.get("confusable") for member in joined["members"]] == [None, True]
        marks: dict[str, Any] = {}
        while "\u0410nn" not in marks:
            changes = (await client.wait_for_push("presence"))["joined"]
            marks |= {member["nickName"]: member.get("confusable") for member in changes}
        assert marks == {"Ann": None, "\u0410nn": True}
        notices = [await client.wait_for_push("message") for _ in range(2)]
        assert [notice.get("confusable") for notice in notices] == [None, True]
        await impostor.request("changeNick", {"nickName": "bob"})
        renamed: list[dict[str, Any]] = []
        while not renamed:
            renamed = (await client.wait_for_push("presence"))["renamed"]
        assert renamed == [{"memberId": joined["memberId"], "nickName": "bob"}]


async def wait_for_status(client: RawClient, member_id: str) -> str | None:
    """Return `away` of a member in the next presence push that contains the member."""
    while True:
        joined = (await client.wait_for_push("presence"))["joined"]
        for member in joined:
            if member["memberId"] == member_id:
                return member.get("away")


async def test_a_status_applies_to_all_rooms_and_connections_of_a_member(
    server: RunningServer, client: RawClient
) -> None:
    await client.join("tea", "ann")
    async with raw_client(server.url) as bob, raw_client(server.url) as second_bob:
        joined = await bob.join("tea", "bob")
        member_id = joined["memberId"]
        assert await wait_for_status(client, member_id) is None
        assert (await bob.request("setStatus", {"away": True, "text": " lunch\n\u202e"}))["ok"]
        assert await wait_for_status(client, member_id) == "lunch"
        elsewhere = await second_bob.join("coffee", "bob", guestKey=joined["guestKey"])
        assert [member.get("away") for member in elsewhere["members"]] == ["lunch"]
        assert (await second_bob.request("setStatus", {"away": True}))["ok"]
        assert await wait_for_status(client, member_id) == ""
        assert [member.get("away") for member in (await client.join("tea", "ann"))["members"]] == [None, ""]
        assert (await second_bob.request("setStatus", {"away": False, "text": "ignored"}))["ok"]
        assert await wait_for_status(client, member_id) is None


async def test_a_status_ends_with_the_last_connection(server: RunningServer, client: RawClient) -> None:
    await client.join("tea", "ann")
    async with raw_client(server.url) as bob:
        joined = await bob.join("tea", "bob")
        assert (await bob.request("setStatus", {"away": True, "text": "lunch"}))["ok"]
        async with raw_client(server.url) as second_bob:
            again = await second_bob.join("tea", "bob", guestKey=joined["guestKey"])
            await bob.request("leaveRoom", {"room": "tea"})
            assert [member.get("away") for member in again["members"]] == [None, "lunch"]
            await second_bob.request("leaveRoom", {"room": "tea"})
        again = await bob.join("tea", "bob", guestKey=joined["guestKey"])
        assert [member.get("away") for member in again["members"]] == [None, None]


async def test_an_invalid_status_changes_nothing(client: RawClient) -> None:
    await client.join("tea", "ann")
    too_long = (await client.request("setStatus", {"away": True, "text": "x" * 101}))["error"]
    assert (too_long["code"], too_long["params"]) == ("too_long", {"limit": 100, "count": 101})
    assert (await client.request("setStatus", {"text": "lunch"}))["error"]["code"] == "bad_request"
    assert [member.get("away") for member in (await client.join("tea", "ann"))["members"]] == [None]


@pytest.mark.parametrize("nick", ["❤️", "☕️", "👩‍💻", "Ann 👩‍💻"])
async def test_emoji_of_phone_keyboards_are_valid_names(client: RawClient, nick: str) -> None:
    joined = await client.join(nick, nick)
    assert joined["nickName"] == joined["room"]["name"] == nick.replace("\ufe0f", "")
    assert (await client.request("sendMessage", {"room": nick, "message": "hi"}))["seq"] == 1


@pytest.mark.parametrize(
    ("room", "nick", "code"),
    [
        ("&audits", "ann", "room_invalid"),
        ("~x", "ann", "room_invalid"),
        ("tea", "everyone", "nick_invalid"),
        ("tea", "join: bob left", "nick_invalid"),
    ],
)
async def test_reserved_and_misleading_names_are_rejected(client: RawClient, room: str, nick: str, code: str) -> None:
    response = await client.request("joinRoom", {"roomName": room, "nickName": nick})
    assert response["error"]["code"] == code
