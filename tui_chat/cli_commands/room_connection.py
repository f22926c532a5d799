"""Lifecycle of one script subcommand: connect, read a room or send messages without a join, disconnect.

- Errors: every failure becomes one line on standard error and an exit code (docs/scripts.md).
- Fallback: a visible join on servers that require one, and to redeem an invite, announced on standard error.
- Output: standard output carries only the requested data, without escape sequences in text from other members.
"""

import asyncio
import signal
from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tui_chat.argument_parser import shown_command
from tui_chat.cli_commands.input_reader import UnreadableInput
from tui_chat.client.client import ChatClient
from tui_chat.client.errors import UnsupportedByServer
from tui_chat.client.event_queue import EventQueue
from tui_chat.client.events import ClientEvent, RoomRenamed
from tui_chat.client.net import address
from tui_chat.client.room import Room
from tui_chat.client.task_set import TaskSet
from tui_chat.command_line import print_error
from tui_chat.protocol import names
from tui_chat.protocol.errors import ChatError, Forbidden, NotFound, Unavailable
from tui_chat.protocol.responses import SendResponse
from tui_chat.session import error_text
from tui_chat.session.i18n import tr
from tui_chat.session.store import profile as profile_store
from tui_chat.session.store.guest_identities import add_identity, find_guest_key
from tui_chat.session.store.login_store import LoginStore, SavedLogin
from tui_chat.session.store.profile import Identity
from tui_chat.standard_streams import EXIT_IO_ERROR, EXIT_UNAVAILABLE, EXIT_USAGE_ERROR

EXIT_REJECTED = 1
"""Exit code for a rejected request or a removed room."""


@dataclass(frozen=True, slots=True)
class CliTarget:
    """Server, room and identity from the command line, not validated yet.

    Attributes:
        server: Server address, "" for the last used or else the local one.
        room: Room name, "" for the room of the address.
        nick: Nickname, "" for the last used one or else the login name of the user.
        timeout: Time limit of the first response and of each send, in seconds.
        state_dir: State directory of the profile.
        anonymous: Ignore the saved guest key, except with an invite; a join makes a new member.
    """

    server: str
    room: str
    nick: str
    timeout: float
    state_dir: Path
    anonymous: bool = False


class UsageError(Exception):
    """Invalid or missing argument; the text is a translated sentence."""


def run_to_exit_code(command: Coroutine[Any, Any, int | None]) -> int:
    """Run `command` and convert errors of the arguments, the input and the chat to an error line and an exit code.

    SIGINT raises `KeyboardInterrupt` (`_run_interruptible`). Other exceptions, such as `OutputError`, propagate. After
    an invalid token, a second line suggests a new login.

    Returns:
        The result of the command, 0 for None, or the exit code of the error: `EXIT_USAGE_ERROR` for a `UsageError`,
        `EXIT_IO_ERROR` for an `UnreadableInput`, `exit_code_for` for a `ChatError`.
    """
    try:
        return asyncio.run(_run_interruptible(command)) or 0
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
    except UsageError as error:
        print_error(str(error))
        return EXIT_USAGE_ERROR
    except UnreadableInput as error:
        print_error(str(error))
        return EXIT_IO_ERROR
    except ChatError as chat_error:
        print_error(error_text.describe(chat_error))
        if chat_error.reason == "token_invalid":
            print_error(tr("log in again with `{program} login`", program=shown_command("chat-tui")))
        return exit_code_for(chat_error)


async def _run_interruptible(command: Coroutine[Any, Any, int | None]) -> int | None:
    """Await a command that SIGINT cancels; a second SIGINT raises `KeyboardInterrupt` immediately.

    While the command itself runs, possibly in a blocked read or write, SIGINT raises `KeyboardInterrupt` there. An
    exception in another task, such as the reader of the connection, could block the end of the command.
    """
    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    assert task is not None

    def interrupt(*_: object) -> None:
        if task.done() or task.cancelling() or asyncio.current_task(loop) is task:
            raise KeyboardInterrupt
        task.cancel()
        loop.call_soon_threadsafe(lambda: None)  # ends the wait for events

    signal.signal(signal.SIGINT, interrupt)
    return await command


