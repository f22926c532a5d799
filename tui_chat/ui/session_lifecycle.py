"""Lifetime of the chat session: connection, profile, local server, and the change between join form and chat."""

import logging
from collections.abc import Coroutine
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol

from msgspec.structs import replace
from textual.worker import Worker, WorkerError

from tui_chat.local_server import LocalServer, LocalServerError
from tui_chat.session.i18n import tr
from tui_chat.session.quitting import wait_until_sent
from tui_chat.session.settings.schema import ClientSettings
from tui_chat.session.start_options import StartOptions
from tui_chat.session.store import profile as profile_store
from tui_chat.session.store.profile import Identity, Profile
from tui_chat.session.strings import app as app_strings
from tui_chat.ui import server_address
from tui_chat.ui.screens.join import JoinDetails, JoinScreen

if TYPE_CHECKING:
    from tui_chat.session.chat_session import ChatSession
    from tui_chat.session.controller import SessionController
    from tui_chat.session.room_view import RoomView
    from tui_chat.session.session_events import SessionEvent
    from tui_chat.ui.screens.chat import ChatScreen

log = logging.getLogger("chat.ui")


class SessionWindow(Protocol):
    """Screens and timers of the app."""

    @property
    def settings(self) -> ClientSettings:
        """Current settings."""
        ...

    @property
    def join_form(self) -> JoinScreen:
        """Join form below all other screens."""
        ...

    def change_setting(self, name: str, value: object) -> str:
        """Change and save a setting; return the error message of a failed save."""
        ...

    def open_chat(self, controller: "SessionController") -> "ChatScreen":
        """Open the chat screen of a session."""
        ...

    def close_chat(self) -> None:
        """Close the chat screen and all dialogs."""

    def start_worker(self, work: Coroutine[Any, Any, None], group: str) -> Worker[None]:
        """Run `work` in the background instead of earlier work of the same group."""
        ...

    def show_status(self, text: str) -> None:
        """Show a message in the status line, or on the join form."""

    def on_events_queued(self) -> None:
        """Schedule a call of `SessionLifecycle.process_events`."""


