"""Controller of one session: connection, rooms and chat state behind every front end."""

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from tui_chat.client.events import (
    BlockChanged,
    ConnectionStateChanged,
    DirectRoomAnnounced,
    NoticeReceived,
    Online,
    OutboxItemChanged,
    RoomJoined,
    RoomLost,
    RoomRenamed,
)
from tui_chat.client.outbox_item import OutboxItem
from tui_chat.protocol import names
from tui_chat.protocol.errors import (
    ChatError,
    Forbidden,
    InternalError,
    NickInvalid,
    NotFound,
    RoomInvalid,
    TooLong,
    Unauthorized,
    Unavailable,
)
from tui_chat.protocol.events import NickNotice
from tui_chat.session import error_text
from tui_chat.session.account_manager import AccountManager
from tui_chat.session.auto_away import AutoAway
from tui_chat.session.block_sync import BlockSync
from tui_chat.session.chat_session import ChatSession
from tui_chat.session.delayed_deletions import DelayedDeletions
from tui_chat.session.drafts import DraftManager
from tui_chat.session.durable_room_loader import DurableRoomLoader
from tui_chat.session.i18n import tr
from tui_chat.session.image_files import ImageFiles
from tui_chat.session.message_sender import MessageSender
from tui_chat.session.read_marker_sync import ReadMarkerSync
from tui_chat.session.room_view import RoomView
from tui_chat.session.server_link import ServerLink
from tui_chat.session.session_events import (
    ConnectFailed,
    ContextLoaded,
    DurableRoomsReceived,
    JoinFailed,
    NickAssigned,
    RequestCompleted,
    RequestFailed,
    RoomLeft,
    RoomListReceived,
    RoomOpened,
    RoomRestoreStarted,
    ServerConnected,
    SessionEvent,
)
from tui_chat.session.session_target import SessionTarget
from tui_chat.session.settings.name_lookup import levels_after_rename
from tui_chat.session.settings.schema import ClientSettings
from tui_chat.session.store.login_store import LoginStore
from tui_chat.session.strings import app as app_strings, chat as chat_strings
from tui_chat.session.strings.moderation import room_lost

log = logging.getLogger("chat.session")


class FrontEnd(Protocol):
    """Interface of a front end towards the session controller."""

    def on_event(self, event: SessionEvent) -> None:
        """Receive each event after its application to the session."""

    def on_current_room_changed(self) -> None:
        """Display the new current room, if any."""

    def on_room_joined(self, view: RoomView) -> None:
        """Save the identity of a room that was joined or opened from the cache, and display the session.

        Not called for restored and direct rooms, nor for a join that waited for the connection.
        """

    def on_nick_changed(self, nick: str) -> None:
        """Save the user's nickname, after a change and after each join of an open room, even if unchanged."""

    def on_connect_failed(self, field: str, problem: str, offer_server: bool) -> None:
        """End the session after a failed connection or first join, or an internal error.

        The cause is in `field` of the join form: `room`, `nick` or `server`. With `offer_server`, a local server may
        help.
        """

    def on_session_ended(self, reason: str) -> None:
        """End the session after the last room was closed, and show `reason` to the user."""

    def show_error(self, problem: str) -> None:
        """Show an error message to the user."""

    def on_deletion_changed(self) -> None:
        """Display the changed state of a delayed deletion."""


