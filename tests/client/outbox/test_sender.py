"""Outbox delivery: once and in order, across disconnects, rejections and restarts."""

import asyncio
import signal
import sqlite3
import sys
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from server.app import RunningServer
from tests.support.environment import program_environment
from tests.support.event_recorder import EventRecorder
from tests.support.in_process_server import running_server
from tests.support.messages import message_texts
from tests.support.program import PIPE, start_program
from tests.support.reactions import reacting_members
from tests.support.tcp_proxy import tcp_proxy
from tests.support.wait import TIMEOUT, wait_until
from tui_chat.client.client import ChatClient
from tui_chat.client.errors import OutboxFull
from tui_chat.client.events import OutboxItemChanged, ProblemReported
from tui_chat.client.outbox import sender
from tui_chat.client.outbox.store import FILE_NAME, Outbox
from tui_chat.client.outbox_item import OutboxItemState
from tui_chat.protocol.errors import BadRequest, NotJoined, TooLong


def item_states(events: EventRecorder) -> list[tuple[str, OutboxItemState]]:
    """Return the text and state of the item of each `OutboxItemChanged`."""
    return [(event.item.text, event.item.state) for event in events.of_type(OutboxItemChanged)]


async def test_a_posted_message_is_pending_and_then_sent(server: RunningServer, tmp_path: Path) -> None:
    async with Outbox(tmp_path) as outbox, ChatClient(server.url, outbox=outbox) as chat:
        events = EventRecorder(chat)
        room = await chat.join("tea", nick="ann")
        item = room.post("hello")
        assert [pending.client_id for pending in room.unsent()] == [item.client_id]
        await wait_until(lambda: not room.unsent())
        await wait_until(lambda: ("hello", OutboxItemState.SENT) in item_states(events))
        changed_items = [event.item for event in events.of_type(OutboxItemChanged)]
        (sent,) = [changed for changed in changed_items if changed.state is OutboxItemState.SENT]
        assert (sent.room, sent.client_id, sent.seq, sent.error) == ("tea", item.client_id, 1, None)
        assert sent.persisted
    async with Outbox(tmp_path) as outbox, ChatClient(server.url, outbox=outbox, guest_key=chat.guest_key) as chat:
        assert (await chat.join("tea", nick="ann")).unsent() == ()


