"""Controller of one session: applies network events to the chat session."""

import time
from collections.abc import Callable, Sequence
from typing import Protocol

from tui_chat.client.events import NoticeReceived, RoomJoined, RoomLost
from tui_chat.protocol.errors import ChatError, Forbidden, NickInvalid, NotFound, RoomInvalid, TooLong
from tui_chat.protocol.events import NickNotice
from tui_chat.protocol.responses import RoomSummary
from tui_chat.session import error_text
from tui_chat.session.chat_session import ChatSession
from tui_chat.session.i18n import tr
from tui_chat.session.room_view import RoomView
from tui_chat.session.settings.schema import ClientSettings
from tui_chat.session.strings import chat as chat_strings
from tui_chat.ui.event_queue import (
    CachedRoomOpened,
    ConnectFailed,
    ContextLoaded,
    JoinFailed,
    JoinSucceeded,
    QueuedEvent,
    RequestFailed,
    RoomLeft,
    RoomListReceived,
    RoomRestoreStarted,
    RoomTrimmed,
    ServerConnected,
)
from tui_chat.ui.screens.join import JoinDetails
from tui_chat.ui.server_link import ServerLink
from tui_chat.ui.start_options import StoragePaths


class AppPort(Protocol):
    """Interface of the app towards the session controller."""

    def on_connect_failed(self, field: str, problem: str, offer_server: bool) -> None:
        """Show a failed connection or first join on the join form.

        Args:
            field: Form field to mark: `room`, `nick` or `server`.
            problem: Error message for the user.
            offer_server: Offer to start a local server.
        """
        ...

    def on_room_joined(self, controller: "SessionController", view: RoomView) -> None:
        """Show a newly joined room."""
        ...

    def on_nick_changed(self, controller: "SessionController", nick: str) -> None:
        """Save the user's new nickname."""
        ...

    def on_session_ended(self, reason: str) -> None:
        """Return to the join form after the last room was closed."""
        ...

    def on_rooms_listed(self, rooms: Sequence[RoomSummary]) -> None:
        """Update the known rooms of the server."""
        ...

    def on_context_loaded(self, room: str, seq: int | None) -> None:
        """Continue a navigation after the messages around its target were loaded."""
        ...

    def on_join_failed(self, room: str, problem: str) -> None:
        """Report that a further room cannot be joined."""
        ...

    def on_current_room_changed(self) -> None:
        """Draw the new current room."""
        ...

    def show_error(self, problem: str) -> None:
        """Show an error message to the user."""
        ...


class SessionController:
    """Server connection and chat session from one submit of the join form, for all rooms joined later as well.

    The app runs `connection.run`; the controller does not connect by itself.

    Attributes:
        join_details: Validated input of the join form.
        connection: Server link that fills the event queue.
        session: State of the chat.
    """

    def __init__(
        self,
        join_details: JoinDetails,
        guest_key: str | None,
        storage_paths: StoragePaths,
        on_events_queued: Callable[[], None],
        settings: Callable[[], ClientSettings],
        *,
        restore_rooms: bool,
    ) -> None:
        self.join_details = join_details
        initial_join = (join_details.room, join_details.nick)
        self.server_link = ServerLink(
            join_details.server, initial_join, guest_key, storage_paths, on_events_queued, restore_rooms=restore_rooms
        )
        self.session = ChatSession(lambda: time.time_ns() // 1_000_000, settings)

    def process_events(self, app: AppPort, deadline: float) -> bool:
        """Apply queued events until the deadline, at least one if the queue is not empty.

        Reports each change of the current room to `app` immediately. Requests due trims once at the end.

        Args:
            app: Receiver of the resulting changes.
            deadline: Time limit on the clock of `time.monotonic`.

        Returns:
            True if the queue is empty.
        """
        event_queue, displayed = self.server_link.event_queue, self.session.current_room
        while event_queue:
            self._apply_event(event_queue.pop(), app)
            if self.session.current_room is not displayed:
                displayed = self.session.current_room
                app.on_current_room_changed()
            if time.monotonic() >= deadline:
                break
        for room, keep_count in self.session.rooms_to_trim().items():
            self.server_link.trim(room, keep_count)
        return not event_queue

    def _apply_event(self, event: QueuedEvent, app: AppPort) -> None:
        session = self.session
        match event:
            case ServerConnected():
                self.server_link.join(self.join_details.room, self.join_details.nick)
            case ConnectFailed(error):
                app.on_connect_failed("server", error_text.describe(error), True)
            case JoinSucceeded(room, requested_nick, saved_state, show):
                view = session.add_room(room, saved_state, show=show)
                if requested_nick and room.nick.casefold() != requested_nick.casefold():
                    session.add_notice(chat_strings.nick_assigned(requested_nick, room.nick))
                if show:
                    self._report_joined(view, app)
            case JoinFailed(room, error):
                if session.rooms:
                    app.on_join_failed(room, error_text.describe(error))
                else:
                    app.on_connect_failed(_form_field_for(error), error_text.describe(error), False)
            case RoomLeft(room):
                session.remove_room(room)
                self._end_if_no_rooms(tr(chat_strings.LEFT_LAST_ROOM), app)
            case CachedRoomOpened(room, saved_state, show):
                view = session.add_room(room, saved_state, show=show)
                if show:
                    self._report_joined(view, app)
            case RoomRestoreStarted(rooms):
                session.restore_order(rooms)
            case RoomTrimmed(room):
                session.trim_room(room)
            case RoomListReceived(rooms, requested_by_user):
                if requested_by_user:
                    lines = [chat_strings.room_summary(room.name, room.members, room.topic) for room in rooms]
                    session.add_notice(chat_strings.room_list(lines))
                app.on_rooms_listed(rooms)
            case ContextLoaded(room, seq):
                app.on_context_loaded(room, seq)
            case RequestFailed(problem):
                app.show_error(error_text.sentence(problem))
            case _:
                session.apply(event)
                if isinstance(event, RoomLost):
                    self.server_link.remove_saved_room(event.room)
                    self._end_if_no_rooms(chat_strings.room_lost(event.room, error_text.phrase(event.reason)), app)
                elif isinstance(event, RoomJoined):
                    if (view := session.find_room(event.room)) is not None:
                        self._report_nick(view.nick, app)
                elif isinstance(event, NoticeReceived) and isinstance(event.notice, NickNotice):
                    view = session.find_room(event.notice.room)
                    if view is not None and view.member_id == event.notice.member_id:
                        self._report_nick(view.nick, app)

    def _report_joined(self, view: RoomView, app: AppPort) -> None:
        self.server_link.save_nick(view.nick)
        app.on_room_joined(self, view)

    def _report_nick(self, nick: str, app: AppPort) -> None:
        self.server_link.save_nick(nick)
        app.on_nick_changed(self, nick)

    def _end_if_no_rooms(self, reason: str, app: AppPort) -> None:
        if not self.session.rooms:
            app.on_session_ended(reason)


def _form_field_for(error: ChatError) -> str:
    if isinstance(error, NickInvalid):
        return "nick"
    if isinstance(error, RoomInvalid | NotFound | Forbidden | TooLong):
        return "room"
    return "server"
