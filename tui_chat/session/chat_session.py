"""View model of all joined rooms on one server.

- Isolation: a draft and an outbox item stay in the room of their creation.
- Rendering: changes accumulate as dirty parts and splices until `pop_delta`.
"""

from collections.abc import Callable, Sequence
from typing import Any

from tui_chat.client import events
from tui_chat.protocol import names
from tui_chat.protocol.events import NickNotice
from tui_chat.protocol.responses import OwnRoom
from tui_chat.session import error_text
from tui_chat.session.durable_rooms import DurableRoom, DurableRooms
from tui_chat.session.i18n import tr
from tui_chat.session.ignore_filter import IgnoreFilter
from tui_chat.session.lines import MessageLine, Splice
from tui_chat.session.notification_batcher import NotifiableMessage
from tui_chat.session.notification_queue import NotificationQueue
from tui_chat.session.open_rooms import OpenRooms
from tui_chat.session.pending_lines import PendingLines
from tui_chat.session.ports import RoomPort
from tui_chat.session.room_view import RoomView
from tui_chat.session.screen_delta import DirtyPart, ScreenDelta
from tui_chat.session.session_events import RoomTrimmed
from tui_chat.session.settings.schema import ClientSettings
from tui_chat.session.store.composer_store import SavedRoomState
from tui_chat.session.strings import accounts as account_strings, chat as chat_strings
from tui_chat.session.strings.moderation import describe_change, room_lost

ROOM_SWITCH = DirtyPart.ROOM | DirtyPart.ROOM_LIST | DirtyPart.MEMBER_LIST | DirtyPart.HEADER | DirtyPart.STATUS
"""Screen parts that depend on the selected room."""

MAX_LINES = 20_000
"""Number of timeline lines per room above which older lines are trimmed."""

MAX_SCROLLBACK_LINES = 150_000
"""`MAX_LINES` of the current room while its newest message is not viewed."""


