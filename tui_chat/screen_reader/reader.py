"""Screen-reader session: client events as spoken sentences instead of a screen.

- Current room: every message of other members is announced.
- Background rooms: messages are announced by notification level; a room without a notification is announced once
  as unread, unless muted.
- Own messages: the terminal echoes them already, so only failures are announced.
"""

import asyncio
import os
from collections.abc import Callable, Sequence

from tui_chat.client import events
from tui_chat.client.client import ChatClient
from tui_chat.client.net.address import Address
from tui_chat.client.outbox_item import OutboxItemState
from tui_chat.client.room import Room
from tui_chat.protocol import names
from tui_chat.protocol.errors import ChatError
from tui_chat.protocol.events import Message
from tui_chat.screen_reader import speech
from tui_chat.session import error_text, i18n
from tui_chat.session.chat_session import ChatSession
from tui_chat.session.commands import registry
from tui_chat.session.commands.completion import complete
from tui_chat.session.i18n import tr
from tui_chat.session.settings.schema import ClientSettings
from tui_chat.session.settings.settings_file import SettingsFile
from tui_chat.session.store.composer_store import ComposerStore
from tui_chat.session.strings import chat as chat_strings

INITIAL_MESSAGES = 10
"""Number of recent messages announced after a join."""


class ScreenReader:
    """Joined rooms of one server and the announcement of their events.

    Attributes:
        client: SDK client.
        session: View state of the joined rooms.
        settings_file: Current settings and their file.
        announce: Output function for one sentence.
        finished: Set when the session ends.
        next_server: Server to switch to after the session; None to exit.
        outbox_idle: Set while no outbox item is pending.
    """

    def __init__(
        self,
        client: ChatClient,
        settings_file: SettingsFile,
        store: ComposerStore,
        announce: Callable[[str], None],
        now_ms: Callable[[], int],
    ) -> None:
        self.client = client
        self._store = store
        self.settings_file = settings_file
        self.announce = announce
        self.session = ChatSession(now_ms, lambda: settings_file.settings)
        self.finished = asyncio.Event()
        self.next_server: Address | None = None
        self.outbox_idle = asyncio.Event()
        self.outbox_idle.set()
        self._rooms: dict[str, Room] = {}
        self._is_online = True
        self._announced_unread: dict[str, int] = {}

    @property
    def room(self) -> Room | None:
        """Current room, None before the first join and after the last room is left."""
        view = self.session.current_room
        return self._rooms.get(names.canonical_key(view.name)) if view is not None else None

    @property
    def settings(self) -> ClientSettings:
        """Current settings."""
        return self.settings_file.settings

    def reply(self, text: str) -> None:
        """Announce the output of a command."""
        self.announce(text)

    def set_setting(self, name: str, value: object) -> None:
        """Apply a setting and save it; None restores the default.

        The value applies even if the save fails; the problem is then announced. A new language applies immediately.
        """
        if problem := self.settings_file.change(name, value):
            self.announce(problem)
        if name == "language":
            i18n.activate(i18n.select_language("", self.settings.language, os.environ))
        self.session.apply_settings()

    async def join_room(self, name: str, nick: str) -> None:
        """Join a room and announce its recent messages.

        The room becomes the current one, and its messages are read. An assigned nickname that differs from `nick` is
        announced and used for the saved state.

        Raises:
            ChatError: The join failed, as in `ChatClient.join`.
        """
        room = await self._join(name, nick, show=True)
        self._store.rename_nick(room.nick)
        self._mark_read()
        if room.nick.casefold() != nick.casefold():
            self.announce(chat_strings.nick_assigned(nick, room.nick))
        self.announce(speech.room_joined_text(room.name, len(room.members) - 1, room.topic))
        for message in list(room.log.messages())[-INITIAL_MESSAGES:]:
            self._announce_message(message)

    async def restore_rooms(self) -> None:
        """Rejoin the saved rooms in the background and announce their unread counts.

        The current room remains. A failed join is announced, and the next room follows. No effect without a current
        room.
        """
        room = self.room
        for name in await self._store.load_room_names() if room is not None else ():
            if self.session.find_room(name) is not None or room is None:
                continue
            try:
                await self._join(name, room.nick, show=False)
            except ChatError as error:
                self.announce(chat_strings.rejoin_failed(name, error_text.phrase(error.message, error.code)))
                continue
            self._announce_unread(name)

    async def _join(self, name: str, nick: str, *, show: bool) -> Room:
        saved_state = await self._store.load_room(name)
        room = await self.client.join(name, nick=nick)
        self._rooms[names.canonical_key(room.name)] = room
        self.session.add_room(room, saved_state, show=show)
        self._store.add_room(room.name)
        return room

    def _mark_read(self) -> None:
        """Mark the current room as viewed and save its read marker."""
        self.session.set_viewed(True)
        view = self.session.current_room
        if view is not None and view.read_seq != view.saved_read_seq:
            view.saved_read_seq = view.read_seq
            self._store.save_read_seq(view.name, view.read_seq)

    def show_room(self, name: str) -> None:
        """Switch to a joined room and announce its unread messages.

        At least `INITIAL_MESSAGES` messages are announced if any is unread, otherwise none. No effect for an unknown
        room.
        """
        view, room = self.session.find_room(name), self._rooms.get(names.canonical_key(name))
        if view is None or room is None:
            return
        count = view.unread_count
        self.session.show_room(view.name)
        self._mark_read()
        self._announced_unread.pop(view.name, None)
        self.announce(speech.room_joined_text(room.name, len(room.members) - 1, room.topic))
        for message in list(room.log.messages())[-max(count, INITIAL_MESSAGES) :] if count else ():
            self._announce_message(message)

    def switch_server(self, address: Address) -> None:
        """End the session and continue on the server at `address`."""
        self.next_server = address
        self.finished.set()

    async def leave_room(self, name: str) -> None:
        """Leave a room; the session ends with its last room. The next current room is announced."""
        room = self._rooms.pop(names.canonical_key(name), None)
        if room is not None:
            await room.leave()
        self.session.remove_room(name)
        self._store.remove_room(name)
        self._after_leave()

    def post(self, text: str) -> str:
        """Post a message to the current room; return an error message, "" on success.

        The message waits in the outbox for the connection and is not announced.
        """
        room = self.room
        if room is None:
            return tr(chat_strings.NOT_IN_A_ROOM)
        try:
            room.post(text)
        except ChatError as error:
            return error_text.describe(error)
        self.outbox_idle.clear()
        return ""

    def completions(self, text_before: str) -> Sequence[str]:
        """Return all completions of the text before the cursor, each including the unchanged part."""
        view = self.session.current_room
        rooms = [room_view.name for room_view in self.session.rooms.values()]
        completion = complete(text_before, view.other_nicks if view is not None else (), rooms)
        return (
            [text_before[: completion.start] + candidate.text for candidate in completion.candidates]
            if completion is not None
            else ()
        )

    async def process_events(self) -> None:
        """Announce client events until the client closes."""
        async for event in self._events:
            self._on_event(event)

    def subscribe(self) -> None:
        """Subscribe to client events; later events are queued for `process_events`.

        Call once, before `process_events`.
        """
        self._events = self.client.events()

    def _on_event(self, event: events.ClientEvent) -> None:
        match event:
            case events.ConnectionStateChanged(state):
                is_online = isinstance(state, events.Online)
                if is_online != self._is_online and (sentence := speech.connection_text(state)):
                    self._is_online = is_online
                    self.announce(sentence)
            case events.LogChanged(room, seqs, True):
                self.session.apply(event)
                self._on_log_changed(room, seqs)
                return
            case events.NoticeReceived(notice):
                view = self.session.find_room(notice.room)
                by_other = view is not None and notice.member_id != view.member_id
                if view is self.session.current_room and by_other and self._is_membership_announced(notice.nick_name):
                    self.announce(speech.membership_text(notice))
            case events.TopicChanged(room, topic):
                view = self.session.find_room(room)
                if view is not None and view is self.session.current_room and view.topic != topic:
                    self.announce(chat_strings.topic_changed(topic))
            case events.OutboxItemChanged(item) if item.state is OutboxItemState.FAILED:
                problem = error_text.phrase(item.problem)
                self.announce(tr("Not sent: {problem}. Text: {text}", problem=problem, text=item.text))
            case events.RoomLost(room, reason):
                self.session.apply(event)
                self._rooms.pop(names.canonical_key(room), None)
                self._store.remove_room(room)
                self.announce(chat_strings.room_lost(room, error_text.phrase(reason)))
                self._after_leave()
                return
            case events.PersistenceFailed(problem):
                self.announce(error_text.phrase(problem))
            case _:
                pass
        self.session.apply(event)
        if isinstance(event, events.OutboxItemChanged) and not self.session.pending_count:
            self.outbox_idle.set()

    def _on_log_changed(self, name: str, seqs: Sequence[int]) -> None:
        view, room = self.session.find_room(name), self._rooms.get(names.canonical_key(name))
        if view is None or room is None:
            return
        if view is self.session.current_room:
            for seq in seqs:
                if seq in room.log and room.log[seq].member_id != room.member_id:
                    self._announce_message(room.log[seq])
            self._mark_read()
            return
        notifications = self.session.pop_notifications()
        for notification in notifications:
            self.announce(
                speech.other_room_message_text(
                    notification.room, notification.nick, notification.text, notification.is_mention
                )
            )
        if not notifications and not self.session.is_muted(view):
            self._announce_unread(view.name)

    def _announce_unread(self, name: str) -> None:
        view = self.session.find_room(name)
        if view is not None and view.unread_count and view.name not in self._announced_unread:
            self._announced_unread[view.name] = view.unread_count
            self.announce(speech.unread_text(view.name, view.unread_count, view.mention_count))

    def _announce_message(self, message: Message) -> None:
        if not self.settings_file.settings.is_ignored(message.nick_name):
            self.announce(speech.message_text(message))

    def _is_membership_announced(self, nick: str) -> bool:
        return self.settings_file.settings.show_joins and not self.settings_file.settings.is_ignored(nick)

    def _after_leave(self) -> None:
        view = self.session.current_room
        if view is None:
            self.announce(tr(chat_strings.LEFT_LAST_ROOM))
            self.finished.set()
        else:
            self.show_room(view.name)

    async def handle_line(self, line: str) -> None:
        """Post an input line as a message or run it as a command.

        A blank line has no effect. Errors are announced, not raised.
        """
        from tui_chat.screen_reader.command_handlers import run_command  # noqa: PLC0415 (import cycle)

        text = line.rstrip("\r\n")
        if not text.strip():
            return
        match registry.parse(text):
            case registry.ParseError(problem):
                self.announce(problem)
            case registry.CommandCall() as call:
                try:
                    output = await run_command(call, self)
                except ChatError as error:
                    output = error_text.describe(error)
                if output:
                    self.announce(output)
            case registry.ChatText(body):
                if problem := self.post(body):
                    self.announce(problem)
