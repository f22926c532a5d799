"""Commands for files: `/upload`, `/cancel` and `/save`."""

import asyncio
import os
import stat
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import platformdirs

from tui_chat.client.outbox_file import OutboxFile, file_error
from tui_chat.client.room import Room
from tui_chat.protocol.errors import BadRequest
from tui_chat.protocol.events import Attachment
from tui_chat.protocol.requests import SendMessage
from tui_chat.session.commands.background import require_room, run_in_background, send_in_order
from tui_chat.session.commands.command_context import CommandContext, CommandRejected
from tui_chat.session.file_captions import describe_outbox_item
from tui_chat.session.i18n import tr
from tui_chat.session.local_paths import parse_paths
from tui_chat.session.upload_permission import find_upload_refusal


def upload(argument: str, context: CommandContext) -> None:
    """Queue local files as one message in the current room, also without a connection."""
    room = context.room()
    if (refusal := find_upload_refusal(room.room)) is not None:
        raise refusal
    run_in_background(_upload(parse_paths(argument), room.name, context), context)


async def _upload(paths: Sequence[Path], room: str, context: CommandContext) -> str:
    files: list[OutboxFile] = []
    for path in paths:
        try:
            files.append(await asyncio.to_thread(OutboxFile.from_path, path))
        except (OSError, ValueError) as error:
            raise file_error(path, error if isinstance(error, OSError) else FileNotFoundError()) from None
        if not files[-1].size:
            raise BadRequest("upload_empty")
    send_in_order(lambda: context.send_files(room, files), context)
    return ""


def cancel(argument: str, context: CommandContext) -> str:
    """Discard the newest unsent message of the current room that is not in flight."""
    room = context.link.find_room(context.room().name)
    for item in reversed(room.unsent() if room is not None else ()):
        if room is not None and isinstance(item.request, SendMessage):
            with suppress(KeyError):
                room.drop(item.client_id)
                return tr("Discarded: {text}", text=describe_outbox_item(item))
    raise CommandRejected(tr("No unsent message."))


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


async def _save(room: Room, files: list[Attachment], directory: Path) -> str:
    paths: list[str] = []
    try:
        await asyncio.to_thread(directory.mkdir, parents=True, exist_ok=True)
        for attachment in files:
            paths.append(str(await room.files.download(attachment, directory)))
    except OSError as error:
        raise CommandRejected(f"{directory}: {error.strerror}") from None
    return tr("Saved {paths}", paths=", ".join(paths))


HANDLERS: dict[str, Callable[[str, CommandContext], str | None]] = {"upload": upload, "cancel": cancel, "save": save}
"""Handlers of the commands for files."""