class SessionLifecycle:
    """At most one chat session, from the submitted join form to the return to the form.

    Implements `FrontEnd` of the session controller.

    Attributes:
        local_server: Server on this machine, started or joined by this app.
        startup_messages: Messages that the next opened chat shows once, as notices.
    """

    def __init__(self, window: SessionWindow, options: StartOptions, saved_profile: Profile) -> None:
        self._window = window
        self._options = options
        self._profile = saved_profile
        self._chat: ChatScreen | None = None
        self._controller: SessionController | None = None
        self._worker: Worker[None] | None = None
        self._typed_server = ""
        self._should_restore_rooms = not options.room
        self.local_server = LocalServer()
        self.startup_messages: list[str] = []

    @property
    def session(self) -> "ChatSession | None":
        """State of the current session, None if there is none."""
        return self._controller.session if self._controller is not None else None

    # Input

    def record_input(self) -> None:
        """Restart the time until the automatic status, and remove that status; no effect without a session."""
        if self._controller is not None:
            self._controller.auto_away.record_input()

    def check_idle(self) -> None:
        """Set the automatic status after the time without input; no effect without a session."""
        if self._controller is not None:
            self._controller.auto_away.check()

    # Connection

    def connect(self, details: JoinDetails) -> None:
        """End an earlier session, and start to connect and join with the given details and a saved guest key.

        The form waits until the first room is joined or the session ends.
        """
        # Imported here to keep startup fast.
        from tui_chat.session.controller import SessionController  # noqa: PLC0415
        from tui_chat.session.session_target import SessionTarget  # noqa: PLC0415
        from tui_chat.session.store.guest_identities import find_guest_key  # noqa: PLC0415

        window = self._window
        window.join_form.begin_waiting(tr(app_strings.CONNECTING_TO, server=details.server))
        self._disconnect()
        self._typed_server = details.typed_server
        self._controller = SessionController(
            SessionTarget(
                details.server,
                details.room,
                details.nick,
                restore_rooms=self._should_restore_rooms and window.settings.restore_rooms,
                guest_key=find_guest_key(self._profile, details.server, details.nick),
                invite=details.invite,
            ),
            self,
            lambda: window.settings,
            window.change_setting,
            state_dir=self._options.state,
            cache_dir=self._options.cache,
            on_events_queued=window.on_events_queued,
        )
        self._worker = window.start_worker(self._controller.server_link.run(), "connection")

    def leave_server(self) -> None:
        """End the session and return to the join form.

        Later sessions restore rooms if the setting permits, even after a start with a room on the command line.
        """
        self._should_restore_rooms = True
        self.on_session_ended("")

    def send_delayed_deletions(self) -> bool:
        """Move the deletions that can still be undone to the outbox. Return whether any existed."""
        return self._controller is not None and self._controller.deletions.flush()

    async def close(self) -> str:
        """Queue delayed deletions, disconnect, wait for the end of the connection, and leave the local server.

        If delayed deletions exist, the disconnect waits until the outbox is empty, at most `QUIT_FLUSH_TIMEOUT`.

        Returns:
            Result of `LocalServer.leave`.
        """
        worker, session = self._worker, self.session
        if self.send_delayed_deletions() and session is not None:
            await wait_until_sent(lambda: session.pending_count)
        self._disconnect()
        if worker is not None:
            with suppress(WorkerError):
                await worker.wait()
        return await self.local_server.leave()

    def stop_server(self) -> None:
        """Start to stop the server of the session, and end the session after the stop.

        With other clients, the first call only shows a question. A server on another machine is an error, and errors
        appear in the status line. No effect without a session.
        """
        self._window.start_worker(self._stop_server(), "local-server")

    async def _stop_server(self) -> None:
        """Stop the server of the session (`stop_server`)."""
        if self._controller is None:
            return
        try:
            question = await self.local_server.stop(self._controller.target.url)
        except LocalServerError as error:
            self.show_error(str(error))
            return
        if question:
            self._window.show_status(question)
        else:
            self.on_session_ended(tr(app_strings.SERVER_STOPPED))

    def serve_and_join(self, details: JoinDetails) -> None:
        """Start a local server in the background at the address of the join form, which has a port; submit the form."""
        host, _, port = details.server.partition("://")[2].rpartition(":")
        self.start_local_server(host.strip("[]"), int(port), join=True)

    def start_local_server(self, host: str, port: int, *, join: bool) -> None:
        """Start a local server in the background, or use a running one, and enter its address in the join form.

        With `join`, the form is submitted after the start. A failure appears beside the server field. The end of the
        session (`_disconnect`) cancels the start.
        """
        self._worker = self._window.start_worker(self._start_local_server(host, port, join=join), "local-server")

    async def _start_local_server(self, host: str, port: int, *, join: bool) -> None:
        """Start or join the server while the form waits; its messages appear on the form and in the next chat."""
        form = self._window.join_form
        form.begin_waiting(tr("Starting a server…"))
        try:
            self.startup_messages = await self.local_server.start_or_join(host, port)
        except LocalServerError as error:
            form.show_field_error("server", str(error))
            return
        form.set_server(self.local_server.url)
        form.end_waiting("\n".join(self.startup_messages))
        if join:
            form.action_submit()

    async def _restart_local_server(self) -> None:
        """Start the local server again, or use a running one; show an error. The session reconnects by itself.

        A server ends without an announcement after a crash, or when idle while this client is suspended.
        """
        try:
            await self.local_server.restart()
        except LocalServerError as error:
            self.show_error(str(error))

    def _close_chat(self) -> None:
        """Close the chat screen and all dialogs, if the chat is open; in any case, end the session (`_disconnect`)."""
        if self._chat is not None:
            self._chat = None
            self._window.close_chat()
        self._disconnect()

    def _disconnect(self) -> None:
        """End the session: queue delayed deletions, and cancel the connection or the start of a local server.

        The chat screen stays open.
        """
        self.send_delayed_deletions()
        if self._worker is not None:
            self._worker.cancel()
        self._worker = self._controller = None

    # Events

    def is_overfull(self) -> bool:
        """Return whether more events are queued than the limit of the queue, False without a session."""
        return self._controller is not None and self._controller.server_link.event_queue.is_overfull

    def process_events(self, deadline: float, viewed: bool) -> bool:
        """Apply queued events (`SessionController.process_events`). Return whether the queue is empty or missing.

        Unless `viewed`, the current room counts as not viewed.
        """
        controller = self._controller
        if controller is None:
            return True
        if not viewed:
            controller.session.set_viewed(False)
        return controller.process_events(deadline)

    def on_current_room_changed(self) -> None:
        """Draw the new current room immediately, so that later input enters its composer draft."""
        if self._chat is not None:
            self._chat.room_navigation.on_current_room_changed()

    def on_connect_failed(self, field: str, problem: str, offer_server: bool) -> None:
        """Queue delayed deletions, disconnect, close the chat, and show the error on the form.

        If `offer_server` and the address is local HTTP, the form offers to start a server, and the error
        `No chat server at …` replaces `problem`.
        """
        form, controller = self._window.join_form, self._controller
        self._close_chat()
        if offer_server and controller is not None and server_address.is_local_http(controller.target.url):
            form.show_field_error(field, tr("No chat server at {server}.", server=controller.target.url))
            form.offer_server()
        else:
            form.show_field_error(field, problem)

    def on_room_joined(self, view: "RoomView") -> None:
        """Open the chat screen if not open, then save room, nickname, server and guest key in the profile.

        A new chat screen shows the `startup_messages` once. A failed save is logged and shown as an error.
        """
        controller = self._controller
        if self._chat is None and controller is not None:
            for message in self.startup_messages:
                controller.session.add_notice(message)
            self.startup_messages = []
            self._window.join_form.end_waiting_behind_chat()
            self._chat = self._window.open_chat(controller)
        self._update_profile(view.name, view.nick)

    def on_nick_changed(self, nick: str) -> None:
        """Save nickname and guest key in the profile, and enter the nickname in the join form. The saved room stays."""
        self._update_profile(self._profile.room, nick)
        self._window.join_form.set_nick(nick)

    def on_session_ended(self, reason: str) -> None:
        """Queue delayed deletions, disconnect or cancel a start of a local server, and show `reason` on the join form.

        A local server continues.
        """
        self._close_chat()
        self._window.join_form.end_waiting(reason)

    def on_event(self, event: "SessionEvent") -> None:
        """Pass the event to the chat screen, if open.

        After a lost connection to the local server, started or joined, start a server unless one still runs.
        """
        if self._chat is not None:
            self._chat.on_session_event(event)
        if self._controller is not None and self._controller.target.url == self.local_server.url:
            # Imported here to keep startup fast.
            from tui_chat.client.events import ConnectionStateChanged, Offline  # noqa: PLC0415

            match event:
                case ConnectionStateChanged(Offline(error)) if error.reason == "connection_lost":
                    self._window.start_worker(self._restart_local_server(), "local-server")
                case _:
                    pass

    def show_error(self, problem: str) -> None:
        """Show an error in the status line; without a chat screen, beside the server field (`show_field_error`)."""
        if self._chat is not None:
            self._chat.view.show_error(problem)
        else:
            self._window.join_form.show_field_error("server", problem)

    def on_deletion_changed(self) -> None:
        """Draw all changes of the session. No effect without a chat screen."""
        if self._chat is not None:
            self._chat.view.draw_changes()

    def _update_profile(self, room: str, nick: str) -> None:
        """Replace the profile, with the guest key if known, and save a changed one; an error is logged and shown."""
        updated, controller = replace(self._profile, room=room, nick=nick, server=self._typed_server), self._controller
        if controller is not None and controller.server_link.guest_key:
            # Imported here to keep startup fast.
            from tui_chat.session.store.guest_identities import add_identity  # noqa: PLC0415

            updated = add_identity(updated, Identity(controller.target.url, nick, controller.server_link.guest_key))
        if updated == self._profile:
            return
        self._profile = updated
        if problem := profile_store.save(self._options.state, updated):
            log.warning("profile not saved: %s", problem)
            self.show_error(problem)
