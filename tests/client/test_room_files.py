"""Files of rooms in the SDK, on a real server."""

import asyncio
import os
from errno import EPERM
from pathlib import Path

import pytest

from tests.support.accounts import create_account
from tests.support.in_process_server import running_server
from tests.support.tcp_proxy import tcp_proxy
from tests.support.wait import TIMEOUT
from tui_chat.client import sanitize
from tui_chat.client.outbox_file import FileChanged, OutboxFile
from tui_chat.sdk import Attachment, ChatClient, Message, TooLong, Unavailable
from tui_chat.session.file_captions import describe_content
from tui_chat.session.log_format import format_entry


def _refuse_link(*_: object) -> None:
    raise PermissionError(EPERM, os.strerror(EPERM))


async def test_files_are_sent_and_received(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = bytes(range(256)) * 1000
    source = tmp_path / "茶 menu#1.bin"
    source.write_bytes(content)
    target = tmp_path / "downloads"
    target.mkdir()
    async with running_server(tmp_path, rate_limit="off", upload_max_bytes=300_000) as server:
        token = (await create_account(server, "ann")).token
        async with ChatClient(server.url, token=token, account="ann") as ann, ChatClient(server.url) as bob:
            ann_room = await ann.join("tea", nick="ann")
            bob_room = await bob.join("tea", nick="bob")
            progress: list[int] = []
            upload = await ann_room.files.upload(source, on_progress=progress.append)
            assert progress[-1] == len(content)
            assert progress == sorted(progress)
            await ann_room.send("", files=[upload, source])
            async with asyncio.timeout(20):
                message = await anext(bob_room)
            assert isinstance(message, Message)
            assert message.attachments is not None
            assert [attachment.name for attachment in message.attachments] == [source.name] * 2
            assert (
                describe_content(message).split("\n")[0] == f"[file {source.name} · application/octet-stream · 250 KiB]"
            )
            assert format_entry(message).startswith(f"ann: [file {source.name}")
            paths = [await bob_room.files.download(attachment, target) for attachment in message.attachments]
            assert [path.name for path in paths] == ["茶 menu#1.bin", "茶 menu#1 (2).bin"]
            assert [path.read_bytes() for path in paths] == [content] * 2
            named = await bob_room.files.download(message.attachments[0], target / "copy")
            assert named.read_bytes() == content
            with pytest.raises(FileExistsError):
                await bob_room.files.download(message.attachments[0], named)
            monkeypatch.setattr(os, "link", _refuse_link)  # as a file system without hard links
            unlinked = await bob_room.files.download(message.attachments[0], target)
            assert (unlinked.name, unlinked.read_bytes()) == ("茶 menu#1 (3).bin", content)
            with pytest.raises(FileExistsError):
                await bob_room.files.download(message.attachments[0], named)
            assert len(list(target.iterdir())) == 4
            source.write_bytes(bytes(400_000))
            with pytest.raises(TooLong):
                await bob_room.send("", files=[source])
            with pytest.raises(FileNotFoundError):
                await bob_room.send("", files=[tmp_path / "missing"])
            stale = OutboxFile.from_path(target / "copy")
            (target / "copy").write_bytes(b"other")
            with pytest.raises(FileChanged):
                await bob_room.send("", files=[stale])
            os.mkfifo(tmp_path / "pipe")
            with pytest.raises(OSError, match="Not a regular file"):
                await bob_room.send("", files=[tmp_path / "pipe"])
            undecodable = os.fsencode(tmp_path) + b"/\xff.txt"
            Path(os.fsdecode(undecodable)).touch()
            with pytest.raises(OSError, match=r"Name is not UTF-8: '.*/\ufffd\.txt'"):
                await bob_room.send("", files=[os.fsdecode(undecodable)])
            await ann_room.delete(message.seq)
            async with asyncio.timeout(20):
                await anext(bob_room)
            assert bob_room.log[message.seq].attachments is None


async def test_an_upload_without_progress_ends_at_the_timeout(tmp_path: Path) -> None:
    source = tmp_path / "big.bin"
    source.write_bytes(bytes(8_000_000))
    async with (
        running_server(tmp_path) as server,
        tcp_proxy(server.port) as proxy,
        ChatClient(proxy.url) as ann,
    ):
        room = await ann.join("tea", nick="ann")
        proxy.stall()
        with pytest.raises(Unavailable):
            await asyncio.wait_for(room.send("", files=[source], timeout=1.0), TIMEOUT)
        proxy.resume()


def test_received_files_have_safe_names_and_paths() -> None:
    hostile = Attachment(
        id="x",
        name="a\x1b]52;c;x\x07\n.txt",
        type="text/\x1b[31m",
        size=1,
        path="https://evil.example/x",
        preview="//x/y",
    )
    sanitized = sanitize.received(hostile)
    assert sanitized.name.isprintable()
    assert sanitized.type.isprintable()
    assert (sanitized.path, sanitized.preview) == ("", "")
