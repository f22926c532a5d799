"""Session controller with a front end that records its calls."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from tests.support.wait import wait_until
from tui_chat.session.controller import SessionController
from tui_chat.session.lines import DeliveryState, MessageLine
from tui_chat.session.room_view import RoomView
from tui_chat.session.session_events import SessionEvent
from tui_chat.session.session_target import SessionTarget
from tui_chat.session.settings.settings_file import SettingsFile


class RecordedSession:
    """Front end of the session controller.

    Attributes:
        controller: Controller of the session.
        calls: Names and arguments of the calls, in order.
        notices: Notices of all rooms.
        settings_file: Settings, not saved without a path.
    """

    def __init__(self, target: SessionTarget, state_dir: Path, cache_dir: Path | None = None) -> None:
        self.calls: list[tuple[object, ...]] = []
        self.notices: list[str] = []
        self.settings_file = SettingsFile()
        self.controller = SessionController(
            target,
            self,
            lambda: self.settings_file.settings,
            self.settings_file.change,
            state_dir=state_dir,
            cache_dir=cache_dir,
            on_notice=self._on_notice,
        )

    def on_event(self, event: SessionEvent) -> None:
        """Ignore the event."""

    def _on_notice(self, view: RoomView, text: str) -> None:
        self.notices.append(text)

    def on_current_room_changed(self) -> None:
        """Record the current room."""
        room = self.controller.session.current_room
        self.calls.append(("current", room and room.name))

    def on_room_joined(self, view: RoomView) -> None:
        """Record the call."""
        self.calls.append(("joined", view.name, view.nick))

    def on_nick_changed(self, nick: str) -> None:
        """Record the call."""
        self.calls.append(("nick", nick))

    def on_connect_failed(self, field: str, problem: str, offer_server: bool) -> None:
        """Record the call."""
        self.calls.append(("connect failed", field, problem, offer_server))

    def on_session_ended(self, reason: str) -> None:
        """Record the call."""
        self.calls.append(("ended", reason))

    def show_error(self, problem: str) -> None:
        """Record the call."""
        self.calls.append(("error", problem))

    def on_deletion_changed(self) -> None:
        """Ignore the state of a deletion."""

    async def process_until(self, *calls: tuple[object, ...]) -> None:
        """Apply queued events until all of these calls are recorded, then clear the recorded calls."""

        def is_done() -> bool:
            self.controller.process_events(0)
            return set(calls) <= set(self.calls)

        await wait_until(is_done)
        self.calls.clear()

    def texts(self) -> list[str]:
        """Return the message texts of the current room, unsent ones in parentheses."""
        view = self.controller.session.current_room
        lines = view.transcript.lines if view is not None else ()
        return [
            line.text if line.delivery is DeliveryState.SENT else f"({line.text})"
            for line in lines
            if isinstance(line, MessageLine)
        ]


@asynccontextmanager
async def running_session(
    url: str, state_dir: Path, room: str = "tea", *, restore_rooms: bool = False, cache_dir: Path | None = None
) -> AsyncGenerator[RecordedSession]:
    """Run the session of ann within the block, without waiting for the first join.

    Args:
        url: Base URL of the server.
        state_dir: Directory of durable data.
        room: First room.
        restore_rooms: Restore the saved rooms after the first join.
        cache_dir: Directory of the room history cache, None to disable caching.
    """
    recorded = RecordedSession(SessionTarget(url, room, "ann", restore_rooms), state_dir, cache_dir)
    task = asyncio.create_task(recorded.controller.server_link.run())
    try:
        yield recorded
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
