"""Client behavior with malformed and malicious server responses."""

import asyncio
import json
import logging
from typing import Any

import pytest
from aiohttp import web

from tests.support.event_recorder import next_event
from tests.support.hostile_server import JOINED, hostile_server, message_packet, respond_to_join
from tests.support.wait import wait_until
from tui_chat.client.client import ChatClient
from tui_chat.client.events import Offline, RoomLost
from tui_chat.client.join import MAX_CONCURRENT_JOINS
from tui_chat.client.room_context import RoomContext
from tui_chat.client.sanitize import MAX_TIMESTAMP
from tui_chat.client.search_page import SearchCursor
from tui_chat.protocol.errors import InternalError, RateLimited
from tui_chat.protocol.limits import SECRET_CHARACTERS

INVALID_PACKETS = [
    "4",
    "42",
    "42[]",
    "42[1]",
    "42[1,2]",
    '42["message"]',
    '42["message",5]',
    '42["message",{}]',
    '42["message",{"nickName":"bob","message":"a plain one"}]',
    '42["message",{"kind":"from the future","room":"tea"}]',
    '42["message","a string"]',
    '42["message",{"a":1},2]',
    '42["unheard of",{}]',
    '42["connect",{}]',
    '42["disconnect","io server disconnect"]',
    '42["connect_error",{}]',
    '42["*",{}]',
    '42["presence",{"room":"tea","joined":7,"left":[],"renamed":[]}]',
    '42["presence",{"room":"elsewhere","joined":[],"left":[],"renamed":[]}]',
    '42["typing",{"room":"\\u0000","memberId":"m2","on":true}]',
    '42["message",NaN]',
    message_packet(1, ts=float("nan")),
    message_packet(1, ts=float("inf")),
    message_packet(1, ts=None),
    '42["message",' + "[" * 50_000 + "]" * 50_000 + "]",
    "421[",
    '42999999999999999999["message",{}]',
    "43",
    "430[]",
    '430[{"ok":true}]',
    '43-1[{"ok":true}]',
    '43999[{"ok":true}]',
    "431",
    '451-["message",{"_placeholder":true,"num":0}]',
    "461-[]",
    "49",
    "4x",
    '4{"a":1}',
    "4[1,2]",
    "4true",
    "40",
    "40[]",
    '40/other,{"sid":"z"}',
    "6",
    "bAAAA",
    message_packet(2**63),
    message_packet(-1),
    message_packet(0),
]


@pytest.mark.parametrize("debug", [False, True])
async def test_invalid_packets_are_ignored_and_later_packets_are_processed(
    debug: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG if debug else logging.INFO)
    loop_errors: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: loop_errors.append(context))

    async def respond(socket: web.WebSocketResponse, event: str, body: dict[str, Any]) -> dict[str, Any] | None:
        if event != "typing":
            return await respond_to_join(socket, event, body)
        for packet in INVALID_PACKETS:
            await socket.send_str(packet)
        await socket.send_bytes(b"\x00\x01")
        await socket.send_str(message_packet(1, "hello"))
        return None

    async with hostile_server(respond) as port, ChatClient(f"http://127.0.0.1:{port}") as ann:
        tea = await ann.join("tea", nick="ann")
        await tea.set_typing(True)
        await wait_until(lambda: tea.log.last == 1)
        assert tea.log[1].message == "hello"
    assert loop_errors == []
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


@pytest.mark.parametrize("debug", [False, True])
async def test_message_text_is_not_logged(debug: bool, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG if debug else logging.INFO)

    async def respond(socket: web.WebSocketResponse, event: str, body: dict[str, Any]) -> dict[str, Any] | None:
        if event != "typing":
            return await respond_to_join(socket, event, body)
        await socket.send_str(message_packet(1, "a secret"))
        return None

    async with hostile_server(respond) as port, ChatClient(f"http://127.0.0.1:{port}") as ann:
        tea = await ann.join("tea", nick="ann")
        await tea.set_typing(True)
        await wait_until(lambda: tea.log.last == 1)
        assert tea.log[1].message == "a secret"
    assert not [record for record in caplog.records if "secret" in record.getMessage() and "chat" in record.name]


