"""Files of outbox items on a real server, across disconnects and restarts."""

from contextlib import AsyncExitStack
from pathlib import Path
from types import SimpleNamespace

import pytest
from msgspec.structs import replace

from server.app import RunningServer
from tests.support.tcp_proxy import TcpProxy
from tests.support.wait import TIMEOUT, wait_until
from tui_chat.client.client import ChatClient
from tui_chat.client.outbox import uploads
from tui_chat.client.outbox.store import Outbox
from tui_chat.client.outbox_file import OutboxFile
from tui_chat.client.outbox_item import OutboxItemState
from tui_chat.client.room import Room
from tui_chat.client.room_files import RoomFiles
from tui_chat.protocol.errors import BadRequest


def sent_files(room: Room) -> list[tuple[str, list[tuple[str, int]]]]:
    """Return the text of each message, with the names and sizes of its files."""
    return [
        (message.message, [(file.name, file.size) for file in message.attachments or ()])
        for message in room.log.messages()
    ]


async def test_files_posted_while_offline_are_sent_once_after_a_restart(
    proxy: TcpProxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "HEAD_START", TIMEOUT)
    plot, stale = tmp_path / "plot.bin", tmp_path / "stale.txt"
    plot.write_bytes(bytes(1000))
    stale.write_text("before")
    async with Outbox(tmp_path) as outbox, ChatClient(proxy.url, outbox=outbox) as chat:
        room = await chat.join("tea", nick="ann")
        proxy.refuse_connections()
        proxy.reset_all()
        await wait_until(lambda: room.membership.context.gate.value is None)
        first = room.post("look", files=[plot, OutboxFile.from_text("note.txt", "茶")])
        failing = room.post("", files=[stale])
        room.post("later")
        with pytest.raises(FileNotFoundError):
            room.post("", files=[tmp_path / "missing"])
        with pytest.raises(BadRequest):
            room.post("", files=[plot] * 11)
    stale.write_text("afterwards")
    proxy.accept_connections()
    async with Outbox(tmp_path) as outbox, ChatClient(proxy.url, outbox=outbox, guest_key=chat.guest_key) as chat:
        room = await chat.join("tea", nick="ann")
        files = [("plot.bin", 1000), ("note.txt", 3)]
        await wait_until(lambda: sent_files(room) == [("look", files), ("later", [])])
        await wait_until(lambda: len(room.unsent()) == 1)
        (failed,) = room.unsent()
        assert failed.client_id == failing.client_id
        assert (failed.state, failed.error and failed.error.reason) == (OutboxItemState.FAILED, "file_changed")
        assert first.client_id != failed.client_id
        stale.unlink()
        room.retry(failed.client_id)
        await wait_until(lambda: room.unsent()[0].state is OutboxItemState.FAILED)
        error = room.unsent()[0].error
        assert error is not None
        assert error.reason == "file_missing"
        stale.write_text("restored")
        room.retry(failed.client_id)
        await wait_until(lambda: sent_files(room)[2:] == [("", [("stale.txt", 8)])] and not room.unsent())


async def test_an_interrupted_upload_is_repeated_and_delays_no_later_message(
    proxy: TcpProxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "HEAD_START", 0.05)
    big = tmp_path / "big.bin"
    big.write_bytes(bytes(8_000_000))

    def progress() -> int:
        """Return the uploaded bytes of the first unsent item."""
        return room.unsent()[0].uploaded

    async with AsyncExitStack() as stack:
        outbox = await stack.enter_async_context(Outbox(tmp_path))
        chat = await stack.enter_async_context(ChatClient(proxy.url, outbox=outbox))
        room = await chat.join("tea", nick="ann")
        proxy.stall()
        room.post("", files=[big])
        await wait_until(lambda: progress() and len(proxy.open_connections) == 2)
        upload = proxy.open_connections[-1]
        upload.stall()
        proxy.resume()
        room.post("later")
        await wait_until(lambda: sent_files(room) == [("later", [])])
        upload.reset()
        await wait_until(lambda: sent_files(room) == [("later", []), ("", [("big.bin", 8_000_000)])])
        await wait_until(lambda: not room.unsent())
        proxy.stall()
        item = room.post("", files=[big])
        await wait_until(progress)
        room.drop(item.client_id)
        proxy.resume()
        room.post("last")
        await wait_until(lambda: sent_files(room)[2:] == [("last", [])] and not room.unsent())


def replace_uploads(monkeypatch: pytest.MonkeyPatch, result: SimpleNamespace | Exception) -> list[str]:
    """Replace all uploads with a result or an error, and return the list of their file names."""
    names: list[str] = []

    async def upload(_: RoomFiles, file: OutboxFile, **options: object) -> SimpleNamespace:
        names.append(file.name)
        if isinstance(result, Exception):
            raise result
        return result

    monkeypatch.setattr(RoomFiles, "upload", upload)
    return names


async def test_uploads_that_the_server_removed_are_repeated_once_and_again_after_a_retry(
    server: RunningServer, tmp_path: Path
) -> None:
    source = tmp_path / "plot.bin"
    source.write_bytes(bytes(1000))
    removed = replace(OutboxFile.from_path(source), upload_id="A" * 22)
    async with ChatClient(server.url) as chat:
        room = await chat.join("tea", nick="ann")
        room.post("", files=[removed])
        await wait_until(lambda: sent_files(room) == [("", [("plot.bin", 1000)])])
        with pytest.MonkeyPatch.context() as monkeypatch:
            uploaded = replace_uploads(monkeypatch, SimpleNamespace(id="B" * 22))
            item = room.post("again", files=[removed])
            await wait_until(lambda: room.unsent()[0].state is OutboxItemState.FAILED)
            assert uploaded == ["plot.bin"]
        room.retry(item.client_id)
        await wait_until(lambda: sent_files(room)[1:] == [("again", [("plot.bin", 1000)])])


async def test_an_unexpected_error_of_an_upload_fails_the_item(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    uploaded = replace_uploads(monkeypatch, ValueError("bug"))
    async with ChatClient(server.url) as chat:
        room = await chat.join("tea", nick="ann")
        room.post("", files=[OutboxFile.from_text("note.txt", "tea")])
        room.post("later")
        await wait_until(lambda: sent_files(room) == [("later", [])] and len(room.unsent()) == 1)
        (failed,) = room.unsent()
        assert (failed.state, failed.error and failed.error.reason) == (OutboxItemState.FAILED, "client_error")
        assert uploaded == ["note.txt"]