def exit_code_for(error: ChatError) -> int:
    """Return `EXIT_UNAVAILABLE` for an unavailable server, `EXIT_REJECTED` for any other failed request."""
    return EXIT_UNAVAILABLE if isinstance(error, Unavailable) else EXIT_REJECTED


@dataclass(slots=True)
class _ResolvedTarget:
    """Validated target with the defaults: server, room, invite, and the identity with its saved guest key or login."""

    target: CliTarget
    url: str
    room: str
    invite: str | None
    nick: str
    guest_key: str | None
    login: SavedLogin | None

    def create_client(self) -> ChatClient:
        """Return a client with the stored login of the server, otherwise with the guest key."""
        if self.login is None:
            return ChatClient(self.url, guest_key=self.guest_key)
        return ChatClient(self.url, token=self.login.token, account=self.login.account)

    async def join(self, client: ChatClient, limit: int) -> Room:
        """Join with at most `limit` log entries first, and save a new guest key; raises as `ChatClient.join`."""
        room = await client.join(
            self.room, nick=self.nick, limit=limit, invite=self.invite, timeout=self.target.timeout
        )
        self.save_guest_key(client)
        return room

    async def join_after(self, rejection: ChatError, client: ChatClient, limit: int) -> Room:
        """Join with a notice on standard error, after a rejected request without a join.

        The notice precedes a join that the server requires, and follows any other join, with room and nickname as
        assigned. Raises as `join`, or `rejection` if a join gives no further permission.
        """
        if isinstance(rejection, UnsupportedByServer):
            print_error(tr("this server requires a join; joining {room} as {nick}", room=self.room, nick=self.nick))
        elif not self._is_admitted_by_join(rejection):
            raise rejection
        room = await self.join(client, limit)
        if not isinstance(rejection, UnsupportedByServer):
            print_error(tr("joined {room} as {nick}", room=room.title, nick=room.nick))
        return room

    def _is_admitted_by_join(self, rejection: ChatError) -> bool:
        """Return whether a join may admit the user to an invisible or members-only room.

        True with an invite, or with a saved guest key for a room address.
        """
        if rejection.reason not in ("room_not_found", "members_only"):
            return False
        return self.invite is not None or (self.guest_key is not None and names.is_room_address(self.room))

    def save_guest_key(self, client: ChatClient) -> None:
        """Save a changed guest key in the profile, which gives the next run the same member id.

        No effect for an anonymous target and for a client with an account. A failure is only printed.
        """
        if not self.target.anonymous and client.guest_key and client.guest_key != self.guest_key:
            self.guest_key = client.guest_key
            saved_profile, _ = profile_store.load(self.target.state_dir)
            identity = Identity(self.url, self.nick, self.guest_key)
            if problem := profile_store.save(self.target.state_dir, add_identity(saved_profile, identity)):
                print_error(problem)


@asynccontextmanager
async def open_room(target: CliTarget, limit: int) -> AsyncGenerator[Room]:
    """Observe the target's room for the duration of the context.

    A join replaces the observation on a server that requires a join, and in a private room with an invite or with the
    guest key of a durable member (`_ResolvedTarget.join_after`). A join redeems the invite of the address, which counts
    only without an explicit room, and saves a new guest key in the profile. A new name of the room is printed on
    standard error.

    Raises:
        UsageError: The address, the room name or the nickname is invalid or missing.
        ChatError: The server rejected the request or is unreachable.
    """
    resolved = _resolve(target)
    async with resolved.create_client() as client:
        tasks = TaskSet()
        tasks.start(_report_renames(client.events()), "report of renames")
        try:
            try:
                room = await client.observe(resolved.room, limit=limit, timeout=target.timeout)
            except (UnsupportedByServer, NotFound) as error:
                room = await resolved.join_after(error, client, limit)
            yield room
        finally:
            await tasks.cancel_all()


