"""Entry point of `chat-tui --screen-reader`: prompts for the join details, then runs one session per server.

- Fallback: a failed switch to another server returns to the previous one. A second failure ends the program.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from tui_chat.client.net import address
from tui_chat.client.net.address import Address
from tui_chat.local_server import LocalServer
from tui_chat.protocol import names
from tui_chat.protocol.errors import ChatError
from tui_chat.screen_reader.command_handlers import ReaderCommands
from tui_chat.screen_reader.line_terminal import LineTerminal, read_input
from tui_chat.screen_reader.reader import ScreenReader
from tui_chat.session import error_text
from tui_chat.session.auto_away import AutoAway
from tui_chat.session.i18n import Translatable, tr
from tui_chat.session.quitting import SIGNAL_EXIT_BASE, InterruptConfirmation, wait_until_sent
from tui_chat.session.session_target import SessionTarget
from tui_chat.session.settings.schema import IDLE_CHECK_INTERVAL
from tui_chat.session.settings.settings_file import SettingsFile
from tui_chat.session.start_options import StartOptions
from tui_chat.session.store import profile as profile_store
from tui_chat.session.store.guest_identities import find_guest_key
from tui_chat.session.strings import app as app_strings
from tui_chat.signal_handlers import handle_signal
from tui_chat.standard_streams import EXIT_INTERNAL_ERROR, EXIT_UNAVAILABLE, OutputError, write_output

ValueT = TypeVar("ValueT")

log = logging.getLogger("chat.screen_reader")


def run(options: StartOptions, settings: SettingsFile, local_server: LocalServer) -> int:
    """Prompt for missing join details and run the screen-reader mode.

    Valid `options` need no prompt, and a running local server replaces the address. The last used values are the
    defaults of the prompts. Problems of the profile and the settings are printed first.

    Returns:
        Exit code: 0 at a normal end or a cancelled prompt, `EXIT_INTERNAL_ERROR`, `EXIT_UNAVAILABLE` if the first
        connection or join fails, or 128 plus the number of the terminating signal.

    Raises:
        OutputError: Standard output cannot be written.
    """
    saved_profile, problem = profile_store.load(options.state)
    for line in filter(None, (problem, *settings.problems)):
        write_output(line)
    try:
        last_server = saved_profile.server or address.DEFAULT_SERVER
        server = local_server.url or options.server
        server_address = _ask(app_strings.LABEL_SERVER, server, last_server, address.parse_address)
        room = _ask(
            app_strings.LABEL_ROOM,
            address.split_invite(options.room or server_address.room or "")[0],
            saved_profile.room or profile_store.DEFAULT_ROOM,
            names.validate_room_name,
        )
        last_nick = saved_profile.nick or profile_store.login_name()
        nick = _ask(app_strings.LABEL_NICK, options.nick, last_nick, names.validate_nickname)
    except (EOFError, KeyboardInterrupt):
        return 0
    write_output(tr(app_strings.CONNECTING_TO, server=server_address.base_url))
    target = SessionTarget(
        server_address.base_url,
        room,
        nick,
        restore_rooms=not options.room and settings.settings.restore_rooms,
        guest_key=find_guest_key(saved_profile, server_address.base_url, nick),
        invite=address.split_invite(options.room)[1] if options.room else server_address.invite,
    )
    return asyncio.run(_run_sessions(target, options.state, settings, local_server))


def _ask(label: Translatable, initial: str, default: str, validate: Callable[[str], ValueT]) -> ValueT:
    """Return `initial`, unless empty or invalid, or a prompted value; both as converted by `validate`.

    The `ChatError` of an invalid value is printed, and a prompt follows. An empty input selects `default`.

    Raises:
        EOFError: The input has ended or cannot be read.
        OutputError: Standard output cannot be written.
    """
    prompt = f"{tr(label)} [{default}]: "
    while True:
        try:
            return validate(initial or read_input(prompt).strip() or default)
        except ChatError as error:
            write_output(error_text.describe(error))
        initial = ""


async def _run_sessions(
    target: SessionTarget, state_dir: Path, settings: SettingsFile, local_server: LocalServer
) -> int:
    """Run a session on the target, then on each server of a switch, and return the exit code as `run`.

    At a normal end, the local server is released, and a message about its other clients is written.

    Raises:
        OutputError: Standard output cannot be written.
    """
    loop = asyncio.get_running_loop()
    exit_code: asyncio.Future[int] = loop.create_future()

    def on_output_error(error: OutputError) -> None:
        with suppress(RuntimeError):  # the event loop is closed
            loop.call_soon_threadsafe(lambda: exit_code.done() or exit_code.set_exception(error))

    terminal = LineTerminal(on_output_error)
    _install_signal_handlers(exit_code, terminal)
    previous: SessionTarget | None = None
    try:
        while True:
            reader = ScreenReader(target, settings, state_dir, terminal.write_line)
            commands = ReaderCommands(reader, settings, local_server, terminal.prompt)
            await _run_session(reader, commands, terminal, exit_code)
            if exit_code.done():
                return exit_code.result()
            if reader.failure:
                terminal.write_line(reader.failure)
                if previous is None:
                    return EXIT_UNAVAILABLE
                previous, target = None, previous
            elif commands.next_server is None:
                if message := await local_server.leave():
                    terminal.write_line(message)
                return 0
            else:
                previous, target = target, _next_target(commands.next_server, reader, state_dir, settings)
            terminal.write_line(tr(app_strings.CONNECTING_TO, server=target.url))
    finally:
        terminal.close()


def _next_target(address: Address, reader: ScreenReader, state_dir: Path, settings: SettingsFile) -> SessionTarget:
    """Return the target of `/server`: the room of the address or else the current one, with the current nickname.

    Without a current room, room and nickname are those of the previous target.
    """
    target, view = reader.controller.target, reader.session.current_room
    room, nick = (view.name, view.nick) if view is not None else (target.room, target.nick)
    return SessionTarget(
        address.base_url,
        address.room or room,
        nick,
        settings.settings.restore_rooms,
        find_guest_key(profile_store.load(state_dir)[0], address.base_url, nick),
        address.invite,
    )


async def _run_session(
    reader: ScreenReader, commands: ReaderCommands, terminal: LineTerminal, exit_code: "asyncio.Future[int]"
) -> None:
    """Run the session on one server until its end, the end of the input, a signal or an internal error.

    An internal error is logged, announced and set as `exit_code`. At the end, delayed deletions are queued and awaited
    for a limited time (`wait_until_sent`), and the connection is closed.
    """
    link = asyncio.create_task(reader.controller.server_link.run())
    tasks: set[asyncio.Task[Any]] = {
        link,
        asyncio.create_task(reader.process_events()),
        asyncio.create_task(_execute_input(reader, commands, terminal)),
        asyncio.create_task(_check_idle(reader.controller.auto_away)),
        asyncio.create_task(reader.finished.wait()),
    }
    try:
        done, _ = await asyncio.wait({*tasks, exit_code}, return_when=asyncio.FIRST_COMPLETED)
        errors = [error for task in done & tasks if (error := task.exception()) is not None]
        for error in errors:
            log.error("screen reader session failed", exc_info=error)
        if errors or link in done:  # the link logs an error and ends
            terminal.write_line(tr(app_strings.INTERNAL_ERROR))
            if not exit_code.done():
                exit_code.set_result(EXIT_INTERNAL_ERROR)
    finally:
        if reader.controller.deletions.flush():
            await wait_until_sent(lambda: reader.session.pending_count)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _execute_input(reader: ScreenReader, commands: ReaderCommands, terminal: LineTerminal) -> None:
    """Wait for the first join, then execute input lines until the end of the session or of the input.

    Finally, delayed deletions are queued, and unsent messages are awaited for a limited time (`wait_until_sent`).
    """
    await reader.opened.wait()
    await commands.wait_for_results()
    terminal.write_line(tr("Type a message and press Enter. /help lists the commands, /quit exits."))
    while not reader.finished.is_set() and (line := await terminal.read_line(commands.complete)) is not None:
        reader.controller.auto_away.record_input()
        await commands.handle_line(line)
    reader.controller.deletions.flush()
    await wait_until_sent(lambda: reader.session.pending_count)  # the next run sends the remaining messages


async def _check_idle(auto_away: AutoAway) -> None:
    """Update the automatic status every `IDLE_CHECK_INTERVAL` seconds, until cancelled."""
    while True:
        await asyncio.sleep(IDLE_CHECK_INTERVAL)
        auto_away.check()


def _install_signal_handlers(exit_code: "asyncio.Future[int]", terminal: LineTerminal) -> None:
    """Set the exit code, unless done, at SIGTERM, SIGHUP and a second SIGINT (`InterruptConfirmation`)."""
    confirmation = InterruptConfirmation(asyncio.get_running_loop().time)

    def on_terminate(signum: int) -> None:
        if not exit_code.done():
            exit_code.set_result(SIGNAL_EXIT_BASE + signum)

    def on_interrupt(signum: int) -> None:
        if confirmation.press():
            on_terminate(signum)
        else:
            terminal.write_immediately(tr(app_strings.CONFIRM_QUIT, key="Ctrl+C"))

    handle_signal("SIGINT", on_interrupt)
    for name in ("SIGTERM", "SIGHUP"):
        handle_signal(name, on_terminate)
