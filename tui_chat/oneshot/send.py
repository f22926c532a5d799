"""`chat-tui send`: say something and end when the server has it."""

import asyncio
import os
import sys
from collections.abc import AsyncGenerator
from uuid import UUID, uuid4

import msgspec

from server.protocol.errors import ChatError
from server.protocol.text import validate_message_body
from tui_chat.client.room import Room
from tui_chat.oneshot.visiting import Exit, Place, complain, exit_of, visit
from tui_chat.session import refusals
from tui_chat.session.language import tr

READ_BYTES = 65_536
"""A line that is longer than this is no message and is refused without being held."""


async def send(place: Place, text: str, *, by_line: bool, as_json: bool) -> Exit:
    """Say it; what standard input has if it is empty.

    Args:
        place: Where to.
        text: What to say.
        by_line: Each line of standard input is a message, said as it comes.
        as_json: Print the server's answers.
    """
    if not by_line:
        said = text or await _whole_input()
        # Checked before anybody sees this program come and go.
        validate_message_body(said)
        async with visit(place, 1) as room:
            await _say(room, said, uuid4(), place.timeout, as_json)
        return Exit.DONE
    ended = Exit.DONE
    async with visit(place, 1) as room:
        async for number, line in _lines():
            if line.strip():
                try:
                    await _say(room, line, uuid4(), place.timeout, as_json)
                except ChatError as refusal:
                    complain(tr("line {number}: {problem}", number=number, problem=refusals.of(refusal)))
                    ended = exit_of(refusal)
                    if ended is Exit.UNAVAILABLE:
                        break
    return ended


async def _say(room: Room, text: str, client_id: UUID, timeout: float, as_json: bool) -> None:
    answer = await room.send(text, client_id, timeout=timeout)
    if as_json:
        told = {"room": room.name, "seq": answer.seq, "id": answer.id, "ts": answer.ts}
        print(msgspec.json.encode(told).decode(), flush=True)


async def _whole_input() -> str:
    _say_that_it_reads()
    # One byte more than any message can have, so that too long is found out and not cut.
    given = await asyncio.to_thread(sys.stdin.buffer.read, READ_BYTES + 1)
    return _text(given).rstrip("\n")


async def _lines() -> AsyncGenerator[tuple[int, str]]:
    _say_that_it_reads()
    number = 0
    while given := await asyncio.to_thread(sys.stdin.buffer.readline, READ_BYTES):
        number += 1
        whole = given
        while not given.endswith(b"\n") and len(given) == READ_BYTES:
            given = await asyncio.to_thread(sys.stdin.buffer.readline, READ_BYTES)
        yield number, _text(whole).rstrip("\r\n")


def _say_that_it_reads() -> None:
    if sys.stdin.isatty() and os.isatty(sys.stderr.fileno()):
        print(tr("Write what to say; Ctrl+D ends it."), file=sys.stderr, flush=True)


def _text(given: bytes) -> str:
    return given.decode("utf-8", errors="replace")
