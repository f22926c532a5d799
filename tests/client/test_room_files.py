"""Files of rooms in the SDK, on a real server."""

import asyncio
import os
from collections.abc import AsyncGenerator
from errno import EPERM
from pathlib import Path

import pytest
from msgspec import structs

from server.app import RunningServer
from tests.support.accounts import create_account
from tests.support.in_process_server import running_server
from tests.support.tcp_proxy import tcp_proxy
from tests.support.wait import TIMEOUT
from tui_chat.client import sanitize
from tui_chat.client.outbox_file import FileChanged, OutboxFile
from tui_chat.sdk import Attachment, ChatClient, Message, Room, TooLong, Unavailable
from tui_chat.session.file_captions import describe_content
from tui_chat.session.log_format import format_entry

CONTENT = bytes(range(256)) * 1000


def _refuse_link(*_: object) -> None:
    raise PermissionError(EPERM, os.strerror(EPERM))


@pytest.fixture
async def server(tmp_path: Path) -> AsyncGenerator[RunningServer]:
    async with running_server(tmp_path / "server", rate_limit="off", upload_max_bytes=300_000) as running:
        yield running


@pytest.fixture
async def ann(server: RunningServer) -> AsyncGenerator[Room]:
    """Room `tea` of an account."""
    token = (await create_account(server, "ann")).token
    async with ChatClient(server.url, token=token, account="ann") as chat:
        yield await chat.join("tea", nick="ann")


@pytest.fixture
async def bob(server: RunningServer) -> AsyncGenerator[Room]:
    """Room `tea` of a guest."""
    async with ChatClient(server.url) as chat:
        yield await chat.join("tea", nick="bob")


async def receive_files(room: Room) -> tuple[Message, list[Attachment]]:
    """Return the next entry of a room, a message with files, and its files."""
    message = await asyncio.wait_for(anext(room), TIMEOUT)
    assert isinstance(message, Message)
    assert message.attachments is not None
    return message, message.attachments


async def test_files_are_sent_received_and_removed_with_their_message(ann: Room, bob: Room, tmp_path: Path) -> None:
    source = tmp_path / "茶 menu#1.bin"
    source.write_bytes(CONTENT)
    progress: list[int] = []
    upload = await ann.files.upload(source, on_progress=progress.append)
    assert progress[-1] == len(CONTENT)
    assert progress == sorted(progress)
    await ann.send("", files=[upload, source])
    message, attachments = await receive_files(bob)
    assert [attachment.name for attachment in attachments] == [source.name] * 2
    assert describe_content(message).split("\n")[0] == f"[file {source.name} · application/octet-stream · 250 KiB]"
    assert format_entry(message).startswith(f"ann: [file {source.name}")
    paths = [
        await bob.files.download(attachment, tmp_path / str(number)) for number, attachment in enumerate(attachments)
    ]
    assert [path.read_bytes() for path in paths] == [CONTENT] * 2
    await ann.delete(message.seq)
    await asyncio.wait_for(anext(bob), TIMEOUT)
    assert bob.log[message.seq].attachments is None


async def test_a_download_replaces_no_file_and_never_exceeds_the_size_of_the_attachment(
    ann: Room, bob: Room, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "茶 menu#1.bin"
    source.write_bytes(CONTENT)
    target = tmp_path / "downloads"
    target.mkdir()
    await ann.send("", files=[source])
    _, (attachment,) = await receive_files(bob)
    named = await bob.files.download(attachment, target / "copy")
    paths = [await bob.files.download(attachment, target) for _ in range(2)]
    assert [path.name for path in paths] == ["茶 menu#1.bin", "茶 menu#1 (2).bin"]
    with pytest.raises(FileExistsError):
        await bob.files.download(attachment, named)
    monkeypatch.setattr(os, "link", _refuse_link)  # as a file system without hard links
    paths.append(await bob.files.download(attachment, target))
    assert paths[-1].name == "茶 menu#1 (3).bin"
    with pytest.raises(FileExistsError):
        await bob.files.download(attachment, named)
    with pytest.raises(TooLong):
        await bob.files.download(structs.replace(attachment, size=len(CONTENT) - 1), target)
    assert set(target.iterdir()) == {named, *paths}
    assert {path.read_bytes() for path in target.iterdir()} == {CONTENT}


async def test_overlong_missing_changed_special_and_undecodable_files_are_not_sent(bob: Room, tmp_path: Path) -> None:
    overlong, changed, pipe = (tmp_path / name for name in ("overlong", "changed", "pipe"))
    overlong.write_bytes(bytes(400_000))
    changed.write_bytes(b"one")
    stale = OutboxFile.from_path(changed)
    changed.write_bytes(b"other")
    os.mkfifo(pipe)
    undecodable = os.fsencode(tmp_path) + b"/\xff.txt"
    Path(os.fsdecode(undecodable)).touch()
    for file, error_type, problem in (
        (overlong, TooLong, None),
        (tmp_path / "missing", FileNotFoundError, None),
        (stale, FileChanged, None),
        (pipe, OSError, "Not a regular file"),
        (os.fsdecode(undecodable), OSError, r"Name is not UTF-8: '.*/\ufffd\.txt'"),
    ):
        with pytest.raises(error_type, match=problem):
            await bob.send("", files=[file])
    assert (await bob.send("next")).seq == 1


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
    for path in ("/api/uploads/../me", f"/api/uploads/u1/{4_096 * 'a'}"):
        assert sanitize.received(structs.replace(hostile, path=path)).path == ""
    assert sanitize.received(structs.replace(hostile, path="/api/uploads/u1.preview/a.webp")).path != ""
