"""Subcommands of `chat-tui`.

- `send`: send messages and exit after the acknowledgement.
- `tail`: print recent messages and follow new entries.
- `who`: print the members of a room.
- Output: all commands raise `OutputError` if standard output cannot be written.
"""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Sequence
from datetime import datetime, tzinfo

import msgspec

from tui_chat.cli_commands.input_reader import InputReader, UnreadableInput, clean_text
from tui_chat.cli_commands.room_connection import (
    CliTarget,
    ScriptSender,
    UsageError,
    exit_code_for,
    open_joined_room,
    open_room,
    open_sender,
)
from tui_chat.client.errors import UnsupportedByServer
from tui_chat.client.outbox_file import OutboxFile
from tui_chat.client.room import Room
from tui_chat.command_line import print_error
from tui_chat.protocol.errors import ChatError
from tui_chat.protocol.events import Entry, Message
from tui_chat.protocol.limits import ATTACHMENTS_PER_MESSAGE, HISTORY_PAGE
from tui_chat.protocol.responses import SendResponse
from tui_chat.protocol.sanitize import is_blank, validate_message_body
from tui_chat.session import error_text, log_format
from tui_chat.session.i18n import tr
from tui_chat.standard_streams import EXIT_UNAVAILABLE, write_json, write_output


async def send(target: CliTarget, words: Sequence[str], *, by_line: bool, as_json: bool) -> int:
    """Send the words as one text; without words or with a single `-`, send standard input.

    Escape sequences and final line breaks are removed. In `by_line` mode, a rejected line is reported and the following
    lines are still sent; an unavailable server ends the command. Otherwise, the input is validated before the
    connection opens.

    Args:
        by_line: Send each non-blank line as a message, as soon as the line is complete.
        as_json: Print a JSON object per acknowledgement.

    Returns:
        The exit code of the last failed line, 0 if none failed and without `by_line`.

    Raises:
        UsageError: As `open_sender`.
        ChatError: The message is invalid or was not accepted; in `by_line` mode only a failed first connection raises.
        UnreadableInput: Standard input cannot be read.
    """
    text = None if list(words) in ([], ["-"]) else clean_text(" ".join(words))
    if not by_line:
        body = await InputReader().read_text() if text is None else text
        validate_message_body(body)
        async with open_sender(target) as sender:
            await _send_message(sender, body, as_json)
        return 0
    exit_code = line_number = 0
    async with open_sender(target) as sender:
        async for line in InputReader().read_lines() if text is None else _split_lines(text):
            line_number += 1
            if not is_blank(line):
                try:
                    await _send_message(sender, line, as_json)
                except ChatError as error:
                    print_error(tr("line {number}: {problem}", number=line_number, problem=error_text.describe(error)))
                    exit_code = exit_code_for(error)
                    if exit_code == EXIT_UNAVAILABLE:
                        break
    return exit_code


async def send_files(target: CliTarget, paths: Sequence[str], words: Sequence[str], *, as_json: bool) -> None:
    """Join the room, and send files in one message with a text: the joined words, or standard input for a single `-`.

    Args:
        paths: Local files.
        as_json: Print one JSON object for the acknowledgement.

    Raises:
        UsageError: As `open_joined_room`, or more than `ATTACHMENTS_PER_MESSAGE` files.
        ChatError: The text or a file is invalid or was not accepted.
        UnreadableInput: A file or standard input cannot be read.
    """
    if len(paths) > ATTACHMENTS_PER_MESSAGE:
        raise UsageError(tr("a message can have at most {limit} files", limit=ATTACHMENTS_PER_MESSAGE))
    text = await InputReader().read_text() if list(words) == ["-"] else clean_text(" ".join(words))
    try:
        files = [await asyncio.to_thread(OutboxFile.from_path, path) for path in paths]
        async with open_joined_room(target) as room:
            response = await room.send(text, files=files, timeout=target.timeout)
    except OSError as error:
        raise UnreadableInput(f"{error.filename}: {error.strerror}") from error
    _print_response(room.name, response, as_json)


