"""Screen-reader session: client events as spoken sentences instead of a screen.

- Current room: every message of other members is announced, including up to one page of those missed while offline.
  More missed entries are announced by their number. Messages of ignored and blocked members are never announced.
- Background rooms: messages are announced by notification level; a room without a notification is announced once
  as unread, unless muted.
- Closed rooms of the account: those with unread messages are announced once after each connection.
- Messages of the user: new ones are not announced, because the terminal echoes the input; failures and edits are. The
  recent messages after a change of the current room include those of the user.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from tui_chat.client import events
from tui_chat.client.outbox_item import OutboxItemState
from tui_chat.protocol.events import Message
from tui_chat.protocol.requests import EditMessage, SendMessage
from tui_chat.screen_reader import speech
from tui_chat.screen_reader.upload_progress import UploadProgress
from tui_chat.session import error_text
from tui_chat.session.controller import SessionController
from tui_chat.session.file_captions import phrase_outbox_item
from tui_chat.session.i18n import tr
from tui_chat.session.room_view import RoomView
from tui_chat.session.session_events import DurableRoomsReceived, RoomLeft, RoomOpened, SessionEvent
from tui_chat.session.session_target import SessionTarget
from tui_chat.session.settings.settings_file import SettingsFile
from tui_chat.session.store import profile as profile_store
from tui_chat.session.store.guest_identities import add_identity
from tui_chat.session.store.profile import Identity

INITIAL_MESSAGES = 10
"""Number of messages announced of an opened room, unless more are unread, and of a day."""


class ScreenReader:
    """Announcements of one session. Implements `FrontEnd` of the session controller.

    Attributes:
        opened: Set after the first join.
        finished: Set when the session ends.
        on_connection_lost: Called after the loss of the connection without an announcement of the server.
        failure: Reason of a failed connection or first join, "" otherwise.
    """

    def __init__(
        self, target: SessionTarget, settings_file: SettingsFile, state_dir: Path, announce: Callable[[str], None]
    ) -> None:
        self.announce = announce
        self._settings_file = settings_file
        self._state_dir = state_dir
        self.controller = SessionController(
            target,
            self,
            lambda: settings_file.settings,
            settings_file.change,
            state_dir=state_dir,
            cache_dir=None,
            on_notice=self._on_notice,
        )
        self.session = self.controller.session
        self.opened = asyncio.Event()
        self.finished = asyncio.Event()
        self.on_connection_lost: Callable[[], None] = lambda: None
        self.failure = ""
        self._is_online = True
        self._uploads = UploadProgress(announce)
        self._announced_room: RoomView | None = None
        self._announced_seq = 0  # newest entry of the current room that was announced, or preceded its announcement
        self._announced_unread: set[RoomView] = set()
        self._event_handlers: dict[type, Callable[[Any], None]] = {
            events.ConnectionStateChanged: lambda event: self._on_connection_state(event.state),
            events.LogChanged: self._on_log_changed,
            events.NoticeReceived: self._on_notice_received,
            events.OutboxItemChanged: self._on_outbox_item_changed,
            events.ReadMarkerChanged: self._on_read_marker_changed,
            events.RoomJoined: self._on_room_joined,
            events.RoomLost: lambda _: self.announce_current_room(),
            DurableRoomsReceived: self._on_durable_rooms_received,
            RoomLeft: lambda _: self.announce_current_room(),
            RoomOpened: self._on_room_opened,
        }

    async def process_events(self) -> None:
        """Apply session events until the client closes; neither a lost connection nor an exception ends the call.

        Long rooms are trimmed after each event.
        """
        async for event in self.controller.server_link.event_queue:
            self.controller.apply_safely(event)
            self.controller.trim_rooms()

    def announce_current_room(self, *, is_new: bool = False) -> None:
        """Announce the current room and its recent messages, and mark the room as read; no effect without a room.

        Announces the last `INITIAL_MESSAGES` loaded messages, including those of the user, or more if more are unread.
        Without unread messages, none is announced unless `is_new`. Messages of ignored and blocked members count, but
        are not announced.
        """
        view = self._announced_room = self.session.current_room
        if view is None:
            return
        count = max(INITIAL_MESSAGES, view.unread_count) if is_new or view.unread_count else 0
        self._mark_read(view)
        self._announced_unread.discard(view)
        self._announced_seq = view.room.log.last
        self.announce(speech.room_joined_text(view.title, max(0, view.member_count - 1), view.topic))
        for message in list(view.room.log.messages())[-count:] if count else ():
            self._announce_message(view, message)

    def _mark_read(self, view: RoomView) -> None:
        self.session.set_viewed(True)
        self.controller.drafts.save_read_marker(view)

    def _announce_message(self, view: RoomView, message: Message) -> None:
        if not self.session.ignore_filter.is_hidden(message.nick_name, message.member_id):
            self.announce(speech.message_text(message, view.is_confusable(message.member_id, message.nick_name)))

    def _announce_unread(self, view: RoomView) -> None:
        if view.unread_count and view not in self._announced_unread:
            self._announced_unread.add(view)
            self.announce(speech.unread_text(view.title, view.unread_count, view.mention_count))

    def _on_notice(self, view: RoomView, text: str) -> None:
        if view is self.session.current_room:
            self.announce(text)

    # Front end of the session controller

    def on_event(self, event: SessionEvent) -> None:
        """Announce an event for which the controller gives no notice; other events have no effect."""
        handler = self._event_handlers.get(type(event))
        if handler is not None:
            handler(event)

    def _on_notice_received(self, event: events.NoticeReceived) -> None:
        """Announce a join, leave or nickname change of another member of the current room.

        The setting `joins` selects the notices (`JoinVisibility`). Those of ignored and blocked members are not
        announced.
        """
        notice, settings = event.notice, self._settings_file.settings
        view = self.session.find_room(notice.room)
        if view is None or view is not self.session.current_room or notice.member_id == view.member_id:
            return
        is_visible = {"all": True, "smart": view.speakers.is_relevant(notice), "none": False}[settings.joins]
        if is_visible and not self.session.ignore_filter.is_hidden(notice.nick_name, notice.member_id):
            self.announce(speech.membership_text(notice))

    def _on_outbox_item_changed(self, event: events.OutboxItemChanged) -> None:
        """Announce uploads of open rooms, acknowledged edits and failed messages. Other changes have no effect."""
        item = event.item
        if item.files and (view := self.session.find_room(item.room)) is not None:
            is_logged = item.seq is not None and item.seq in view.room.log
            self._uploads.on_item_changed(item, is_online=self._is_online, is_logged=is_logged)
        if item.state is OutboxItemState.SENT and isinstance(item.request, EditMessage):
            self.announce(tr("Edited: {text}", text=item.text))
        if item.error is not None and isinstance(item.request, SendMessage):
            problem = error_text.phrase(item.error)
            text = phrase_outbox_item(item)
            self.announce(tr("Not sent: {problem}. Text: {text}", problem=problem, text=text))

    def _on_room_opened(self, event: RoomOpened) -> None:
        """Announce a requested current room with recent messages, and set `opened`; announce another room as unread."""
        view = self.session.find_room(event.room.name)
        if event.switch is not None and view is self.session.current_room:
            self.announce_current_room(is_new=True)
            self.opened.set()
        elif view is not None:
            self._announce_in_background(view)

    def _on_room_joined(self, event: events.RoomJoined) -> None:
        """Announce the current room with its recent messages again after the replacement of its log."""
        is_current = self.session.find_room(event.room) is self.session.current_room
        if event.log_reset and is_current and self._announced_seq:
            self.announce_current_room(is_new=True)

    def _on_read_marker_changed(self, event: events.ReadMarkerChanged) -> None:
        view = self.session.find_room(event.room)
        if view is not None and not view.unread_count:
            self._announced_unread.discard(view)

    def _on_durable_rooms_received(self, event: DurableRoomsReceived) -> None:
        sentence = speech.closed_rooms_text(self.session.closed_rooms) if event.is_first else ""
        if sentence:
            self.announce(sentence)

    def _on_connection_state(self, state: events.ConnectionState) -> None:
        """Announce a change between online and offline; call `on_connection_lost` at each offline state of a loss.

        The session counts as online at first, so the first connection is not announced. Other states are ignored.
        """
        is_online = isinstance(state, events.Online)
        if is_online != self._is_online and (sentence := speech.connection_text(state)):
            self._is_online = is_online
            self.announce(sentence)
        if isinstance(state, events.Offline) and state.error.reason == "connection_lost":
            self.on_connection_lost()

    def _on_log_changed(self, event: events.LogChanged) -> None:
        """Announce new messages, and live changes, of other members in the current room, and mark the room as read.

        Fetched entries at or before the newest announced one are not announced. Gaps of missed entries are announced by
        their size.
        """
        self._uploads.on_log_changed(event.room, event.seqs)
        view = self.session.find_room(event.room)
        if view is None:
            return
        if view is not self.session.current_room:
            self._announce_in_background(view)
            return
        announced_seq, self._announced_seq = self._announced_seq, max(self._announced_seq, event.seqs[-1])
        missed = sum(gap.missing_count for gap in view.room.log.gaps() if gap.after >= announced_seq > 0)
        if missed and self._announced_seq > announced_seq:
            self.announce(speech.missed_entries_text(missed))
        for seq in event.seqs:
            is_unannounced = event.is_live or seq > announced_seq
            if is_unannounced and seq in view.room.log and view.room.log[seq].member_id != view.member_id:
                self._announce_message(view, view.room.log[seq])
        self._mark_read(view)

    def _announce_in_background(self, view: RoomView) -> None:
        """Announce the pending notifications of all rooms; without one, an unmuted room as unread, once until read."""
        notifications = self.session.pop_notifications()
        for notification in notifications:
            self.announce(speech.other_room_message_text(notification))
        if not notifications and not self.session.is_muted(view.name):
            self._announce_unread(view)

    def on_current_room_changed(self) -> None:
        """Announce the current room unless it was announced last."""
        if self.session.current_room is not self._announced_room:
            self.announce_current_room()

    def on_room_joined(self, view: RoomView) -> None:
        """Save the profile after the first join; later joins have no effect."""
        if not self.opened.is_set():
            self._save_profile(view.name, view.nick)

    def on_nick_changed(self, nick: str) -> None:
        """Save the nickname in the profile."""
        self._save_profile(None, nick)

    def _save_profile(self, room: str | None, nick: str) -> None:
        """Save room, nickname, server and guest key in the profile; None keeps the saved room.

        An unchanged profile is not written. A failure is announced.
        """
        url, guest_key = self.controller.target.url, self.controller.server_link.guest_key
        saved_profile, _ = profile_store.load(self._state_dir)
        updated = replace(saved_profile, room=saved_profile.room if room is None else room, nick=nick, server=url)
        if guest_key:  # a basic server issues none
            updated = add_identity(updated, Identity(url, nick, guest_key))
        if updated != saved_profile and (problem := profile_store.save(self._state_dir, updated)):
            self.announce(problem)

    def on_connect_failed(self, field: str, problem: str, offer_server: bool) -> None:
        """Set `failure` to the problem and end the session."""
        self.failure = problem
        self.finished.set()

    def on_session_ended(self, reason: str) -> None:
        """Announce the reason and end the session."""
        self.announce(reason)
        self.finished.set()

    def show_error(self, problem: str) -> None:
        """Announce an error."""
        self.announce(problem)

    def on_deletion_changed(self) -> None:
        """Do nothing: the output of `/delete` and `/undo` announces the change."""
