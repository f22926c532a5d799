"""The program: the join form, then the chat screen, with a server of its own if that is wanted.

Rule 1  Nothing of the network or the server is imported before the first screen is painted.
Rule 2  Leaving ends the connection first and the own server last, in order.
Rule 3  A fault of the program is logged once; the person reads one sentence, on a clean terminal.
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

from tui_chat.session import remembered, words
from tui_chat.session.language import tr
from tui_chat.session.remembered import Identity, Profile
from tui_chat.session.settings_file import SettingsFile
from tui_chat.ui import addresses, keys, memory, preload, terminal_keys
from tui_chat.ui.notifying import Notifying
from tui_chat.ui.own_server import NotStarted, OwnServer
from tui_chat.ui.pace import BETWEEN_DRAWS, REST
from tui_chat.ui.screens.join import Entrance, JoinScreen
from tui_chat.ui.start import DEFAULT_SERVER, Keeping, Start
from tui_chat.ui.typing_app import TypingApp

if TYPE_CHECKING:
    from textual.driver import Driver

    from server.protocol.answers import RoomSummary
    from tui_chat.session.room_view import RoomView
    from tui_chat.ui.screens.chat import ChatScreen
    from tui_chat.ui.visit import Visit

log = logging.getLogger("chat.ui")

AGAIN_WITHIN = 2.0
"""Seconds in which a second Ctrl+C quits."""

SENT_WITHIN = 1.0
"""Seconds that quitting waits for what was just sent."""

QUIET_AFTER = 1.0
"""Seconds after entering a room until nothing more of the start is going on."""

STOPPED_BY_SIGNAL = 128
"""Added to a signal's number, it is the exit code that shells expect."""