async def _split_lines(text: str) -> AsyncGenerator[str]:
    for line in text.split("\n"):
        yield line.rstrip("\r")


async def _send_message(sender: ScriptSender, text: str, as_json: bool) -> None:
    response = await sender.send(text)
    _print_response(sender.room_name, response, as_json)


def _print_response(room_name: str, response: SendResponse, as_json: bool) -> None:
    if as_json:
        record = {"room": room_name, "seq": response.seq, "id": response.id, "ts": response.ts}
        write_json(msgspec.json.encode(record))


async def tail(target: CliTarget, lines: int, *, follow: bool, as_json: bool, zone: tzinfo | None = None) -> None:
    """Print the last messages of a room, oldest first; with `follow`, also each new entry, such as an edit.

    Text lines start with date and time, `2026-01-31 14:05:09`. A confusable nickname is marked while its author is
    present with this nickname.

    Args:
        lines: Maximum number of recent messages to print first.
        follow: Continue with live entries until interrupted.
        as_json: Output in JSON Lines, with the fields of the wire protocol, and `confusable` of the author.
        zone: Time zone of the timestamps; None for the system time zone.

    Raises:
        UsageError, ChatError: As `open_room`; `ChatError` if the room is lost later.
    """
    async with open_room(target, min(max(lines, 1), HISTORY_PAGE)) as room:
        _print_entries(room, await _latest_messages(room, lines), as_json, zone)
        if follow:
            async for entry in room:
                _print_entries(room, (entry,), as_json, zone)


async def _latest_messages(room: Room, count: int) -> list[Message]:
    """Return the last messages up to the position of the iteration, oldest first; load older ones if necessary.

    Fewer are returned at the start of the log, and if a page has no older entry. Raises as `RoomHistory.load_older`.
    """
    if not count:
        return []
    # Later messages follow in the iteration, even if the log already contains them.
    has_older = True
    while len(messages := list(room.log.messages(last=room.position))) < count and has_older:
        first = room.log.first
        has_older = await room.history.load_older() and room.log.first < first
    return messages[-count:]


def _print_entries(room: Room, entries: Iterable[Entry], as_json: bool, zone: tzinfo | None) -> None:
    """Print entries as lines of text or JSON, with a mark for a confusable nickname that the author still has."""
    for entry in entries:
        author = room.members.get(entry.member_id)
        is_confusable = author is not None and author.confusable and author.nick_name == entry.nick_name
        if as_json:
            record = msgspec.to_builtins(entry) | ({"confusable": True} if is_confusable else {})
            write_json(msgspec.json.encode(record))
        else:
            moment = datetime.fromtimestamp(entry.ts / 1000, zone)
            write_output(f"{moment:%Y-%m-%d %H:%M:%S} {log_format.format_entry(entry, is_confusable)}")


async def who(target: CliTarget, *, as_json: bool) -> None:
    """Print the nickname of each present member, one per line. Marks follow after tabs: account, confusable nickname.

    The order is alphabetical, without regard to case. An empty room gives no output. On servers that require a join,
    the member of the command itself is not listed.

    Args:
        as_json: Output in JSON Lines, with the fields of the wire protocol.

    Raises:
        UsageError, ChatError: As `open_room`.
        UnsupportedByServer: The server is basic and sends no member list; an empty output would mean an empty room.
    """
    async with open_room(target, 1) as room:
        if room.is_basic_server:
            raise UnsupportedByServer("basic_server_only_sends")
        other_members = [member for member in await room.list_members() if member.member_id != room.member_id]
    for member in sorted(other_members, key=lambda member: member.nick_name.casefold()):
        if as_json:
            write_json(msgspec.json.encode(member))
        else:
            account = tr("(account {account})", account=member.account) if member.account else ""
            look_alike = tr("(look-alike)") if member.confusable else ""
            write_output("\t".join(filter(None, (member.nick_name, account, look_alike))))
