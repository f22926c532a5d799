"""chat-tui application: join form, chat screen and dialogs.

- Composition: the app connects its parts with each other and with Textual. The parts hold the state.
- Startup: the network libraries are imported only after the first screen is painted.
- Shutdown: the connection closes first, then the app releases the local server, which continues for other clients.
- Crash: an unexpected error outside background work is logged with its traceback. The app exits with one sentence.
"""

import logging
import os
import time
from collections.abc import Coroutine, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from rich.console import RenderableType
from rich.text import Text
from textual.app import App
from textual.events import Event, InputEvent, Key, Paste
from textual.filter import LineFilter
from textual.screen import Screen
from textual.signal import Signal
from textual.widgets import Input, TextArea
from textual.worker import Worker

from tui_chat.client.net.address import DEFAULT_SERVER
from tui_chat.session.i18n import plural, tr
from tui_chat.session.settings.schema import IDLE_CHECK_INTERVAL, ClientSettings
from tui_chat.session.settings.settings_file import SettingsFile
from tui_chat.session.start_options import StartOptions
from tui_chat.session.store.login_store import LoginStore
from tui_chat.session.store.profile import Profile
from tui_chat.session.strings import app as app_strings
from tui_chat.signal_handlers import handle_signal
from tui_chat.ui import gc_tuning, preload, theme as themes
from tui_chat.ui.app_services import report_worker_error
from tui_chat.ui.input.input_sequencer import InputSequencer, ScreenReadiness
from tui_chat.ui.input.keymap import Keymap
from tui_chat.ui.input.keys import KeyScope, textual_bindings
from tui_chat.ui.quit_flow import QuitFlow
from tui_chat.ui.render_scheduler import EventProcessor, RenderScheduler
from tui_chat.ui.screens.join import JoinScreen
from tui_chat.ui.server_address import split_address
from tui_chat.ui.session_lifecycle import SessionLifecycle
from tui_chat.ui.settings_controller import SettingsController
from tui_chat.ui.strip_cycles import prevent_strip_cycles
from tui_chat.ui.terminal import alt_keys, terminal_output
from tui_chat.ui.terminal.emoji_probe import EmojiSequencesMeasured
from tui_chat.ui.terminal.graphics_probe import GraphicsMeasured
from tui_chat.ui.timeline.grapheme_cells import set_emoji_sequences

if TYPE_CHECKING:
    from tui_chat.session.controller import SessionController
    from tui_chat.ui.screens.chat import ChatScreen

log = logging.getLogger("chat.ui")

GC_TUNING_DELAY = 1.0  # seconds from the first joined room, after which all startup work has ended


