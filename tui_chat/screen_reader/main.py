"""Entry point of `chat-tui --screen-reader`: prompts for the join details, then runs one session per server.

- Fallback: a failed switch to another server returns to the previous one.
"""

import asyncio
import signal
import sys
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from tui_chat.client.client import ChatClient
from tui_chat.client.net import address
from tui_chat.client.outbox.store import Outbox
from tui_chat.protocol import names
from tui_chat.protocol.errors import ChatError
from tui_chat.screen_reader.line_terminal import LineTerminal
from tui_chat.screen_reader.reader import ScreenReader
from tui_chat.session import error_text
from tui_chat.session.i18n import tr
from tui_chat.session.settings.settings_file import SettingsFile
from tui_chat.session.store import profile as profile_store
from tui_chat.session.store.composer_store import ComposerStore
from tui_chat.session.store.profile import Identity
from tui_chat.session.strings import chat as chat_strings

EXIT_UNAVAILABLE = 69
"""Exit code for a server that cannot be reached (EX_UNAVAILABLE in sysexits.h)."""
DOUBLE_INTERRUPT_SECONDS = 2.0
"""Time within which a second Ctrl+C ends the program, in seconds."""
FLUSH_TIMEOUT = 1.0
"""Time limit for pending messages at end of input, in seconds."""


@dataclass(frozen=True, slots=True)
class ReaderOptions:
    """Join details from the command line, "" for each omitted value.

    Attributes:
        server: Server address.
        room: Room name.
        nick: Nickname.
        state_dir: State directory of the profile, the outbox and the composer store.
    """

    server: str
    room: str
    nick: str
    state_dir: Path


@dataclass(frozen=True, slots=True)
class ReaderTarget:
    """Destination of one session.

    Attributes:
        url: Base URL of the server.
        room: Room to join first.
        nick: Requested nickname.
        restore_rooms: Rejoin the rooms of the previous run.
    """

    url: str
    room: str
    nick: str
    restore_rooms: bool


def run(options: ReaderOptions, settings: SettingsFile) -> int:
    """Prompt for missing join details and run the screen-reader mode.

    A value from the command line needs no prompt unless invalid. Problems of the profile and the settings are printed
    first.

    Returns:
        Exit code: 0 at a normal end or a cancelled prompt, `EXIT_UNAVAILABLE` if the connection or the join fails, or
        128 plus the number of the terminating signal.
    """
    saved_profile, problem = profile_store.load(options.state_dir)
    for line in filter(None, (problem, *settings.problems)):
        print(line)
    try:
        server_address = _ask_address(options.server, saved_profile.server)
        room = _ask(
            tr(chat_strings.LABEL_ROOM),
            options.room or server_address.room or "",
            saved_profile.room,
            names.validate_room_name,
        )
        nick = _ask(tr(chat_strings.LABEL_NICK), options.nick, saved_profile.nick, names.validate_nickname)
    except (EOFError, KeyboardInterrupt):
        return 0
    print(chat_strings.connecting_to(server_address.base_url), flush=True)
    target = ReaderTarget(server_address.base_url, room, nick, restore_rooms=not options.room)
    return asyncio.run(_run_sessions(target, options.state_dir, settings))


def wait_until_listening(startup: Coroutine[None, None, str]) -> str:
    """Run the start-up of the local server and return its URL; exceptions of `startup` propagate."""
    return asyncio.run(startup)


def _ask_address(text: str, last_used: str) -> address.Address:
    default = f"127.0.0.1:{address.DEFAULT_PORT}"
    while True:
        try:
            return address.parse_address(text or _prompt(tr(chat_strings.LABEL_SERVER), last_used or default))
        except ValueError as error:
            print(error_text.sentence(str(error)))
            text = ""


def _ask(label: str, initial: str, last_used: str, validate: Callable[[str], str]) -> str:
    """Return `initial` or a prompted value, validated and normalized by `validate`.

    An invalid value is reported and prompted again; an empty input selects `last_used`.
    """
    while True:
        try:
            return validate(initial or _prompt(label, last_used))
        except ChatError as error:
            print(error_text.describe(error))
            initial = ""


def _prompt(label: str, default: str) -> str:
    return input(f"{label} [{default}]: " if default else f"{label}: ").strip() or default