async def test_control_characters_from_the_server_are_removed() -> None:
    async def respond(socket: web.WebSocketResponse, event: str, body: dict[str, Any]) -> dict[str, Any] | None:
        if event == "typing":
            await socket.send_str(message_packet(1, "\x1b]52;c;aGk=\x07red\u202ealert\x9b31m", nickName="e\u2066ve\n"))
            fields = {"room": "tea", "seq": 2, "id": 2, "ts": 2, "memberId": "m2", "nickName": "eve"}
            await socket.send_str("42" + json.dumps(["update", {"kind": "topic", "topic": "a\x07b", **fields}]))
        return await respond_to_join(socket, event, body)

    async with hostile_server(respond) as port, ChatClient(f"http://127.0.0.1:{port}") as ann:
        tea = await ann.join("tea", nick="ann")
        assert tea.topic == "to]0;pic"
        eve = tea.members["m2"]
        assert (eve.nick_name, eve.account, eve.via) == ("e[31mve", "ab", "c]0;d")
        await tea.set_typing(True)
        await wait_until(lambda: tea.topic == "ab")
        assert tea.log[1].message == "]52;c;aGk=redalert31m"
        assert tea.log[1].nick_name == "eve"


async def test_an_invalid_response_raises_an_internal_error() -> None:
    async def respond(_: web.WebSocketResponse, event: str, __: dict[str, Any]) -> dict[str, Any] | None:
        return JOINED if event == "joinRoom" else {"ok": True, "seq": "one"}

    async with hostile_server(respond) as port, ChatClient(f"http://127.0.0.1:{port}") as ann:
        tea = await ann.join("tea", nick="ann")
        with pytest.raises(InternalError):
            await tea.send("hi")


async def test_a_retry_delay_of_zero_seconds_is_not_replaced_by_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui_chat.client.join.JOIN_RETRY_DELAY", 60)
    monkeypatch.setattr("tui_chat.client.net.connector.BUSY_RETRY_DELAY", 60)
    busy = {"ok": False, "error": {"code": "unavailable", "message": "busy", "retryAfter": 0}}
    responses: dict[str, list[dict[str, Any]]] = {
        "joinRoom": [busy, JOINED],
        "listRooms": [busy, {"ok": True, "rooms": []}],
    }

    async def respond(_: web.WebSocketResponse, event: str, __: dict[str, Any]) -> dict[str, Any] | None:
        return responses[event].pop(0) if event in responses else {"ok": True}

    async with hostile_server(respond) as port, ChatClient(f"http://127.0.0.1:{port}") as ann:
        await ann.join("tea", nick="ann")
        assert await ann.list_rooms() == []


