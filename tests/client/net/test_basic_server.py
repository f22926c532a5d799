"""The SDK with a server that knows only the plain events, keeps nothing and acknowledges nothing (docs/clients.md)."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from server.gateway.dispatcher import Dispatcher
from tests.support.basic_node_server import BasicNodeServer, basic_node_server
from tests.support.event_recorder import EventRecorder
from tests.support.in_process_server import running_server
from tests.support.javascript_client import javascript_client
from tests.support.wait import wait_until
from tui_chat.client.client import ChatClient
from tui_chat.client.errors import DeliveryUnknown, UnsupportedByServer
from tui_chat.client.events import NoticeReceived, Offline, Online
from tui_chat.client.net import basic_server, transport
from tui_chat.client.outbox.item import UNCONFIRMED_REASON, OutboxItemState
from tui_chat.client.outbox.store import Outbox
from tui_chat.client.room import Room
from tui_chat.client.storage.history_db import LocalHistory
from tui_chat.protocol.errors import ChatError

pytestmark = pytest.mark.needs_node


@pytest.fixture
async def server() -> AsyncGenerator[BasicNodeServer]:
    async with basic_node_server() as running:
        yield running


def lines(room: Room) -> list[tuple[str, str]]:
    return [(message.nick_name, message.message) for message in room.log.messages()]


def states(room: Room) -> list[tuple[str, OutboxItemState]]:
    return [(posting.text, posting.state) for posting in room.unsent()]


def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "BASIC_SERVER_TIMEOUT", 0.3)
    monkeypatch.setattr(basic_server, "ECHO_TIMEOUT", 0.5)


@pytest.mark.parametrize("version", ["4.3.2", "4.8.4"])
async def test_two_of_us_and_a_page_talk_over_a_plain_server(version: str) -> None:
    async with (
        basic_node_server(version) as server,
        ChatClient(server.url) as ann,
        ChatClient(server.url) as ben,
        javascript_client(version) as page,
    ):
        tea, cup = await ann.join("tea", nick="ann"), await ben.join("tea", nick="ben")
        assert tea.is_basic_server
        assert cup.is_basic_server
        await page.connect(server.url)
        page.emit("joinRoom", {"roomName": "tea", "nickName": "page"})
        sent = await tea.send("hello")
        assert (sent.seq, sent.duplicate) == (1, False)
        await wait_until(lambda: lines(cup) == [("ann", "hello")])
        page.emit("sendMessage", {"room": "tea", "nickName": "page", "message": "hi both"})
        for room in (tea, cup):
            await wait_until(lambda room=room: lines(room)[-1] == ("page", "hi both"))
        assert (cup.members, cup.topic) == ({}, "")
        assert server.received_texts() == ["hello", "hi both"]


async def test_what_travels_is_what_a_plain_server_expects(server: BasicNodeServer) -> None:
    async with ChatClient(server.url) as ann:
        tea = await ann.join("tea", nick="ann")
        tea.post("hello", reply_to=7)
        await wait_until(lambda: not tea.unsent())
        join, message = server.received
        assert (join[0], join[1][0]["roomName"], join[1][0]["nickName"]) == ("joinRoom", "tea", "ann")
        assert message == ("sendMessage", [{"room": "tea", "nickName": "ann", "message": "hello"}])


@pytest.mark.parametrize("answer", ["ok", None, {"status": 200}, [1], {"ok": "yes"}, False])
async def test_a_server_that_answers_a_join_with_something_else_is_a_plain_one(
    server: BasicNodeServer, answer: Any
) -> None:
    server.configure(answers=answer, announces=False)
    async with ChatClient(server.url) as ann:
        tea = await ann.join("tea", nick="ann")
        assert tea.is_basic_server
        assert (await tea.send("hello")).seq == 1


async def test_a_server_that_says_nothing_to_a_join_is_a_plain_one(
    server: BasicNodeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    quickly(monkeypatch)
    server.configure(announces=False)
    async with ChatClient(server.url) as ann:
        tea = await ann.join("tea", nick="ann")
        assert tea.is_basic_server
        assert lines(tea) == []


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """A chat server carries no request out before this is set."""
    released = asyncio.Event()
    carry_out = Dispatcher.dispatch

    async def wait_and_carry_out(self: Dispatcher, *given: Any, **named: Any) -> bytes | None:
        await released.wait()
        return await carry_out(self, *given, **named)

    monkeypatch.setattr(Dispatcher, "dispatch", wait_and_carry_out)
    return released


async def test_a_chat_server_that_is_slow_to_answer_is_no_plain_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, held: asyncio.Event
) -> None:
    monkeypatch.setattr(transport, "BASIC_SERVER_TIMEOUT", 0.3)
    found: list[bool] = []
    look = transport.Transport._is_native_or_dead  # pyright: ignore[reportPrivateUsage]

    async def look_and_tell(self: transport.Transport) -> bool:
        found.append(await look(self))
        return found[-1]

    monkeypatch.setattr(transport.Transport, "_is_native_or_dead", look_and_tell)
    async with running_server(tmp_path) as server, ChatClient(server.url) as ann:
        joining = asyncio.create_task(ann.join("tea", nick="ann"))
        await wait_until(lambda: found == [True])
        held.set()
        tea = await joining
        assert not tea.is_basic_server
        assert (await tea.edit((await tea.send("hello")).seq, "hello!")).revision == 2


async def test_a_chat_server_that_was_taken_for_a_plain_one_is_known_by_its_late_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, held: asyncio.Event
) -> None:
    monkeypatch.setattr(transport, "BASIC_SERVER_TIMEOUT", 0.3)

    async def find_nothing(self: transport.Transport) -> bool:
        return False

    monkeypatch.setattr(transport.Transport, "_is_native_or_dead", find_nothing)
    async with running_server(tmp_path) as server, ChatClient(server.url) as ann:
        tea = await ann.join("tea", nick="ann")
        assert tea.is_basic_server
        held.set()
        await wait_until(lambda: not tea.is_basic_server)
        assert (await tea.send("hello")).seq == 1


async def test_notices_of_a_plain_server_are_notices(server: BasicNodeServer) -> None:
    async with ChatClient(server.url) as ann, ChatClient(server.url) as ben:
        told = EventRecorder(ann)
        tea = await ann.join("tea", nick="ann")
        await ben.join("tea", nick="小明")
        await wait_until(lambda: [event for event in told if isinstance(event, NoticeReceived)])
        (noticed,) = [event for event in told if isinstance(event, NoticeReceived)]
        assert (noticed.notice.nick_name, noticed.notice.room) == ("小明", "tea")
        assert lines(tea) == []


async def test_requests_that_a_plain_server_does_not_know_are_refused_here_and_harm_nothing(
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
        await wait_until(lambda: states(tea) == [("hello!", OutboxItemState.FAILED)])
        assert await tea.load_older() is False
        await tea.send("still here")
        assert [event for event, _ in server.received] == ["joinRoom", "sendMessage", "sendMessage"]


async def test_what_is_longer_than_the_protocol_allows_is_cut_with_a_mark_and_the_rest_arrives(
    server: BasicNodeServer,
) -> None:
    async with ChatClient(server.url) as ann:
        tea = await ann.join("tea", nick="ann")
        server.push("message", {"nickName": "n" * 1_000_000, "message": "far too long\n" * 230_000})
        server.push("message", {"nickName": "ben", "message": "still here"})
        await wait_until(lambda: len(lines(tea)) == 2)
        (nick, text), after = lines(tea)
        assert nick == "n" * 31 + "…"
        assert text.startswith("far too long\nfar")
        assert text.endswith("… ✂ +2,986,000")
        assert len(text) == 4000
        assert after == ("ben", "still here")
        assert (await tea.send("x" * 4000)).seq == 3


async def test_there_is_one_room_at_a_time(server: BasicNodeServer) -> None:
    async with ChatClient(server.url) as ann:
        tea = await ann.join("tea", nick="ann")
        with pytest.raises(UnsupportedByServer, match="one room at a time"):
            await ann.join("coffee", nick="ann")
        assert list(ann.rooms) == ["tea"]
        await tea.leave()
        coffee = await ann.join("coffee", nick="ann")
        await coffee.send("hello")
        assert lines(coffee) == [("ann", "hello")]
        assert server.received[-1] == ("sendMessage", [{"room": "coffee", "nickName": "ann", "message": "hello"}])


async def test_rooms_that_are_entered_at_the_same_moment_do_not_mix(server: BasicNodeServer) -> None:
    async with ChatClient(server.url) as ann:
        both = await asyncio.gather(ann.join("tea", nick="ann"), ann.join("coffee", nick="ann"), return_exceptions=True)
        (room,) = [each for each in both if isinstance(each, Room)]
        (refusal,) = [each for each in both if isinstance(each, ChatError)]
        assert isinstance(refusal, UnsupportedByServer)
        assert [args[0]["roomName"] for event, args in server.received if event == "joinRoom"] == [room.name]


async def test_lines_are_sent_when_they_come_back_in_their_order(server: BasicNodeServer) -> None:
    async with ChatClient(server.url) as ann:
        tea = await ann.join("tea", nick="ann")
        posted = [tea.post(text) for text in ("one", "same", "same", "  padded  ", "two\nlines")]
        await wait_until(lambda: not tea.unsent())
        said = [message for _, message in lines(tea)]
        assert said == [posting.text for posting in posted]
        assert [message.seq for message in tea.log.messages()] == [1, 2, 3, 4, 5]
        assert all(message.member_id == tea.member_id for message in tea.log.messages())


async def test_somebody_else_of_another_name_does_not_confirm_a_line(
    server: BasicNodeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    quickly(monkeypatch)
    server.configure(echoes=False)
    async with ChatClient(server.url) as ann, ChatClient(server.url) as ben:
        tea, cup = await ann.join("tea", nick="ann"), await ben.join("tea", nick="ben")
        tea.post("hello")
        await wait_until(lambda: lines(cup) == [("ann", "hello")])
        cup.post("hello")
        await wait_until(lambda: lines(tea) == [("ben", "hello")])
        await wait_until(lambda: states(tea) == [("hello", OutboxItemState.FAILED)])
        assert tea.unsent()[0].problem == UNCONFIRMED_REASON


async def test_a_line_that_does_not_come_back_is_doubtful_until_it_does_and_delays_none(
    server: BasicNodeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    quickly(monkeypatch)
    server.configure(echoes=False)
    async with ChatClient(server.url) as ann:
        tea = await ann.join("tea", nick="ann")
        for text in ("one", "two", "three"):
            tea.post(text)
        await wait_until(lambda: server.received_texts() == ["one", "two", "three"])
        await wait_until(lambda: {state for _, state in states(tea)} == {OutboxItemState.FAILED})
        server.push("message", {"nickName": "ann", "message": "two"})
        await wait_until(lambda: [text for text, _ in states(tea)] == ["one", "three"])
        with pytest.raises(DeliveryUnknown):
            await tea.send("four")
        server.configure(echoes=True)
        tea.retry(tea.unsent()[0].client_id)
        await wait_until(lambda: [text for text, _ in states(tea)] == ["three"])
        assert server.received_texts() == ["one", "two", "three", "four", "one"]


async def test_after_a_break_it_is_back_and_says_nothing_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    async with basic_node_server() as first, ChatClient(first.url) as ann:
        first.configure(echoes=False)
        tea = await ann.join("tea", nick="ann")
        tea.post("on its way")
        sending = asyncio.create_task(tea.send("on its way too"))
        await wait_until(lambda: sorted(first.received_texts()) == ["on its way", "on its way too"])
        first.disconnect_all()
        await wait_until(lambda: isinstance(ann.state, Offline))
        with pytest.raises(DeliveryUnknown):
            await sending
        await wait_until(lambda: states(tea) == [("on its way", OutboxItemState.FAILED)])
        tea.post("written while away")
        first.configure(echoes=True)
        ann.reconnect_now()
        await wait_until(lambda: lines(tea) == [("ann", "written while away")])
        assert isinstance(ann.state, Online)
        assert states(tea) == [("on its way", OutboxItemState.FAILED)]
        assert first.received_texts().count("on its way") == 1
        assert [event for event, _ in first.received].count("joinRoom") == 2
        tea.retry(tea.unsent()[0].client_id)
        await wait_until(lambda: not tea.unsent())
        assert lines(tea)[-1] == ("ann", "on its way")


async def test_a_program_that_was_killed_leaves_nothing_that_is_sent_again(
    server: BasicNodeServer, tmp_path: Path
) -> None:
    server.configure(echoes=False)
    async with Outbox(tmp_path) as outbox, ChatClient(server.url, outbox=outbox) as ann:
        tea = await ann.join("tea", nick="ann")
        tea.post("said, or not")
        await wait_until(lambda: server.received_texts() == ["said, or not"])
    server.configure(echoes=True)
    async with Outbox(tmp_path) as outbox, ChatClient(server.url, outbox=outbox) as ann:
        tea = await ann.join("tea", nick="ann")
        assert [(posting.text, posting.problem) for posting in tea.unsent()] == [("said, or not", UNCONFIRMED_REASON)]
        await tea.send("another")
        assert server.received_texts() == ["said, or not", "another"]
        tea.drop(tea.unsent()[0].client_id)
    async with Outbox(tmp_path) as outbox, ChatClient(server.url, outbox=outbox) as ann:
        assert (await ann.join("tea", nick="ann")).unsent() == ()


async def test_what_was_said_is_in_no_history_here(server: BasicNodeServer, tmp_path: Path) -> None:
    async with LocalHistory(tmp_path) as history, ChatClient(server.url, history=history) as ann:
        tea = await ann.join("tea", nick="ann")
        await tea.send("hello")
        await tea.flush()
    async with LocalHistory(tmp_path) as history, ChatClient(server.url, history=history) as ann:
        assert await ann.open_cached("tea", nick="ann") is None
        assert lines(await ann.join("tea", nick="ann")) == []


async def test_a_room_lives_through_the_change_of_its_server(tmp_path: Path) -> None:
    async with basic_node_server() as first:
        port = first.port
        ann = ChatClient(first.url)
        await ann.__aenter__()
        tea = await ann.join("tea", nick="ann")
        await tea.send("not kept")
    try:
        async with running_server(tmp_path, port=port):
            ann.reconnect_now()
            await wait_until(lambda: not tea.is_basic_server)
            assert lines(tea) == []  # the log is the server's now
            assert (await tea.send("kept")).seq == 1
            assert [member.nick_name for member in tea.members.values()] == ["ann"]
        async with basic_node_server(port=port):
            ann.reconnect_now()
            await wait_until(lambda: tea.is_basic_server)
            await tea.send("on top")
            assert lines(tea) == [("ann", "kept"), ("ann", "on top")]
            assert tea.members == {}
    finally:
        await ann.close()


async def test_hostile_text_of_a_plain_server_is_cleaned(server: BasicNodeServer) -> None:
    async with ChatClient(server.url) as ann:
        tea = await ann.join("tea", nick="ann")
        server.push("message", {"nickName": "mal\x1b[2Jlory", "message": "a\x1b]52;c;aGk=\x07b\u202ec"})
        server.push("message", "bare \x9b2Jtext")
        junk: list[Any] = [None, 1, [], {}, {"message": 1}, {"nickName": "x"}, {"message": "x", "nickName": ["y"]}]
        for body in junk:
            server.push("message", body)
        server.push("update", {"room": "tea"})
        server.push("message", {"nickName": "", "message": "the last"})
        await wait_until(lambda: lines(tea)[-1:] == [("tea", "the last")])
        assert lines(tea) == [("mal[2Jlory", "a]52;c;aGk=bc"), ("tea", "bare 2Jtext"), ("tea", "the last")]