async def _run_sessions(target: ReaderTarget, state_dir: Path, settings: SettingsFile) -> int:
    terminal = LineTerminal()
    exit_code: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    _install_signal_handlers(exit_code, terminal)
    previous: ReaderTarget | None = None
    try:
        while not exit_code.done():
            try:
                next_target = await _run_session(target, state_dir, settings, terminal, exit_code)
            except ChatError as error:
                terminal.write_line(error_text.describe(error))
                if previous is None:
                    return EXIT_UNAVAILABLE
                next_target = previous
            if next_target is None:
                break
            terminal.write_line(chat_strings.connecting_to(next_target.url))
            previous, target = (target if next_target is not previous else None), next_target
        return exit_code.result() if exit_code.done() else 0
    finally:
        terminal.close()


async def _run_session(
    target: ReaderTarget,
    state_dir: Path,
    settings: SettingsFile,
    terminal: LineTerminal,
    exit_code: "asyncio.Future[int]",
) -> ReaderTarget | None:
    """Run the session on one server.

    After the join, the server, room, nickname and guest key are saved in the profile.

    Returns:
        The next destination, None to exit.

    Raises:
        ChatError: The connection or the join failed.
    """
    url, room, nick = target.url, target.room, target.nick
    saved_profile, _ = profile_store.load(state_dir)
    async with (
        Outbox(state_dir) as outbox,
        ComposerStore(state_dir, url, nick, save_history=False, on_problem=terminal.write_line) as store,
    ):
        client = ChatClient(url, guest_key=saved_profile.guest_key(url, nick), outbox=outbox, max_messages=None)
        reader = ScreenReader(client, settings, store, terminal.write_line, lambda: time.time_ns() // 1_000_000)
        reader.subscribe()
        async with client:
            await reader.join_room(room, nick)
            saved_profile = replace(profile_store.load(state_dir)[0], room=room, nick=nick, server=url)
            if problem := profile_store.save(
                state_dir, saved_profile.with_identity(Identity(url, nick, client.guest_key or ""))
            ):
                terminal.write_line(problem)
            if target.restore_rooms and settings.settings.restore_rooms:
                await reader.restore_rooms()
            terminal.write_line(tr("Type a message and press Enter. /help lists the commands, /quit exits."))
            terminal.open(reader.completions)
            await _wait_for_end(reader, terminal, exit_code)
            if reader.next_server is None or exit_code.done():
                return None
            current_room = reader.room
            return ReaderTarget(
                reader.next_server.base_url,
                names.validate_room_name(reader.next_server.room)
                if reader.next_server.room
                else current_room.name
                if current_room is not None
                else room,
                current_room.nick if current_room is not None else nick,
                restore_rooms=True,
            )


async def _wait_for_end(reader: ScreenReader, terminal: LineTerminal, exit_code: "asyncio.Future[int]") -> None:
    tasks: set[asyncio.Task[object]] = {
        asyncio.create_task(reader.process_events()),
        asyncio.create_task(_read_input(reader, terminal)),
        asyncio.create_task(reader.finished.wait()),
    }
    try:
        await asyncio.wait({*tasks, exit_code}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _read_input(reader: ScreenReader, terminal: LineTerminal) -> None:
    while not reader.finished.is_set() and (line := await terminal.read_line()) is not None:
        await reader.handle_line(line)
    with suppress(TimeoutError):  # the outbox sends the remaining messages in the next run
        async with asyncio.timeout(FLUSH_TIMEOUT):
            await reader.outbox_idle.wait()


def _install_signal_handlers(exit_code: "asyncio.Future[int]", terminal: LineTerminal) -> None:
    if sys.platform == "win32":
        return
    loop, last_interrupt = asyncio.get_running_loop(), [-DOUBLE_INTERRUPT_SECONDS]

    def on_terminate(signum: int) -> None:
        if not exit_code.done():
            exit_code.set_result(128 + signum)

    def on_interrupt() -> None:
        is_repeated = loop.time() - last_interrupt[0] < DOUBLE_INTERRUPT_SECONDS
        last_interrupt[0] = loop.time()
        if is_repeated:
            on_terminate(signal.SIGINT)
        else:
            print(flush=True)
            print(tr(chat_strings.CONFIRM_QUIT), flush=True)

    loop.add_signal_handler(signal.SIGINT, on_interrupt)
    for signum in (signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(signum, on_terminate, signum)