@asynccontextmanager
async def open_joined_room(target: CliTarget) -> AsyncGenerator[Room]:
    """Join the target's room for the duration of the context, without a notice; raises as `open_room`.

    The join has the same effects as that of `open_room`.
    """
    resolved = _resolve(target)
    async with resolved.create_client() as client:
        yield await resolved.join(client, 1)


async def _report_renames(events: EventQueue[ClientEvent]) -> None:
    """Print new names of the room on standard error until the client closes."""
    async for event in events:
        if isinstance(event, RoomRenamed):
            print_error(tr("the room {room} is now named {new_name}", room=event.room, new_name=event.new_name))


class ScriptSender:
    """Sender of the messages of one command, without a join unless the server or an invite requires a join.

    Each message requests the nickname that the server assigned to the previous one.
    """

    def __init__(self, client: ChatClient, resolved: _ResolvedTarget) -> None:
        self._client = client
        self._resolved = resolved
        self._nick = resolved.nick
        self._joined_room: Room | None = None

    @property
    def room_name(self) -> str:
        """Room name, after a join in the server's spelling."""
        return self._resolved.room if self._joined_room is None else self._joined_room.name

    async def send(self, text: str) -> SendResponse:
        """Send a message and wait for the acknowledgement; save a new guest key in the profile, even after an error.

        If the server requires a join, or a join may admit the user (`_ResolvedTarget.join_after`), the first rejected
        call joins the room for the rest of the command, with a notice on standard error, and sends the message again.
        Raises as `ChatClient.send_as`, `ChatClient.join` and `Room.send`.
        """
        timeout = self._resolved.target.timeout
        if self._joined_room is None:
            try:
                response = await self._client.send_as(self._resolved.room, self._nick, text, timeout=timeout)
                self._nick = response.nick_name or self._nick
                return response
            except (UnsupportedByServer, NotFound, Forbidden) as error:
                self._joined_room = await self._resolved.join_after(error, self._client, 1)
            finally:
                self._resolved.save_guest_key(self._client)
        return await self._joined_room.send(text, timeout=timeout)


@asynccontextmanager
async def open_sender(target: CliTarget) -> AsyncGenerator[ScriptSender]:
    """Connect to the target's server for the duration of the context, without a join.

    Raises:
        UsageError: The address, the room name or the nickname is invalid or missing.
        Unreachable, Unauthorized: As `ChatClient.connect`.
    """
    resolved = _resolve(target)
    async with resolved.create_client() as client:
        yield ScriptSender(client, resolved)


def _resolve(target: CliTarget) -> _ResolvedTarget:
    """Return a validated target with the defaults of `CliTarget`, and the saved guest key and login.

    The invite of the address counts only with the room of the address. A problem with the stored logins is printed.

    Raises:
        UsageError: The address, the room name or the nickname is invalid or missing.
    """
    saved_profile, _ = profile_store.load(target.state_dir)
    try:
        server_address = address.parse_address(target.server or saved_profile.server or address.DEFAULT_SERVER)
        requested_room = target.room or server_address.room
        if not requested_room:
            raise UsageError(tr("no room given; use --room"))
        room = names.validate_room_name(requested_room)
        nick = names.validate_nickname(target.nick or saved_profile.nick or profile_store.login_name())
    except ChatError as chat_error:
        raise UsageError(error_text.describe(chat_error)) from None
    invite = None if target.room else server_address.invite
    if invite is not None:
        target = replace(target, anonymous=False)  # the member of a redeemed invite is durable
    guest_key = None if target.anonymous else find_guest_key(saved_profile, server_address.base_url, nick)
    login, problem = LoginStore(target.state_dir).find(server_address.base_url)
    if problem:
        print_error(problem)
    return _ResolvedTarget(target, server_address.base_url, room, invite, nick, guest_key, login)
