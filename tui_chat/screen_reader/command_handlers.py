"""Input of the screen-reader mode, and the slash commands that differ from those of a screen."""

import logging
import os
from collections.abc import Callable, Sequence
from datetime import date, datetime
from functools import partial
from itertools import islice
from pathlib import Path

from tui_chat.client.events import Offline
from tui_chat.client.net.address import Address, parse_address
from tui_chat.client.room import Room
from tui_chat.local_server import LocalServer, LocalServerError
from tui_chat.protocol import names
from tui_chat.protocol.sanitize import is_blank
from tui_chat.screen_reader import speech
from tui_chat.screen_reader.account_commands import Prompt, ReaderAccountCommands
from tui_chat.screen_reader.reader import INITIAL_MESSAGES, ScreenReader
from tui_chat.session import date_parser, i18n
from tui_chat.session.commands import file_handlers, handlers, registry, settings_handlers
from tui_chat.session.commands.command_context import CommandContext
from tui_chat.session.commands.completion import complete, nick_query
from tui_chat.session.commands.message_targets import find_deletion_target
from tui_chat.session.compose_mode import ComposeKind, ComposeMode
from tui_chat.session.delayed_deletions import UNDO_SECONDS
from tui_chat.session.durable_rooms import DurableRoom
from tui_chat.session.file_opener import FileOpener
from tui_chat.session.i18n import mark, tr
from tui_chat.session.lines import MessageLine
from tui_chat.session.local_paths import find_dropped_files
from tui_chat.session.room_view import RoomView
from tui_chat.session.settings.settings_file import SettingsFile
from tui_chat.session.strings import app as app_strings, chat as chat_strings, search as search_strings
from tui_chat.session.upload_permission import find_upload_refusal, unavailable_commands

log = logging.getLogger("chat.screen_reader")

SUPPORTED_SETTINGS = frozenset(
    {"language", "restore_rooms", "joins", "notify", "room_notifications", "ignored", "away_after"}
)
"""Settings with an effect in the screen-reader mode."""


