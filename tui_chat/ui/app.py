"""chat-tui application: join form, chat screen and optional local server.

- Startup: network and server modules are imported only after the first screen is painted.
- Shutdown: the connection closes first, the local server last.
- Crash: an unexpected error is logged once with its traceback. The user sees one sentence on a
  restored terminal.
"""

import asyncio
import logging
import signal
import sys
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, ClassVar

from msgspec.structs import replace
from rich.console import RenderableType
from rich.text import Text
from textual import on
from textual.app import SystemCommand
from textual.binding import BindingType
from textual.screen import Screen
from textual.widgets import Input, TextArea
from textual.worker import Worker, WorkerError, WorkerState

from tui_chat.session.commands.registry import Action
from tui_chat.session.i18n import tr
from tui_chat.session.settings.settings_file import SettingsFile
from tui_chat.session.store import profile as profile_store
from tui_chat.session.store.profile import Identity, Profile
from tui_chat.session.strings import chat as chat_strings
from tui_chat.ui import gc_tuning, preload, server_address
from tui_chat.ui.input import keys
from tui_chat.ui.input.key_scopes import KeyScope
from tui_chat.ui.input_app import InputApp
from tui_chat.ui.local_server import LocalServer, LocalServerError
from tui_chat.ui.render_scheduler import MIN_IDLE_TIME, RENDER_INTERVAL
from tui_chat.ui.screens.join import JoinDetails, JoinScreen
from tui_chat.ui.start_options import DEFAULT_SERVER, StartOptions, StoragePaths
from tui_chat.ui.terminal import alt_keys
from tui_chat.ui.terminal.notifier import Notifier

if TYPE_CHECKING:
    from textual.driver import Driver

    from tui_chat.protocol.responses import RoomSummary
    from tui_chat.session.room_view import RoomView
    from tui_chat.ui.screens.chat import ChatScreen
    from tui_chat.ui.session_controller import SessionController

log = logging.getLogger("chat.ui")

QUIT_CONFIRM_WINDOW = 2.0
"""Maximum interval between two Ctrl+C presses that quit, in seconds."""

QUIT_FLUSH_TIMEOUT = 1.0
"""Seconds that quitting waits for unacknowledged messages."""

STARTUP_SETTLE_TIME = 1.0
"""Seconds from the first joined room to the end of all startup work."""

SIGNAL_EXIT_BASE = 128
"""Offset of exit codes after a signal (shell convention)."""


