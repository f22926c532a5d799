"""Subcommand `chat-tui send`: send messages and exit after the acknowledgement."""

import asyncio
import os
import sys
from collections.abc import AsyncGenerator
from uuid import UUID, uuid4

import msgspec

from tui_chat.cli_commands.room_visit import CliTarget, ExitCode, exit_code_for, open_room, print_error
from tui_chat.client.room import Room
from tui_chat.protocol.errors import ChatError
from tui_chat.protocol.sanitize import validate_message_body
from tui_chat.session import error_text
from tui_chat.session.i18n import tr

MAX_LINE_BYTES = 65_536
"""Read limit for one message in bytes, above the size of any valid message."""


async def send(target: CliTarget, text: str, *, by_line: bool, as_json: bool) -> ExitCode:
    """Send `text`, or standard input if `text` is empty.

    In `by_line` mode a rejected line is reported and the following lines are still sent; an unavailable server ends the
    command. Without `by_line`, the input is validated before the connection opens. Line numbers count from 1 and
    include blank lines.

    Args:
        target: Server, room and identity.
        text: Message body; ignored in `by_line` mode.
        by_line: Send each non-blank line of standard input as a message, as soon as the line is complete.
        as_json: Print one JSON object for each acknowledgement.

    Returns:
        The exit code of the last failed line, `SUCCESS` if none failed.

    Raises:
        ChatError: The message is invalid or was not accepted; in `by_line` mode only a failed join raises.
    """
    if not by_line:
        body = text or await _read_all_input()
        # A rejected message must not cause join and leave notices.
        validate_message_body(body)
        async with open_room(target, 1) as room:
            await _send_message(room, body, uuid4(), target.timeout, as_json)
        return ExitCode.SUCCESS
    exit_code = ExitCode.SUCCESS
    async with open_room(target, 1) as room:
        async for line_number, line in _read_lines():
            if line.strip():
                try:
                    await _send_message(room, line, uuid4(), target.timeout, as_json)
                except ChatError as error:
                    print_error(tr("line {number}: {problem}", number=line_number, problem=error_text.describe(error)))
                    exit_code = exit_code_for(error)
                    if exit_code is ExitCode.UNAVAILABLE:
                        break
    return exit_code


async def _send_message(room: Room, text: str, client_id: UUID, timeout: float, as_json: bool) -> None:
    response = await room.send(text, client_id, timeout=timeout)
    if as_json:
        record = {"room": room.name, "seq": response.seq, "id": response.id, "ts": response.ts}
        print(msgspec.json.encode(record).decode(), flush=True)


async def _read_all_input() -> str:
    _prompt_for_input()
    # Validation rejects an oversized text; a smaller read would silently truncate it.
    data = await asyncio.to_thread(sys.stdin.buffer.read, MAX_LINE_BYTES + 1)
    return _decode(data).rstrip("\n")


async def _read_lines() -> AsyncGenerator[tuple[int, str]]:
    _prompt_for_input()
    line_number = 0
    while chunk := await asyncio.to_thread(sys.stdin.buffer.readline, MAX_LINE_BYTES):
        line_number += 1
        first_chunk = chunk
        while not chunk.endswith(b"\n") and len(chunk) == MAX_LINE_BYTES:
            chunk = await asyncio.to_thread(sys.stdin.buffer.readline, MAX_LINE_BYTES)
        yield line_number, _decode(first_chunk).rstrip("\r\n")


def _prompt_for_input() -> None:
    if sys.stdin.isatty() and os.isatty(sys.stderr.fileno()):
        print(tr("Type a message; Ctrl+D sends it."), file=sys.stderr, flush=True)


def _decode(data: bytes) -> str:
    return data.decode("utf-8", errors="replace")
