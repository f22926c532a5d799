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

from tui_chat.client.client import ChatClient
from tui_chat.client.net import address
from tui_chat.client.room import Room
from tui_chat.protocol import names
from tui_chat.protocol.errors import ChatError, Unavailable
from tui_chat.session import error_text
from tui_chat.session.i18n import tr
from tui_chat.session.store import profile as profile_store
from tui_chat.session.store.profile import Identity


class ExitCode(IntEnum):
    """How it ended (docs/scripts.md)."""

    SUCCESS = 0
    REJECTED = 1
    USAGE_ERROR = 2
    UNAVAILABLE = 69  # EX_UNAVAILABLE of sysexits.h
    INTERRUPTED = 128 + 2  # as a shell has it for SIGINT
    PIPE_CLOSED = 128 + 13  # as a shell has it for SIGPIPE


@dataclass(frozen=True, slots=True)
class CliTarget:
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
    state_dir: Path
    anonymous: bool = False


class InvalidTarget(Exception):
    """There can be no such place; the text is a sentence for a person."""


def run_to_exit_code(command: Awaitable[ExitCode]) -> ExitCode:
    """Do it, and turn whatever goes wrong into a line and an exit code."""
    try:
        return asyncio.run(_as_coroutine(command))
    except InvalidTarget as error:
        print_error(str(error))
        return ExitCode.USAGE_ERROR
    except BrokenPipeError:
        # What is left in the buffer has nowhere to go either.
        with suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.PIPE_CLOSED
    except ChatError as chat_error:
        print_error(error_text.describe(chat_error))
        return exit_code_for(chat_error)
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED


async def _as_coroutine(command: Awaitable[ExitCode]) -> ExitCode:
    return await command


def exit_code_for(error: ChatError) -> ExitCode:
    """The exit code of a refusal."""
    return ExitCode.UNAVAILABLE if isinstance(error, Unavailable) else ExitCode.REJECTED


def print_error(message: str) -> None:
    """Say in one line on standard error what is wrong."""
    print(f"chat-tui: {message}", file=sys.stderr, flush=True)


@asynccontextmanager
async def open_room(
    target: CliTarget, limit: int, *, client_factory: Callable[..., ChatClient] = ChatClient
) -> AsyncGenerator[Room]:
    """The room, joined.

    Args:
        place: Where to go.
        limit: How many entries of what was said to fetch.
        chat: Makes the client.

    Raises:
        WrongPlace: There can be no such place.
        ChatError: The server refused, or cannot be reached.
    """
    saved_profile, _ = profile_store.load(target.state_dir)
    try:
        server_address = address.parse_address(
            target.server or saved_profile.server or f"127.0.0.1:{address.DEFAULT_PORT}"
        )
    except ValueError as error:
        raise InvalidTarget(error_text.sentence(str(error))) from None
    try:
        room = (
            names.validate_room_name(target.room or server_address.room or "")
            if target.room or server_address.room
            else ""
        )
        nick = names.validate_nickname(target.nick or saved_profile.nick or _login_name())
    except ChatError as chat_error:
        raise InvalidTarget(error_text.describe(chat_error)) from None
    if not room:
        raise InvalidTarget(tr("which room? --room names it"))
    guest_key = None if target.anonymous else saved_profile.guest_key(server_address.base_url, nick)
    async with client_factory(server_address.base_url, guest_key=guest_key) as client:
        joined_room = await client.join(room, nick=nick, limit=limit, timeout=target.timeout)
        if not target.anonymous and client.guest_key and client.guest_key != guest_key:
            # So that the next run is the same member, with the same nickname.
            saved_profile, _ = profile_store.load(target.state_dir)
            problem = profile_store.save(
                target.state_dir, saved_profile.with_identity(Identity(server_address.base_url, nick, client.guest_key))
            )
            if problem:
                print_error(problem)
        yield joined_room


def _login_name() -> str:
    with suppress(OSError, KeyError):
        return getpass.getuser()
    return "guest"