async def test_a_join_response_with_an_overlong_key_or_log_id_is_invalid(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui_chat.client.join.JOIN_RETRY_DELAY", 0.01)
    overlong = "x" * (SECRET_CHARACTERS + 1)
    responses = [JOINED | {"guestKey": overlong}, JOINED | {"room": JOINED["room"] | {"logId": overlong}}, JOINED]

    async def respond(_: web.WebSocketResponse, event: str, __: dict[str, Any]) -> dict[str, Any] | None:
        return responses.pop(0) if event == "joinRoom" else {"ok": True}

    async with hostile_server(respond) as port, ChatClient(f"http://127.0.0.1:{port}") as ann:
        tea = await ann.join("tea", nick="ann")
        assert isinstance(tea.membership.last_error, InternalError)
        assert (ann.guest_key, tea.log.log_id, responses) == ("k", "x", [])


async def test_a_page_of_another_log_is_ignored_after_the_loss_of_the_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    message = {"kind": "message", "room": "tea", "nickName": "eve", "memberId": "m2", "message": "hi", "ts": 1}
    newest, older = ({**message, "seq": seq, "id": seq} for seq in (2, 1))
    joined = JOINED | {"room": JOINED["room"] | {"lastSeq": 2}, "messages": [newest], "hasMore": True}
    page = {"ok": True, "logId": "y", "firstSeq": 1, "lastSeq": 2, "messages": [older], "hasMore": False}

    async def respond(_: web.WebSocketResponse, event: str, __: dict[str, Any]) -> dict[str, Any] | None:
        return joined if event == "joinRoom" else page

    request = RoomContext.request

    async def lose_connection_after_response(context: RoomContext, *args: Any, **kwargs: Any) -> Any:
        response = await request(context, *args, **kwargs)
        tea.membership.on_disconnected()
        return response

    monkeypatch.setattr(RoomContext, "request", lose_connection_after_response)
    async with hostile_server(respond) as port, ChatClient(f"http://127.0.0.1:{port}") as ann:
        tea = await ann.join("tea", nick="ann", limit=1)
        assert await tea.history.load_older()
        assert [message.seq for message in tea.log.messages()] == [2]


async def test_an_iteration_requests_entries_that_the_server_does_not_have_once() -> None:
    requests: list[dict[str, Any]] = []

    async def respond(socket: web.WebSocketResponse, event: str, body: dict[str, Any]) -> dict[str, Any] | None:
        if event == "typing":
            await socket.send_str(message_packet(2 + body["on"]))
        if event != "history":
            return await respond_to_join(socket, event, body)
        requests.append(body)
        return {"ok": True, "logId": "x", "firstSeq": 1, "lastSeq": 3, "messages": [], "hasMore": False}

    async with hostile_server(respond) as port, ChatClient(f"http://127.0.0.1:{port}") as ann:
        tea = await ann.join("tea", nick="ann")
        await tea.set_typing(True)
        await wait_until(lambda: tea.log.last == 3 and len(requests) == 1)  # after the push
        reading = asyncio.create_task(anext(tea))
        await wait_until(lambda: len(requests) == 2)  # by the iteration
        await ann.user.set_status(away=False)
        assert len(requests) == 2
        await tea.leave()
        with pytest.raises(StopAsyncIteration):
            await reading


async def test_a_member_that_leaves_between_two_pages_is_not_listed() -> None:
    def page(name: str, **fields: Any) -> dict[str, Any]:
        members = [{"memberId": name, "nickName": name, "role": "member"}]
        return {"ok": True, "members": members, "memberCount": 2, **fields}

    async def respond(socket: web.WebSocketResponse, event: str, body: dict[str, Any]) -> dict[str, Any] | None:
        if event == "joinRoom":
            return JOINED | {"members": [], "memberCount": 3}
        if not body.get("after"):
            return page("a", hasMore=True)
        push = {"room": "tea", "joined": [], "left": ["a"], "renamed": [], "memberCount": 2}
        await socket.send_str("42" + json.dumps(["presence", push]))
        return page("b", hasMore=False)

    async with hostile_server(respond) as port, ChatClient(f"http://127.0.0.1:{port}") as ann:
        tea = await ann.join("tea", nick="ann")
        await tea.list_members()
        assert (set(tea.members), tea.member_count) == ({"b"}, 2)


async def test_error_messages_from_the_server_are_sanitized() -> None:
    async def respond(_: web.WebSocketResponse, event: str, __: dict[str, Any]) -> dict[str, Any] | None:
        if event == "joinRoom":
            return JOINED
        problem: dict[str, Any] = {
            "code": "rate_limited",
            "message": "slow\x1b[2J down" + "!" * 1_000,
            "retryAfter": 1e12,
        }
        problem["params"] = {"message": "again", "retry_after": "never", "reason": "\x1b[2J", "self": 1}
        return {"ok": False, "error": problem}

    async with hostile_server(respond) as port, ChatClient(f"http://127.0.0.1:{port}") as ann:
        tea = await ann.join("tea", nick="ann")
        with pytest.raises(RateLimited) as caught:
            await tea.react(1, "👍")  # without a retry, unlike a message
        assert caught.value.message.startswith("slow[2J down!")
        assert len(caught.value.message) == 300
        assert caught.value.retry_after == 60
        assert caught.value.params == {"reason": "[2J", "self": 1}


async def test_a_join_in_progress_uses_the_invite_of_a_later_call() -> None:
    received: list[str] = []
    is_second_call_waiting = asyncio.Event()

    async def respond(_: web.WebSocketResponse, __: str, body: dict[str, Any]) -> dict[str, Any] | None:
        received.append(body["invite"])
        await is_second_call_waiting.wait()
        if body["invite"] == "valid":
            return JOINED
        return {"ok": False, "error": {"code": "not_found", "message": "no such room", "reason": "room_not_found"}}

    async with hostile_server(respond) as port, ChatClient(f"http://127.0.0.1:{port}") as ann:
        first = asyncio.create_task(ann.join("tea", nick="ann", invite="expired"))
        await wait_until(lambda: received == ["expired"])
        second = asyncio.create_task(ann.join("tea", nick="ann", invite="valid"))
        await asyncio.sleep(0)
        is_second_call_waiting.set()
        assert await first is await second
        assert received == ["expired", "valid"]


async def test_a_rejected_rejoin_emits_room_lost() -> None:
    join_count = 0

    async def respond(socket: web.WebSocketResponse, event: str, _: dict[str, Any]) -> dict[str, Any] | None:
        nonlocal join_count
        if event != "joinRoom":
            await socket.close()
            return None
        join_count += 1
        return JOINED if join_count == 1 else {"ok": False, "error": {"code": "forbidden", "message": "you are banned"}}

    async with hostile_server(respond) as port, ChatClient(f"http://127.0.0.1:{port}") as ann:
        stream = ann.events()
        tea = await ann.join("tea", nick="ann")
        await tea.set_typing(True)
        lost = await next_event(stream, RoomLost)
        assert (lost.room, lost.error.message) == ("tea", "you are banned")
        assert ann.rooms == {}


async def test_joins_that_wait_for_a_retry_do_not_delay_the_joins_after_a_reconnect() -> None:
    is_busy = True
    join_count = 0

    async def respond(socket: web.WebSocketResponse, event: str, body: dict[str, Any]) -> dict[str, Any] | None:
        nonlocal is_busy, join_count
        if event == "listRooms" and is_busy:
            is_busy = False
            await socket.close()
            return None
        if event == "listRooms":
            return {"ok": True, "rooms": []}
        join_count += 1
        if is_busy:
            return {"ok": False, "error": {"code": "unavailable", "message": "busy", "retryAfter": 30}}
        return JOINED | {"room": JOINED["room"] | {"name": body["roomName"]}}

    async with hostile_server(respond) as port, ChatClient(f"http://127.0.0.1:{port}") as ann:
        names = [f"room {number}" for number in range(MAX_CONCURRENT_JOINS)]
        joins = asyncio.gather(*(ann.join(name, nick="ann", timeout=15) for name in names))
        await wait_until(lambda: join_count == MAX_CONCURRENT_JOINS)
        listing = asyncio.create_task(ann.list_rooms())
        await joins
        assert sorted(ann.rooms) == names
        assert await listing == []


async def test_a_namespace_error_closes_the_connection() -> None:
    async def respond(socket: web.WebSocketResponse, event: str, body: dict[str, Any]) -> dict[str, Any] | None:
        if event == "typing":
            await socket.send_str('44{"message":"go away"}')
            return None
        return await respond_to_join(socket, event, body)

    async with hostile_server(respond) as port, ChatClient(f"http://127.0.0.1:{port}") as ann:
        tea = await ann.join("tea", nick="ann")
        await tea.set_typing(True)
        offline_task = asyncio.create_task(wait_until(lambda: isinstance(ann.state, Offline)))
        while not offline_task.done():
            await tea.set_typing(False)
            await asyncio.sleep(0)
        await offline_task


def make_search_hit(room: str) -> dict[str, Any]:
    fields = {
        "seq": 1,
        "id": 1,
        "nickName": "e\x1b[31mve",
        "memberId": "m2",
        "message": "pic\x1b]0;x",
        "ts": 10**15,
    }
    return {"kind": "message", "room": room, **fields}


async def respond_to_search(_: web.WebSocketResponse, event: str, __: dict[str, Any]) -> dict[str, Any] | None:
    if event not in ("search", "listMentions"):
        return {"ok": True}
    rooms = ["tea", "t\x1b]0;ea", "", "\u202etea", "x" * 300, *["tea"] * 500]
    return {"ok": True, "messages": [make_search_hit(room) for room in rooms], "hasMore": True, "next": "c"}


async def test_search_results_and_mentions_are_sanitized_and_limited_to_valid_rooms() -> None:
    async with hostile_server(respond_to_search) as port, ChatClient(f"http://127.0.0.1:{port}") as chat:
        results = await chat.search("pic", limit=10)
        assert {message.room for message in results.messages} == {"tea"}
        assert 0 < len(results.messages) <= 10
        assert "\x1b" not in "".join(message.nick_name + message.message for message in results.messages)
        assert results.next == SearchCursor("c", (MAX_TIMESTAMP, 1))
        assert {message.room for message in (await chat.user.list_mentions()).messages} == {"tea"}


async def test_a_page_that_repeats_its_cursor_ends_the_search() -> None:
    async with hostile_server(respond_to_search) as port, ChatClient(f"http://127.0.0.1:{port}") as chat:
        last_page = await chat.search("pic", cursor=SearchCursor("c"))
        assert last_page.next is None
