"""A server that sends anything at all: the client ignores it, stays up and says nothing to the screen."""

import asyncio
import json
import logging
import ssl
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiohttp import web

from tests.support.hostile_server import hostile_server
from tests.support.wait import wait_until
from tui_chat.client.client import ChatClient
from tui_chat.client.errors import Unreachable
from tui_chat.client.events import Offline, RoomLost
from tui_chat.protocol.errors import InternalError, RateLimited

JOINED: dict[str, Any] = {
    "ok": True,
    "room": {"name": "tea", "topic": "to\x1b]0;pic", "lastSeq": 0, "visibility": "public"},
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


async def joins(_: web.WebSocketResponse, event: str, __: dict[str, Any]) -> dict[str, Any] | None:
    return JOINED if event == "joinRoom" else {"ok": True}


def message(seq: int, text: str = "hi", **more: Any) -> str:
    fields = {"room": "tea", "seq": seq, "id": seq, "nickName": "eve", "memberId": "m2", "message": text, "ts": 1}
    return "42" + json.dumps(["message", {"kind": "message", **fields, **more}])


JUNK = [
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
    message(2**63),
    message(-1),
    message(0),
]


@pytest.mark.parametrize("debug", [False, True])
async def test_junk_is_ignored_and_what_follows_arrives(debug: bool, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG if debug else logging.INFO)
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))

    async def answer(socket: web.WebSocketResponse, event: str, body: dict[str, Any]) -> dict[str, Any] | None:
        if event != "typing":
            return await joins(socket, event, body)
        for junk in JUNK:
            await socket.send_str(junk)
        await socket.send_bytes(b"\x00\x01")
        await socket.send_str(message(1, "a secret"))
        return None

    async with hostile_server(answer) as port, ChatClient(f"http://127.0.0.1:{port}") as ann:
        tea = await ann.join("tea", nick="ann")
        await tea.set_typing(True)
        await wait_until(lambda: tea.log.last == 1)
        assert tea.log[1].message == "a secret"
    assert complaints == []
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert not [record for record in caplog.records if "secret" in record.getMessage() and "chat" in record.name]


async def test_what_others_write_is_cleaned_again() -> None:
    async def answer(socket: web.WebSocketResponse, event: str, body: dict[str, Any]) -> dict[str, Any] | None:
        if event == "typing":
            await socket.send_str(message(1, "\x1b]52;c;aGk=\x07red\u202ealert\x9b31m", nickName="e\u2066ve\n"))
            fields = {"room": "tea", "seq": 2, "id": 2, "ts": 2, "memberId": "m2", "nickName": "eve"}
            await socket.send_str("42" + json.dumps(["update", {"kind": "topic", "topic": "a\x07b", **fields}]))
        return await joins(socket, event, body)

    async with hostile_server(answer) as port, ChatClient(f"http://127.0.0.1:{port}") as ann:
        tea = await ann.join("tea", nick="ann")
        assert tea.topic == "to]0;pic"
        eve = tea.members["m2"]
        assert (eve.nick_name, eve.account, eve.via) == ("e[31mve", "ab", "c]0;d")
        await tea.set_typing(True)
        await wait_until(lambda: tea.topic == "ab")
        assert tea.log[1].message == "]52;c;aGk=redalert31m"
        assert tea.log[1].nick_name == "eve"


async def test_an_answer_that_is_none_is_an_error_of_the_server() -> None:
    async def answer(socket: web.WebSocketResponse, event: str, body: dict[str, Any]) -> dict[str, Any] | None:
        return JOINED if event == "joinRoom" else {"ok": True, "seq": "one"}

    async with hostile_server(answer) as port, ChatClient(f"http://127.0.0.1:{port}") as ann:
        tea = await ann.join("tea", nick="ann")
        with pytest.raises(InternalError):
            await tea.send("hi")