class ChatApp(InputApp, inherit_bindings=False):
    """Textual application of chat-tui.

    Attributes:
        local_server: Server started by this app, idle if none was requested.
    """

    TITLE = chat_strings.TITLE
    CSS_PATH = "screens/join.tcss"  # Textual does not load the CSS_PATH of a default screen
    CSS = "CommandList { min-width: 8; }"  # Textual cannot wrap palette rows at width 0
    BINDINGS: ClassVar[list[BindingType]] = [*keys.textual_bindings(KeyScope.GLOBAL)]
    COMMAND_PALETTE_BINDING = "ctrl+backslash"

    def __init__(
        self, options: StartOptions, saved_profile: Profile, notice: str, settings: SettingsFile | None = None
    ) -> None:
        """Initialise the app.

        Args:
            options: Parsed command line.
            saved_profile: Profile of the previous session.
            notice: Message to show on the join form, empty for none.
            settings: Settings and their file, None for defaults in memory.
        """
        alt_keys.register_alt_keys()
        super().__init__(settings or SettingsFile(), _driver_class())
        self._start_options = options
        self._join_screen: JoinScreen
        self._profile = saved_profile
        self._startup_notice = "\n".join(filter(None, (notice, *self.keymap.problems)))
        self._chat_screen: ChatScreen | None = None
        self._controller: SessionController | None = None
        self._link_worker: Worker[None] | None = None
        self.local_server = LocalServer()
        self._server_messages: list[str] = []
        self._last_interrupt = 0.0
        self._unsent_warning_shown = False
        self._should_restore_rooms = not options.room
        self._notifier = Notifier(
            lambda: self._controller.session if self._controller is not None else None,
            lambda: self.settings.notification_preview,
            self.terminal.send_notification,
            self.set_timer,
        )

    def get_default_screen(self) -> Screen[None]:
        """Create the join form, filled from command line and profile."""
        self._join_screen = JoinScreen(
            self._start_options.room or server_address.room_in_url(self._start_options.server) or self._profile.room,
            self._start_options.nick or self._profile.nick,
            server_address.strip_room(self._start_options.server) or self._profile.server or DEFAULT_SERVER,
            self._startup_notice,
        )
        return self._join_screen

    def on_mount(self) -> None:
        """Install the signal handlers (not on Windows or headless) and schedule the work after the first paint."""
        super().on_mount()
        if sys.platform != "win32" and not self.is_headless:
            loop = asyncio.get_running_loop()
            for signal_number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
                loop.add_signal_handler(signal_number, self._exit_on_signal, signal_number)
        self.call_after_refresh(self._after_first_paint)

    def _after_first_paint(self) -> None:
        gc_tuning.resume_collection()
        if self._start_options.serve:
            self.run_worker(
                self._start_local_server(self._start_options.host, self._start_options.port, None), exit_on_error=False
            )
        elif self._start_options.nick and (
            self._start_options.room or server_address.room_in_url(self._start_options.server)
        ):
            # The join form is skipped, so show its notice in the chat.
            self._server_messages = [self._startup_notice] if self._startup_notice else []
            self._join_screen.submit()
        else:
            # Import the chat modules while the user fills in the form.
            self.run_worker(preload.import_chat_modules, thread=True, exit_on_error=False)

    # Connecting

    @on(JoinScreen.JoinRequested)
    def _handle_join_requested(self, event: JoinScreen.JoinRequested) -> None:
        self._connect(event.details)

    @on(JoinScreen.CancelRequested)
    def _handle_cancel_requested(self) -> None:
        self._disconnect()
        self._join_screen.show_progress("")

    @on(JoinScreen.ServeRequested)
    def _handle_serve_requested(self, event: JoinScreen.ServeRequested) -> None:
        host, _, port = event.details.server.partition("://")[2].rpartition(":")
        self.run_worker(self._start_local_server(host.strip("[]"), int(port), event.details), exit_on_error=False)

    def _connect(self, details: JoinDetails) -> None:
        # Imported here to keep startup fast.
        from tui_chat.ui.session_controller import SessionController  # noqa: PLC0415

        self._join_screen.begin_waiting(chat_strings.connecting_to(details.server))
        self._disconnect()
        guest_key = self._profile.guest_key(details.server, details.nick)
        storage_paths = StoragePaths(self._start_options.state, self._start_options.cache)
        self._controller = SessionController(
            details,
            guest_key,
            storage_paths,
            self._on_events_queued,
            lambda: self.settings,
            restore_rooms=self._should_restore_rooms and self.settings.restore_rooms,
        )
        self._link_worker = self.run_worker(self._controller.server_link.run, group="connection", exit_on_error=False)

    async def _start_local_server(self, host: str, port: int, details: JoinDetails | None) -> None:
        self._join_screen.begin_waiting(tr(chat_strings.STARTING_SERVER))
        try:
            url, self._server_messages = await self.local_server.start(host, port)
        except LocalServerError as error:
            self._join_screen.show_field_error("server", str(error))
            return
        self._join_screen.set_server(url)
        self._join_screen.show_progress("\n".join(self._server_messages))
        if details is not None or (self._start_options.nick and self._start_options.room):
            self._join_screen.submit()

    # Network events

    def _on_events_queued(self) -> None:
        self._schedule_processing(self.render_scheduler.delay)

    def _schedule_processing(self, delay: float) -> None:
        if delay > 0:
            self.set_timer(delay, self._process_events)
        else:
            self.call_later(self._process_events)

    def _process_events(self) -> None:
        if (processing_pause := self.render_scheduler.processing_pause) > 0:
            self._schedule_processing(0 if self._process_while_output_blocked() else processing_pause)
            return
        queue_drained = self._controller is None or self._controller.process_events(
            self, self.render_scheduler.slice_deadline
        )
        if queue_drained or self.render_scheduler.is_due:
            with self.render_scheduler.rendering():
                if self._chat_screen is not None:
                    self._chat_screen.draw_changes()
                self._notifier.flush()
            if not queue_drained:
                # Leave Textual time to flush the screen, which each slice would delay.
                self._schedule_processing(MIN_IDLE_TIME)
        elif not queue_drained:
            self._schedule_processing(0)

    def _process_while_output_blocked(self) -> bool:
        """Process one slice without rendering if the event queue is overfull while output is blocked.

        Returns:
            True if a slice was processed. The slice marks the session as not viewed.
        """
        controller = self._controller
        if (
            controller is None
            or not self.render_scheduler.is_output_blocked
            or not controller.server_link.event_queue.is_overfull
        ):
            return False
        controller.session.set_viewed(False)
        controller.process_events(self, self.render_scheduler.slice_deadline)
        return True

    def is_switching_room(self) -> bool:
        """Return whether the uncovered chat screen waits for a requested room. Input is held back for that room."""
        return self._chat_screen is not None and self.screen is self._chat_screen and self._chat_screen.is_switching

    def on_current_room_changed(self) -> None:
        """Draw the new current room immediately, so that later input enters its composer draft."""
        if self._chat_screen is not None:
            self._chat_screen.on_current_room_changed()

    def on_connect_failed(self, field: str, problem: str, offer_server: bool) -> None:
        """Disconnect and show the error on the join form.

        Args:
            field: Form field to mark: `room`, `nick` or `server`.
            problem: Error message for the user.
            offer_server: Offer to start a local server if the address is local HTTP. The offer replaces `problem`.
        """
        details = self._controller.join_details if self._controller is not None else None
        self._disconnect()
        if offer_server and details is not None and server_address.is_local_http(details.server):
            self._join_screen.show_field_error(field, chat_strings.no_server_at(details.server))
            self._join_screen.offer_server()
        else:
            self._join_screen.show_field_error(field, problem)

    def on_room_joined(self, controller: "SessionController", view: "RoomView") -> None:
        """Save room, nickname, server and guest key in the profile, and open the chat screen if it is not open.

        Called for each room that the user opens, also from the cache; not for rooms restored in the background.
        """
        from tui_chat.ui.screens.chat import ChatScreen  # noqa: PLC0415 (as in `_connect`)

        self._update_profile(controller, view.name, view.nick)
        if self._chat_screen is None:
            for message in self._server_messages:
                controller.session.add_notice(message)
            self._join_screen.show_progress("")
            self._chat_screen = ChatScreen(controller.session, controller.server_link)
            self.push_screen(self._chat_screen)
            self.set_timer(STARTUP_SETTLE_TIME, gc_tuning.tune_thresholds)

    def on_nick_changed(self, controller: "SessionController", nick: str) -> None:
        """Save the new nickname in the profile. The saved room stays."""
        self._update_profile(controller, self._profile.room, nick)

    def on_session_ended(self, reason: str) -> None:
        """Disconnect, close all dialogs and return to the join form. A local server keeps running.

        Args:
            reason: Message to show on the form, empty for none.
        """
        if self._chat_screen is not None:
            self._chat_screen = None
            while len(self.screen_stack) > 1:  # a dialog may cover the chat screen
                self.pop_screen()
        self._disconnect()
        self._join_screen.show_progress(reason)

    def on_rooms_listed(self, rooms: "Sequence[RoomSummary]") -> None:
        """Pass the room list to the chat screen for completion and switching."""
        if self._chat_screen is not None:
            self._chat_screen.on_rooms_listed(rooms)

    def on_context_loaded(self, room: str, seq: int | None) -> None:
        """Continue the chat screen's pending navigation."""
        if self._chat_screen is not None:
            self._chat_screen.on_context_loaded(room, seq)

    def on_join_failed(self, room: str, problem: str) -> None:
        """Show the error and cancel the pending switch to this room."""
        self.show_error(problem)
        if self._chat_screen is not None:
            self._chat_screen.cancel_switch(room)

    def show_error(self, problem: str) -> None:
        """Show an error in the status line, or beside the server field of the join form."""
        if self._chat_screen is not None:
            self._chat_screen.show_error(problem)
        else:
            self._join_screen.show_field_error("server", problem)

    def _disconnect(self) -> None:
        if self._link_worker is not None:
            self._link_worker.cancel()
            self._link_worker = None
        self._controller = None

    def _update_profile(self, controller: "SessionController", room: str, nick: str) -> None:
        updated = replace(self._profile, room=room, nick=nick, server=controller.join_details.typed_server)
        if controller.server_link.guest_key:
            updated = updated.with_identity(
                Identity(controller.join_details.server, nick, controller.server_link.guest_key)
            )
        self._save_profile(updated)

    def _save_profile(self, updated: Profile) -> None:
        if updated != self._profile:
            self._profile = updated
            problem = profile_store.save(self._start_options.state, updated)
            if problem:
                log.warning("profile not saved: %s", problem)
                self.show_error(problem)

    # Keys and commands

    def action_help(self) -> None:
        """Open or close the help screen."""
        from tui_chat.ui.screens.help import HelpScreen  # noqa: PLC0415 (not needed for the first screen)

        if isinstance(self.screen, HelpScreen):
            self.pop_screen()
        else:
            self.push_screen(HelpScreen())

    def action_redraw(self) -> None:
        """Repaint the whole screen."""
        self.refresh(layout=True, repaint=True)
        self.screen.refresh(layout=True)

    def action_interrupt(self) -> None:
        """Copy the selection, otherwise clear the input, otherwise quit on the second press.

        The second press must follow within `QUIT_CONFIRM_WINDOW`. Quitting does not wait for unsent messages.
        """
        focused = self.focused
        selected_text = self.screen.get_selected_text()
        if not selected_text and isinstance(focused, TextArea | Input):
            selected_text = focused.selected_text
        if selected_text:
            self.copy_to_clipboard(selected_text)
            self.screen.clear_selection()
        elif isinstance(focused, Input) and focused.value:
            focused.value = ""
        elif self._chat_screen is not None and self.screen is self._chat_screen and self._chat_screen.clear_input():
            pass
        elif time.monotonic() - self._last_interrupt < QUIT_CONFIRM_WINDOW:
            self._begin_shutdown()
        else:
            self._last_interrupt = time.monotonic()
            self.show_status(tr(chat_strings.CONFIRM_QUIT))

    def action_quit_when_sent(self) -> None:
        """Quit after a short wait for unacknowledged messages. If some remain, warn first.

        The warning appears once; every later call quits immediately.
        """
        self.run_worker(self._quit_when_sent(), group="quitting", exclusive=True, exit_on_error=False)

    async def _quit_when_sent(self) -> None:
        # Count pauses instead of elapsed time: on a busy machine an ack may be received but not processed yet.
        attempts_left = round(QUIT_FLUSH_TIMEOUT / RENDER_INTERVAL)
        while self._pending_count() and not self._unsent_warning_shown:
            if not attempts_left:
                self._unsent_warning_shown = True
                self.show_status(tr(chat_strings.CONFIRM_QUIT_UNSENT))
                return
            attempts_left -= 1
            await asyncio.sleep(RENDER_INTERVAL)
        self._begin_shutdown()

    def _pending_count(self) -> int:
        return self._controller.session.pending_count if self._controller is not None else 0

    def action_command_palette(self) -> None:
        """Open the command palette. No effect if the palette is open."""
        from textual.command import CommandPalette  # noqa: PLC0415 (not needed for the first screen)

        if not isinstance(self.screen, CommandPalette):
            self.push_screen(CommandPalette(placeholder=tr(chat_strings.PLACEHOLDER_PALETTE), id="--command-palette"))

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Return the slash commands as palette entries."""
        from tui_chat.ui import command_palette  # noqa: PLC0415 (not needed for the first screen)

        chat = self._chat_screen
        if chat is not None and screen is chat:
            return command_palette.room_commands(chat.run_palette_command, chat.set_composer_text)
        return command_palette.app_commands(
            {
                Action.HELP: self.action_help,
                Action.SETTINGS: self.action_settings,
                Action.THEME: self.action_choose_theme,
                Action.QUIT: self.action_quit_when_sent,
            }
        )

    def on_chat_screen_server_change_requested(self, event: "ChatScreen.ServerChangeRequested") -> None:
        """Join another server on behalf of `/server`, with the room in the URL or else the room in the form.

        Ends the current session first. The new session restores rooms if the setting permits.
        """
        self._should_restore_rooms = True
        self.on_session_ended("")
        self._join_screen.join_server(
            server_address.strip_room(event.address), server_address.room_in_url(event.address)
        )

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Log and report an unexpected error of a background worker."""
        if event.state is WorkerState.ERROR:
            log.error("background worker failed: error shown to the user", exc_info=event.worker.error)  # pyright: ignore[reportUnknownMemberType]
            self.show_error(tr(chat_strings.INTERNAL_ERROR))

    def on_app_focus(self) -> None:
        """Mark the terminal as focused. No effect without a chat screen."""
        if self._chat_screen is not None:
            self._chat_screen.set_terminal_focus(True)
            self._notifier.flush()

    def on_app_blur(self) -> None:
        """Mark the terminal as unfocused."""
        if self._chat_screen is not None:
            self._chat_screen.set_terminal_focus(False)

    def show_status(self, text: str) -> None:
        """Show a message in the status line, or on the join form."""
        if self._chat_screen is not None:
            self._chat_screen.show_status(text)
        else:
            self._join_screen.show_progress(text)

    # Shutdown

    def on_terminal_disconnected(self) -> None:
        """Shut down with the exit code of SIGHUP."""
        self._begin_shutdown(SIGNAL_EXIT_BASE + 1)  # SIGHUP is 1; not every disconnect sends the signal

    def _exit_on_signal(self, signal_number: int) -> None:
        self._begin_shutdown(SIGNAL_EXIT_BASE + signal_number)

    def _begin_shutdown(self, exit_code: int = 0) -> None:
        self.run_worker(self._shut_down(exit_code), group="shutdown", exclusive=True, exit_on_error=False)

    async def _shut_down(self, exit_code: int) -> None:
        worker = self._link_worker
        self._disconnect()
        if worker is not None:
            with suppress(WorkerError):
                await worker.wait()
        await self.local_server.stop()
        self.exit(return_code=exit_code)

    async def on_unmount(self) -> None:
        """Stop the local server, also after an unexpected error."""
        await self.local_server.stop()

    def panic(self, *renderables: RenderableType) -> None:
        """Exit with a short crash report. Details are in the log file."""
        log.critical("unexpected error: app exits", exc_info=self._exception)
        super().panic(Text(chat_strings.crash_report(str(self._start_options.log))))

    def _fatal_error(self) -> None:
        # Textual would print a traceback that contains the values of local variables.
        self.panic()


def _driver_class() -> "type[Driver] | None":
    if sys.platform == "win32":
        return None
    from tui_chat.ui.terminal.driver import TerminalDriver  # noqa: PLC0415 (POSIX only)

    return TerminalDriver
