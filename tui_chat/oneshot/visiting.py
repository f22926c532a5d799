"""One visit to one room for a script: come in, do one thing, go.

Rule 1  Everything that can go wrong is one line on standard error and an exit code (`Exit`).
Rule 2  Standard output has what was asked for and nothing else; nobody's text can be an escape sequence there.
"""

import asyncio
import getpass
import os
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

from server.protocol import names
from server.protocol.errors import ChatError, Unavailable
from tui_chat.client import address
from tui_chat.client.chat import ChatClient
from tui_chat.client.room import Room
from tui_chat.session import refusals, remembered
from tui_chat.session.language import tr
from tui_chat.session.remembered import Identity


class Exit(IntEnum):
    """How it ended (docs/scripts.md)."""

    DONE = 0
    REFUSED = 1
    USAGE = 2
    UNAVAILABLE = 69  # EX_UNAVAILABLE of sysexits.h
    INTERRUPTED = 128 + 2  # as a shell has it for SIGINT
    PIPE_CLOSED = 128 + 13  # as a shell has it for SIGPIPE


@dataclass(frozen=True, slots=True)
class Place:
    """Where to go, as it was asked for.

    Attributes:
        server: The server's address as a person writes it, empty for the one used last.
        room: The room, empty for the one that the address names.
        nick: The nickname, empty for the one used last.
        timeout: Seconds to go on trying.
        state: The folder of what is remembered.
        anonymous: Come as somebody new, not as who you are in your other windows.
    """

    server: str
    room: str
    nick: str
    timeout: float
    state: Path
    anonymous: bool = False


class WrongPlace(Exception):
    """There can be no such place; the text is a sentence for a person."""


def run(work: Awaitable[Exit]) -> Exit:
    """Do it, and turn whatever goes wrong into a line and an exit code."""
    try:
        return asyncio.run(_awaited(work))
    except WrongPlace as fault:
        complain(str(fault))
        return Exit.USAGE
    except BrokenPipeError:
        # What is left in the buffer has nowhere to go either.
        with suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.PIPE_CLOSED
    except ChatError as refusal:
        complain(refusals.of(refusal))
        return exit_of(refusal)
    except KeyboardInterrupt:
        return Exit.INTERRUPTED


async def _awaited(work: Awaitable[Exit]) -> Exit:
    return await work


def exit_of(refusal: ChatError) -> Exit:
    """The exit code of a refusal."""
    return Exit.UNAVAILABLE if isinstance(refusal, Unavailable) else Exit.REFUSED


def complain(problem: str) -> None:
    """Say in one line on standard error what is wrong."""
    print(f"chat-tui: {problem}", file=sys.stderr, flush=True)


@asynccontextmanager
async def visit(place: Place, limit: int, *, chat: Callable[..., ChatClient] = ChatClient) -> AsyncGenerator[Room]:
    """The room, joined.

    Args:
        place: Where to go.
        limit: How many entries of what was said to fetch.
        chat: Makes the client.

    Raises:
        WrongPlace: There can be no such place.
        ChatError: The server refused, or cannot be reached.
    """
    kept, _ = remembered.load(place.state)
    try:
        found = address.parse_address(place.server or kept.server or f"127.0.0.1:{address.DEFAULT_PORT}")
    except ValueError as fault:
        raise WrongPlace(refusals.sentence(str(fault))) from None
    try:
        room = names.validate_room_name(place.room or found.room or "") if place.room or found.room else ""
        nick = names.validate_nickname(place.nick or kept.nick or _login())
    except ChatError as refusal:
        raise WrongPlace(refusals.of(refusal)) from None
    if not room:
        raise WrongPlace(tr("which room? --room names it"))
    key = None if place.anonymous else kept.guest_key(found.base_url, nick)
    async with chat(found.base_url, guest_key=key) as client:
        joined = await client.join(room, nick=nick, limit=limit, timeout=place.timeout)
        if not place.anonymous and client.guest_key and client.guest_key != key:
            # So that the next run is the same member, with the same nickname.
            kept, _ = remembered.load(place.state)
            problem = remembered.save(place.state, kept.with_identity(Identity(found.base_url, nick, client.guest_key)))
            if problem:
                complain(problem)
        yield joined


def _login() -> str:
    with suppress(OSError, KeyError):
        return getpass.getuser()
    return "guest"
