"""Commands for files: `/upload`, `/cancel`, `/save` and `/open`."""

import asyncio
import os
import re
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
from tui_chat.session.commands import registry
from tui_chat.session.commands.background import require_room, run_in_background, send_in_order
from tui_chat.session.commands.command_context import CommandContext, CommandRejected
from tui_chat.session.file_captions import phrase_file, phrase_outbox_item
from tui_chat.session.file_opener import OpenFailed, has_local_display, is_openable
from tui_chat.session.i18n import mark, plural, tr
from tui_chat.session.lines import MessageLine
from tui_chat.session.local_paths import parse_paths
from tui_chat.session.size_text import describe_size
from tui_chat.session.strings import chat as chat_strings
from tui_chat.session.upload_permission import find_upload_refusal


def upload(argument: str, context: CommandContext) -> None:
    """Queue the files of the argument as one message in the current room (`upload_paths`).

    Raises:
        ChatError: The room refuses uploads.
        CommandRejected: No room is open.
    """
    room = context.room()
    if (refusal := find_upload_refusal(room.room)) is not None:
        raise refusal
    upload_paths(room.name, parse_paths(argument), context)


def upload_paths(room: str, paths: Sequence[Path], context: CommandContext) -> None:
    """Read local files in the background, and queue them as one message in a room, even without a connection.

    A missing, unreadable, empty or too large file, and a room that is not open or refuses uploads, are shown as errors;
    nothing is sent then.
    """
    run_in_background(_upload(room, paths, context), context)


async def _upload(room: str, paths: Sequence[Path], context: CommandContext) -> str:
    """Read the files in a thread, then queue the message; raise the `ChatError` of the first unusable or empty file."""
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
    """Discard the newest unsent message of the current room that is not in flight, and return a notice with its text.

    Raises:
        CommandRejected: There is no such message, or no room is open.
    """
    room = context.link.find_room(context.room().name)
    for item in reversed(room.unsent() if room is not None else ()):
        if room is not None and isinstance(item.request, SendMessage):
            with suppress(KeyError):
                room.drop(item.client_id)
                return tr("Discarded: {text}", text=phrase_outbox_item(item))
    raise CommandRejected(tr("No unsent message."))


def save(argument: str, context: CommandContext) -> None:
    """Save the files of the newest visible message with files, and show their paths.

    The argument is an existing directory, with `~` for a home directory. The default, the downloads directory, is
    created if missing. The downloads run in the background; an error ends them, and the saved files remain. A file
    whose name is taken gets a number.

    Raises:
        CommandRejected: No open room, not connected, no such directory, or no message with files.
    """
    room = require_room("save", context)
    directory, status = _stat(Path(argument.strip()) if argument.strip() else platformdirs.user_downloads_path())
    if argument.strip() and (status is None or not stat.S_ISDIR(status.st_mode)):
        raise CommandRejected(tr("{path}: no such directory", path=str(directory)))
    files = _newest_files(room, context)
    run_in_background(_save(room, files, directory), context)


def save_files_of(line: MessageLine, context: CommandContext) -> None:
    """Save the files of a message of the current room in the downloads directory, and show their paths.

    Raises:
        CommandRejected: No open room, not connected, or the message is not sent yet or has no files.
    """
    room = require_room("save", context)
    run_in_background(_save(room, _require_files(room, line), platformdirs.user_downloads_path()), context)


def open_newest(argument: str, context: CommandContext) -> str:
    """Open a file of the newest visible message with files after a question, by its number in the argument.

    Without a number, a single file is opened; several are returned as a list with their numbers. Otherwise returns "",
    and asks in the background. A file that may contain a program is only saved, after another question.

    Raises:
        CommandRejected: No open room, no connection, no message with files, no file with this number, no local display,
            or an argument that is no number up to 99.
    """
    room = require_room("open", context)
    files = _newest_files(room, context)
    if not argument and len(files) > 1:
        rows = [f"{number}: {phrase_file(file)}" for number, file in enumerate(files, 1)]
        return "\n".join((tr("Open a file with /open and its number:"), *rows))
    if argument and not re.fullmatch("[1-9][0-9]?", argument):
        raise CommandRejected(registry.usage_error("open"))
    index = int(argument or 1) - 1
    if index >= len(files):
        raise CommandRejected(
            plural("The message has only {count} file.", "The message has only {count} files.", len(files))
        )
    _require_display()
    run_in_background(_open(room, files[index], context), context)
    return ""