class SessionController:
    """Server link and chat session of one server.

    The front end runs `server_link.run`; the controller does not connect by itself.

    Args:
        change_setting: Changes and saves a setting. Returns the error message of a failed save, otherwise "".
        state_dir: Directory of durable data: outbox, drafts and read markers.
        cache_dir: Directory of the room history cache, None to disable caching.
        on_notice: Called with each client notice and its room.
        on_events_queued: Called when the event queue changes from empty to non-empty.
    """

    def __init__(
        self,
        target: SessionTarget,
        front_end: FrontEnd,
        settings: Callable[[], ClientSettings],
        change_setting: Callable[[str, object], str],
        *,
        state_dir: Path,
        cache_dir: Path | None,
        on_notice: Callable[[RoomView, str], None] = lambda view, text: None,
        on_events_queued: Callable[[], None] = lambda: None,
    ) -> None:
        self.target = target
        self._front_end = front_end
        self._settings = settings
        self._change_setting = change_setting
        self.accounts = AccountManager(target.url, LoginStore(state_dir))
        self.server_link = ServerLink(target, state_dir, cache_dir, self.accounts.login, on_events_queued)
        self.accounts.guest_key = lambda: self.server_link.guest_key
        self.accounts.on_login_changed = self.server_link.set_login
        self.session = ChatSession(lambda: time.time_ns() // 1_000_000, settings, on_notice, server=target.url)
        self.messages = MessageSender(self.session, self.server_link.find_room, self._on_posted)
        self.deletions = DelayedDeletions(self.messages.delete, self._on_deletion_changed)
        self.read_markers = ReadMarkerSync(
            self.session,
            self.server_link.find_room,
            has_account=self._has_account,
            start=self.server_link.start,
        )
        self.accounts.on_guest_registered = self.read_markers.transfer_to_account
        self.durable_rooms = DurableRoomLoader(self.session, self.server_link, self._has_account)
        self.blocks = BlockSync(
            self.session, self.server_link, lambda: self.accounts.login.account if self.accounts.login else None
        )
        self.server_link.on_starting = self.blocks.restore
        self.server_link.on_closing = self._on_closing
        self.drafts = DraftManager(
            self.server_link.composer_store, self.server_link.send_typing, on_read=self.read_markers.schedule
        )
        self.auto_away = AutoAway(self.session, self.server_link, settings)
        self.image_files = ImageFiles(target.url, self._fetch_image, cache_dir)
        self._handlers: dict[type, Callable[[Any], None]] = {
            ConnectionStateChanged: self._on_connection_state_changed,
            BlockChanged: self.blocks.on_block_changed,
            ServerConnected: lambda _: self.server_link.join(target.room, target.nick, switch=0),
            ConnectFailed: self._on_connect_failed,
            RoomOpened: self._on_room_opened,
            JoinFailed: self._on_join_failed,
            RoomLeft: self._on_room_left,
            RoomLost: self._on_room_lost,
            RoomRenamed: self._on_room_renamed,
            DirectRoomAnnounced: lambda event: self._open_direct_room(event.room),
            RoomJoined: self._on_room_joined,
            RoomRestoreStarted: lambda event: self.session.restore_order(event.rooms),
            RoomListReceived: self._on_room_list_received,
            DurableRoomsReceived: self._on_durable_rooms_received,
            NoticeReceived: self._on_notice_received,
            OutboxItemChanged: self._on_outbox_item_changed,
            RequestCompleted: lambda event: event.on_completed(),
            NickAssigned: self._on_nick_assigned,
            ContextLoaded: lambda event: None,  # for the front end alone
            RequestFailed: lambda event: front_end.show_error(event.problem),
        }

    def process_events(self, deadline: float) -> bool:
        """Apply queued events with `apply_safely`, the first one in any case, the others until the deadline.

        The deadline refers to `time.monotonic`. Long rooms are trimmed once at the end. Returns whether the queue is
        empty.
        """
        event_queue = self.server_link.event_queue
        while event_queue:
            self.apply_safely(event_queue.pop())
            if time.monotonic() >= deadline:
                break
        self.trim_rooms()
        return not event_queue

    def trim_rooms(self) -> None:
        """Request the trims of the rooms above their limits (`ChatSession.rooms_to_trim`)."""
        for room, keep_count in self.session.rooms_to_trim().items():
            self.server_link.trim(room, keep_count)

    def apply_safely(self, event: SessionEvent) -> None:
        """Call `apply`. An exception skips its remaining steps, is logged, and is shown as an internal error."""
        try:
            self.apply(event)
        except Exception:
            log.exception("event %s not applied", type(event).__name__)
            self._front_end.show_error(tr(app_strings.INTERNAL_ERROR))

    def apply(self, event: SessionEvent) -> None:
        """Apply an event to the session; call `on_event`, then `on_current_room_changed` if another room is current.

        Exceptions propagate.
        """
        displayed = self.session.current_room
        self._handlers.get(type(event), self.session.apply)(event)
        self._front_end.on_event(event)
        if self.session.current_room is not displayed:
            self._front_end.on_current_room_changed()

    def _has_account(self) -> bool:
        return self.accounts.login is not None

    async def _fetch_image(self, path: str, max_bytes: int) -> bytes:
        """Read a file of the server over any open room; raise as `RoomFiles.read`, and `Unavailable` without a room."""
        room = next(iter(self.server_link.require_client().rooms.values()), None)
        if room is None:
            raise Unavailable("not_connected")
        return await room.files.read(path, max_bytes)

    async def _on_closing(self) -> None:
        """Stop the loader of memberships, and send the read markers."""
        self.durable_rooms.stop()
        await self.read_markers.flush()

    def _on_posted(self, item: OutboxItem) -> None:
        # The room has put the event of the item last. Earlier events of the queue cannot concern the item.
        self.apply(self.server_link.event_queue.pop_newest())

    def _on_deletion_changed(self, problem: str) -> None:
        if problem:
            self._front_end.show_error(problem)
        self._front_end.on_deletion_changed()

    # Event handlers

    def _on_connection_state_changed(self, event: ConnectionStateChanged) -> None:
        self.session.apply(event)
        self.durable_rooms.load_once()
        if isinstance(event.state, Online):
            self.server_link.start(self.blocks.load())

    def _on_connect_failed(self, event: ConnectFailed) -> None:
        is_unreachable = not isinstance(event.error, Unauthorized | InternalError)
        self._front_end.on_connect_failed("server", error_text.describe(event.error), is_unreachable)

    def _on_durable_rooms_received(self, event: DurableRoomsReceived) -> None:
        """Set the memberships. After the first load of a connection, open closed direct rooms with unread messages."""
        self.session.set_durable_rooms(event.rooms)
        for room in event.rooms if event.is_first else ():
            if room.direct is not None and room.read.unread and self.session.find_room(room.name) is None:
                self._open_direct_room(room.name)

    def _on_room_opened(self, event: RoomOpened) -> None:
        """Add the room, with a notice for a guest with another nickname than requested.

        Another notice reports the room of a queued join, or a requested room that is not current. A new direct room
        queues notifications for its unread messages.
        """
        room, nick = event.room, event.requested_nick
        is_new = self.session.find_room(room.name) is None
        is_requested = event.switch is not None
        view = self.session.add_room(room, event.saved_state, show=event.switch == self.session.switch_number)
        view.transcript.on_images_deleted = self.image_files.forget
        if is_new and room.is_direct:
            self.session.queue_notifications(view, view.unread_lines())
        if nick and not self._has_account() and names.canonical_key(room.nick) != names.canonical_key(nick):
            self.session.add_notice(
                tr(
                    "{requested} is taken. You joined as {assigned}; /nick changes it.",
                    requested=chat_strings.quote_nick(nick),
                    assigned=chat_strings.quote_nick(room.nick),
                )
            )
        if event.was_queued or (is_requested and view is not self.session.current_room):
            self.session.add_notice(tr("{room} is open.", room=room.title))
        if is_requested:
            self.server_link.composer_store.rename_nick(view.nick)
            self._front_end.on_room_joined(view)
        self.durable_rooms.load_once()

    def _on_join_failed(self, event: JoinFailed) -> None:
        problem = error_text.describe(event.error)
        if self.session.rooms:
            self._front_end.show_error(problem)
        else:
            self._front_end.on_connect_failed(_form_field_for(event.error), problem, False)

    def _on_room_left(self, event: RoomLeft) -> None:
        self.session.remove_room(event.room)
        self.durable_rooms.refresh()
        self._end_if_no_rooms(tr("You left the last room."))

    def _on_room_lost(self, event: RoomLost) -> None:
        self.session.apply(event)
        self.server_link.composer_store.remove_room(event.room)
        self._end_if_no_rooms(room_lost(event))

    def _on_room_renamed(self, event: RoomRenamed) -> None:
        """Rename a room in the session, the composer store and the notification levels of the settings."""
        self.session.apply(event)
        self.server_link.composer_store.rename_room(event.room, event.new_name)
        levels = levels_after_rename(self._settings(), self.target.url, event.room, event.new_name)
        if levels is not None and (problem := self._change_setting("room_notifications", levels)):
            self._front_end.show_error(problem)

    def _open_direct_room(self, room: str) -> None:
        view = self.session.current_room
        if view is not None:
            self.server_link.composer_store.add_room(room)
            self.server_link.open_direct_room(room, view.nick)

    def _on_room_joined(self, event: RoomJoined) -> None:
        self.session.apply(event)
        self.read_markers.schedule()
        view = self.session.find_room(event.room)
        if view is not None:
            self._report_nick(view.nick)

    def _on_room_list_received(self, event: RoomListReceived) -> None:
        if event.requested_by_user:
            self.session.add_notice(chat_strings.room_list(event.rooms))

    def _on_outbox_item_changed(self, event: OutboxItemChanged) -> None:
        self.session.apply(event)
        self.messages.drop_failed_change(event.item)

    def _on_notice_received(self, event: NoticeReceived) -> None:
        self.session.apply(event)
        view = self.session.find_room(event.notice.room)
        if view is not None and isinstance(event.notice, NickNotice) and view.member_id == event.notice.member_id:
            self._report_nick(view.nick)

    def _on_nick_assigned(self, event: NickAssigned) -> None:
        """Add a notice if assigned and requested nickname have different canonical keys."""
        if names.canonical_key(event.assigned) != names.canonical_key(event.requested):
            self.session.add_notice(
                tr(
                    "{requested} is taken. The server assigned {assigned}.",
                    requested=chat_strings.quote_nick(event.requested),
                    assigned=chat_strings.quote_nick(event.assigned),
                )
            )

    def _report_nick(self, nick: str) -> None:
        self.server_link.composer_store.rename_nick(nick)
        self._front_end.on_nick_changed(nick)

    def _end_if_no_rooms(self, reason: str) -> None:
        if not self.session.rooms:
            self._front_end.on_session_ended(reason)


def _form_field_for(error: ChatError) -> str:
    """Return the field of the join form with the cause of a failed join."""
    if isinstance(error, NickInvalid):
        return "nick"
    if isinstance(error, RoomInvalid | NotFound | Forbidden | TooLong):
        return "room"
    return "server"
