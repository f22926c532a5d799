"""Reading and sending without a join, against a running server."""

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from aiohttp import web

from server.app import RunningServer
from tests.support.event_recorder import next_event
from tests.support.hostile_server import JOINED, hostile_server
from tests.support.raw_client import RawClient, raw_client
from tests.support.tcp_proxy import TcpProxy
from tests.support.wait import TIMEOUT, wait_until
from tui_chat.client.net import transport
from tui_chat.protocol.requests import Request
from tui_chat.sdk import (
    BadRequest,
    ChatClient,
    Message,
    NotFound,
    NotJoined,
    OutboxItemState,
    Room,
    RoomRenamed,
    UnsupportedByServer,
)


@pytest.fixture
async def ann(server: RunningServer) -> AsyncGenerator[RawClient]:
    """Member of `tea`, who records the notices and presence pushes."""
    async with raw_client(server.url) as client:
        await client.join("tea", "ann")
        yield client


async def assert_no_other_member(ann: RawClient) -> None:
    """Fail if Ann has received a notice or presence push about another member. Renames Ann to `anna`."""
    await ann.request("changeNick", {"room": "tea", "nickName": "anna"})
    members: list[dict[str, Any]] = []
    while not any(member["nickName"] == "anna" for member in members):  # after all earlier presence
        presence = await ann.wait_for_push("presence")
        members += presence["joined"] + presence["renamed"]
        assert presence["left"] == []
    pushes = [json.loads(push[2:])[1] for push in ann.pushes if push.startswith('42["message"')]
    members += [push for push in pushes if push["kind"] != "message"]
    assert {member["nickName"] for member in members} <= {"ann", "anna"}


async def post(client: RawClient, message: str, room: str = "tea", **fields: Any) -> dict[str, Any]:
    """Send a message and return the response."""
    return await client.request("sendMessage", {"room": room, "message": message, **fields})


async def test_an_observer_reads_and_is_invisible(server: RunningServer, ann: RawClient) -> None:
    await post(ann, "before")
    async with ChatClient(server.url) as chat:
        room = await chat.observe("tea")
        assert await chat.observe("TEA") is room
        assert ([member.nick_name for member in await room.list_members()], room.member_id) == (["ann"], "")
        assert [message.message for message in room.log.messages()] == ["before"]
        await post(ann, "after")
        entry = await anext(room)
        assert isinstance(entry, Message)
        assert entry.message == "after"
        with pytest.raises(NotJoined):
            await room.send("hi")
        room.post("hi")
        await wait_until(lambda: [item.state for item in room.unsent()] == [OutboxItemState.FAILED])
        assert (await ann.join("tea", "ann"))["memberCount"] == 1
        await room.leave()
        await post(ann, "unobserved")
    await assert_no_other_member(ann)


async def test_an_observer_reads_missed_entries_after_a_reconnect(proxy: TcpProxy, ann: RawClient) -> None:
    async with ChatClient(proxy.url) as chat:
        room = await chat.observe("tea")
        proxy.reset_all()
        for number in range(3):
            await post(ann, str(number))
        assert [(await anext(room)).seq for _ in range(3)] == [1, 2, 3]
        assert [message.message for message in room.log.messages()] == ["0", "1", "2"]


async def test_the_iteration_skips_entries_that_the_server_has_removed(server: RunningServer, proxy: TcpProxy) -> None:
    bot = {"as": {"nickName": "bot"}}
    async with raw_client(server.url) as owner, ChatClient(proxy.url) as chat, asyncio.timeout(TIMEOUT):
        created = await owner.request("createRoom", {"name": "green"})
        room = await chat.observe("green")
        assert (await post(owner, "read", "green", **bot))["ok"]
        assert (await anext(room)).seq == 1
        proxy.refuse_connections()
        proxy.reset_all()
        assert (await post(owner, "removed", "green", **bot))["ok"]
        await owner.request("removeRoom", created["id"])
        await owner.request("createRoom", {"name": "green"})
        sent = await post(owner, "stored", "green", **bot)
        proxy.accept_connections()
        entry = await anext(room)
        assert isinstance(entry, Message)
        assert (entry.message, entry.seq) == ("stored", sent["seq"])


