"""SDK against a basic server: no acknowledgements, no history (docs/clients.md)."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any, cast

import pytest
import socketio
from aiohttp import web

from server.gateway.dispatcher import Dispatcher
from tests.support.basic_node_server import BasicNodeServer, basic_node_server
from tests.support.event_recorder import EventRecorder
from tests.support.hostile_server import hostile_server
from tests.support.in_process_server import running_server
from tests.support.javascript_client import javascript_client
from tests.support.wait import wait_until
from tui_chat.client.client import ChatClient
from tui_chat.client.errors import DeliveryUnknown, UnsupportedByServer
from tui_chat.client.events import NoticeReceived, Offline, Online, RoomJoined
from tui_chat.client.net import basic_server, transport
from tui_chat.client.outbox.store import Outbox
from tui_chat.client.outbox_item import OutboxItemState
from tui_chat.client.room import Room
from tui_chat.client.storage.history_db import LocalHistory
from tui_chat.protocol.errors import ChatError

pytestmark = pytest.mark.needs_node


@pytest.fixture
async def server() -> AsyncGenerator[BasicNodeServer]:
    async with basic_node_server() as running:
        yield running


def logged_messages(room: Room) -> list[tuple[str, str]]:
    return [(message.nick_name, message.message) for message in room.log.messages()]


def unsent_states(room: Room) -> list[tuple[str, OutboxItemState]]:
    return [(item.text, item.state) for item in room.unsent()]


def shorten_timeouts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "BASIC_SERVER_TIMEOUT", 0.3)
    monkeypatch.setattr(basic_server, "ECHO_TIMEOUT", 0.5)


@pytest.mark.parametrize("version", ["4.3.2", "4.8.4"])
async def test_clients_and_a_page_exchange_messages_over_a_basic_server(version: str) -> None:
    async with (
        basic_node_server(version) as server,
        ChatClient(server.url) as ann,
        ChatClient(server.url) as ben,
        javascript_client(version) as page,
    ):
        tea, bens_tea = await ann.join("tea", nick="ann"), await ben.join("tea", nick="ben")
        assert tea.is_basic_server
        assert bens_tea.is_basic_server
        await page.connect(server.url)
        page.emit("joinRoom", {"roomName": "tea", "nickName": "page"})
        sent = await tea.send("hello")
        assert (sent.seq, sent.duplicate) == (1, False)
        await wait_until(lambda: logged_messages(bens_tea) == [("ann", "hello")])
        page.emit("sendMessage", {"room": "tea", "nickName": "page", "message": "hi both"})
        for room in (tea, bens_tea):
            await wait_until(lambda room=room: logged_messages(room)[-1] == ("page", "hi both"))
        assert (bens_tea.members, bens_tea.topic) == ({}, "")
        assert server.received_texts() == ["hello", "hi both"]


async def test_requests_have_the_form_that_a_basic_server_expects(server: BasicNodeServer) -> None:
    async with ChatClient(server.url) as ann:
        tea = await ann.join("tea", nick="ann")
        tea.post("hello", reply_to=7)
        await wait_until(lambda: not tea.unsent())
        join, message = server.received
        assert (join[0], join[1][0]["roomName"], join[1][0]["nickName"]) == ("joinRoom", "tea", "ann")
        assert message == ("sendMessage", [{"room": "tea", "nickName": "ann", "message": "hello"}])


@pytest.mark.parametrize("join_response", ["ok", None, {"status": 200}, [1], {"ok": "yes"}, False])
async def test_an_unknown_join_response_means_a_basic_server(server: BasicNodeServer, join_response: Any) -> None:
    server.configure(answers=join_response, announces=False)
    async with ChatClient(server.url) as ann:
        tea = await ann.join("tea", nick="ann")
        assert tea.is_basic_server
        assert (await tea.send("hello")).seq == 1


async def test_a_missing_join_response_means_a_basic_server(
    server: BasicNodeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    shorten_timeouts(monkeypatch)
    server.configure(announces=False)
    async with ChatClient(server.url) as ann:
        tea = await ann.join("tea", nick="ann")
        assert tea.is_basic_server
        assert logged_messages(tea) == []


@pytest.fixture
def dispatch_gate(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Delay every dispatched request of a native server until the returned event is set."""
    gate = asyncio.Event()
    dispatch = Dispatcher.dispatch

    async def wait_and_dispatch(self: Dispatcher, *args: Any, **kwargs: Any) -> bytes | None:
        await gate.wait()
        return await dispatch(self, *args, **kwargs)

    monkeypatch.setattr(Dispatcher, "dispatch", wait_and_dispatch)
    return gate


