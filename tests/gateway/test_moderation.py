"""Moderation on a real server: kicks, mutes, roles, deletions for others and the audit."""

import asyncio
import json
from itertools import product
from typing import Any

import pytest

from server.gateway.presence_broadcaster import PresenceBroadcaster
from tests.support.accounts import create_account
from tests.support.moderated_room import ModeratedRoom
from tests.support.raw_client import RawClient, raw_client
from tui_chat.protocol.errors import Unavailable

REQUESTS: dict[str, dict[str, Any]] = {
    "kick": {},
    "ban": {},
    "unban": {},
    "mute": {},
    "unmute": {},
    "setRole": {"role": "member"},
}


async def test_no_person_moderates_a_person_of_the_same_or_a_higher_role(room: ModeratedRoom) -> None:
    admin = await room.add("admin1", "admin")
    await room.add("admin2", "admin")
    for name in ("moderator1", "moderator2"):
        await room.add_moderator(name, admin)
    for name in ("member1", "member2"):
        await room.add(name, "account")
    for name in ("guest1", "guest2"):
        await room.add(name)
    ranks = {"guest": 0, "member": 1, "moderator": 2, "admin": 3}
    seqs = {name: await person.send() for name, person in room.persons.items()}
    for (actor_name, actor), (target_name, target) in product(room.persons.items(), repeat=2):
        actor_rank, target_rank = ranks[actor_name[:-1]], ranks[target_name[:-1]]
        if actor_rank >= 2 and actor_rank > target_rank:
            continue
        expected = "rank_too_low" if actor_rank >= 2 else "moderators_only"
        for event, fields in REQUESTS.items():
            if event != "setRole":
                assert await actor.attempt(event, memberId=target.member_id, **fields) == expected
            elif actor is not target:
                reason = await actor.attempt(event, memberId=target.member_id, **fields)
                assert reason == ("rank_too_low" if actor_rank == 3 else "owner_only")
        if actor is not target:
            reason = await actor.attempt("deleteMessage", seq=seqs[target_name])
            assert reason == ("rank_too_low" if actor_rank >= 2 else "delete_not_author")
    assert all(not entry.get("deleted") for entry in await admin.read_log())
    assert {entry["kind"] for entry in await admin.read_log() if entry["memberId"] != admin.member_id} <= {
        "message",
        "member",
    }


async def test_a_kicked_member_leaves_on_all_connections_and_may_join_again(room: ModeratedRoom) -> None:
    admin, ann = await room.add("root", "admin"), await room.add("ann")
    async with raw_client(room.server.url) as second:
        await second.join("tea", "ann", guestKey=ann.guest_key)
        assert await admin.attempt("kick", memberId=ann.member_id, reason="spam\n") == ""
        for client in (ann.client, second):
            entry = await client.wait_for_push("update")
            assert (entry["kind"], entry["action"], entry["reason"]) == ("member", "kicked", "spam")
            assert entry["target"] == {"memberId": ann.member_id, "nickName": "ann"}
            error = await client.wait_for_push("error")
            assert (error["code"], error["reason"], error["params"]) == ("forbidden", "member_kicked", {"room": "tea"})
            assert (await client.request("sendMessage", {"room": "tea", "message": "hi"}))["error"]["reason"] == (
                "room_not_joined"
            )
    assert (await admin.client.wait_for_push("message", kind="leave"))["memberId"] == ann.member_id
    assert await ann.join() == ""
    assert await ann.send()


async def read_joined_nicks(client: RawClient) -> dict[str, str]:
    """Return the joined members of the next presence push of `tea`, as nicknames by member id."""
    push = await client.wait_for_push("presence", room="tea")
    return {member["memberId"]: member["nickName"] for member in push["joined"]}


