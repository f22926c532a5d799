"""View model of all joined rooms on one server.

- Event order: client events are applied only here, in the order of their arrival.
- Isolation: a draft and an outbox item stay in the room of their creation.
- Rendering: changes accumulate as dirty parts and splices until `pop_delta`.
"""

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from tui_chat.client import events
from tui_chat.protocol import names
from tui_chat.protocol.events import NickNotice
from tui_chat.session import error_text
from tui_chat.session.i18n import tr
from tui_chat.session.ignore_filter import IgnoreFilter
from tui_chat.session.lines import MessageLine, Splice
from tui_chat.session.notification_batcher import NotifiableMessage
from tui_chat.session.pending_lines import PendingLines
from tui_chat.session.ports import RoomPort
from tui_chat.session.room_view import UNSENT_KEY_PREFIX, RoomView
from tui_chat.session.screen_delta import DirtyPart, ScreenDelta
from tui_chat.session.session_events import RoomTrimmed
from tui_chat.session.settings.name_lookup import is_ignored, is_room_muted, notification_level
from tui_chat.session.settings.schema import ClientSettings
from tui_chat.session.store.composer_store import SavedRoomState
from tui_chat.session.strings import accounts as account_strings, chat as chat_strings
from tui_chat.session.strings.moderation import describe_change, room_lost

ROOM_SWITCH = DirtyPart.ROOM | DirtyPart.ROOM_LIST | DirtyPart.MEMBER_LIST | DirtyPart.HEADER | DirtyPart.STATUS
"""Screen parts that depend on the selected room."""

MAX_LINES = 20_000
"""Maximum number of timeline lines per room; older lines are trimmed and reloaded on scrolling back."""

MAX_SCROLLBACK_LINES = 150_000
"""Maximum number of timeline lines in the current room while its newest message is not viewed."""

MAX_QUEUED_NOTIFICATIONS = 1_000
"""Capacity of the notification queue; the oldest notification is dropped on overflow."""