async def test_a_slow_native_server_is_not_taken_for_a_basic_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dispatch_gate: asyncio.Event
) -> None:
    monkeypatch.setattr(transport, "BASIC_SERVER_TIMEOUT", 0.3)
    probe_results: list[bool] = []
    is_native_or_dead = transport.Transport._is_native_or_dead  # pyright: ignore[reportPrivateUsage]

    async def record_result(self: transport.Transport) -> bool:
        probe_results.append(await is_native_or_dead(self))
        return probe_results[-1]

    monkeypatch.setattr(transport.Transport, "_is_native_or_dead", record_result)
    async with running_server(tmp_path) as server, ChatClient(server.url) as ann:
        joining = asyncio.create_task(ann.join("tea", nick="ann"))
        await wait_until(lambda: probe_results == [True])
        dispatch_gate.set()
        tea = await joining
        assert not tea.is_basic_server
        assert (await tea.edit((await tea.send("hello")).seq, "hello!")).revision == 2


async def test_a_late_join_response_switches_to_the_native_protocol(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dispatch_gate: asyncio.Event
) -> None:
    monkeypatch.setattr(transport, "BASIC_SERVER_TIMEOUT", 0.3)

    async def return_false(self: transport.Transport) -> bool:
        return False

    monkeypatch.setattr(transport.Transport, "_is_native_or_dead", return_false)
    async with running_server(tmp_path) as server, ChatClient(server.url) as ann:
        tea = await ann.join("tea", nick="ann")
        assert tea.is_basic_server
        dispatch_gate.set()
        await wait_until(lambda: not tea.is_basic_server)
        assert (await tea.send("hello")).seq == 1


@pytest.mark.parametrize(
    "announcement",
    [
        "{nick} 加入了 {room} 房间",
        "{nick} has joined {room}",
        "*** Bienvenue à {nick} ***",
        "a new person in {room}: {nick}",
    ],
)
async def test_join_announcements_of_a_basic_server_become_notices(server: BasicNodeServer, announcement: str) -> None:
    server.configure(announcement=announcement)
    async with ChatClient(server.url) as ann, ChatClient(server.url) as ben:
        events = EventRecorder(ann)
        tea = await ann.join("tea", nick="ann")
        await ben.join("tea", nick="小明")
        await wait_until(lambda: [event for event in events if isinstance(event, NoticeReceived)])
        (notice_event,) = [event for event in events if isinstance(event, NoticeReceived)]
        assert (notice_event.notice.nick_name, notice_event.notice.room) == ("小明", "tea")
        assert logged_messages(tea) == []
        server.disconnect_all()
        await wait_until(lambda: [event for event in events if isinstance(event, RoomJoined) and event.rejoined])
        texts = [announcement.format(nick=nick, room="tea") for nick in ("bob", "ann")]
        for text in texts:
            await tea.send(text)
        assert [text for _, text in logged_messages(tea)] == texts


async def test_an_own_message_with_the_own_nickname_is_no_announcement(server: BasicNodeServer) -> None:
    server.configure(announces=False, answers="ok")
    async with ChatClient(server.url) as ann:
        tea = await ann.join("tea", nick="ann")
        await tea.send("ann is here")
        await tea.send("ann is here")
        assert logged_messages(tea) == [("ann", "ann is here"), ("ann", "ann is here")]