async def test_messages_posted_while_offline_are_sent_in_order(server: RunningServer, tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        proxy = await stack.enter_async_context(tcp_proxy(server.port))
        outbox = await stack.enter_async_context(Outbox(tmp_path))
        async with ChatClient(proxy.url, outbox=outbox) as chat:
            room = await chat.join("tea", nick="ann")
            proxy.refuse_connections()
            proxy.reset_all()
            await wait_until(lambda: room.membership.context.gate.value is None)
            expected = [f"line {number}" for number in range(100)]
            for text in expected:
                room.post(text)
            assert len(room.unsent()) == 100
            proxy.accept_connections()
            chat.reconnect_now()
            await wait_until(lambda: not room.unsent())
            await wait_until(lambda: message_texts(room) == expected)


async def test_connection_resets_neither_duplicate_nor_reorder_messages(server: RunningServer, tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        proxy = await stack.enter_async_context(tcp_proxy(server.port))
        outbox = await stack.enter_async_context(Outbox(tmp_path))
        async with ChatClient(proxy.url, outbox=outbox, random=lambda: 0.0) as chat:
            room = await chat.join("tea", nick="ann")
            expected = [f"line {number}" for number in range(300)]
            for number, text in enumerate(expected):
                room.post(text)
                if number % 60 == 30:
                    await wait_until(lambda: not room.unsent() or room.membership.context.gate.value is not None)
                    proxy.reset_all()
                    chat.reconnect_now()
                await asyncio.sleep(0)
            await wait_until(lambda: not room.unsent())
            await wait_until(lambda: message_texts(room) == expected)


async def test_posts_above_the_rate_limit_are_sent_in_order(tmp_path: Path) -> None:
    async with running_server(tmp_path, message_burst=3, message_rate=50) as server, ChatClient(server.url) as chat:
        room = await chat.join("tea", nick="ann")
        for number in range(20):
            room.post(str(number))
        await wait_until(lambda: not room.unsent())
        await wait_until(lambda: message_texts(room) == [str(number) for number in range(20)])


async def test_a_rejected_message_fails_and_later_messages_are_sent(server: RunningServer, tmp_path: Path) -> None:
    async with Outbox(tmp_path) as outbox, ChatClient(server.url, outbox=outbox) as chat:
        events = EventRecorder(chat)
        room = await chat.join("tea", nick="ann")
        room.post("reply to an unknown message", reply_to=99)
        room.post("after it")
        await wait_until(lambda: message_texts(room) == ["after it"] and len(room.unsent()) == 1)
        (failed,) = room.unsent()
        assert failed.state is OutboxItemState.FAILED
        assert failed.error is not None
        assert (failed.error.code, failed.error.reason) == ("not_found", "message_not_found")
        assert ("reply to an unknown message", OutboxItemState.FAILED) in item_states(events)
    async with Outbox(tmp_path) as outbox, ChatClient(server.url, outbox=outbox, guest_key=chat.guest_key) as chat:
        room = await chat.join("tea", nick="ann")
        (restored,) = room.unsent()
        assert restored.state is OutboxItemState.FAILED
        assert restored.error is not None
        assert (restored.error.code, restored.error.reason) == ("not_found", "message_not_found")
        retried = room.retry(restored.client_id)
        assert (retried.client_id, retried.state) == (restored.client_id, OutboxItemState.PENDING)
        await wait_until(lambda: [item.state for item in room.unsent()] == [OutboxItemState.FAILED])
        assert room.drop(retried.client_id).state is OutboxItemState.DROPPED
        assert room.unsent() == ()
        with pytest.raises(KeyError):
            room.drop(retried.client_id)
    async with Outbox(tmp_path) as outbox, ChatClient(server.url, outbox=outbox, guest_key=chat.guest_key) as chat:
        assert (await chat.join("tea", nick="ann")).unsent() == ()


async def test_a_retry_of_a_contested_client_id_in_a_left_room_keeps_the_failed_item(
    server: RunningServer,
) -> None:
    contested_id = uuid4()
    new_ids = iter((contested_id, uuid4()))
    async with ChatClient(server.url) as ann, ChatClient(server.url, new_id=lambda: next(new_ids)) as eve:
        await (await ann.join("tea", nick="ann")).send("first", contested_id)
        room = await eve.join("tea", nick="eve")
        room.post("second")
        await wait_until(lambda: [item.state for item in room.unsent()] == [OutboxItemState.FAILED])
        await room.leave()
        with pytest.raises(NotJoined):
            room.retry(contested_id)
        assert [item.text for item in room.unsent()] == ["second"]


async def test_posted_edits_deletions_and_reactions_are_applied(server: RunningServer) -> None:
    async with ChatClient(server.url) as chat:
        room = await chat.join("tea", nick="ann")
        for text in ("one", "two"):
            await room.send(text)
        room.post_edit(1, "first")
        room.post_reaction(1, "👍")
        room.post_deletion(2)
        await wait_until(lambda: room.log.last == 5)
        assert room.log[1].message == "first"
        assert reacting_members(room.log[1]) == {"👍": [room.member_id]}
        assert room.log[2].deleted


async def test_a_lone_surrogate_is_rejected_and_later_messages_are_sent(server: RunningServer) -> None:
    async with ChatClient(server.url) as chat:
        room = await chat.join("tea", nick="ann")
        await room.send("one")
        for post in (
            lambda: room.post("half \ud83d"),
            lambda: room.post_edit(1, "half \ud83d"),
            lambda: room.post_reaction(1, "\ud83d"),
        ):
            with pytest.raises(BadRequest, match="lone surrogate"):
                post()
        for send in (
            lambda: room.send("half \ud83d"),
            lambda: room.edit(1, "\udc4d"),
            lambda: room.set_topic("\ud83d"),
        ):
            with pytest.raises(BadRequest, match="lone surrogate"):
                await send()
        assert room.unsent() == ()
        room.post("two")
        await wait_until(lambda: message_texts(room) == ["one", "two"])
    async with ChatClient(server.url, guest_key="\ud83d") as chat:
        with pytest.raises(BadRequest, match="lone surrogate"):
            await chat.join("tea", nick="ann")


async def test_stored_items_with_a_lone_surrogate_fail_and_later_items_are_sent(
    server: RunningServer, tmp_path: Path
) -> None:
    async with (
        tcp_proxy(server.port) as proxy,
        Outbox(tmp_path) as outbox,
        ChatClient(proxy.url, outbox=outbox) as chat,
    ):
        room = await chat.join("tea", nick="ann")
        await room.send("one")
        proxy.refuse_connections()
        proxy.reset_all()
        await wait_until(lambda: room.membership.context.gate.value is None)
        room.post("half")
        room.post_edit(1, "half")
        room.post("two")
        await room.flush()
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as connection, connection:
        connection.execute(
            "UPDATE outbox_items SET server = ?, body = CAST(replace(body, 'half', 'half \\ud83d') AS BLOB)",
            (server.url,),
        )
    async with Outbox(tmp_path) as outbox, ChatClient(server.url, outbox=outbox, guest_key=chat.guest_key) as chat:
        room = await chat.join("tea", nick="ann")
        await wait_until(lambda: message_texts(room) == ["one", "two"] and len(room.unsent()) == 2)
        failed = [(item.request.event, item.text, item.error and item.error.reason) for item in room.unsent()]
        assert failed == [
            ("sendMessage", "half \ufffd", "text_unencodable"),
            ("editMessage", "half \ufffd", "text_unencodable"),
        ]
        room.retry(room.unsent()[0].client_id)
        await wait_until(lambda: message_texts(room) == ["one", "two", "half \ufffd"])


async def test_a_full_outbox_and_invalid_posts_raise_immediately(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender, "MAX_QUEUED_ITEMS", 3)
    async with tcp_proxy(server.port) as proxy, ChatClient(proxy.url) as chat:
        room = await chat.join("tea", nick="ann")
        proxy.refuse_connections()
        proxy.reset_all()
        await wait_until(lambda: room.membership.context.gate.value is None)
        with pytest.raises(TooLong):
            room.post("x" * 5_000)
        for number in range(3):
            room.post(str(number))
        with pytest.raises(OutboxFull):
            room.post("one too many")
        await room.leave()
        with pytest.raises(NotJoined):
            room.post("from outside")


async def test_an_unwritable_outbox_sends_from_memory_and_reports_once(server: RunningServer, tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file where the folder should be")
    async with Outbox(tmp_path / "state") as outbox, ChatClient(server.url, outbox=outbox) as chat:
        events = EventRecorder(chat)
        room = await chat.join("tea", nick="ann")
        for text in ("one", "two"):
            room.post(text)
        await wait_until(lambda: message_texts(room) == ["one", "two"])
        problems = [event.error.message for event in events.of_type(ProblemReported)]
        assert len(problems) == 1
        assert "lost on exit" in problems[0]


async def test_a_full_disk_is_reported_and_does_not_stop_sending(server: RunningServer, tmp_path: Path) -> None:
    async with Outbox(tmp_path) as outbox, ChatClient(server.url, outbox=outbox) as chat:
        events = EventRecorder(chat)
        room = await chat.join("tea", nick="ann")
        room.post("before")
        await wait_until(lambda: not room.unsent())
        # SQLite reports SQLITE_FULL at its page limit, as on a full disk.
        await outbox._file.run(lambda file: file.execute("PRAGMA max_page_count = 1"))  # pyright: ignore[reportPrivateUsage]
        for number in range(30):
            room.post(f"{number} " + "x" * 3_000)
        await wait_until(lambda: not room.unsent() and len(message_texts(room)) == 31)
        assert events.of_type(ProblemReported)


class OutboxClientProcess:
    """Handle of a client in its own process (tests/support/posting_client.py)."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def wait_for_line(self, prefix: str) -> str:
        """Return the next output line that starts with `prefix`; raise `AssertionError` after the end of the output."""
        assert self.process.stdout is not None
        async with asyncio.timeout(TIMEOUT):
            while line := (await self.process.stdout.readline()).decode().strip():
                if line.startswith(prefix):
                    return line
        raise AssertionError(f"the process ended before the line {prefix!r}")

    def post(self, text: str) -> None:
        """Write an input line: a text, or `!N` for the texts 0 to N - 1."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{text}\n".encode())

    async def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        await self.process.wait()


@asynccontextmanager
async def outbox_client(url: str, nick: str, directory: Path) -> AsyncGenerator[OutboxClientProcess]:
    """Run a client with an outbox in `directory`, after its join of `tea`."""
    directory.mkdir(exist_ok=True)
    command = (sys.executable, "-m", "tests.support.posting_client", url, "tea", nick, str(directory))
    process = await start_program(command, program_environment(directory), stdin=PIPE, stdout=PIPE)
    client = OutboxClientProcess(process)
    try:
        await client.wait_for_line("joined")
        yield client
    finally:
        if process.returncode is None:
            await client.kill()


async def test_a_restarted_client_sends_its_outbox_once_and_in_order(server: RunningServer, tmp_path: Path) -> None:
    async with tcp_proxy(server.port) as proxy, ChatClient(server.url) as witness:
        tea = await witness.join("tea", nick="witness")
        async with outbox_client(proxy.url, "ann", tmp_path / "state") as ann:
            proxy.stall()
            ann.post("!400")
            await ann.wait_for_line("persisted 400")
            await ann.kill()
        assert message_texts(tea) == []
        proxy.resume()
        for _ in range(3):
            if len(message_texts(tea)) == 400:
                break
            async with outbox_client(proxy.url, "ann", tmp_path / "state") as ann:
                await ann.wait_for_line("sent 20")
                await ann.kill()
        async with outbox_client(proxy.url, "ann", tmp_path / "state"):
            await wait_until(lambda: len(message_texts(tea)) == 400)
        assert message_texts(tea) == [str(number) for number in range(400)]


async def test_a_second_client_sends_the_outbox_of_a_killed_client(server: RunningServer, tmp_path: Path) -> None:
    async with tcp_proxy(server.port) as proxy, ChatClient(server.url) as witness:
        tea = await witness.join("tea", nick="witness")
        async with (
            outbox_client(proxy.url, "ann", tmp_path) as first,
            outbox_client(proxy.url, "ann", tmp_path) as second,
        ):
            proxy.refuse_connections()
            proxy.reset_all()
            first.post("from the first")
            second.post("from the second")
            await first.wait_for_line("persisted 1")
            await second.wait_for_line("persisted 1")
            await first.kill()
            proxy.accept_connections()
            # The second client claims the orphaned items when it rejoins.
            await second.wait_for_line("sent 2")
        assert sorted(message_texts(tea)) == ["from the first", "from the second"]


async def test_a_client_id_reused_by_a_new_client_keeps_the_original_message(
    server: RunningServer, tmp_path: Path
) -> None:
    async with Outbox(tmp_path) as outbox, ChatClient(server.url, outbox=outbox) as chat:
        room = await chat.join("tea", nick="ann")
        room.post("once")
        await wait_until(lambda: not room.unsent())
    with sqlite3.connect(tmp_path / FILE_NAME) as connection:
        assert connection.execute("SELECT count(*) FROM outbox_items").fetchone() == (0,)
    connection.close()
    client_id = UUID(int=1)
    async with ChatClient(server.url, guest_key=chat.guest_key) as earlier_chat:
        first = await (await earlier_chat.join("tea", nick="ann")).send("manual", client_id=client_id)
    async with ChatClient(server.url, guest_key=chat.guest_key, new_id=lambda: client_id) as chat:
        events = EventRecorder(chat)
        room = await chat.join("tea", nick="ann")
        room.post("manual")
        await wait_until(lambda: not room.unsent())
        await wait_until(lambda: OutboxItemState.SENT in [state for _, state in item_states(events)])
        assert events.of_type(OutboxItemChanged)[-1].item.seq == first.seq
        assert message_texts(room) == ["once", "manual"]