class ChatSession:
    """Rooms, selection and connection state of one user on one server.

    Args:
        now_ms: Wall clock of notices in Unix milliseconds.
        settings: Accessor of the current settings.
        on_notice: Called with each client notice and its room.

    Attributes:
        rooms: Open rooms by canonical key, in display order.
        connection_state: Last reported state of the connection.
        has_focus: Terminal focus, True if the terminal does not report focus.
        ignore_filter: Filter for messages of ignored and blocked members; `apply_settings` applies a change.
    """

    def __init__(
        self,
        now_ms: Callable[[], int],
        settings: Callable[[], ClientSettings] = ClientSettings,
        on_notice: Callable[[RoomView, str], None] = lambda view, text: None,
    ) -> None:
        self.rooms: dict[str, RoomView] = {}
        self.connection_state: events.ConnectionState = events.Connecting()
        self.has_focus = True
        self._now_ms = now_ms
        self._settings = settings
        self._on_notice = on_notice
        self._current_key: str | None = None
        self._queued_notifications: deque[NotifiableMessage] = deque(maxlen=MAX_QUEUED_NOTIFICATIONS)
        self._dirty_parts = DirtyPart.NONE
        self._pending_lines = PendingLines()
        self._queued_notices: list[str] = []  # notices without an open room
        self._room_order: dict[str, int] = {}
        self._new_keys: dict[str, str] = {}  # of renamed rooms, by the key before
        self.ignore_filter = IgnoreFilter(settings)
        self._basic_server_reported = False
        self._reported_failures: set[str] = set()
        self._room_event_handlers: dict[type, Callable[[RoomView, Any], None]] = {
            events.RoomJoined: self._on_room_joined,
            events.RoomRenamed: self._rename_room,
            events.LogChanged: self._on_log_changed,
            events.NoticeReceived: self._on_notice_received,
            events.MembersChanged: self._on_members_changed,
            events.TypingChanged: self._on_typing_changed,
            events.TopicChanged: self._on_topic_changed,
            events.RoomChanged: lambda view, event: self._add_room_notice(view, describe_change(event.entry)),
            events.OutboxItemChanged: self._on_outbox_item_changed,
            RoomTrimmed: lambda view, _: view.trim(),
        }

    @property
    def current_room(self) -> RoomView | None:
        """Selected room, None if no room is open."""
        return None if self._current_key is None else self.rooms[self._current_key]

    def find_room(self, name: str) -> RoomView | None:
        """Return the open room with this name, or with this name before a rename; None if there is none."""
        key = names.canonical_key(name)
        return self.rooms.get(key) or self.rooms.get(self._new_keys.get(key, key))

    def pop_delta(self) -> ScreenDelta:
        """Return the changes since the previous call and clear them.

        The splices of rooms in the background are discarded; a room switch redraws the complete screen. `TIMELINE`
        replaces splices above the capacity of the queue.
        """
        parts, self._dirty_parts = self._dirty_parts, DirtyPart.NONE
        splices: list[Splice] = []
        for view in self.rooms.values():
            needs_reload = view.transcript.needs_reload
            view_splices = view.transcript.pop_splices()
            if view is self.current_room and DirtyPart.ROOM not in parts:
                splices = view_splices
                parts |= DirtyPart.TIMELINE if needs_reload else DirtyPart.NONE
        return ScreenDelta(parts, splices)

    def show_room(self, name: str) -> None:
        """Select an open room; no effect for other names. It counts as viewed only after `set_viewed`."""
        key = names.canonical_key(name)
        if key == self._current_key or key not in self.rooms:
            return
        if self.current_room is not None:
            self.current_room.stop_viewing()
        self._current_key = key
        self._dirty_parts |= ROOM_SWITCH

    def cycle_room(self, offset: int) -> None:
        """Select the room `offset` positions further in the list, with wrap-around. No effect without a room."""
        keys = list(self.rooms)
        if self._current_key is not None:
            self.show_room(self.rooms[keys[(keys.index(self._current_key) + offset) % len(keys)]].name)

    def show_room_number(self, number: int) -> None:
        """Select the room at a 1-based list position; ignore invalid positions."""
        if 1 <= number <= len(self.rooms):
            self.show_room(list(self.rooms.values())[number - 1].name)

    def is_muted(self, view: RoomView) -> bool:
        """Return whether notifications of this room are off. False if only the default level is `none`."""
        return is_room_muted(self._settings(), view.name)

    def apply_settings(self) -> None:
        """Mark the room list for a redraw, and update all timelines by `joins`, `ignored` and the blocked members."""
        self._dirty_parts |= DirtyPart.ROOM_LIST
        for view in self.rooms.values():
            view.transcript.set_join_visibility(self._settings().joins)
        if self.ignore_filter.refresh():
            self._dirty_parts |= DirtyPart.MEMBER_LIST | DirtyPart.STATUS
            for view in self.rooms.values():
                view.rebuild_lines()

    def show_next_unread(self) -> None:
        """Select the next room with mentions, otherwise the next unmuted room with unread messages.

        The search starts after the current room, with wrap-around. No effect without a candidate.
        """
        views = list(self.rooms.values())
        current_index = next((index for index, view in enumerate(views) if view is self.current_room), 0)
        other_views = views[current_index + 1 :] + views[:current_index]
        candidates = [view for view in other_views if view.mention_count]
        candidates = candidates or [view for view in other_views if view.unread_count and not self.is_muted(view)]
        if candidates:
            self.show_room(candidates[0].name)

    def set_viewed(self, is_viewed: bool) -> None:
        """Set whether the newest message of the current room is visible and the terminal has focus.

        True marks the room as read; the change to False removes its unread divider. No effect without a room.
        """
        view = self.current_room
        if view is not None and is_viewed:
            self._dirty_parts |= DirtyPart.ROOM_LIST if view.unread_count else DirtyPart.NONE
            view.start_viewing()
        elif view is not None:
            view.stop_viewing()

    def restore_order(self, rooms: Sequence[str]) -> None:
        """Set the saved room order; rooms without a saved position sort last. A later `add_room` uses the order too."""
        self._room_order = {names.canonical_key(name): index for index, name in enumerate(rooms)}
        self._sort_rooms()
        self._dirty_parts |= DirtyPart.ROOM_LIST

    def add_room(self, room: RoomPort, saved_state: SavedRoomState | None = None, *, show: bool = True) -> RoomView:
        """Add a joined room with the current content of its log at its saved position, and return its view.

        A repeated join updates members, gaps and unsent messages of the existing view; `saved_state` is then ignored.
        Queued notices are displayed. The first room of a basic server also gets a notice about its limits.

        Args:
            room: Joined room.
            saved_state: State from the composer store, None for an empty state.
            show: Select the room; the first room is selected in any case.
        """
        key = names.canonical_key(room.name)
        view = self.rooms.get(key)
        if view is None:
            view = self.rooms[key] = RoomView(room, saved_state=saved_state, is_hidden=self.ignore_filter.is_hidden)
            self._sort_rooms()
            view.load_log(saved_state.read_seq if saved_state is not None else None)
            view.transcript.set_join_visibility(self._settings().joins)
        view.room = room
        view.update_members_and_gaps()
        for item in room.unsent():
            self._on_outbox_item_changed(view, events.OutboxItemChanged(item))
        if show or self.current_room is None:
            self.show_room(room.name)
        self._dirty_parts |= DirtyPart.ROOM_LIST
        notices, self._queued_notices = self._queued_notices, []
        for notice in notices:
            self.add_notice(notice)
        self._report_basic_server(view)
        return view

    def _sort_rooms(self) -> None:
        # Direct rooms are last. The sort is stable, so rooms without a saved position keep their join order.
        order, end = self._room_order, len(self._room_order)
        self.rooms = dict(sorted(self.rooms.items(), key=lambda row: (row[1].room.is_direct, order.get(row[0], end))))

    def remove_room(self, name: str) -> None:
        """Remove a room and its items from `pending_count`; if selected, its predecessor in the list is selected.

        Without a predecessor, the new first room is selected. No effect for an unknown room.
        """
        key = names.canonical_key(name)
        if key not in self.rooms:
            return
        index = list(self.rooms).index(key)
        del self.rooms[key]
        self._pending_lines.discard_room(key)
        self._dirty_parts |= DirtyPart.ROOM_LIST
        if self._current_key == key:
            self._current_key = None
            self._dirty_parts |= ROOM_SWITCH
            self.show_room_number(max(1, index))

    def _rename_room(self, view: RoomView, event: events.RoomRenamed) -> None:
        old_key, key = names.canonical_key(view.name), names.canonical_key(event.new_name)
        view.name = event.new_name
        self.rooms = {key if room is view else other_key: room for other_key, room in self.rooms.items()}
        self._new_keys[old_key] = key
        self._current_key = key if self._current_key == old_key else self._current_key
        self._dirty_parts |= DirtyPart.ROOM_LIST | DirtyPart.HEADER

    def apply(self, event: events.ClientEvent | RoomTrimmed) -> None:
        """Apply an event. A lost room is removed and reported; other events of unknown rooms have no effect.

        An equal `ProblemReported` is displayed only once.
        """
        match event:
            case events.ConnectionStateChanged(state):
                self.connection_state = state
                if isinstance(state, events.AuthFailed):
                    self.add_notice(account_strings.logged_out(state.error))
                self._dirty_parts |= DirtyPart.HEADER
            case events.RoomLost():
                self.remove_room(event.room)
                self.add_notice(room_lost(event))
            case events.ProblemReported(error):
                if error.message not in self._reported_failures:  # one disk fault can affect several stores
                    self._reported_failures.add(error.message)
                    self.add_notice(error_text.describe(error))
            case events.NoticeReceived(notice):
                self._apply_to_room(notice.room, event)
            case events.OutboxItemChanged(item):
                self._apply_to_room(item.room, event)
            case _:
                self._apply_to_room(event.room, event)

    def _apply_to_room(self, name: str, event: events.ClientEvent | RoomTrimmed) -> None:
        view = self.find_room(name)
        if view is not None:
            self._room_event_handlers[type(event)](view, event)

    def add_notice(self, text: str) -> None:
        """Append a notice to the current room and call `on_notice`, or queue the notice until a room is added."""
        if self.current_room is not None:
            self._add_room_notice(self.current_room, text)
        else:
            self._queued_notices.append(text)

    def _add_room_notice(self, view: RoomView, text: str) -> None:
        view.transcript.add_notice(self._now_ms(), text)
        self._on_notice(view, text)

    def rooms_to_trim(self) -> dict[str, int]:
        """Return the number of messages to keep, the limit minus half of `MAX_LINES`, by name of each long room.

        The limit is `MAX_SCROLLBACK_LINES` in the current room without a view of its newest message, else `MAX_LINES`.
        """
        keep_counts: dict[str, int] = {}
        for view in self.rooms.values():
            limit = MAX_SCROLLBACK_LINES if view is self.current_room and not view.is_viewed else MAX_LINES
            if len(view.transcript.lines) > limit:
                keep_counts[view.name] = limit - MAX_LINES // 2
        return keep_counts

    def unsent_client_id(self, key: str) -> UUID | None:
        """Return the `clientId` of the unsent line with this key in the current room, None for any other line."""
        client_id = key.removeprefix(UNSENT_KEY_PREFIX)
        if client_id == key or self.current_room is None or self.current_room.transcript.find_unsent(client_id) is None:
            return None
        return UUID(client_id)

    @property
    def pending_count(self) -> int:
        """Number of unacknowledged messages and changes in the open rooms; failed items are not counted."""
        return len(self._pending_lines)

    def _on_outbox_item_changed(self, view: RoomView, event: events.OutboxItemChanged) -> None:
        count_before = len(self._pending_lines)
        problem = self._pending_lines.on_item_changed(view, event.item)
        if problem:
            self._add_room_notice(view, problem)
        if len(self._pending_lines) != count_before and not isinstance(self.connection_state, events.Online):
            self._dirty_parts |= DirtyPart.HEADER

    def _on_room_joined(self, view: RoomView, event: events.RoomJoined) -> None:
        room = view.room
        has_new_identity = view.member_id not in ("", room.member_id)  # after a login or logout
        if view.nick != room.nick:
            self._add_room_notice(view, chat_strings.own_nick_changed(room.nick))
        view.nick, view.member_id, view.topic = room.nick, room.member_id, room.topic
        if event.log_reset:
            if view.transcript.newest_seq:  # otherwise, only notices could be removed
                view.reset()
            view.load_log()
        elif has_new_identity:
            view.rebuild_lines()
        view.update_members_and_gaps()
        self._report_basic_server(view)
        self._dirty_parts |= DirtyPart.HEADER | DirtyPart.MEMBER_LIST | DirtyPart.STATUS

    def _report_basic_server(self, view: RoomView) -> None:
        if view.room.is_basic_server and not self._basic_server_reported:
            self._basic_server_reported = True
            self._add_room_notice(view, tr("Basic server: no history, no member list, no delivery status."))

    def _on_log_changed(self, view: RoomView, event: events.LogChanged) -> None:
        messages = [view.room.log[seq] for seq in event.seqs if seq in view.room.log]
        for message in messages:
            if message.member_id == view.member_id and view.transcript.find_message(message.seq) is None:
                self._pending_lines.on_echo(view, message)
        counts_before = (view.unread_count, view.mention_count)
        self.queue_notifications(view, view.apply_messages(messages, is_live=event.is_live))
        if counts_before != (view.unread_count, view.mention_count):
            self._dirty_parts |= DirtyPart.ROOM_LIST
        if view is self.current_room:
            self._dirty_parts |= DirtyPart.STATUS

    def queue_notifications(self, view: RoomView, lines: Sequence[MessageLine]) -> None:
        """Queue notifications for unread messages by notification level, none for the current room with focus."""
        if view is self.current_room and self.has_focus:
            return  # the user sees the message or the new-message counter
        settings = self._settings()
        level = "all" if view.room.is_direct and not self.is_muted(view) else notification_level(settings, view.name)
        for line in lines:
            if (level == "all" or (level == "mentions" and line.is_mention)) and not is_ignored(settings, line.nick):
                nick = chat_strings.mark_nick(line.nick, line.is_confusable)
                self._queued_notifications.append(NotifiableMessage(view.title, nick, line.content, line.is_mention))

    def pop_notifications(self) -> list[NotifiableMessage]:
        """Return the queued notifications, oldest first, and clear the queue."""
        notifications = list(self._queued_notifications)
        self._queued_notifications.clear()
        return notifications

    def _on_notice_received(self, view: RoomView, event: events.NoticeReceived) -> None:
        notice = event.notice
        is_own = notice.member_id == view.member_id
        if notice.confusable:  # the member list follows later
            view.mark_confusable([(notice.member_id, notice.nick_name)])
        if is_own and isinstance(notice, NickNotice):
            view.nick = notice.nick_name
            self._add_room_notice(view, chat_strings.own_nick_changed(notice.nick_name))
            self._dirty_parts |= DirtyPart.HEADER | DirtyPart.MEMBER_LIST
        elif not is_own and not self.ignore_filter.is_hidden(notice.nick_name, notice.member_id):
            view.transcript.add_membership_notice(notice, is_relevant=view.speakers.is_relevant(notice))

    def _on_members_changed(self, view: RoomView, event: events.MembersChanged) -> None:
        view.set_members(event.members, event.count)
        if view is self.current_room:
            self._dirty_parts |= DirtyPart.MEMBER_LIST | DirtyPart.HEADER | DirtyPart.STATUS

    def _on_typing_changed(self, view: RoomView, event: events.TypingChanged) -> None:
        view.set_typing(event.member_id, event.is_typing)
        if view is self.current_room:
            self._dirty_parts |= DirtyPart.STATUS

    def _on_topic_changed(self, view: RoomView, event: events.TopicChanged) -> None:
        if view.topic != event.topic:
            view.topic = event.topic
            self._add_room_notice(view, chat_strings.topic_changed(event.topic, event.nick_name))
            self._dirty_parts |= DirtyPart.HEADER
