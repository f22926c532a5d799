"""SDK against a basic server: no acknowledgements, no history (docs/clients.md)."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.support.basic_node_server import BasicNodeServer, basic_node_server
from tests.support.event_recorder import EventRecorder
from tests.support.in_process_server import running_server
from tests.support.javascript_client import javascript_client
from tests.support.messages import logged_messages
from tests.support.wait import wait_until
from tui_chat.client.client import ChatClient
from tui_chat.client.errors import DeliveryUnknown, UnsupportedByServer
from tui_chat.client.events import NoticeReceived, Offline, Online, RoomJoined
from tui_chat.client.outbox.store import Outbox
from tui_chat.client.outbox_item import OutboxItemState
from tui_chat.client.room import Room
from tui_chat.client.storage.history_db import LocalHistory
from tui_chat.protocol.errors import ChatError

pytestmark = pytest.mark.needs_node


def unsent_states(room: Room) -> list[tuple[str, OutboxItemState]]:
    """Return the text and state of each pending and failed item."""
    return [(item.text, item.state) for item in room.unsent()]


@pytest.mark.parametrize("version", ["4.3.2", "4.8.4"])
async def test_clients_and_a_javascript_client_exchange_messages_over_a_basic_server(version: str) -> None:
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


async def test_joins_and_messages_have_the_fields_of_a_basic_server(basic_server: BasicNodeServer) -> None:
    async with ChatClient(basic_server.url) as ann:
        tea = await ann.join("tea", nick="ann")
        tea.post("hello", reply_to=7)
        await wait_until(lambda: not tea.unsent())
        with pytest.raises(UnsupportedByServer):
            await ann.observe("other")
        join, message = basic_server.received
        assert (join[0], join[1][0]["roomName"], join[1][0]["nickName"]) == ("joinRoom", "tea", "ann")
        assert message == ("sendMessage", [{"room": "tea", "nickName": "ann", "message": "hello"}])


@pytest.mark.parametrize(
    "announcement",
    [
        "{nick} 加入了 {room} 房间",
        "{nick} has joined {room}",
        "*** Bienvenue à {nick} ***",
        "a new person in {room}: {nick}",
    ],
)
async def test_join_announcements_of_a_basic_server_become_notices(
    basic_server: BasicNodeServer, announcement: str
) -> None:
    basic_server.configure(announcement=announcement)
    async with ChatClient(basic_server.url) as ann, ChatClient(basic_server.url) as ben:
        events = EventRecorder(ann)
        tea = await ann.join("tea", nick="ann")
        await ben.join("tea", nick="小明")
        await wait_until(lambda: events.of_type(NoticeReceived))
        (notice_event,) = events.of_type(NoticeReceived)
        assert (notice_event.notice.nick_name, notice_event.notice.room) == ("小明", "tea")
        assert logged_messages(tea) == []
        basic_server.disconnect_all()
        await wait_until(lambda: any(event.rejoined for event in events.of_type(RoomJoined)))
        texts = [announcement.format(nick=nick, room="tea") for nick in ("bob", "ann")]
        for text in texts:
            await tea.send(text)
        assert [text for _, text in logged_messages(tea)] == texts


async def test_a_message_that_contains_the_nickname_of_its_author_is_no_announcement(
    basic_server: BasicNodeServer,
) -> None:
    basic_server.configure(announces=False, ack="ok")
    async with ChatClient(basic_server.url) as ann:
        tea = await ann.join("tea", nick="ann")
        await tea.send("ann is here")
        await tea.send("ann is here")
        assert logged_messages(tea) == [("ann", "ann is here"), ("ann", "ann is here")]


async def test_unsupported_requests_to_a_basic_server_fail_locally(
    basic_server: BasicNodeServer,
) -> None:
    async with ChatClient(basic_server.url) as ann:
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
        assert await tea.history.load_older() is False
        await tea.send("still here")
        assert [event for event, _ in basic_server.received] == ["joinRoom", "sendMessage", "sendMessage"]


async def test_oversized_messages_are_truncated_with_a_marker(
    basic_server: BasicNodeServer,
) -> None:
    async with ChatClient(basic_server.url) as ann:
        tea = await ann.join("tea", nick="ann")
        basic_server.push("message", {"nickName": "n" * 1_000_000, "message": "far too long\n" * 230_000})
        basic_server.push("message", {"nickName": "ben", "message": "still here"})
        await wait_until(lambda: len(logged_messages(tea)) == 2)
        (nick_name, text), next_line = logged_messages(tea)
        assert nick_name == "n" * 31 + "…"
        assert text.startswith("far too long\nfar")
        assert text.endswith("… ✂ +2,985,000")
        assert len(text) == 5000
        assert next_line == ("ben", "still here")
        assert (await tea.send("x" * 4000)).seq == 3


async def test_a_basic_server_allows_one_room_at_a_time(basic_server: BasicNodeServer) -> None:
    async with ChatClient(basic_server.url) as ann:
        tea = await ann.join("tea", nick="ann")
        with pytest.raises(UnsupportedByServer, match="one room at a time"):
            await ann.join("coffee", nick="ann")
        assert list(ann.rooms) == ["tea"]
        await tea.leave()
        coffee = await ann.join("coffee", nick="ann")
        await coffee.send("hello")
        assert logged_messages(coffee) == [("ann", "hello")]
        assert basic_server.received[-1] == ("sendMessage", [{"room": "coffee", "nickName": "ann", "message": "hello"}])


async def test_one_of_two_concurrent_joins_is_rejected(basic_server: BasicNodeServer) -> None:
    async with ChatClient(basic_server.url) as ann:
        results = await asyncio.gather(
            ann.join("tea", nick="ann"), ann.join("coffee", nick="ann"), return_exceptions=True
        )
        (room,) = [result for result in results if isinstance(result, Room)]
        (error,) = [result for result in results if isinstance(result, ChatError)]
        assert isinstance(error, UnsupportedByServer)
        assert [args[0]["roomName"] for event, args in basic_server.received if event == "joinRoom"] == [room.name]


async def test_echoed_messages_are_confirmed_in_order(basic_server: BasicNodeServer) -> None:
    async with ChatClient(basic_server.url) as ann:
        tea = await ann.join("tea", nick="ann")
        items = [tea.post(text) for text in ("one", "same", "same", "  padded  ", "two\nlines")]
        await wait_until(lambda: not tea.unsent())
        sent_texts = [message for _, message in logged_messages(tea)]
        assert sent_texts == [item.text for item in items]
        assert [message.seq for message in tea.log.messages()] == [1, 2, 3, 4, 5]
        assert all(message.member_id == tea.member_id for message in tea.log.messages())


@pytest.mark.usefixtures("short_timeouts")
async def test_an_echo_with_another_nickname_does_not_confirm_a_message(basic_server: BasicNodeServer) -> None:
    basic_server.configure(echoes=False)
    async with ChatClient(basic_server.url) as ann, ChatClient(basic_server.url) as ben:
        tea, bens_tea = await ann.join("tea", nick="ann"), await ben.join("tea", nick="ben")
        tea.post("hello")
        await wait_until(lambda: logged_messages(bens_tea) == [("ann", "hello")])
        bens_tea.post("hello")
        await wait_until(lambda: logged_messages(tea) == [("ben", "hello")])
        await wait_until(lambda: unsent_states(tea) == [("hello", OutboxItemState.FAILED)])
        assert tea.unsent()[0].unconfirmed


@pytest.mark.usefixtures("short_timeouts")
async def test_a_message_without_echo_is_unconfirmed_and_delays_no_other(basic_server: BasicNodeServer) -> None:
    basic_server.configure(echoes=False)
    async with ChatClient(basic_server.url) as ann:
        tea = await ann.join("tea", nick="ann")
        for text in ("one", "two", "three"):
            tea.post(text)
        await wait_until(lambda: basic_server.received_texts() == ["one", "two", "three"])
        await wait_until(lambda: {state for _, state in unsent_states(tea)} == {OutboxItemState.FAILED})
        basic_server.push("message", {"nickName": "ann", "message": "two"})
        await wait_until(lambda: [text for text, _ in unsent_states(tea)] == ["one", "three"])
        with pytest.raises(DeliveryUnknown):
            await tea.send("four")
        basic_server.configure(echoes=True)
        tea.retry(tea.unsent()[0].client_id)
        await wait_until(lambda: [text for text, _ in unsent_states(tea)] == ["three"])
        assert basic_server.received_texts() == ["one", "two", "three", "four", "one"]


async def test_a_reconnect_rejoins_once_and_repeats_no_message_in_flight(basic_server: BasicNodeServer) -> None:
    async with ChatClient(basic_server.url) as ann:
        basic_server.configure(echoes=False)
        tea = await ann.join("tea", nick="ann")
        tea.post("in flight")
        sending = asyncio.create_task(tea.send("also in flight"))
        await wait_until(lambda: sorted(basic_server.received_texts()) == ["also in flight", "in flight"])
        basic_server.disconnect_all()
        await wait_until(lambda: isinstance(ann.state, Offline))
        with pytest.raises(DeliveryUnknown):
            await sending
        await wait_until(lambda: unsent_states(tea) == [("in flight", OutboxItemState.FAILED)])
        basic_server.configure(echoes=True)
        tea.post("written offline")
        ann.reconnect_now()
        await wait_until(lambda: logged_messages(tea) == [("ann", "written offline")])
        assert isinstance(ann.state, Online)
        assert unsent_states(tea) == [("in flight", OutboxItemState.FAILED)]
        assert basic_server.received_texts().count("in flight") == 1
        assert [event for event, _ in basic_server.received].count("joinRoom") == 2
        tea.retry(tea.unsent()[0].client_id)
        await wait_until(lambda: not tea.unsent())
        assert logged_messages(tea)[-1] == ("ann", "in flight")


async def test_unconfirmed_messages_are_not_resent_after_a_restart(
    basic_server: BasicNodeServer, tmp_path: Path
) -> None:
    basic_server.configure(echoes=False)
    async with Outbox(tmp_path) as outbox, ChatClient(basic_server.url, outbox=outbox) as ann:
        tea = await ann.join("tea", nick="ann")
        tea.post("unconfirmed")
        await wait_until(lambda: basic_server.received_texts() == ["unconfirmed"])
    basic_server.configure(echoes=True)
    async with Outbox(tmp_path) as outbox, ChatClient(basic_server.url, outbox=outbox) as ann:
        tea = await ann.join("tea", nick="ann")
        assert [(item.text, item.unconfirmed) for item in tea.unsent()] == [("unconfirmed", True)]
        await tea.send("another")
        assert basic_server.received_texts() == ["unconfirmed", "another"]
        tea.drop(tea.unsent()[0].client_id)
    async with Outbox(tmp_path) as outbox, ChatClient(basic_server.url, outbox=outbox) as ann:
        assert (await ann.join("tea", nick="ann")).unsent() == ()


async def test_messages_of_a_basic_server_are_not_cached(basic_server: BasicNodeServer, tmp_path: Path) -> None:
    async with LocalHistory(tmp_path) as history, ChatClient(basic_server.url, history=history) as ann:
        tea = await ann.join("tea", nick="ann")
        await tea.send("hello")
        await tea.flush()
    async with LocalHistory(tmp_path) as history, ChatClient(basic_server.url, history=history) as ann:
        assert await ann.open_cached("tea", nick="ann") is None
        assert logged_messages(await ann.join("tea", nick="ann")) == []


async def test_a_room_survives_a_change_of_server_type(tmp_path: Path, unused_tcp_port: int) -> None:
    async with ChatClient(f"http://127.0.0.1:{unused_tcp_port}", connect_in_background=True) as ann:
        async with basic_node_server(port=unused_tcp_port):
            ann.reconnect_now()
            tea = await ann.join("tea", nick="ann")
            await tea.send("on the basic server")
        async with running_server(tmp_path, port=unused_tcp_port):
            ann.reconnect_now()
            await wait_until(lambda: not tea.is_basic_server)
            assert logged_messages(tea) == []  # the native server has its own log
            assert (await tea.send("on the native server")).seq == 1
            assert [member.nick_name for member in tea.members.values()] == ["ann"]
        async with basic_node_server(port=unused_tcp_port):
            ann.reconnect_now()
            await wait_until(lambda: tea.is_basic_server)
            await tea.send("on the basic server again")
            assert logged_messages(tea) == [("ann", "on the native server"), ("ann", "on the basic server again")]
            assert tea.members == {}


async def test_text_from_a_basic_server_is_sanitized(basic_server: BasicNodeServer) -> None:
    async with ChatClient(basic_server.url) as ann:
        tea = await ann.join("tea", nick="ann")
        basic_server.push("message", {"nickName": "mal\x1b[2Jlory", "message": "a\x1b]52;c;aGk=\x07b\u202ec"})
        basic_server.push("message", "bare \x9b2Jtext")
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
            basic_server.push("message", body)
        basic_server.push("update", {"room": "tea"})
        basic_server.push("message", {"nickName": "", "message": "the last"})
        await wait_until(lambda: logged_messages(tea)[-1:] == [("tea", "the last")])
        assert logged_messages(tea) == [("mal[2Jlory", "a]52;c;aGk=bc"), ("tea", "bare 2Jtext"), ("tea", "the last")]
