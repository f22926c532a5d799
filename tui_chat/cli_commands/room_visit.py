"""Lifecycle of one script subcommand: join a room, run the command, leave.

- Errors: every failure becomes one line on standard error and an `ExitCode`.
- Output: standard output carries only the requested data, without escape sequences in text from other members.
"""

import asyncio
import getpass
import signal
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any

from tui_chat.cli_commands.input_reader import UnreadableInput
from tui_chat.client.client import ChatClient
from tui_chat.client.net import address
from tui_chat.client.room import Room
from tui_chat.command_line import print_error
from tui_chat.protocol import names
from tui_chat.protocol.errors import ChatError, Unavailable
from tui_chat.session import error_text
from tui_chat.session.i18n import tr
from tui_chat.session.store import profile as profile_store
from tui_chat.session.store.profile import Identity
from tui_chat.standard_streams import EXIT_IO_ERROR


class ExitCode(IntEnum):
    """Process exit codes of the subcommands, in addition to those of `tui_chat.standard_streams` (docs/scripts.md)."""

    SUCCESS = 0
    REJECTED = 1
    USAGE_ERROR = 2
    UNAVAILABLE = 69  # EX_UNAVAILABLE in sysexits.h


@dataclass(frozen=True, slots=True)
class CliTarget:
    """Server, room and identity from the command line, not validated yet.

    Attributes:
        server: Server address, "" for the last used one.
        room: Room name, "" for the room of the address.
        nick: Nickname, "" for the last used one.
        timeout: Deadline of the join and of each send, in seconds.
        state_dir: State directory of the profile.
        anonymous: Join without the saved guest key, as a new member.
    """

    server: str
    room: str
    nick: str
    timeout: float
    state_dir: Path
    anonymous: bool = False


class InvalidTarget(Exception):
    """Error for an invalid `CliTarget`; the text is a translated sentence."""


def run_to_exit_code(command: Coroutine[Any, Any, ExitCode]) -> int:
    """Run `command` and convert errors of the target, the input and the chat to an error line and an exit code.

    SIGINT raises `KeyboardInterrupt`, also while a write to a full pipe blocks.
    """
    signal.signal(signal.SIGINT, _interrupt)
    try:
        return asyncio.run(command)
    except InvalidTarget as error:
        print_error(str(error))
        return ExitCode.USAGE_ERROR
    except UnreadableInput as error:
        print_error(str(error))
        return EXIT_IO_ERROR
    except ChatError as chat_error:
        print_error(error_text.describe(chat_error))
        return exit_code_for(chat_error)


def _interrupt(*_: object) -> None:
    # With the default handler, asyncio would only cancel the command, and its blocked write would continue.
    raise KeyboardInterrupt


def exit_code_for(error: ChatError) -> ExitCode:
    """Return the exit code of a failed request.

    `UNAVAILABLE` for a server without a response or connection, `REJECTED` for any other error.
    """
    return ExitCode.UNAVAILABLE if isinstance(error, Unavailable) else ExitCode.REJECTED


@asynccontextmanager
async def open_room(
    target: CliTarget, limit: int, *, client_factory: Callable[..., ChatClient] = ChatClient
) -> AsyncGenerator[Room]:
    """Join the target's room for the duration of the context.

    A new guest key is saved to the profile unless the target is anonymous. A failed save of the profile is only
    printed. The default address is the last used server, then the local one; the default nickname is the last used one,
    then the login name.

    Args:
        target: Server, room and identity.
        limit: Number of log entries to fetch with the join.
        client_factory: Constructor of the client.

    Yields:
        The joined room.

    Raises:
        InvalidTarget: The address, the room name or the nickname is invalid or missing.
        ChatError: The server rejected the join or is unreachable.
    """
    saved_profile, _ = profile_store.load(target.state_dir)
    try:
        server_address = address.parse_address(
            target.server or saved_profile.server or f"127.0.0.1:{address.DEFAULT_PORT}"
        )
        room = (
            names.validate_room_name(target.room or server_address.room or "")
            if target.room or server_address.room
            else ""
        )
        nick = names.validate_nickname(target.nick or saved_profile.nick or _login_name())
    except ChatError as chat_error:
        raise InvalidTarget(error_text.describe(chat_error)) from None
    if not room:
        raise InvalidTarget(tr("no room given; use --room"))
    guest_key = None if target.anonymous else saved_profile.guest_key(server_address.base_url, nick)
    async with client_factory(server_address.base_url, guest_key=guest_key) as client:
        joined_room = await client.join(room, nick=nick, limit=limit, timeout=target.timeout)
        if not target.anonymous and client.guest_key and client.guest_key != guest_key:
            # The saved key gives the next run the same member id and nickname.
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