def open_file_of(line: MessageLine, index: int, context: CommandContext) -> None:
    """Open a file of a message of the current room, as `open_newest`. No effect for an index after the last file.

    Raises:
        CommandRejected: No open room, no connection, no local display, or the message is not sent yet or has no files.
    """
    room = require_room("open", context)
    files = _require_files(room, line)
    _require_display()
    if index < len(files):
        run_in_background(_open(room, files[index], context), context)


def _require_display() -> None:
    if not has_local_display(os.environ):
        raise CommandRejected(
            tr("Files open only on a local desktop. Save the file with s on its message, or with /save.")
        )


async def _open(room: Room, file: Attachment, context: CommandContext) -> str:
    """Ask, then open a file, or save a file that may contain a program. Return the message of the save, otherwise "".

    Raises:
        ChatError: The download failed.
        CommandRejected: The file cannot be written, or no program opened the file.
    """
    details = f"{file.name} · {file.type} · {describe_size(file.size)}"
    if not is_openable(file.name):
        question = tr("{file}: files of this kind are not opened, because they may run a program. Save?", file=details)
        is_confirmed = await context.confirm(question, tr("save"))
        return await _save(room, [file], platformdirs.user_downloads_path()) if is_confirmed else ""
    if not await context.confirm(tr("Open {file}?", file=details), tr("open")):
        return ""
    try:
        await context.file_opener.open(room.files, file)
    except OSError as error:
        raise CommandRejected(f"{file.name}: {error.strerror}") from None
    except OpenFailed:
        raise CommandRejected(tr("No program opened {name}. Save it with /save.", name=file.name)) from None
    return ""


def _require_files(room: Room, line: MessageLine) -> list[Attachment]:
    """Return the files of a message.

    Raises:
        CommandRejected: The message has no files, or is not in the log yet.
    """
    files = _files_of(room, line.seq)
    if files:
        return files
    is_logged = line.seq is not None and line.seq in room.log
    raise CommandRejected(
        tr(chat_strings.MESSAGE_NOT_SENT if line.captions and not is_logged else mark("This message has no file."))
    )


def _newest_files(room: Room, context: CommandContext) -> list[Attachment]:
    """Return the files of the newest visible message with files, so that hidden members offer none.

    Raises:
        CommandRejected: There is no such message.
    """
    line = context.room().find_newest(lambda line: line.seq is not None and bool(line.captions))
    if line is None or (files := _files_of(room, line.seq)) is None:
        raise CommandRejected(tr("No loaded message of this room has a file."))
    return files


def _files_of(room: Room, seq: int | None) -> list[Attachment] | None:
    """Return the files of a message, None if the message is not loaded or has no `seq`."""
    return room.log[seq].attachments if seq is not None and seq in room.log else None


def _stat(path: Path) -> tuple[Path, os.stat_result | None]:
    """Return a path with `~` expanded, and its status, None for an inaccessible path or an unknown user after `~`."""
    try:
        path = path.expanduser()
        return path, path.stat()
    except (OSError, RuntimeError, ValueError):
        return path, None


async def _save(room: Room, files: list[Attachment], directory: Path) -> str:
    """Download files one after another to a directory, created if missing, and return a message with their paths.

    After an error, the earlier files remain.

    Raises:
        ChatError: A download failed.
        CommandRejected: The directory or a file cannot be written.
    """
    paths: list[str] = []
    try:
        await asyncio.to_thread(directory.mkdir, parents=True, exist_ok=True)
        for attachment in files:
            paths.append(str(await room.files.download(attachment, directory)))
    except OSError as error:
        raise CommandRejected(f"{directory}: {error.strerror}") from None
    return tr("Saved {paths}", paths=", ".join(paths))


HANDLERS: dict[str, Callable[[str, CommandContext], str | None]] = {
    "upload": upload,
    "cancel": cancel,
    "save": save,
    "open": open_newest,
}
"""Handlers of the commands for files."""