class ReaderCommands:
    """Executor of the input lines of one session: messages and slash commands.

    A lost local server is restarted (`ScreenReader.on_connection_lost`).

    Attributes:
        context: Context of the command calls, with a refusal for each command that needs a screen.
        next_server: Server to switch to after the session; None to exit.
    """

    def __init__(
        self, reader: ScreenReader, settings_file: SettingsFile, local_server: LocalServer, prompt: Prompt
    ) -> None:
        self._reader = reader
        self._session = reader.session
        self._link = reader.controller.server_link
        self._deletions = reader.controller.deletions
        self._settings_file = settings_file
        self._local_server = local_server
        reader.on_connection_lost = self._restart_local_server
        self._prompt = prompt
        self.next_server: Address | None = None
        supported_commands: dict[str, Callable[[str], str | None]] = {
            **ReaderAccountCommands(
                reader.controller.accounts,
                nick=lambda: self._session.current_room.nick if self._session.current_room is not None else "",
                prompt=prompt,
                announce=reader.announce,
                start=self._link.start,
            ).handlers,
            "go": self._switch_room,
            "search": self._search,
            "date": self._show_date,
            "delete": self._delete_message,
            "undo": self._undo_deletion,
            "set": self._set_setting,
            "stop-server": self._stop_server,
            "help": self._help,
            "quit": lambda _: reader.finished.set(),
        }
        self._refusals = {
            command.name: partial(self._refuse, command.name)
            for command in registry.COMMANDS
            if command.name not in handlers.HANDLERS and command.name not in supported_commands
        }
        self.context = CommandContext(
            session=self._session,
            link=self._link,
            settings=lambda: settings_file.settings,
            set_setting=self._change_setting,
            go_to_room=self._go_to_room,
            leave_room=lambda view: self._link.leave(view.name),
            send=lambda text: self._reader.controller.messages.submit(None, text),
            send_files=reader.controller.messages.send_files,
            compose=self._compose,
            mark_unread=reader.controller.read_markers.mark_unread,
            show_output=self._session.add_notice,
            copy_text=lambda text: None,
            confirm=self._confirm,
            change_server=self._change_server,
            file_opener=FileOpener(),
            front_end_handlers=self._refusals | supported_commands,
        )

    async def handle_line(self, line: str) -> None:
        """Post an input line as a message or run it as a command, then wait for the running requests.

        A line of paths to existing files, as terminals insert for dropped files, is a message or an upload after a
        question, if the current room permits uploads. A blank line has no effect. Errors are only announced; an
        unexpected exception is logged and announced as an internal error.
        """
        if is_blank(line):
            return
        try:
            view, paths = self._session.current_room, find_dropped_files(line)
            if view is not None and paths and find_upload_refusal(view.room) is None:
                problem = await self._send_dropped_files(view.name, paths, line)
            else:
                problem = handlers.run_input(line, self.context)
            if problem:
                self._reader.announce(problem)
            await self.wait_for_results()
        except Exception:
            log.exception("input line not executed")
            self._reader.announce(tr(app_strings.INTERNAL_ERROR))

    async def _send_dropped_files(self, room: str, paths: Sequence[Path], line: str) -> str:
        """Start the upload of files to a room after a confirmed question, otherwise post the line as a message.

        Returns:
            Error of the message, "" for an upload.
        """
        question = chat_strings.send_files_question([path.name for path in paths])
        if not await self._confirm(question, tr("send")):
            return self.context.send(line)
        file_handlers.upload_paths(room, paths, self.context)
        return ""

    async def wait_for_results(self) -> None:
        """Wait for the running requests, then apply all queued events, which announces the results.

        Joins that wait for a connection and messages in the outbox are not awaited.
        """
        await self._link.wait_until_idle()
        self._reader.controller.process_events(float("inf"))

    async def complete(self, text_before: str) -> Sequence[str]:
        """Return all completions of the text before the cursor, each including the unchanged part; empty without one.

        Without a completion, matching members of a room with unlisted members are loaded first.
        """
        view, completions = self._session.current_room, self._complete_known(text_before)
        query = "" if completions else nick_query(text_before)
        if query and view is not None and view.member_count > len(view.members):
            self._link.load_members(view.name, query, lambda: None)
            await self.wait_for_results()
            completions = self._complete_known(text_before)
        return completions

    def _complete_known(self, text_before: str) -> Sequence[str]:
        """Return completions as `complete`, without loading members. Private and direct rooms are no candidates."""
        view = self._session.current_room
        rooms = [room.name for room in self._list_rooms() if not names.is_room_address(room.name)]
        hidden_commands = unavailable_commands(view.room) if view is not None else ()
        nicks = view.other_nicks if view is not None else ()
        completion = complete(text_before, nicks, rooms, hidden_commands=hidden_commands)
        if completion is None:
            return ()
        return [text_before[: completion.start] + candidate.text for candidate in completion.candidates]

    def _list_rooms(self) -> list[RoomView | DurableRoom]:
        """Return the open rooms, then the closed rooms of the account."""
        return [*self._session.rooms.values(), *self._session.closed_rooms]

    # Context of the common commands

    def _change_setting(self, name: str, value: object) -> None:
        """Apply a setting and save it; None restores the default.

        The value applies even if the save fails; the problem is then announced.
        """
        if problem := self._settings_file.change(name, value):
            self._reader.announce(problem)
        if name == "language":
            i18n.activate(i18n.select_language("", self._settings_file.settings.language, os.environ))
        self._session.apply_settings()

    def _go_to_room(self, room: str) -> None:
        """Show and announce an open room, or start the join of another one under the current nickname.

        While offline, the join waits, which is announced.
        """
        view = self._session.current_room
        if self._session.find_room(room) is None:
            if isinstance(self._session.connection_state, Offline):
                self._reader.announce(chat_strings.join_queued(room))
            self._link.join(room, view.nick if view is not None else "", self._session.begin_switch())
        else:
            self._session.show_room(room)
            self._reader.announce_current_room()

    def _compose(self, kind: ComposeKind, line: MessageLine | None, text: str) -> str:
        """Reply to, edit or react to a message; return the error, "" on success. An empty text gives the usage."""
        if not text:
            return registry.usage_error(kind.value)
        if line is None or line.seq is None:
            return tr(chat_strings.NO_SUCH_MESSAGE)
        return self._reader.controller.messages.submit(ComposeMode(kind, line.seq, ""), text)

    async def _confirm(self, question: str, label: str) -> bool:
        """Ask a question; return True for `y`, `yes` or the label (case ignored), otherwise and at EOF False."""
        try:
            answer = await self._prompt(f"{question} [{label}: y] ", is_secret=False)
        except EOFError:
            return False
        return answer.strip().casefold() in ("y", "yes", label.casefold())

    def _change_server(self, address: str) -> None:
        """End the session and set `next_server`; raise `InvalidAddress` for an invalid address."""
        self.next_server = parse_address(address)
        self._reader.finished.set()

    # Commands of this mode

    def _refuse(self, name: str, argument: str) -> str:
        if name == "clear":
            return tr("/clear is not available in screen-reader mode. Ctrl+L clears the terminal.")
        return tr("/{command} is not available in screen-reader mode.", command=name)

    def _switch_room(self, query: str) -> str | None:
        """Go to the first room with `query` in its title, case ignored (`_go_to_room`); return an error without one.

        Open rooms precede the closed ones of the account, which are joined. An empty query returns the numbers of
        unread messages and mentions of all these rooms, one room per line.
        """
        rooms = self._list_rooms()
        if not query:
            return "\n".join(speech.unread_text(room.title, room.unread_count, room.mention_count) for room in rooms)
        matching = next((room for room in rooms if query.casefold() in room.title.casefold()), None)
        if matching is None:
            return chat_strings.not_in_room(query)
        return self._go_to_room(matching.name)

    def _search(self, query: str) -> None:
        self._link.start(self._announce_results(query, self.context.room().name))

    async def _announce_results(self, query: str, room: str) -> None:
        """Announce the first page of a search in a room, or that there is no result; raise as `ServerLink.search`."""
        results = (await self._link.search(query, room)).messages
        self._reader.announce("\n".join(map(speech.dated_message_text, results)) or tr(chat_strings.NO_SUCH_MESSAGE))

    def _show_date(self, text: str) -> str:
        """Start the announcement of the messages of a day; return the error of an invalid date or a missing room.

        Raises:
            CommandRejected: There is no connection.
        """
        view, day = self._session.current_room, date_parser.parse(text, datetime.now().astimezone().date())
        room = self._link.find_room(view.name) if view is not None else None
        if day is None:
            return search_strings.invalid_date(text)
        if room is None:
            return tr(chat_strings.NOT_IN_A_ROOM)
        self.context.require_connection("date")
        self._link.start(self._announce_day(day, room))
        return ""

    async def _announce_day(self, day: date, room: Room) -> None:
        """Announce the first `INITIAL_MESSAGES` messages from the start of a day on, including those of later days.

        Without messages from then on, the newest one is announced. Another day of the first message, and an empty room,
        are announced. Raises a `ChatError` for a failed request.
        """
        first_seq = await room.history.load_at_time(date_parser.start_of_day(day))
        if first_seq is None:
            self._reader.announce(tr(search_strings.ROOM_EMPTY))
            return
        messages = list(islice(room.log.messages(first_seq), INITIAL_MESSAGES))
        found_day = datetime.fromtimestamp(messages[0].ts / 1000).date() if messages else day
        if found_day != day:
            self._reader.announce(search_strings.no_messages_on(day.isoformat(), found_day > day))
        for message in messages:
            self._reader.announce(speech.dated_message_text(message))

    def _delete_message(self, nick: str) -> str:
        """Schedule the deletion of the newest message of the user, or of a nickname; return the announcement.

        Raises:
            CommandRejected: There is no room, or as `find_deletion_target`.
        """
        view = self.context.room()
        line = find_deletion_target(view, nick)
        if line.seq is None:
            return tr(chat_strings.NO_SUCH_MESSAGE)
        self._deletions.schedule(view, line.seq)
        return tr(
            "Deleting in {seconds} seconds: {text} /undo restores it.", seconds=round(UNDO_SECONDS), text=line.text
        )

    def _undo_deletion(self, argument: str) -> str:
        return tr(mark("Message restored.") if self._deletions.undo_newest() else chat_strings.NO_DELETION)

    def _set_setting(self, text: str) -> str:
        """Show or change a setting; return the output.

        For a change without output of a setting that has no effect in this mode, the output is a hint.
        """
        output = settings_handlers.set_setting(text, self.context)
        name = text.casefold().partition(" ")[0]
        return output or (
            tr("{name} has no effect in screen-reader mode.", name=name) if name not in SUPPORTED_SETTINGS else ""
        )

    def _restart_local_server(self) -> None:
        """Restart the local server in the background; no effect for a session on another server."""
        if self._link.url == self._local_server.url:
            self._link.start(self._restart_or_announce_failure())

    async def _restart_or_announce_failure(self) -> None:
        """Start the local server again, or join a running one; announce a failure."""
        try:
            await self._local_server.restart()
        except LocalServerError as error:
            self._reader.announce(str(error))

    def _stop_server(self, argument: str) -> None:
        self._link.start(self._announce_stop())

    async def _announce_stop(self) -> None:
        """Stop the server of the session, announce the stop, and end the session.

        A failure, or the question of `LocalServer.stop`, is announced instead.
        """
        try:
            question = await self._local_server.stop(self._link.url)
        except LocalServerError as error:
            self._reader.announce(str(error))
            return
        self._reader.announce(question or tr(app_strings.SERVER_STOPPED))
        if not question:
            self._reader.finished.set()

    def _help(self, argument: str) -> str:
        """Return the usage and help text of each command that this mode supports."""
        return "\n".join(
            f"{command.usage}: {tr(command.help)}"
            for command in registry.COMMANDS
            if command.name not in self._refusals
        )