class ChatApp(TypingApp, inherit_bindings=False):
    """chat-tui.

    Attributes:
        own_server: The server that it has started itself, if there is one.
    """

    TITLE = words.TITLE
    CSS_PATH = "screens/join.tcss"  # a default screen does not load its own
    CSS = "CommandList { min-width: 8; }"  # Textual cannot wrap the palette's rows to no columns at all
    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings(keys.Place.ANYWHERE)]
    COMMAND_PALETTE_BINDING = "ctrl+backslash"

    def __init__(self, start: Start, kept: Profile, notice: str, settings: SettingsFile | None = None) -> None:
        """Make it.

        Args:
            start: The command line.
            kept: What was remembered.
            notice: Something to be said on the form.
            settings: The settings, None for the usual ones.
        """
        terminal_keys.teach()
        super().__init__(settings or SettingsFile(), _driver())
        self._start = start
        self._form: JoinScreen
        self._kept = kept
        self._notice = "\n".join(filter(None, (notice, *self.keymap.problems)))
        self._chat: ChatScreen | None = None
        self._visit: Visit | None = None
        self._worker: Worker[None] | None = None
        self.own_server = OwnServer()
        self._greeting: list[str] = []
        self._interrupted = 0.0
        self._warned_of_unsent = False
        self._come_back = not start.room
        self._notifying = Notifying(self, lambda: self._visit.session if self._visit is not None else None)

    def get_default_screen(self) -> Screen[None]:
        """The first screen is the form."""
        self._form = JoinScreen(
            self._start.room or addresses.room_of(self._start.server) or self._kept.room,
            self._start.nick or self._kept.nick,
            addresses.without_room(self._start.server) or self._kept.server or DEFAULT_SERVER,
            self._notice,
        )
        return self._form

    def on_mount(self) -> None:
        """Signals; the rest follows the first paint."""
        super().on_mount()
        if sys.platform != "win32" and not self.is_headless:
            loop = asyncio.get_running_loop()
            for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
                loop.add_signal_handler(number, self._stopped_by, number)
        self.call_after_refresh(self._first_painted)

    def _first_painted(self) -> None:
        memory.shown()
        if self._start.serve:
            self.run_worker(self._serve(self._start.host, self._start.port, None), exit_on_error=False)
        elif self._start.nick and (self._start.room or addresses.room_of(self._start.server)):
            # Nobody reads the form that is only passed through.
            self._greeting = [self._notice] if self._notice else []
            self._form.submit()
        else:
            # Whoever fills in a form gives the time to load what joining needs.
            self.run_worker(preload.load, thread=True, exit_on_error=False)

    # Entering a server.

    @on(JoinScreen.Asked)
    def _asked(self, event: JoinScreen.Asked) -> None:
        self._enter(event.entrance)

    @on(JoinScreen.StopAsked)
    def _stop_asked(self) -> None:
        self._end_visit()
        self._form.progress("")

    @on(JoinScreen.ServeAsked)
    def _serve_asked(self, event: JoinScreen.ServeAsked) -> None:
        host, _, port = event.entrance.server.partition("://")[2].rpartition(":")
        self.run_worker(self._serve(host.strip("[]"), int(port), event.entrance), exit_on_error=False)

    def _enter(self, entrance: Entrance) -> None:
        # Its imports are what the first screen does not wait for.
        from tui_chat.ui.visit import Visit  # noqa: PLC0415

        self._form.wait(words.connecting_to(entrance.server))
        self._end_visit()
        guest_key = self._kept.guest_key(entrance.server, entrance.nick)
        keeping = Keeping(self._start.state, self._start.cache)
        self._visit = Visit(
            entrance,
            guest_key,
            keeping,
            self._arrived,
            lambda: self.settings,
            come_back=self._come_back and self.settings.come_back,
        )
        self._worker = self.run_worker(self._visit.connection.run, group="connection", exit_on_error=False)

    async def _serve(self, host: str, port: int, entrance: Entrance | None) -> None:
        self._form.wait(tr(words.STARTING_SERVER))
        try:
            url, self._greeting = await self.own_server.start(host, port)
        except NotStarted as fault:
            self._form.complain("server", str(fault))
            return
        self._form.set_server(url)
        self._form.progress("\n".join(self._greeting))
        if entrance is not None or (self._start.nick and self._start.room):
            self._form.submit()

    # What comes from the connection.

    def _arrived(self) -> None:
        self._take_after(self.pace.wait)

    def _take_after(self, seconds: float) -> None:
        if seconds > 0:
            self.set_timer(seconds, self._take)
        else:
            self.call_later(self._take)

    def _take(self) -> None:
        if (hold := self.pace.hold) > 0:
            self._take_after(0 if self._took_unseen() else hold)
            return
        all_taken = self._visit is None or self._visit.take(self, self.pace.slice_end)
        if all_taken or self.pace.due:
            with self.pace.drawing():
                if self._chat is not None:
                    self._chat.draw()
                self._notifying.tell()
            if not all_taken:
                self._take_after(REST)  # the screen is written meanwhile, and not put off by each slice
        elif not all_taken:
            self._take_after(0)

    def _took_unseen(self) -> bool:
        """While the terminal takes no output, too much came: some of it is no longer kept for being drawn."""
        visit = self._visit
        if visit is None or not self.pace.behind or not visit.connection.inbox.overfull:
            return False
        visit.session.set_viewed(False)
        visit.take(self, self.pace.slice_end)
        return True

    def on_its_way(self) -> bool:
        """The room that was asked for last is not there yet; what is typed is for it."""
        return self._chat is not None and self.screen is self._chat and self._chat.going

    def another_room(self) -> None:
        """It is drawn at once: what stands in the composer belongs to the room that is shown."""
        if self._chat is not None:
            self._chat.room_came()

    def not_entered(self, field: str, problem: str, offer_server: bool) -> None:
        """The form says why."""
        entrance = self._visit.entrance if self._visit is not None else None
        self._end_visit()
        if offer_server and entrance is not None and addresses.is_here(entrance.server):
            self._form.complain(field, words.no_server_at(entrance.server))
            self._form.offer_server()
        else:
            self._form.complain(field, problem)

    def entered(self, visit: "Visit", view: "RoomView") -> None:
        """The first room brings the chat screen; where one was is remembered."""
        from tui_chat.ui.screens.chat import ChatScreen  # noqa: PLC0415 (as `_enter`)

        self._remember(visit, view.name, view.nick)
        if self._chat is None:
            for word in self._greeting:
                visit.session.add_notice(word)
            self._form.progress("")
            self._chat = ChatScreen(visit.session, visit.connection)
            self.push_screen(self._chat)
            self.set_timer(QUIET_AFTER, memory.settled)

    def renamed(self, visit: "Visit", nick: str) -> None:
        """The new nickname is remembered."""
        self._remember(visit, self._kept.room, nick)

    def left(self, reason: str) -> None:
        """Back to the form."""
        if self._chat is not None:
            self._chat = None
            while len(self.screen_stack) > 1:  # the help may be over it
                self.pop_screen()
        self._end_visit()
        self._form.progress(reason)

    def rooms_listed(self, rooms: "Sequence[RoomSummary]") -> None:
        """They complete, and can be gone to, from now on."""
        if self._chat is not None:
            self._chat.rooms_listed(rooms)

    def place_loaded(self, room: str, seq: int | None) -> None:
        """The chat screen goes there."""
        if self._chat is not None:
            self._chat.place_loaded(room, seq)

    def not_joined(self, room: str, problem: str) -> None:
        """Another room cannot be joined."""
        self.problem(problem)
        if self._chat is not None:
            self._chat.stay(room)

    def problem(self, problem: str) -> None:
        """Said above the composer, or on the form."""
        if self._chat is not None:
            self._chat.problem(problem)
        else:
            self._form.complain("server", problem)

    def _end_visit(self) -> None:
        if self._worker is not None:
            self._worker.cancel()
            self._worker = None
        self._visit = None

    def _remember(self, visit: "Visit", room: str, nick: str) -> None:
        kept = replace(self._kept, room=room, nick=nick, server=visit.entrance.typed)
        if visit.connection.guest_key:
            kept = kept.with_identity(Identity(visit.entrance.server, nick, visit.connection.guest_key))
        self._keep(kept)

    def _keep(self, kept: Profile) -> None:
        if kept != self._kept:
            self._kept = kept
            problem = remembered.save(self._start.state, kept)
            if problem:
                log.warning("%s", problem)
                self.problem(problem)

    # Keys and commands.

    def action_help(self) -> None:
        """Show the help, or close it."""
        from tui_chat.ui.screens.help import HelpScreen  # noqa: PLC0415 (not needed for the first screen)

        if isinstance(self.screen, HelpScreen):
            self.pop_screen()
        else:
            self.push_screen(HelpScreen())

    def action_redraw(self) -> None:
        """Draw everything anew."""
        self.refresh(layout=True, repaint=True)
        self.screen.refresh(layout=True)

    def action_interrupt(self) -> None:
        """Copy what is selected, else clear the line, else quit at the second time."""
        focused = self.focused
        selected = self.screen.get_selected_text()
        if not selected and isinstance(focused, TextArea | Input):
            selected = focused.selected_text
        if selected:
            self.copy_to_clipboard(selected)
            self.screen.clear_selection()
        elif isinstance(focused, Input) and focused.value:
            focused.value = ""
        elif self._chat is not None and self.screen is self._chat and self._chat.clear_line():
            pass
        elif time.monotonic() - self._interrupted < AGAIN_WITHIN:
            self._start_leaving()
        else:
            self._interrupted = time.monotonic()
            self.say(tr(words.CONFIRM_QUIT))

    def action_leave(self) -> None:
        """Quit; what was just sent is given a moment, and then a warning."""
        self.run_worker(self._leave_when_sent(), group="quitting", exclusive=True, exit_on_error=False)

    async def _leave_when_sent(self) -> None:
        # Turns are counted, not the time: on a busy machine an answer may be there that nobody had a turn to read.
        turns = round(SENT_WITHIN / BETWEEN_DRAWS)
        while self._unsent() and not self._warned_of_unsent:
            if not turns:
                self._warned_of_unsent = True
                self.say(tr(words.CONFIRM_QUIT_UNSENT))
                return
            turns -= 1
            await asyncio.sleep(BETWEEN_DRAWS)
        self._start_leaving()

    def _unsent(self) -> int:
        return self._visit.session.unsent_count if self._visit is not None else 0

    def action_command_palette(self) -> None:
        """All commands, to search and run."""
        from textual.command import CommandPalette  # noqa: PLC0415 (not needed for the first screen)

        if not isinstance(self.screen, CommandPalette):
            self.push_screen(CommandPalette(placeholder=tr(words.PLACEHOLDER_PALETTE), id="--command-palette"))

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """The command palette has the commands that can be typed."""
        from tui_chat.ui import palette  # noqa: PLC0415 (not needed for the first screen)

        return palette.entries(self, self._chat if screen is self._chat else None)

    def on_chat_screen_leave_asked(self) -> None:
        """`/quit` was typed."""
        self.action_leave()

    def on_chat_screen_server_asked(self, event: "ChatScreen.ServerAsked") -> None:
        """`/server` was typed: the form goes there, with the nickname and, if none is named, the room there are."""
        self._come_back = True
        self.left("")
        self._form.go_to(addresses.without_room(event.typed), addresses.room_of(event.typed))

    def on_chat_screen_help_asked(self) -> None:
        """`/help` was typed."""
        self.action_help()

    def on_chat_screen_setting_asked(self, event: "ChatScreen.SettingAsked") -> None:
        """`/set` or `/theme` was typed."""
        problem = self.change_setting(event.name, event.value)
        if problem:
            self.problem(problem)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """What goes wrong in the background is said too."""
        if event.state is WorkerState.ERROR:
            log.error("work in the background has failed", exc_info=event.worker.error)  # pyright: ignore[reportUnknownMemberType]
            self.problem(tr(words.INTERNAL_ERROR))

    def on_app_focus(self) -> None:
        """The terminal has the focus."""
        if self._chat is not None:
            self._chat.terminal_focus(True)
            self._notifying.tell()

    def on_app_blur(self) -> None:
        """The terminal has lost the focus."""
        if self._chat is not None:
            self._chat.terminal_focus(False)

    def say(self, word: str) -> None:
        """Said above the composer, or on the form."""
        if self._chat is not None:
            self._chat.told(word)
        else:
            self._form.progress(word)

    # Leaving.

    def on_terminal_gone(self) -> None:
        """Without a terminal there is nothing left to do."""
        self._start_leaving(STOPPED_BY_SIGNAL + 1)  # as SIGHUP, which not every closing sends

    def _stopped_by(self, number: int) -> None:
        self._start_leaving(STOPPED_BY_SIGNAL + number)

    def _start_leaving(self, code: int = 0) -> None:
        self.run_worker(self._leave(code), group="leaving", exclusive=True, exit_on_error=False)

    async def _leave(self, code: int) -> None:
        worker = self._worker
        self._end_visit()
        if worker is not None:
            with suppress(WorkerError):
                await worker.wait()
        await self.own_server.stop()
        self.exit(return_code=code)

    async def on_unmount(self) -> None:
        """However the program ends, its server stops in order."""
        await self.own_server.stop()

    def panic(self, *renderables: RenderableType) -> None:
        """End at once, with one sentence; the log has what is known."""
        log.critical("the program has failed", exc_info=self._exception)
        super().panic(Text(words.crash_report(str(self._start.log))))

    def _fatal_error(self) -> None:
        # Textual's own prints a traceback with the values of variables in it.
        self.panic()


def _driver() -> "type[Driver] | None":
    if sys.platform == "win32":
        return None
    from tui_chat.ui.terminal_driver import TerminalDriver  # noqa: PLC0415 (there is no such terminal on Windows)

    return TerminalDriver