async def test_a_failed_or_interrupted_nickname_change_leaves_no_nickname_behind(
    room: ModeratedRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin, ben = await room.add("root", "admin"), await room.add("ben")
    await admin.client.join("cup", "root")
    await ben.client.join("cup", "ben")
    started, finished = asyncio.Event(), asyncio.Event()

    async def claim_nick(broadcaster: PresenceBroadcaster, room: Any, participant: Any, requested: str) -> None:
        if requested == "eve":
            broadcaster.on_status_change(room, participant)  # as after the assignment of a suffix
            raise Unavailable("server_stopping")
        started.set()
        await finished.wait()

    monkeypatch.setattr(PresenceBroadcaster, "claim_nick", claim_nick)
    while ben.member_id not in await read_joined_nicks(admin.client):
        pass
    assert (await ben.client.request("changeNick", {"nickName": "eve"}))["error"]["code"] == "unavailable"
    assert await read_joined_nicks(admin.client) == {ben.member_id: "ben"}
    assert not [packet for packet in admin.client.pushes if '"kind":"nick"' in packet]
    await ben.send()
    assert (await admin.read_log())[-1]["nickName"] == "ben"
    change = asyncio.create_task(ben.client.request("changeNick", {"nickName": "dan"}))
    await started.wait()
    assert (await admin.client.request("kick", {"room": "cup", "memberId": ben.member_id}))["ok"]
    finished.set()
    assert (await change)["ok"]
    async with raw_client(room.server.url) as other:
        assert [(await other.join(name, "dan"))["nickName"] for name in ("tea", "cup")] == ["dan2", "dan"]


async def test_a_muted_member_reads_and_does_not_write(room: ModeratedRoom) -> None:
    admin, ann = await room.add("root", "admin"), await room.add("ann")
    own, other = await ann.send(), await admin.send()
    assert await admin.attempt("mute", memberId=ann.member_id) == ""
    statements: list[tuple[str, dict[str, Any]]] = [
        ("sendMessage", {"message": "x"}),
        ("sendMessage", {"message": "x", "replyTo": other}),
        ("editMessage", {"seq": own, "message": "x"}),
        ("react", {"seq": other, "emoji": "👍", "on": True}),
        ("setTopic", {"topic": "x"}),
    ]
    for event, fields in statements:
        assert await ann.attempt(event, **fields) == "member_muted"
    assert await ann.attempt("history", after=0) == ""
    assert await ann.attempt("leaveRoom") == ""
    assert await ann.attempt("sendMessage", message="x", as_={"nickName": "ann"}) == "member_muted"
    assert await ann.join() == ""
    assert await ann.attempt("sendMessage", message="x") == "member_muted"
    assert await ann.attempt("deleteMessage", seq=own) == ""
    assert await admin.attempt("unmute", memberId=ann.member_id) == ""
    assert await ann.send()


async def test_moderators_delete_messages_of_lower_roles(room: ModeratedRoom) -> None:
    admin, guest = await room.add("root", "admin"), await room.add("guest")
    moderator = await room.add_moderator("mod", admin)
    of_guest, of_admin, own = await guest.send(), await admin.send(), await moderator.send()
    assert await moderator.attempt("deleteMessage", seq=of_admin) == "rank_too_low"
    assert await moderator.attempt("deleteMessage", seq=99) == "message_not_found"
    assert await moderator.attempt("editMessage", seq=of_guest, message="x") == "edit_not_author"
    for seq in (of_guest, own):
        assert await moderator.attempt("deleteMessage", seq=seq) == ""
    assert await admin.attempt("deleteMessage", seq=own) == ""
    states = {
        entry["seq"]: bool(entry.get("deleted")) for entry in await admin.read_log() if entry["kind"] == "message"
    }
    assert states == {of_guest: True, of_admin: False, own: True}


async def test_member_lists_contain_the_current_role(room: ModeratedRoom) -> None:
    admin, guest = await room.add("root", "admin"), await room.add("guest")
    ann = await room.add_moderator("ann", admin)

    async def read_role() -> str:
        members = (await guest.client.request("listMembers", {"room": "tea"}))["members"]
        return next(member["role"] for member in members if member["memberId"] == ann.member_id)

    assert await read_role() == "moderator"
    assert await admin.attempt("setRole", memberId=ann.member_id, role="member") == ""
    assert await read_role() == "member"


async def test_a_person_that_was_never_in_the_room_is_not_found(room: ModeratedRoom) -> None:
    admin = await room.add("root", "admin")
    for event, fields in REQUESTS.items():
        assert await admin.attempt(event, memberId="gnobody", **fields) == "member_not_found"


async def test_the_audit_lists_actions_for_moderators(room: ModeratedRoom) -> None:
    admin, guest = await room.add("root", "admin"), await room.add("guest")
    moderator = await room.add_moderator("mod", admin)
    own, other = await guest.send(), await guest.send()
    assert await guest.attempt("deleteMessage", seq=own) == ""
    assert await moderator.attempt("deleteMessage", seq=other) == ""
    assert await moderator.attempt("mute", memberId=guest.member_id, reason='say "action":"joined"') == ""
    assert await moderator.attempt("unmute", memberId=guest.member_id) == ""
    assert await guest.attempt("audit") == "moderators_only"
    page = await moderator.client.request("audit", {"room": "tea"})
    assert [(entry["kind"], entry.get("action"), entry["memberId"]) for entry in page["messages"]] == [
        ("member", "role", admin.member_id),
        ("delete", None, moderator.member_id),
        ("member", "muted", moderator.member_id),
        ("member", "unmuted", moderator.member_id),
    ]
    assert page["hasMore"] is False
    older = await moderator.client.request("audit", {"room": "tea", "before": page["messages"][2]["seq"], "limit": 1})
    assert older["messages"] == page["messages"][1:2]
    assert older["hasMore"] is True


BASIC_CLIENTS: list[tuple[str, Any, tuple[str, Any]]] = [
    ("object_join", {"roomName": "tea", "nickName": "js"}, ("sendMessage", {"room": "tea", "message": "hi"})),
    ("string_join", "tea", ("sendMessage", {"room": "tea", "message": "hi"})),
    ("server_msg", {"nickName": "js", "id": 1, "roomId": "tea"}, ("client_msg", {"msg": "hi", "roomId": "tea"})),
]


@pytest.mark.parametrize(("dialect", "join", "message"), BASIC_CLIENTS, ids=[row[0] for row in BASIC_CLIENTS])
async def test_a_mute_and_a_ban_of_a_basic_client_refuse_its_requests_with_and_without_an_ack(
    room: ModeratedRoom, dialect: str, join: Any, message: tuple[str, Any]
) -> None:
    admin = await room.add("root", "admin")
    async with raw_client(room.server.url) as client:
        await client.ws.send_str("42" + json.dumps(["joinRoom", join]))
        seq = (await client.request(*message))["seq"]
        (entry,) = [entry for entry in await admin.read_log() if entry["seq"] == seq]
        member_id = entry["memberId"]
        members = (await admin.client.request("listMembers", {"room": "tea"}))["members"]
        assert [member.get("via") for member in members if member["memberId"] == member_id] == [dialect]
        for event, reason in (("mute", "member_muted"), ("ban", "member_banned")):
            assert await admin.attempt(event, memberId=member_id) == ""
            if event == "ban":
                assert (await client.wait_for_push("error"))["reason"] == "member_banned"
                message = ("joinRoom", join)
            response = await client.request(*message)
            assert response["ok"] is False
            assert (response["error"]["code"], response["error"]["reason"]) == ("forbidden", reason)
            await client.ws.send_str("42" + json.dumps(message))
            error = await client.wait_for_push("error")
            assert (error["code"], error["reason"]) == ("forbidden", reason)


async def test_the_audit_log_of_the_server_is_visible_to_administrators_only(room: ModeratedRoom) -> None:
    admin, member = await room.add("root", "admin"), await room.add("ann", "account")
    await create_account(room.server, "ben")
    await room.server.control_handlers["account suspend"]({"name": "ben"})
    assert await admin.join("&audit") == ""
    assert [entry.get("message") for entry in await admin.read_log("&audit")] == ["suspended the account ben"]
    assert await admin.attempt("sendMessage", room="&audit", message="x") == "room_read_only"
    assert await member.join("&audit") == "room_not_found"
    assert await member.attempt("observe", room="&audit") == "room_not_found"
    assert await member.attempt("search", room="&audit", query="suspended") == "room_not_found"
    found = await member.client.request("search", {"query": "suspended"})
    assert found["messages"] == []
    for client in (member.client, admin.client):
        listed = await client.request("listRooms", {})
        assert "&audit" not in [summary["name"] for summary in listed["rooms"]]


async def test_a_former_administrator_has_no_permissions_and_reads_no_audit_log(room: ModeratedRoom) -> None:
    admin, ann = await room.add("root", "admin"), await room.add("ann")
    assert await admin.join("&audit") == ""
    assert await admin.attempt("audit") == ""
    await room.server.control_handlers["account role"]({"name": "root", "role": "user"})
    assert await admin.attempt("audit") == "moderators_only"
    assert await admin.attempt("kick", memberId=ann.member_id) == "moderators_only"
    assert await admin.attempt("history", room="&audit", after=0) == "room_not_joined"
    assert await admin.join("&audit") == "room_not_found"
    await room.server.control_handlers["account role"]({"name": "root", "role": "admin"})
    assert await admin.attempt("kick", memberId=ann.member_id) == ""