@pytest.mark.usefixtures("ann")
async def test_a_join_ends_an_observation(server: RunningServer) -> None:
    async with ChatClient(server.url) as chat:
        observed = await chat.observe("tea")
        joined = await chat.join("tea", nick="ben")
        assert (joined is observed, chat.rooms) == (False, {"tea": joined})
        assert await chat.observe("tea") is joined
        await joined.send("hello")
        assert [entry async for entry in observed] == []


@pytest.mark.usefixtures("ann")
async def test_a_join_succeeds_after_a_cancelled_one(proxy: TcpProxy) -> None:
    async with ChatClient(proxy.url) as chat:
        observed = await chat.observe("tea")
        proxy.stall()
        joining = asyncio.create_task(chat.join("tea", nick="ben"))
        await wait_until(lambda: chat.rooms == {} and observed.membership.context.gate.has_failed)
        joining.cancel()
        await asyncio.gather(joining, return_exceptions=True)
        proxy.resume()
        assert (await chat.join("tea", nick="ben")).nick == "ben"


@pytest.mark.usefixtures("ann")
@pytest.mark.parametrize("observes", [False, True])
async def test_a_late_response_to_a_cancelled_join_does_not_end_the_next_one(
    proxy: TcpProxy, monkeypatch: pytest.MonkeyPatch, observes: bool
) -> None:
    send, sent = transport.Transport.send, list[Request]()

    async def record(self: transport.Transport, request: Request, *arguments: Any) -> None:
        sent.append(request)
        await send(self, request, *arguments)

    monkeypatch.setattr(transport.Transport, "send", record)
    async with ChatClient(proxy.url) as chat:

        def open_room(name: str) -> asyncio.Task[Room]:
            return asyncio.create_task(chat.observe(name) if observes else chat.join(name, nick="ben"))

        await open_room("kitchen")  # detects the type of the server
        sent.clear()
        proxy.open_connections[0].stall_downstream()
        cancelled = open_room("tea")
        await wait_until(lambda: len(sent) == 1)
        cancelled.cancel()
        await asyncio.gather(cancelled, return_exceptions=True)
        opening = open_room("tea")
        await wait_until(lambda: len(sent) == 2)
        proxy.open_connections[0].resume()
        room = await opening
        async with raw_client(proxy.url) as bot, asyncio.timeout(TIMEOUT):
            await bot.request("sendMessage", {"room": "tea", "message": "hi", "as": {"nickName": "bot"}})
            assert (await anext(room)).seq == 1


async def test_a_join_succeeds_after_a_cancelled_open_cached(server: RunningServer) -> None:
    async with ChatClient(server.url) as chat:
        await chat.list_rooms()
        opening = asyncio.create_task(chat.open_cached("tea", nick="ben"))
        await asyncio.sleep(0)
        opening.cancel()
        await asyncio.gather(opening, return_exceptions=True)
        assert (await chat.join("tea", nick="ben")).nick == "ben"


async def test_an_observer_follows_a_rename_and_ends_with_the_removal(server: RunningServer, ann: RawClient) -> None:
    created = await ann.request("createRoom", {"name": "green"})
    async with ChatClient(server.url) as chat:
        events = chat.events()
        room = await chat.observe("green")
        other_room = await chat.join("tea", nick="ben")
        await ann.request("updateRoom", {"id": created["id"], "name": "blue"})
        assert await next_event(events, RoomRenamed) == RoomRenamed("green", "blue")
        assert (room.name, chat.rooms) == ("blue", {"tea": other_room, "blue": room})
        await ann.request("joinRoom", {"roomName": "blue", "nickName": "ann"})
        await post(ann, "one", "blue")
        assert (await anext(room)).room == "blue"
        await ann.request("leaveRoom", {"room": "blue"})
        await ann.request("removeRoom", created["id"])
        assert (await anext(room)).seq == 2
        with pytest.raises(NotFound, match="the room was removed"):
            await anext(room)
        assert chat.rooms == {"tea": other_room}