class ChatApp(App[None], inherit_bindings=False):
    """Textual application of chat-tui, with the interfaces `AppServices` and `SessionWindow`.

    Args:
        options: Parsed command line.
        saved_profile: Profile of the previous session.
        notice: Message for the user at the start, empty for none.
        settings: Settings and their file, None for defaults in memory.
    """

    TITLE = app_strings.TITLE
    # Textual loads no CSS_PATH of a default screen, and styles all widgets again for the one of a pushed screen.
    CSS_PATH = ["screens/join.tcss", "screens/chat.tcss", "widgets/side_list.tcss"]  # noqa: RUF012 (as in Textual)
    BINDINGS = [*textual_bindings(KeyScope.GLOBAL)]  # noqa: RUF012 (declared as in Textual)
    ENABLE_COMMAND_PALETTE = False  # replaced by `action_command_palette`

    def __init__(
        self, options: StartOptions, saved_profile: Profile, notice: str, settings: SettingsFile | None = None
    ) -> None:
        alt_keys.register_alt_keys()
        prevent_strip_cycles()
        super().__init__(driver_class=terminal_output.driver_class())
        self.settings_changed: Signal[ClientSettings] = Signal(self, "settings-changed")
        self._settings = SettingsController(settings or SettingsFile(), os.environ, self._on_setting_changed)
        self.change_setting = self._settings.change
        self.set_keymap(self.keymap.textual_keymap())
        themes.install_themes(self, themes.effective_theme(self.settings.theme, themes.has_few_colors(self)))
        self.terminal = terminal_output.TerminalOutput(
            lambda: self._driver, lambda: self.settings, os.environ, set_emoji_sequences
        )
        self._start_options = options
        self._startup_notice = "\n".join(filter(None, (notice, *self.keymap.problems)))
        self._chat_screen: ChatScreen | None = None
        self._lifecycle = SessionLifecycle(self, options, saved_profile)
        self.action_stop_server = self._lifecycle.stop_server
        server, room = split_address(options.server)
        self._start_room = options.room or room
        self.join_form = JoinScreen(
            self._start_room or saved_profile.room,
            options.nick or saved_profile.nick,
            server or saved_profile.server or DEFAULT_SERVER,
            self._startup_notice,
            login_store=LoginStore(options.state),
            on_join=self._lifecycle.connect,
            on_serve=self._lifecycle.serve_and_join,
            on_cancel=lambda: self._lifecycle.on_session_ended(""),
        )
        self._quit_flow = QuitFlow(
            lambda: self.keymap,
            lambda: self._lifecycle.session.pending_count if self._lifecycle.session is not None else 0,
            self.show_status,
            lambda: self.start_worker(self._shut_down(), "shutdown"),
        )
        self._render_scheduler = RenderScheduler(
            time.monotonic, lambda: getattr(self._driver, "is_output_blocked", False)
        )
        self.on_events_queued = EventProcessor(
            self._render_scheduler,
            process=self._lifecycle.process_events,
            is_overfull=self._lifecycle.is_overfull,
            draw=lambda: self._chat_screen.draw_changes() if self._chat_screen is not None else None,
            set_timer=self.set_timer,
            call_later=self.call_later,
            on_error=self.report_error,
        ).on_events_queued
        readiness = ScreenReadiness(time.monotonic)
        self.input_sequencer = InputSequencer(
            super().on_event,
            # Input after a submitted form or a room request waits for that room.
            lambda: (
                not self.join_form.is_waiting
                and readiness.is_ready(self.screen)
                and not (self._active_chat and self._active_chat.room_navigation.is_switching)
            ),
            lambda: [*(node for node in (self.focused or self.screen).ancestors_with_self if node is not self), self],
            self.set_timer,
        )

    def get_default_screen(self) -> Screen[None]:
        """Return the join form."""
        return self.join_form

    def on_mount(self) -> None:
        """Apply terminal settings, install signal handlers unless headless, and schedule startup and idle checks."""
        self.terminal.apply_settings()
        if not self.is_headless:
            for name in ("SIGTERM", "SIGHUP", "SIGINT"):
                handle_signal(name, self._quit_flow.quit_on_signal)
        self.call_after_refresh(self._after_first_paint)
        self.set_interval(IDLE_CHECK_INTERVAL, self._lifecycle.check_idle)

    def _after_first_paint(self) -> None:
        """Admit input; start a server (`--serve`), or submit nick and room of the command line, else import modules."""
        options, self.join_form.is_waiting = self._start_options, False
        gc_tuning.resume_collection()
        if options.serve:
            self._lifecycle.start_local_server(options.host, options.port, join=bool(options.nick and options.room))
        elif options.nick and self._start_room:
            # The join form is skipped, so show its notice in the chat.
            self._lifecycle.startup_messages = [self._startup_notice] if self._startup_notice else []
            self.join_form.action_submit()
        else:
            # Import the chat modules while the user fills in the form.
            self.run_worker(preload.import_chat_modules, thread=True, exit_on_error=False)

    # Session

    def start_worker(self, work: Coroutine[Any, Any, None], group: str) -> Worker[None]:
        """Run `work` in the background and cancel earlier work of the group. An error is logged and shown."""
        return self.run_worker(work, group=group, exclusive=True, exit_on_error=False)

    def open_chat(self, controller: "SessionController") -> "ChatScreen":
        """Open a new chat screen for a session, schedule the garbage collector tuning, and return the screen."""
        from tui_chat.ui.screens.chat import ChatScreen  # noqa: PLC0415 (imports the network libraries)

        self._chat_screen = ChatScreen(controller)
        self.push_screen(self._chat_screen)
        self.set_timer(GC_TUNING_DELAY, gc_tuning.tune_thresholds)
        return self._chat_screen

    def close_chat(self) -> None:
        """Close all screens above the join form, without the results of dialogs."""
        self._chat_screen = None
        while len(self.screen_stack) > 1:
            self.pop_screen()

    def on_chat_screen_server_change_requested(self, event: "ChatScreen.ServerChangeRequested") -> None:
        """Leave the server and join another one, with the room in the URL or else the room in the form."""
        self._lifecycle.leave_server()
        self.join_form.join_server(*split_address(event.address))

    # Input

    async def on_event(self, event: Event) -> None:
        """Record keys and mouse events. Queue keys and pastes in the sequencer unless immediate or forwarded."""
        if isinstance(event, InputEvent):
            self._render_scheduler.record_input()
            self._lifecycle.record_input()
            self._quit_flow.record_input(event)
        if isinstance(event, Key | Paste) and not (event.is_forwarded or self.join_form.is_immediate(event)):
            await self.input_sequencer.push(event)
        else:
            await super().on_event(event)

    @property
    def _active_chat(self) -> "ChatScreen | None":
        """Chat screen if on top, None if closed or below another screen."""
        return self._chat_screen if self.screen is self._chat_screen else None

    def on_app_focus(self) -> None:
        """Mark the terminal as focused and send due notifications. No effect without a chat screen."""
        if self._chat_screen is not None:
            self._chat_screen.set_terminal_focus(True)

    def on_app_blur(self) -> None:
        """Mark the terminal as unfocused. No effect without a chat screen."""
        if self._chat_screen is not None:
            self._chat_screen.set_terminal_focus(False)

    # Settings

    @property
    def settings(self) -> ClientSettings:
        """Current settings."""
        return self._settings.settings

    @property
    def keymap(self) -> Keymap:
        """Effective key bindings."""
        return self._settings.keymap

    def _on_setting_changed(self, name: str) -> None:
        """Apply the changed setting and all settings of the terminal, then publish `settings_changed`."""
        if name == "theme":
            self.preview_theme(self.settings.theme)
        elif name in {"language", "emoji"}:
            for screen in self.screen_stack:
                for widget in screen.walk_children(with_self=True):
                    widget.refresh()  # most widgets translate their text while rendering
        elif name == "keys":
            self.set_keymap(self.keymap.textual_keymap())
        self.terminal.apply_settings()
        self.settings_changed.publish(self.settings)

    def preview_theme(self, name: str) -> None:
        """Display a theme without saving the choice; with few colors, always `TERMINAL` (`effective_theme`)."""
        theme = themes.effective_theme(name, themes.has_few_colors(self))
        self.ansi_color = theme.ansi
        self.theme = theme.name

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Return the filters of rendered lines: only `NoColorFilter` if colors are disabled."""
        return themes.NO_COLOR_FILTERS if self.no_color else super().get_line_filters()

    def show_status(self, text: str) -> None:
        """Show a message in the status line, or on the join form."""
        if self._chat_screen is not None:
            self._chat_screen.view.status.show_status(text)
        else:
            self.join_form.show_progress(text)

    def copy_to_clipboard(self, text: str) -> None:
        """Copy `text` to the clipboards of app and terminal; show a status if the terminal's limit is exceeded."""
        self._clipboard = text
        if not self.terminal.copy_to_clipboard(text):
            self.show_status(
                plural(
                    "Too long for the terminal's clipboard ({count:,} character). Paste here with Ctrl+V.",
                    "Too long for the terminal's clipboard ({count:,} characters). Paste here with Ctrl+V.",
                    len(text),
                )
            )

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Log and report an unexpected error of a background worker."""
        report_worker_error(self, event)

    def report_error(self, error: BaseException | None) -> None:
        """Log an unexpected error of background work, and show that an error is in the log."""
        log.error("background work failed: error shown to the user", exc_info=error)
        self.report_internal_error()

    def report_internal_error(self) -> None:
        """Show that an error is in the log. May be called in any thread."""
        self.call_later(self._lifecycle.show_error, tr(app_strings.INTERNAL_ERROR))

    # Actions

    def action_help(self) -> None:
        """Open the help screen, or close the help screen if on top."""
        from tui_chat.ui.screens.help import HelpScreen  # noqa: PLC0415 (not needed for the first screen)

        if isinstance(self.screen, HelpScreen):
            self.pop_screen()
        else:
            self.push_screen(HelpScreen())

    def action_settings(self) -> None:
        """Open the settings screen, or close the settings screen if on top."""
        from tui_chat.ui.screens.settings import SettingsScreen  # noqa: PLC0415 (not needed for the first screen)

        if isinstance(self.screen, SettingsScreen):
            self.screen.dismiss(None)
        else:
            self.push_screen(SettingsScreen(self._settings.path))

    def action_choose_theme(self) -> None:
        """Open the theme chooser. No effect if the chooser is open."""
        from tui_chat.ui.screens.theme import ThemeScreen  # noqa: PLC0415 (not needed for the first screen)

        if not isinstance(self.screen, ThemeScreen):
            self.push_screen(ThemeScreen())

    def action_command_palette(self) -> None:
        """Close the command palette, or open one with all commands on the chat screen, elsewhere with `app_entries`."""
        from tui_chat.ui.screens import command_palette  # noqa: PLC0415 (not needed for the first screen)

        def run(entry: command_palette.PaletteEntry | None) -> None:
            if entry is not None:
                self.call_later(entry.run)

        if isinstance(self.screen, command_palette.CommandPalette):
            self.screen.dismiss(None)
        elif (chat := self._active_chat) is not None:
            entries = command_palette.room_entries(chat.run_command, chat.set_composer_text)
            self.push_screen(command_palette.CommandPalette(entries), run)
        else:
            self.push_screen(command_palette.CommandPalette(command_palette.app_entries(self.run_action)), run)

    def action_redraw(self) -> None:
        """Repaint the whole screen, and transfer its images again."""
        self.terminal.release_graphics()
        self.refresh(layout=True, repaint=True)
        self.screen.refresh(layout=True)

    def action_toggle_mouse(self) -> None:
        """Toggle and save the `mouse` setting. Show the new state; if only the save fails, show its error instead."""
        enabled = not self.settings.mouse
        self.show_status(
            self.change_setting("mouse", enabled)
            or (tr("Mouse on.") if enabled else tr("Mouse off. The terminal handles selection."))
        )

    def action_interrupt(self) -> None:
        """Copy the selection, else clear `Input`, else end search or compose mode, or clear text, else ask to quit."""
        focused, selected_text = self.focused, self.screen.get_selected_text()
        if not selected_text and isinstance(focused, TextArea | Input):
            selected_text = focused.selected_text
        if selected_text:
            self.copy_to_clipboard(selected_text)
            self.screen.clear_selection()
        elif isinstance(focused, Input) and focused.value:
            focused.value = ""
        elif self._active_chat is None or not self._active_chat.clear_input():
            self._quit_flow.interrupt()

    def action_quit_when_sent(self) -> None:
        """Queue delayed deletions, and quit after unacknowledged messages are sent, or after a warning (`QuitFlow`)."""
        self._lifecycle.send_delayed_deletions()
        self.start_worker(self._quit_flow.quit_when_sent(), "quitting")

    def on_emoji_sequences_measured(self, event: EmojiSequencesMeasured) -> None:
        """Draw emoji sequences in the form that the terminal supports, if the `emoji` setting is `auto`."""
        self.terminal.has_emoji_sequences = event.supported
        self._on_setting_changed("emoji")

    def on_graphics_measured(self, event: GraphicsMeasured) -> None:
        """Draw images in the form that the terminal supports."""
        apply = partial(self._on_setting_changed, "images")
        self.start_worker(self.terminal.set_graphics(event.graphics, apply), "graphics")

    # Shutdown

    def on_terminal_disconnected(self) -> None:
        """Shut down with the exit code of SIGHUP, unless an earlier signal has set the exit code."""
        self._quit_flow.quit_on_signal(1)  # SIGHUP is 1; not every disconnect sends the signal

    async def _shut_down(self) -> None:
        """Close the session and exit; the message of the local server is printed only with exit code 0."""
        message, exit_code = await self._lifecycle.close(), self._quit_flow.exit_code
        self.exit(return_code=exit_code, message=Text(message) if message and not exit_code else None)

    async def on_unmount(self) -> None:
        """Release the local server, even after an unexpected error."""
        self._lifecycle.local_server.close()

    def panic(self, *renderables: RenderableType) -> None:
        """Log the current exception and exit with one sentence that names the log file, instead of `renderables`."""
        log.critical("unexpected error: app exits", exc_info=self._exception)
        super().panic(Text(tr("chat-tui crashed. See {log} for details.", log=str(self._start_options.log))))

    def _fatal_error(self) -> None:
        self.panic()  # Textual would print a traceback that contains the values of local variables