@pytest.mark.parametrize("arguments", ["", '"joined"', 'null,{"members":3}'], ids=["none", "one", "two"])
async def test_any_number_of_acknowledgement_arguments_means_a_basic_server(arguments: str) -> None:
    async def acknowledge(socket: web.WebSocketResponse, event: str, _: dict[str, Any]) -> None:
        if event == "joinRoom":
            await socket.send_str(f"431[{arguments}]")

    async with hostile_server(acknowledge) as port, ChatClient(f"http://127.0.0.1:{port}") as ann:
        tea = await ann.join("tea", nick="ann", timeout=transport.BASIC_SERVER_TIMEOUT)
        assert tea.is_basic_server


async def test_a_python_socketio_server_is_basic() -> None:
    server: Any = cast(Any, socketio).AsyncServer(async_mode="aiohttp")

    async def join_room(sid: str, request: dict[str, str]) -> None:
        await server.enter_room(sid, request["roomName"])
        await server.emit("message", {"nickName": request["nickName"], "message": f"-> {request['nickName']}"})

    async def send_message(_: str, request: dict[str, str]) -> None:
        await server.emit("message", {"nickName": request["nickName"], "message": request["message"]})

    server.on("joinRoom", join_room)
    server.on("sendMessage", send_message)
    app = web.Application()
    server.attach(app)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        async with ChatClient(f"http://127.0.0.1:{runner.addresses[0][1]}") as ann:
            tea = await ann.join("tea", nick="ann")
            assert tea.is_basic_server
            await tea.send("hello")
            assert logged_messages(tea) == [("ann", "hello")]
    finally:
        await runner.cleanup()


async def test_unsupported_requests_to_a_basic_server_fail_locally(
    server: BasicNodeServer,
) -> None:
    async with ChatClient(server.url) as ann:
        tea = await ann.join("tea", nick="ann")
        await tea.send("hello")
        with pytest.raises(UnsupportedByServer):
            await tea.edit(1, "hello!")
        with pytest.raises(UnsupportedByServer):
            await tea.react(1, "👍")
        with pytest.raises(UnsupportedByServer):
            await tea.change_nick("anna")
        with pytest.raises(UnsupportedByServer):
            await ann.list_rooms()
        await tea.set_typing(True)
        tea.post_edit(1, "hello!")
        await wait_until(lambda: unsent_states(tea) == [("hello!", OutboxItemState.FAILED)])
        assert await tea.load_older() is False
        await tea.send("still here")
        assert [event for event, _ in server.received] == ["joinRoom", "sendMessage", "sendMessage"]


async def test_oversized_messages_are_truncated_with_a_marker(
    server: BasicNodeServer,
) -> None:
    async with ChatClient(server.url) as ann:
        tea = await ann.join("tea", nick="ann")
        server.push("message", {"nickName": "n" * 1_000_000, "message": "far too long\n" * 230_000})
        server.push("message", {"nickName": "ben", "message": "still here"})
        await wait_until(lambda: len(logged_messages(tea)) == 2)
        (nick_name, text), next_line = logged_messages(tea)
        assert nick_name == "n" * 31 + "…"
        assert text.startswith("far too long\nfar")
        assert text.endswith("… ✂ +2,986,000")
        assert len(text) == 4000
        assert next_line == ("ben", "still here")
        assert (await tea.send("x" * 4000)).seq == 3


async def test_a_basic_server_allows_one_room_at_a_time(server: BasicNodeServer) -> None:
    async with ChatClient(server.url) as ann:
        tea = await ann.join("tea", nick="ann")
        with pytest.raises(UnsupportedByServer, match="one room at a time"):
            await ann.join("coffee", nick="ann")
        assert list(ann.rooms) == ["tea"]
        await tea.leave()
        coffee = await ann.join("coffee", nick="ann")
        await coffee.send("hello")
        assert logged_messages(coffee) == [("ann", "hello")]
        assert server.received[-1] == ("sendMessage", [{"room": "coffee", "nickName": "ann", "message": "hello"}])


