"""Commands for files: `/upload` and `/save`."""

import asyncio
import os
import stat
from collections.abc import Callable
from pathlib import Path

import platformdirs

from tui_chat.client.room import Room
from tui_chat.protocol.events import Attachment
from tui_chat.session.commands.background import require_room, run_in_background
from tui_chat.session.commands.command_context import CommandContext, CommandRejected
from tui_chat.session.file_captions import describe_size
from tui_chat.session.i18n import tr
from tui_chat.session.session_events import RequestCompleted
from tui_chat.session.upload_permission import find_upload_refusal

PROGRESS_INTERVAL = 5.0
"""Seconds between two lines of progress."""


def upload(argument: str, context: CommandContext) -> str:
    """Send a local file to the current room, with lines of progress for a long upload."""
    room = require_room("upload", context)
    if (refusal := find_upload_refusal(room)) is not None:
        raise refusal
    path, status = _stat(Path(argument.strip()))
    if status is None or not stat.S_ISREG(status.st_mode):
        raise CommandRejected(tr("{path}: no such file", path=str(path)))
    size = status.st_size
    run_in_background(_upload(room, path, _report_progress(path.name, size, context)), context)
    return tr("Uploading {name} ({size}) …", name=path.name, size=describe_size(size))


def save(argument: str, context: CommandContext) -> None:
    """Save the files of the newest message with files, in a directory, by default the downloads directory."""
    room = require_room("save", context)
    directory, status = _stat(Path(argument.strip()) if argument.strip() else platformdirs.user_downloads_path())
    if argument.strip() and (status is None or not stat.S_ISDIR(status.st_mode)):
        raise CommandRejected(tr("{path}: no such directory", path=str(directory)))
    files = _newest_files(room, context)
    run_in_background(_save(room, files, directory), context)


def save_files_of(seq: int | None, context: CommandContext) -> None:
    """Save the files of a message of the current room in the downloads directory.

    Raises:
        CommandRejected: Not connected, or the message has no files.
    """
    room = require_room("save", context)
    files = _files_of(room, seq)
    if not files:
        raise CommandRejected(tr("This message has no file."))
    run_in_background(_save(room, files, platformdirs.user_downloads_path()), context)


def _newest_files(room: Room, context: CommandContext) -> list[Attachment]:
    """Return the files of the newest visible message with files, so that hidden members offer none."""
    line = context.room().find_newest(lambda line: line.seq is not None and bool(line.captions))
    if line is None or (files := _files_of(room, line.seq)) is None:
        raise CommandRejected(tr("No loaded message of this room has a file."))
    return files


def _files_of(room: Room, seq: int | None) -> list[Attachment] | None:
    return room.log[seq].attachments if seq is not None and seq in room.log else None


def _stat(path: Path) -> tuple[Path, os.stat_result | None]:
    """Return a path with `~` expanded, and its status, None for an inaccessible path or an unknown user after `~`."""
    try:
        path = path.expanduser()
        return path, path.stat()
    except (OSError, RuntimeError, ValueError):
        return path, None


async def _upload(room: Room, path: Path, on_progress: Callable[[int], None]) -> str:
    try:
        await room.send("", files=[await room.files.upload(path, on_progress=on_progress)])
    except OSError as error:
        raise CommandRejected(f"{path}: {error.strerror}") from None
    return tr("Sent {name}.", name=path.name)


async def _save(room: Room, files: list[Attachment], directory: Path) -> str:
    paths: list[str] = []
    try:
        await asyncio.to_thread(directory.mkdir, parents=True, exist_ok=True)
        for attachment in files:
            paths.append(str(await room.files.download(attachment, directory)))
    except OSError as error:
        raise CommandRejected(f"{directory}: {error.strerror}") from None
    return tr("Saved {paths}", paths=", ".join(paths))


def _report_progress(name: str, size: int, context: CommandContext) -> Callable[[int], None]:
    """Return a receiver of uploaded bytes that shows a line every `PROGRESS_INTERVAL` seconds."""
    loop = asyncio.get_running_loop()
    next_report = loop.time() + PROGRESS_INTERVAL

    def report(uploaded: int) -> None:
        nonlocal next_report
        if loop.time() >= next_report:
            next_report = loop.time() + PROGRESS_INTERVAL
            percent = 100 * uploaded // max(size, 1)
            text = tr("Uploading {name}: {percent} %", name=name, percent=percent)
            context.link.event_queue.put(RequestCompleted(lambda: context.show_output(text)))

    return report


HANDLERS = {"upload": upload, "save": save}
"""Handlers of the commands for files."""