async def test_a_removed_room_ends_its_membership() -> None:
    async def handle(socket: web.WebSocketResponse, event: str, _: dict[str, Any]) -> dict[str, Any] | None:
        if event == "joinRoom":
            return JOINED
        await socket.send_str('42["roomRemoved",{"room":"tea"}]')
        return {"ok": True, "revision": 7}

    async with hostile_server(handle) as port, ChatClient(f"127.0.0.1:{port}") as chat:
        room = await chat.join("tea", nick="ann")
        await room.set_topic("x")
        await wait_until(lambda: chat.rooms == {})
        with pytest.raises(NotFound):
            await room.send("x")


async def test_messages_without_a_join_have_one_author_that_is_no_member(server: RunningServer, ann: RawClient) -> None:
    async with ChatClient(server.url) as chat:
        first = await chat.send_as("tea", "Ann", "one")
        second = await chat.send_as("tea", first.nick_name or "", "two")
        assert (first.nick_name, second.nick_name) == ("Ann2", "Ann2")
    async with ChatClient(server.url, guest_key=chat.guest_key) as later:
        await later.send_as("tea", "Ann", "three")
        room = await later.observe("tea")
        assert {message.nick_name for message in room.log.messages()} == {"Ann2"}
        assert len({message.member_id for message in room.log.messages()}) == 1
    assert (await ann.join("tea", "ann"))["memberCount"] == 1
    await assert_no_other_member(ann)


async def test_a_present_guest_sends_under_its_own_nickname(server: RunningServer) -> None:
    async with ChatClient(server.url) as chat:
        room = await chat.join("tea", nick="ann")
        async with ChatClient(server.url, guest_key=chat.guest_key) as script:
            assert (await script.send_as("tea", "ann", "deployed")).nick_name == "ann"
        with pytest.raises(BadRequest):
            await chat.send_as("tea", "ann", "as a member")
        await wait_until(lambda: [message.member_id for message in room.log.messages()] == [room.member_id])


async def test_the_first_message_is_stored_once_after_a_lost_acknowledgement(proxy: TcpProxy, ann: RawClient) -> None:
    async with ChatClient(proxy.url) as chat:
        await chat.observe("tea")  # detects the support of the server before the loss
        proxy.open_connections[-1].stall_downstream()
        sending = asyncio.create_task(chat.send_as("tea", "bot", "once"))
        await ann.wait_for_push("message", kind="message")
        proxy.reset_all()
        response = await sending
        assert (response.seq, response.duplicate, chat.guest_key) == (1, True, None)
        assert (await chat.send_as("tea", "bot", "next")).seq == 2
        assert chat.guest_key is not None


@pytest.mark.parametrize("supported", [False, True])
async def test_the_support_of_observers_is_detected_once_before_the_first_request(supported: bool) -> None:
    received: list[str] = []

    async def handle(_: web.WebSocketResponse, event: str, __: dict[str, Any]) -> dict[str, Any]:
        received.append(event)
        if event == "unobserve" and supported:
            return {"ok": True}
        if event == "sendMessage":
            return {"ok": True, "seq": 1, "id": 1, "ts": 1, "duplicate": False}
        return {"ok": False, "error": {"code": "bad_request", "reason": "request_unknown", "message": "unknown"}}

    async with hostile_server(handle) as port, ChatClient(f"127.0.0.1:{port}") as chat:
        if supported:
            assert (await chat.send_as("tea", "bot", "hi")).seq == 1
        else:
            for attempt in (chat.observe("tea"), chat.send_as("tea", "bot", "hi")):
                with pytest.raises(UnsupportedByServer):
                    await attempt
    assert received == (["unobserve", "sendMessage"] if supported else ["unobserve"])