async def test_of_two_concurrent_joins_one_is_rejected(server: BasicNodeServer) -> None:
    async with ChatClient(server.url) as ann:
        results = await asyncio.gather(
            ann.join("tea", nick="ann"), ann.join("coffee", nick="ann"), return_exceptions=True
        )
        (room,) = [result for result in results if isinstance(result, Room)]
        (error,) = [result for result in results if isinstance(result, ChatError)]
        assert isinstance(error, UnsupportedByServer)
        assert [args[0]["roomName"] for event, args in server.received if event == "joinRoom"] == [room.name]


async def test_echoed_messages_are_confirmed_in_order(server: BasicNodeServer) -> None:
    async with ChatClient(server.url) as ann:
        tea = await ann.join("tea", nick="ann")
        items = [tea.post(text) for text in ("one", "same", "same", "  padded  ", "two\nlines")]
        await wait_until(lambda: not tea.unsent())
        sent_texts = [message for _, message in logged_messages(tea)]
        assert sent_texts == [item.text for item in items]
        assert [message.seq for message in tea.log.messages()] == [1, 2, 3, 4, 5]
        assert all(message.member_id == tea.member_id for message in tea.log.messages())


async def test_an_echo_with_another_nickname_does_not_confirm_a_message(
    server: BasicNodeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    shorten_timeouts(monkeypatch)
    server.configure(echoes=False)
    async with ChatClient(server.url) as ann, ChatClient(server.url) as ben:
        tea, bens_tea = await ann.join("tea", nick="ann"), await ben.join("tea", nick="ben")
        tea.post("hello")
        await wait_until(lambda: logged_messages(bens_tea) == [("ann", "hello")])
        bens_tea.post("hello")
        await wait_until(lambda: logged_messages(tea) == [("ben", "hello")])
        await wait_until(lambda: unsent_states(tea) == [("hello", OutboxItemState.FAILED)])
        assert tea.unsent()[0].unconfirmed


async def test_a_message_without_echo_is_unconfirmed_and_delays_no_other(
    server: BasicNodeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    shorten_timeouts(monkeypatch)
    server.configure(echoes=False)
    async with ChatClient(server.url) as ann:
        tea = await ann.join("tea", nick="ann")
        for text in ("one", "two", "three"):
            tea.post(text)
        await wait_until(lambda: server.received_texts() == ["one", "two", "three"])
        await wait_until(lambda: {state for _, state in unsent_states(tea)} == {OutboxItemState.FAILED})
        server.push("message", {"nickName": "ann", "message": "two"})
        await wait_until(lambda: [text for text, _ in unsent_states(tea)] == ["one", "three"])
        with pytest.raises(DeliveryUnknown):
            await tea.send("four")
        server.configure(echoes=True)
        tea.retry(tea.unsent()[0].client_id)
        await wait_until(lambda: [text for text, _ in unsent_states(tea)] == ["three"])
        assert server.received_texts() == ["one", "two", "three", "four", "one"]


async def test_a_reconnect_rejoins_and_repeats_no_message(server: BasicNodeServer) -> None:
    async with ChatClient(server.url) as ann:
        server.configure(echoes=False)
        tea = await ann.join("tea", nick="ann")
        tea.post("in flight")
        sending = asyncio.create_task(tea.send("also in flight"))
        await wait_until(lambda: sorted(server.received_texts()) == ["also in flight", "in flight"])
        server.disconnect_all()
        await wait_until(lambda: isinstance(ann.state, Offline))
        with pytest.raises(DeliveryUnknown):
            await sending
        await wait_until(lambda: unsent_states(tea) == [("in flight", OutboxItemState.FAILED)])
        tea.post("written offline")
        server.configure(echoes=True)
        ann.reconnect_now()
        await wait_until(lambda: logged_messages(tea) == [("ann", "written offline")])
        assert isinstance(ann.state, Online)
        assert unsent_states(tea) == [("in flight", OutboxItemState.FAILED)]
        assert server.received_texts().count("in flight") == 1
        assert [event for event, _ in server.received].count("joinRoom") == 2
        tea.retry(tea.unsent()[0].client_id)
        await wait_until(lambda: not tea.unsent())
        assert logged_messages(tea)[-1] == ("ann", "in flight")


async def test_unconfirmed_messages_are_not_resent_after_a_restart(server: BasicNodeServer, tmp_path: Path) -> None:
    server.configure(echoes=False)
    async with Outbox(tmp_path) as outbox, ChatClient(server.url, outbox=outbox) as ann:
        tea = await ann.join("tea", nick="ann")
        tea.post("unconfirmed")
        await wait_until(lambda: server.received_texts() == ["unconfirmed"])
    server.configure(echoes=True)
    async with Outbox(tmp_path) as outbox, ChatClient(server.url, outbox=outbox) as ann:
        tea = await ann.join("tea", nick="ann")
        assert [(item.text, item.unconfirmed) for item in tea.unsent()] == [("unconfirmed", True)]
        await tea.send("another")
        assert server.received_texts() == ["unconfirmed", "another"]
        tea.drop(tea.unsent()[0].client_id)
    async with Outbox(tmp_path) as outbox, ChatClient(server.url, outbox=outbox) as ann:
        assert (await ann.join("tea", nick="ann")).unsent() == ()


async def test_messages_of_a_basic_server_are_not_cached(server: BasicNodeServer, tmp_path: Path) -> None:
    async with LocalHistory(tmp_path) as history, ChatClient(server.url, history=history) as ann:
        tea = await ann.join("tea", nick="ann")
        await tea.send("hello")
        await tea.flush()
    async with LocalHistory(tmp_path) as history, ChatClient(server.url, history=history) as ann:
        assert await ann.open_cached("tea", nick="ann") is None
        assert logged_messages(await ann.join("tea", nick="ann")) == []


async def test_a_room_survives_a_change_of_server_type(tmp_path: Path) -> None:
    async with basic_node_server() as first:
        port = first.port
        ann = ChatClient(first.url)
        await ann.__aenter__()
        tea = await ann.join("tea", nick="ann")
        await tea.send("on the basic server")
    try:
        async with running_server(tmp_path, port=port):
            ann.reconnect_now()
            await wait_until(lambda: not tea.is_basic_server)
            assert logged_messages(tea) == []  # the native server has its own log
            assert (await tea.send("on the native server")).seq == 1
            assert [member.nick_name for member in tea.members.values()] == ["ann"]
        async with basic_node_server(port=port):
            ann.reconnect_now()
            await wait_until(lambda: tea.is_basic_server)
            await tea.send("on the basic server again")
            assert logged_messages(tea) == [("ann", "on the native server"), ("ann", "on the basic server again")]
            assert tea.members == {}
    finally:
        await ann.close()


async def test_text_from_a_basic_server_is_sanitized(server: BasicNodeServer) -> None:
    async with ChatClient(server.url) as ann:
        tea = await ann.join("tea", nick="ann")
        server.push("message", {"nickName": "mal\x1b[2Jlory", "message": "a\x1b]52;c;aGk=\x07b\u202ec"})
        server.push("message", "bare \x9b2Jtext")
        invalid: list[Any] = [
            None,
            1,
            [],
            {},
            {"message": 1},
            {"nickName": "x"},
            {"message": "x", "nickName": ["y"]},
        ]
        for body in invalid:
            server.push("message", body)
        server.push("update", {"room": "tea"})
        server.push("message", {"nickName": "", "message": "the last"})
        await wait_until(lambda: logged_messages(tea)[-1:] == [("tea", "the last")])
        assert logged_messages(tea) == [("mal[2Jlory", "a]52;c;aGk=bc"), ("tea", "bare 2Jtext"), ("tea", "the last")]
