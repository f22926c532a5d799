"""Client behaviour with malformed and malicious server responses."""

import asyncio
import gc
import json
import logging
import ssl
import tracemalloc
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiohttp import web

from tests.support.hostile_server import hostile_server
from tests.support.wait import wait_until
from tui_chat.client.client import ChatClient
from tui_chat.client.errors import Unreachable
from tui_chat.client.event_queue import EventQueue
from tui_chat.client.events import ClientEvent, Offline, ProblemReported, RoomLost
from tui_chat.client.join import MAX_CONCURRENT_JOINS
from tui_chat.client.room import Room
from tui_chat.client.room_context import RoomContext
from tui_chat.client.roster import MAX_MEMBERS
from tui_chat.client.sanitize import MAX_TIMESTAMP
from tui_chat.client.search_page import SearchCursor
from tui_chat.protocol.errors import InternalError, RateLimited
from tui_chat.protocol.limits import REACTIONS_PER_MESSAGE, SECRET_CHARACTERS

JOINED: dict[str, Any] = {
    "ok": True,
    "room": {"name": "tea", "topic": "to\x1b]0;pic", "logId": "x", "firstSeq": 1, "lastSeq": 0, "visibility": "public"},
    "nickName": "ann",
    "memberId": "m1",
    "guestKey": "k",
    "members": [
        {
            "memberId": "m2",
            "nickName": "e\x1b[31mve",
            "role": "member",
            "account": "a\x9bb",
            "via": "c\x1b]0;d",
        }
    ],
    "messages": [],
    "hasMore": False,
}


async def respond_to_join(_: web.WebSocketResponse, event: str, __: dict[str, Any]) -> dict[str, Any] | None:
    return JOINED if event == "joinRoom" else {"ok": True}


def message_packet(seq: int, text: str = "hi", **extra: Any) -> str:
    fields = {"room": "tea", "seq": seq, "id": seq, "nickName": "eve", "memberId": "m2", "message": text, "ts": 1}
    return "42" + json.dumps(["message", {"kind": "message", **fields, **extra}])


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


async def test_an_invalid_response_raises_internal_error() -> None:
    async def respond(socket: web.WebSocketResponse, event: str, body: dict[str, Any]) -> dict[str, Any] | None:
        return JOINED if event == "joinRoom" else {"ok": True, "seq": "one"}

    async with hostile_server(respond) as port, ChatClient(f"http://127.0.0.1:{port}") as ann:
        tea = await ann.join("tea", nick="ann")
        with pytest.raises(InternalError):
            await tea.send("hi")


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
        assert await tea.load_older()
        assert [message.seq for message in tea.log.messages()] == [2]


async def test_error_messages_from_the_server_are_sanitized() -> None:
    async def respond(socket: web.WebSocketResponse, event: str, body: dict[str, Any]) -> dict[str, Any] | None:
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
            await tea.send("hi", timeout=0.1)
        assert caught.value.message.startswith("slow[2J down!")
        assert len(caught.value.message) == 300
        assert caught.value.retry_after == 60
        assert caught.value.params == {"reason": "[2J", "self": 1}


async def test_a_rejected_rejoin_emits_room_lost() -> None:
    join_count = 0

    async def respond(socket: web.WebSocketResponse, event: str, body: dict[str, Any]) -> dict[str, Any] | None:
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
        async for event in stream:
            if isinstance(event, RoomLost):
                assert isinstance(event, RoomLost)
                assert (event.room, event.error.message) == ("tea", "you are banned")
                break
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


async def test_tls_certificates_are_verified_against_the_given_authority(
    tmp_path: Path,
) -> None:
    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)  # pyright: ignore[reportUnknownMemberType] (trustme has no types)
    ca_file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(ca_file)
    async with hostile_server(respond_to_join, context) as port:
        url = f"https://127.0.0.1:{port}"
        with pytest.raises(Unreachable, match="certificate is not trusted"):
            async with ChatClient(url):
                pass
        for file, reason in ((tmp_path / "missing", "No such file"), (Path(__file__), "no certificates found")):
            with pytest.raises(Unreachable, match=reason):
                async with ChatClient(url, ca_file=str(file)):
                    pass
        async with ChatClient(url, ca_file=str(ca_file)) as ann:
            assert (await ann.join("tea", nick="ann")).nick == "ann"
    async with hostile_server(respond_to_join) as port:
        with pytest.raises(Unreachable, match="does not use TLS"):
            async with ChatClient(f"https://127.0.0.1:{port}"):
                pass


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
    if event != "search":
        return {"ok": True}
    rooms = ["tea", "t\x1b]0;ea", "", "\u202etea", "x" * 300, *["tea"] * 500]
    return {"ok": True, "messages": [make_search_hit(room) for room in rooms], "hasMore": True, "next": "c"}


async def test_search_results_are_sanitized_and_limited_to_valid_rooms() -> None:
    async with hostile_server(respond_to_search) as port, ChatClient(f"http://127.0.0.1:{port}") as chat:
        results = await chat.search("pic", limit=10)
        assert {message.room for message in results.messages} == {"tea"}
        assert 0 < len(results.messages) <= 10
        assert "\x1b" not in "".join(message.nick_name + message.message for message in results.messages)
        assert results.next == SearchCursor("c", (MAX_TIMESTAMP, 1))


