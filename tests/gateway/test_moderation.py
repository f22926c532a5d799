"""Moderation on a real server: kicks, bans, mutes, roles, deletions for others and the audit."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from server.app import RunningServer, serve
from server.settings import ServerSettings
from tests.support.accounts import create_account
from tests.support.in_process_server import running_server
from tests.support.persons import Person, connect_person
from tests.support.raw_client import raw_client

NOW = 1_800_000_000_000


class Room:
    """Room `tea` with an administrator, moderators, members and guests, all present."""

    def __init__(self, server: RunningServer, stack: AsyncExitStack) -> None:
        self.server = server
        self._stack = stack
        self.persons: dict[str, Person] = {}

    async def add(self, name: str, kind: Any = "guest", **options: Any) -> Person:
        """Connect a person and join the room."""
        person = await self._stack.enter_async_context(connect_person(self.server, name, kind, **options))
        assert await person.join() == ""
        self.persons[name] = person
        return person

    async def add_moderator(self, name: str, admin: Person) -> Person:
        """Add an account, and make it a moderator."""
        person = await self.add(name, "account")
        assert await admin.attempt("setRole", memberId=person.member_id, role="moderator") == ""
        return person


@pytest.fixture
async def room(tmp_path: Path) -> AsyncGenerator[Room]:
    proxies = ("127.0.0.0/8",)
    async with running_server(tmp_path, rate_limit="off", trusted_proxy=proxies) as server, AsyncExitStack() as stack:
        yield Room(server, stack)


REQUESTS: dict[str, dict[str, Any]] = {
    "kick": {},
    "ban": {},
    "unban": {},
    "mute": {},
    "unmute": {},
    "setRole": {"role": "member"},
}


async def test_no_person_acts_on_one_of_the_same_or_a_higher_role(room: Room) -> None:
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


async def test_a_kicked_member_leaves_on_all_connections_and_may_join_again(room: Room) -> None:
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
    leave = await admin.client.wait_for_push("message")
    while leave["kind"] != "leave":
        leave = await admin.client.wait_for_push("message")
    assert leave["memberId"] == ann.member_id
    assert await ann.join() == ""
    assert await ann.send()


async def test_a_banned_member_neither_reads_nor_writes_until_the_unban(room: Room) -> None:
    admin, ann = await room.add("root", "admin"), await room.add("ann", "account")
    await ann.send("before")
    assert await admin.attempt("ban", memberId=ann.member_id, reason="spam") == ""
    error = await ann.client.wait_for_push("error")
    assert (error["reason"], error["params"]) == ("member_banned", {"room": "tea"})
    assert await ann.join() == "member_banned"
    assert await ann.attempt("observe") == "member_banned"
    assert await ann.attempt("history", after=0) == "room_not_joined"
    assert await ann.attempt("sendMessage", message="x") == "room_not_joined"
    assert await ann.attempt("listMembers") == "room_not_joined"
    assert await ann.attempt("sendMessage", message="x", as_={"nickName": "ann"}) == "member_banned"
    found = await ann.client.request("search", {"query": "before"})
    assert found["messages"] == []
    assert await ann.attempt("search", query="before") == "member_banned"
    assert await admin.attempt("unban", memberId=ann.member_id) == ""
    assert await ann.join() == ""
    assert await ann.send()


async def test_a_ban_ends_an_observation(room: Room) -> None:
    admin, ann = await room.add("root", "admin"), await room.add("ann")
    await ann.send()
    assert await ann.attempt("leaveRoom") == ""
    assert await ann.attempt("observe") == ""
    assert await admin.attempt("ban", memberId=ann.member_id) == ""
    assert (await ann.client.wait_for_push("error"))["reason"] == "member_banned"
    await admin.send("secret")
    assert await ann.attempt("history", after=0) == "room_not_joined"
    assert not any("secret" in push for push in ann.client.pushes)


async def test_a_muted_member_reads_and_does_not_write(room: Room) -> None:
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


async def test_timed_sanctions_end_by_themselves(tmp_path: Path) -> None:
    now = NOW
    settings = ServerSettings(port=0, database=str(tmp_path / "chat.db"), rate_limit="off")
    async with (
        serve(settings, now=lambda: now) as server,
        connect_person(server, "root", "admin") as admin,
        connect_person(server, "ann") as ann,
    ):
        await admin.join()
        await ann.join()
        assert await admin.attempt("mute", memberId=ann.member_id, until=NOW) == "until_past"
        assert await admin.attempt("mute", memberId=ann.member_id, until=NOW + 60_000) == ""
        response = await ann.client.request("sendMessage", {"room": "tea", "message": "x"})
        assert (response["error"]["reason"], response["error"]["params"]) == ("member_muted", {"until": NOW + 60_000})
        now = NOW + 59_999
        assert await ann.attempt("sendMessage", message="x") == "member_muted"
        now = NOW + 60_000
        assert await ann.attempt("sendMessage", message="x") == ""
        assert await admin.attempt("ban", memberId=ann.member_id, until=NOW + 120_000) == ""
        response = await ann.client.request("joinRoom", {"roomName": "tea", "nickName": "ann"})
        assert (response["error"]["reason"], response["error"]["params"]) == ("member_banned", {"until": NOW + 120_000})
        now = NOW + 119_999
        assert await ann.join() == "member_banned"
        now = NOW + 120_000
        assert await ann.join() == ""
        assert await ann.send()


async def test_a_ban_of_a_guest_holds_for_guests_of_the_address(room: Room) -> None:
    admin = await room.add("root", "admin", address="192.0.2.1")
    guest = await room.add("guest", address="192.0.2.1")
    neighbor = await room.add("neighbor", address="192.0.2.1")
    account = await room.add("member", "account", address="192.0.2.1")
    other = await room.add("other", address="192.0.2.2")
    assert await admin.attempt("ban", memberId=guest.member_id) == ""
    for person in (guest, neighbor):
        assert (await person.client.wait_for_push("error"))["reason"] == "member_banned"
        assert await person.attempt("sendMessage", message="x") == "room_not_joined"
    for person in (admin, account, other):
        await person.send()
    async with connect_person(room.server, "new", address="192.0.2.1") as new:
        assert await new.attempt("observe") == "member_banned"
        assert await new.attempt("search", query="hi") == "member_banned"
        assert await new.attempt("sendMessage", message="x", as_={"nickName": "new"}) == "member_banned"
        assert await new.join() == "member_banned"
        assert await new.join("lounge") == ""
    async with connect_person(room.server, "guest", address="192.0.2.3") as moved:
        assert await moved.join(guestKey=guest.guest_key) == "member_banned"
    async with connect_person(room.server, "guest", address="192.0.2.3") as neighbor_of_moved:
        assert await neighbor_of_moved.join() == ""
    assert await admin.attempt("unban", memberId=guest.member_id) == ""
    assert await neighbor.join() == ""


async def test_a_ban_reaches_the_address_of_a_guest_who_left(room: Room) -> None:
    admin = await room.add("root", "admin")
    async with connect_person(room.server, "troll", address="192.0.2.9") as troll:
        await troll.join()
        await troll.send()
    assert await admin.attempt("ban", memberId=troll.member_id) == ""
    async with connect_person(room.server, "troll", address="192.0.2.9") as troll:
        assert await troll.join() == "member_banned"


async def test_a_ban_of_an_account_does_not_hold_for_its_address(room: Room) -> None:
    admin = await room.add("root", "admin")
    member = await room.add("ann", "account", address="192.0.2.1")
    guest = await room.add("guest", address="192.0.2.1")
    assert await admin.attempt("ban", memberId=member.member_id) == ""
    assert await member.join() == "member_banned"
    await guest.send()


async def test_a_banned_guest_stays_banned_as_account(room: Room) -> None:
    admin, guest = await room.add("root", "admin"), await room.add("ann")
    assert await admin.attempt("ban", memberId=guest.member_id) == ""
    service = room.server.account_service
    account = await service.create_account("ann", password=None, address="127.0.0.1", member_id=guest.member_id)
    token = (await service.issue_token(account, "test")).token
    async with connect_person(room.server, "ann", token=token) as registered:
        assert await registered.join() == "member_banned"
        assert await admin.attempt("unban", memberId=guest.member_id) == ""
        assert await registered.join() == ""


async def test_a_ban_does_not_hold_for_the_address_of_a_trusted_proxy(room: Room) -> None:
    admin, ann, ben = await room.add("root", "admin"), await room.add("ann"), await room.add("ben")
    assert await admin.attempt("ban", memberId=ann.member_id) == ""
    assert await ann.join() == "member_banned"
    await ben.send()


async def test_a_ban_deletes_recent_messages(tmp_path: Path) -> None:
    now = NOW
    settings = ServerSettings(port=0, database=str(tmp_path / "chat.db"), rate_limit="off")
    async with (
        serve(settings, now=lambda: now) as server,
        connect_person(server, "root", "admin") as admin,
        connect_person(server, "ann") as ann,
    ):
        await admin.join()
        await ann.join()
        await ann.send("old")
        now += 60_000
        await ann.client.send_messages("tea", [f"recent {number}" for number in range(250)])
        await admin.send("own")
        assert await admin.attempt("ban", memberId=ann.member_id, deleteRecent=59) == ""
        messages = [entry for entry in await admin.read_log() if entry["kind"] == "message"]
        assert [entry["message"] for entry in messages] == ["old", *[""] * 250, "own"]
        deletions = [entry for entry in await admin.read_log() if entry["kind"] == "delete"]
        assert {entry["memberId"] for entry in deletions} == {admin.member_id}


async def test_moderators_delete_messages_of_lower_roles(room: Room) -> None:
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


async def test_member_lists_show_the_current_role(room: Room) -> None:
    admin, guest = await room.add("root", "admin"), await room.add("guest")
    ann = await room.add_moderator("ann", admin)

    async def read_role() -> str:
        members = (await guest.client.request("listMembers", {"room": "tea"}))["members"]
        return next(member["role"] for member in members if member["memberId"] == ann.member_id)

    assert await read_role() == "moderator"
    assert await admin.attempt("setRole", memberId=ann.member_id, role="member") == ""
    assert await read_role() == "member"


async def test_a_person_who_was_never_in_the_room_is_not_found(room: Room) -> None:
    admin = await room.add("root", "admin")
    for event, fields in REQUESTS.items():
        assert await admin.attempt(event, memberId="gnobody", **fields) == "member_not_found"


async def test_the_audit_lists_actions_for_moderators(room: Room) -> None:
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
async def test_a_basic_client_is_moderated_in_its_own_form(
    room: Room, dialect: str, join: Any, message: tuple[str, Any]
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


async def test_a_banned_person_neither_reads_nor_changes_a_room_as_resource(room: Room) -> None:
    admin = await room.add("root", "admin")
    async with raw_client(room.server.url) as client:
        room_id = (await client.request("createChatroom", {"name": "shop"}))["id"]
        assert await admin.join("shop") == ""
        joined = await client.join("shop", "js")
        assert await admin.attempt("ban", room="shop", memberId=joined["memberId"]) == ""
        assert await admin.attempt("leaveRoom", room="shop") == ""
        for event, fields in (
            ("findChatroomMessages", {"id": room_id}),
            ("updateChatroom", {"id": room_id, "topic": "spam"}),
            ("removeChatroom", {"id": room_id}),
        ):
            response = await client.request(event, fields)
            assert response["error"]["code"] == "forbidden", event


async def test_the_audit_log_of_the_server_is_visible_to_administrators_only(room: Room) -> None:
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


async def test_a_former_administrator_has_no_permissions_and_reads_no_audit_log(room: Room) -> None:
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


async def test_no_message_of_a_banned_member_follows_the_ban(tmp_path: Path) -> None:
    async with running_server(tmp_path, rate_limit="off") as server, AsyncExitStack() as stack:
        token = (await create_account(server, "root", role="admin")).token
        races: list[tuple[str, Person, Person]] = []
        for number in range(25):
            admin = await stack.enter_async_context(connect_person(server, "root", "admin", token=token))
            victim = await stack.enter_async_context(connect_person(server, f"ann{number}"))
            assert await admin.join(f"room{number}") == ""
            races.append((f"room{number}", admin, victim))
        outcomes: list[str] = []
        for delay in range(40):
            outcomes += await asyncio.gather(*(ban_and_send(*race, delay) for race in races))
        assert {"", "room_not_joined"} <= set(outcomes) <= {"", "room_not_joined", "member_banned"}
        for name, admin, victim in races:
            is_banned, ban_count = False, 0
            for entry in await admin.read_log(name):
                match entry:
                    case {"kind": "member", "action": "banned" | "unbanned" as action}:
                        is_banned = action == "banned"
                        ban_count += is_banned
                    case {"kind": "message", "memberId": victim.member_id}:
                        assert not is_banned, entry
                    case _:
                        pass
            assert ban_count == 40


async def ban_and_send(name: str, admin: Person, victim: Person, delay: int) -> str:
    """Ban a member while it sends a message, and end the ban; return the reason of a refused message.

    Args:
        name: Room.
        admin: Administrator in the room.
        victim: Person outside the room.
        delay: Passes of the event loop between the ban and the message.
    """
    assert await victim.join(name) == ""
    ban = await admin.client.start_request("ban", {"room": name, "memberId": victim.member_id})
    for _ in range(delay):
        await asyncio.sleep(0)
    reason = await victim.attempt("sendMessage", room=name, message="x")
    assert (await admin.client.read_response(ban))["ok"]
    assert await admin.attempt("unban", room=name, memberId=victim.member_id) == ""
    return reason