async def test_the_words_of_a_refusal_are_cleaned_too() -> None:
    async def answer(socket: web.WebSocketResponse, event: str, body: dict[str, Any]) -> dict[str, Any] | None:
        if event == "joinRoom":
            return JOINED
        problem = {"code": "rate_limited", "message": "slow\x1b[2J down" + "!" * 1_000, "retryAfter": 1e12}
        return {"ok": False, "error": problem}

    async with hostile_server(answer) as port, ChatClient(f"http://127.0.0.1:{port}") as ann:
        tea = await ann.join("tea", nick="ann")
        with pytest.raises(RateLimited) as caught:
            await tea.send("hi", timeout=0.1)
        assert caught.value.message.startswith("slow[2J down!")
        assert len(caught.value.message) == 300
        assert caught.value.retry_after == 60


async def test_a_refused_return_loses_the_room_and_says_so() -> None:
    joined = 0

    async def answer(socket: web.WebSocketResponse, event: str, body: dict[str, Any]) -> dict[str, Any] | None:
        nonlocal joined
        if event != "joinRoom":
            await socket.close()
            return None
        joined += 1
        return JOINED if joined == 1 else {"ok": False, "error": {"code": "forbidden", "message": "you are banned"}}

    async with hostile_server(answer) as port, ChatClient(f"http://127.0.0.1:{port}") as ann:
        stream = ann.events()
        tea = await ann.join("tea", nick="ann")
        await tea.set_typing(True)
        async for event in stream:
            if isinstance(event, RoomLost):
                assert event == RoomLost("tea", "you are banned")
                break
        assert ann.rooms == {}


async def test_a_namespace_that_ends_alone_takes_the_connection_with_it() -> None:
    async def answer(socket: web.WebSocketResponse, event: str, body: dict[str, Any]) -> dict[str, Any] | None:
        if event == "typing":
            await socket.send_str('44{"message":"go away"}')
            return None
        return await joins(socket, event, body)

    async with hostile_server(answer) as port, ChatClient(f"http://127.0.0.1:{port}") as ann:
        tea = await ann.join("tea", nick="ann")
        await tea.set_typing(True)
        telling = asyncio.create_task(wait_until(lambda: isinstance(ann.state, Offline)))
        while not telling.done():
            await tea.set_typing(False)
            await asyncio.sleep(0)
        await telling


async def test_a_certificate_is_checked_and_its_authority_can_be_given(
    tmp_path: Path,
) -> None:
    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)  # pyright: ignore[reportUnknownMemberType] (trustme does not say)
    ca_file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(ca_file)
    async with hostile_server(joins, context) as port:
        url = f"https://127.0.0.1:{port}"
        with pytest.raises(Unreachable, match="certificate is not trusted"):
            async with ChatClient(url):
                pass
        for file, reason in ((tmp_path / "missing", "No such file"), (Path(__file__), "no certificates in it")):
            with pytest.raises(Unreachable, match=reason):
                async with ChatClient(url, ca_file=str(file)):
                    pass
        async with ChatClient(url, ca_file=str(ca_file)) as ann:
            assert (await ann.join("tea", nick="ann")).nick == "ann"
    async with hostile_server(joins) as port:
        with pytest.raises(Unreachable, match="does not speak TLS"):
            async with ChatClient(f"https://127.0.0.1:{port}"):
                pass


async def test_what_a_search_brings_is_cleaned_and_only_of_rooms_that_can_be() -> None:
    def found(room: str) -> dict[str, Any]:
        said = {"seq": 1, "id": 1, "nickName": "e\x1b[31mve", "memberId": "m2", "message": "pic\x1b]0;x", "ts": 10**15}
        return {"kind": "message", "room": room, **said}

    async def answer(_: web.WebSocketResponse, event: str, __: dict[str, Any]) -> dict[str, Any] | None:
        if event != "search":
            return {"ok": True}
        rooms = ["tea", "t\x1b]0;ea", "", "\u202etea", "x" * 300, *["tea"] * 500]
        return {"ok": True, "messages": [found(room) for room in rooms], "hasMore": True}

    async with hostile_server(answer) as port, ChatClient(f"http://127.0.0.1:{port}") as chat:
        results = await chat.search("pic", limit=10)
        assert {message.room for message in results.messages} == {"tea"}
        assert 0 < len(results.messages) <= 10
        assert "\x1b" not in "".join(message.nick_name + message.message for message in results.messages)
        assert (results.has_more, results.next_before) == (True, 1)
        again = await chat.search("pic", before=1)
        assert (again.has_more, again.next_before) == (False, None)  # or it would go on for ever