async def test_a_page_that_repeats_its_cursor_ends_the_search() -> None:
    async with hostile_server(respond_to_search) as port, ChatClient(f"http://127.0.0.1:{port}") as chat:
        last_page = await chat.search("pic", cursor=SearchCursor("c"))
        assert last_page.next is None


FLOOD_MEMORY = 3_000_000
"""Maximum memory growth during the second flood, in bytes, including the buffers of the connection."""


def update_packet(seq: int, **fields: Any) -> str:
    entry = {"room": "tea", "seq": seq, "id": seq, "ts": 1, "memberId": "m2", "nickName": "eve"}
    return "42" + json.dumps(["update", {**entry, **fields}])


def topic_packet(seq: int) -> str:
    return update_packet(seq, kind="topic", topic=str(seq))


def reaction_packet(seq: int, target: int) -> str:
    return update_packet(seq, kind="reaction", target=target, emoji=f"r{seq}", on=True)


def presence_packet(first: int, last: int) -> str:
    joined = [{"memberId": f"f{n}", "nickName": f"flood{n}", "role": "x" * 100} for n in range(first, last)]
    return "42" + json.dumps(["presence", {"room": "tea", "joined": joined, "left": [], "renamed": []}])


async def run_floods(
    floods: Sequence[Iterable[str]], caplog: pytest.LogCaptureFixture
) -> tuple[Room, list[int], list[ProblemReported]]:
    """Join a room of a server that floods the room, while the events are consumed.

    Args:
        floods: Packets of each flood. The last packet is a topic with the `seq` of the topic as its text.
        caplog: Record of the log.

    Returns:
        The room, the traced memory in bytes after each flood, and the reported problems.
    """
    pending_floods = [list(flood) for flood in floods]
    last_seqs = [json.loads(flood[-1][2:])[1]["seq"] for flood in pending_floods]
    problems: list[ProblemReported] = []
    memory: list[int] = []

    async def respond(socket: web.WebSocketResponse, event: str, body: dict[str, Any]) -> dict[str, Any] | None:
        if event == "typing":
            for packet in pending_floods.pop(0):
                await socket.send_str(packet)
        return await respond_to_join(socket, event, body)

    async def record_problems(events: EventQueue[ClientEvent]) -> None:
        async for event in events:
            if isinstance(event, ProblemReported):
                problems.append(event)

    tracemalloc.start()
    try:
        async with hostile_server(respond) as port, ChatClient(f"http://127.0.0.1:{port}") as ann:
            recorder_task = asyncio.create_task(record_problems(ann.events()))
            room = await ann.join("tea", nick="ann")
            for last_seq in last_seqs:
                await room.set_typing(True)
                await wait_until(lambda last_seq=last_seq: room.topic == str(last_seq), timeout=40)
                gc.collect()
                memory.append(tracemalloc.get_traced_memory()[0])
        await recorder_task
    finally:
        tracemalloc.stop()
    assert [record.levelno for record in caplog.records if record.levelno >= logging.WARNING] == [logging.WARNING]
    return room, memory, problems


async def test_a_flood_of_members_is_counted_but_not_stored(caplog: pytest.LogCaptureFixture) -> None:
    floods = [
        [*(presence_packet(n, n + 2_000) for n in range(first, first + 30_000, 2_000)), topic_packet(seq)]
        for seq, first in ((1, 0), (2, 30_000))
    ]
    room, (first_memory, second_memory), problems = await run_floods(floods, caplog)
    assert (len(room.members), room.member_count) == (MAX_MEMBERS, 60_001)
    assert [problem.error.reason for problem in problems] == ["members_unlisted"]
    assert second_memory - first_memory < FLOOD_MEMORY
    assert {member.role for member in room.members.values()} == {"member"}


async def test_a_flood_of_reactions_is_bounded(caplog: pytest.LogCaptureFixture) -> None:
    floods = [
        [message_packet(1), *(reaction_packet(seq, 1) for seq in range(2, 300)), topic_packet(300)],
        # Changes of later messages are stored until the message arrives.
        [*(reaction_packet(seq, 10_000 + seq) for seq in range(301, 1_500)), topic_packet(1_500)],
        [*(reaction_packet(seq, 10_000 + seq) for seq in range(1_501, 4_000)), topic_packet(4_000)],
    ]
    room, (_, second_memory, third_memory), problems = await run_floods(floods, caplog)
    assert len(room.log[1].reactions or {}) == REACTIONS_PER_MESSAGE
    assert [problem.error.reason for problem in problems] == ["reactions_unlisted"]
    assert third_memory - second_memory < FLOOD_MEMORY / 5


async def test_a_message_with_too_many_reactions_is_truncated_and_reported(caplog: pytest.LogCaptureFixture) -> None:
    summary: dict[str, Any] = {"count": 7, "by": [], "own": False}
    flooded = message_packet(1, reactions={f"r{number}": summary for number in range(50_000)})
    room, _, problems = await run_floods([[flooded, topic_packet(2)]], caplog)
    reactions = room.log[1].reactions or {}
    assert {reaction.count for reaction in reactions.values()} == {7}
    assert len(reactions) == REACTIONS_PER_MESSAGE
    assert [problem.error.reason for problem in problems] == ["reactions_unlisted"]