class ChatSession:
    """Rooms, selection and connection state of one user on one server.

    Args:
        now_ms: Wall clock of notices in Unix milliseconds.
        on_notice: Called with each client notice and its room.
        server: Base URL of the server, for its notification levels.

    Attributes:
        has_focus: Terminal focus, True if the terminal does not report focus.
        ignore_filter: Filter for messages of ignored and blocked members; `apply_settings` applies a change.
        switch_number: Number of the latest room switch that the user has requested, initially 0 for the first room.
    """

    def __init__(
        self,
        now_ms: Callable[[], int],
        settings: Callable[[], ClientSettings] = ClientSettings,
        on_notice: Callable[[RoomView, str], None] = lambda view, text: None,
        *,
        server: str = "",
    ) -> None:
        self.durable_rooms = DurableRooms()
        self.connection_state: events.ConnectionState = events.Connecting()
        self.has_focus = True
        self.switch_number = 0
        self._now_ms = now_ms
        self._settings = settings
        self._on_notice = on_notice
        self._open_rooms = OpenRooms()
        self._notifications = NotificationQueue(settings, server)
        self._dirty_parts = DirtyPart.NONE
        self._pending_lines = PendingLines()
        self._queued_notices: list[str] = []  # notices without an open room
        self.ignore_filter = IgnoreFilter(settings)
        self._basic_server_reported = False
        self._reported_failures: set[str] = set()
        self._room_event_handlers: dict[type, Callable[[RoomView, Any], None]] = {
            events.RoomJoined: self._on_room_joined,
            events.RoomRenamed: self._rename_room,
            events.LogChanged: self._on_log_changed,
            events.ReadMarkerChanged: self._on_read_marker_changed,
            events.NoticeReceived: self._on_notice_received,
            events.MembersChanged: self._on_members_changed,
            events.TypingChanged: self._on_typing_changed,
            events.TopicChanged: self._on_topic_changed,
            events.RoomChanged: lambda view, event: self._add_room_notice(view, describe_change(event.entry)),
            events.OutboxItemChanged: self._on_outbox_item_changed,
            RoomTrimmed: lambda view, _: view.trim(),
        }

    @property
    def rooms(self) -> dict[str, RoomView]:
        """Open rooms by canonical key, in display order."""
        return self._open_rooms.by_key

    @property
    def closed_rooms(self) -> list[DurableRoom]:
        """Rooms of the account that are not open."""
        return self.durable_rooms.list_closed(self.rooms)

    @property
    def current_room(self) -> RoomView | None:
        """Selected room, None if no room is open."""
        return self._open_rooms.current

    def find_room(self, name: str) -> RoomView | None:
        """Return the open room with this name, or with this name before a rename; None if there is none."""
        return self._open_rooms.find(name)

    def pop_delta(self) -> ScreenDelta:
        """Return the changes since the previous call and clear them.

        The splices of rooms in the background, and those before a room switch, are discarded. `TIMELINE` replaces
        splices above the capacity of the queue.
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

    def begin_switch(self) -> int:
        """Begin a switch to a room that is not open, and return its number for `RoomOpened`."""
        self.switch_number += 1
        return self.switch_number

    def show_room(self, name: str) -> None:
        """Select an open room and end its `mark_unread`, even if the room is selected; no effect for other names.

        A switch that has begun no longer shows its room. A selected room is viewed only after `set_viewed`.
        """
        view = self.rooms.get(names.canonical_key(name))
        if view is None:
            return
        self.switch_number += 1
        view.reading.is_marked_unread = False
        if view is not self.current_room:
            if self.current_room is not None:
                self.current_room.reading.stop_viewing()
            self._open_rooms.select(view)
            self._dirty_parts |= ROOM_SWITCH

    def cycle_room(self, offset: int) -> None:
        """Select the room `offset` positions further in the list, with wrap-around. No effect without a room."""
        self._show(self._open_rooms.find_neighbor(offset))

    def show_room_number(self, number: int) -> None:
        """Select the room at a 1-based list position; ignore invalid positions."""
        self._show(self._open_rooms.find_number(number))

    def _show(self, view: RoomView | None) -> None:
        if view is not None:
            self.show_room(view.name)

    def is_muted(self, room: str) -> bool:
        """Return whether notifications of this room are off. False if only the default level is `none`."""
        return self._notifications.is_muted(room)

    def apply_settings(self) -> None:
        """Update all timelines by `joins`, `ignored` and the blocked members; mark the affected parts for a redraw."""
        self._dirty_parts |= DirtyPart.ROOM_LIST
        for view in self.rooms.values():
            view.transcript.set_join_visibility(self._settings().joins)
        if self.ignore_filter.pop_change():
            self._dirty_parts |= DirtyPart.MEMBER_LIST | DirtyPart.STATUS
            for view in self.rooms.values():
                view.rebuild_lines()

    def find_next_unread(self) -> str | None:
        """Return the name of the next room with mentions, otherwise of the next unmuted room with unread messages.

        Both searches cover the rooms after the current one, those before, then closed rooms. None without a match.
        """
        candidates: list[RoomView | DurableRoom] = [*self._open_rooms.others(), *self.closed_rooms]
        unread = [room for room in candidates if room.unread_count and not self.is_muted(room.name)]
        mentioning = [room for room in candidates if room.mention_count]
        return next((room.name for room in (*mentioning, *unread)), None)

    def set_viewed(self, is_viewed: bool) -> None:
        """Set whether the newest message of the current room is visible and the terminal has focus.

        True marks the room as read, unless the user keeps messages unread; the change to False removes its unread
        divider. No effect without a room.
        """
        view = self.current_room
        if view is not None and is_viewed and not view.reading.is_marked_unread:
            self._dirty_parts |= DirtyPart.ROOM_LIST if view.unread_count else DirtyPart.NONE
            view.reading.start_viewing()
        elif view is not None:
            view.reading.stop_viewing()

    def mark_unread(self, view: RoomView, read_seq: int) -> None:
        """Mark the messages after `read_seq` as unread, without a request; the current room stays so while selected."""
        view.mark_read_until(read_seq)
        if view is self.current_room:
            view.reading.mark_unread()
        self._dirty_parts |= DirtyPart.ROOM_LIST

    def set_durable_rooms(self, rooms: Sequence[OwnRoom]) -> None:
        """Set the durable memberships of the account, none for a guest."""
        self.durable_rooms.replace_all(rooms)
        self._dirty_parts |= DirtyPart.ROOM_LIST

    def restore_order(self, rooms: Sequence[str]) -> None:
        """Set the order of the present and later rooms; rooms without a position sort last."""
        self._open_rooms.set_order(rooms)
        self._dirty_parts |= DirtyPart.ROOM_LIST

    def add_room(self, room: RoomPort, saved_state: SavedRoomState | None = None, *, show: bool = True) -> RoomView:
        """Add a joined room with the current content of its log at its saved position, and return its view.

        A repeated join updates the existing view and ignores `saved_state`. A new view also applies the read marker of
        the account, if known. Without `show`, the room is selected only if no other room is open. Queued notices are
        added. The first room of a basic server gets a notice of its limits.
        """
        view = self.rooms.get(names.canonical_key(room.name))
        if view is None:
            view = RoomView(room, saved_state=saved_state, is_hidden=self.ignore_filter.is_hidden)
            self._open_rooms.add(view)
            view.load_log(saved_state.read_seq if saved_state is not None else None)
            if (marker := room.read_marker.state) is not None:
                view.apply_read_marker(marker, None, is_selected=False)
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

    def remove_room(self, name: str) -> None:
        """Remove a room as `OpenRooms.remove`, and its items from `pending_count`; no effect for an unknown room."""
        view = self.rooms.get(names.canonical_key(name))
        if view is None:
            return
        self._dirty_parts |= ROOM_SWITCH if view is self.current_room else DirtyPart.ROOM_LIST
        self._open_rooms.remove(view)
        self._pending_lines.discard_room(view)

    def _rename_room(self, view: RoomView, event: events.RoomRenamed) -> None:
        self.durable_rooms.remove(view.name)
        self._open_rooms.rename(view, event.new_name)
        self._dirty_parts |= DirtyPart.ROOM_LIST | DirtyPart.HEADER

    def apply(self, event: events.ClientEvent | RoomTrimmed) -> None:
        """Apply an event; events of closed rooms are ignored, except lost rooms and read markers.

        A lost room is removed. A lost room, a rejected login and a new text of `ProblemReported` add a notice.
        """
        match event:
            case events.ConnectionStateChanged(state):
                self.connection_state = state
                if isinstance(state, events.AuthFailed):
                    self.add_notice(account_strings.logged_out(state.error))
                self._dirty_parts |= DirtyPart.HEADER
            case events.ReadMarkerChanged():
                self.durable_rooms.set_read_marker(event.room, event.marker)
                self._dirty_parts |= DirtyPart.ROOM_LIST
                self._apply_to_room(event.room, event)
            case events.BlockChanged(member_id, is_blocked):
                self.ignore_filter.set_blocked(member_id, is_blocked)
                self.apply_settings()
            case events.RoomLost():
                self.durable_rooms.remove(event.room)
                self.remove_room(event.room)
                self.add_notice(room_lost(event))
            case events.ProblemReported(error):
                if error.message not in self._reported_failures:  # one disk fault can affect several stores
                    self._reported_failures.add(error.message)
                    self.add_notice(error_text.describe(error))
            case events.NoticeReceived(content) | events.OutboxItemChanged(content):
                self._apply_to_room(content.room, event)
            case _:
                self._apply_to_room(event.room, event)

    def _apply_to_room(self, name: str, event: events.ClientEvent | RoomTrimmed) -> None:
        view = self.find_room(name)
        if view is not None:
            self._room_event_handlers[type(event)](view, event)

    def add_notice(self, text: str) -> None:
        """Append a notice to the current room and call `on_notice`, without a room after the next `add_room`."""
        if self.current_room is not None:
            self._add_room_notice(self.current_room, text)
        else:
            self._queued_notices.append(text)

    def _add_room_notice(self, view: RoomView, text: str) -> None:
        view.transcript.add_notice(self._now_ms(), text)
        self._on_notice(view, text)
        self._dirty_parts |= DirtyPart.ROOM_LIST | DirtyPart.HEADER  # for a notice of another title or topic

    def rooms_to_trim(self) -> dict[str, int]:
        """Return the number of messages to keep, the limit minus half of `MAX_LINES`, by name of each long room.

        The limit is `MAX_SCROLLBACK_LINES` in the current room without a view of its newest message, else `MAX_LINES`.
        """
        keep_counts: dict[str, int] = {}
        for view in self.rooms.values():
            limit = MAX_SCROLLBACK_LINES if view is self.current_room and not view.reading.is_viewed else MAX_LINES
            if len(view.transcript.lines) > limit:
                keep_counts[view.name] = limit - MAX_LINES // 2
        return keep_counts

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
        if view.nick != view.room.nick:
            self._add_room_notice(view, chat_strings.nick_changed(view.room.nick))
        has_new_identity, view.topic = view.update_identity(), view.room.topic
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

    def _on_read_marker_changed(self, view: RoomView, event: events.ReadMarkerChanged) -> None:
        view.apply_read_marker(event.marker, event.previous, is_selected=view is self.current_room and self.has_focus)

    def queue_notifications(self, view: RoomView, lines: Sequence[MessageLine]) -> None:
        """Queue notifications for these messages by notification level, none for the current room with focus."""
        if view is not self.current_room or not self.has_focus:  # otherwise, the user sees the message or its counter
            self._notifications.add(view, lines)

    def pop_notifications(self) -> list[NotifiableMessage]:
        """Return the queued notifications, oldest first, and clear the queue."""
        return self._notifications.pop_all()

    def _on_notice_received(self, view: RoomView, event: events.NoticeReceived) -> None:
        notice = event.notice
        is_own = notice.member_id == view.member_id
        if notice.confusable:  # the member list follows later
            view.mark_confusable([(notice.member_id, notice.nick_name)])
        if is_own and isinstance(notice, NickNotice):
            view.nick = notice.nick_name
            self._add_room_notice(view, chat_strings.nick_changed(notice.nick_name))
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
