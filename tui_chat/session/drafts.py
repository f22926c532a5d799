"""Persistence of composer texts and read markers, and the user's typing indicator."""

# ruff: noqa: D102 (documented in `ComposerStore`)

import time
from collections.abc import Callable
from typing import Protocol

from tui_chat.session.commands import registry
from tui_chat.session.compose_mode import ComposeMode
from tui_chat.session.room_view import RoomView

TYPING_REPEAT_INTERVAL = 3.0
"""Seconds after which an active typing indicator is sent again."""


class DraftStore(Protocol):
    """Storage of composer state."""

    def save_draft(self, room: str, text: str, mode: ComposeMode | None) -> None: ...
    def add_sent_text(self, room: str, text: str) -> None: ...
    def save_read_marker(self, room: str, seq: int, has_unsent_mark: bool) -> None: ...


class DraftManager:
    """Recorder of drafts, input history and read markers, and sender of the typing indicator.

    Args:
        send_typing: Starts or stops the user's typing indicator in the room with the given name.
        on_read: Called after the change of a read marker.
        now: Monotonic clock in seconds.
    """

    def __init__(
        self,
        store: DraftStore,
        send_typing: Callable[[str, bool], None],
        now: Callable[[], float] = time.monotonic,
        on_read: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._on_read = on_read
        self._send_typing = send_typing
        self._now = now
        self._typing_room = ""  # name of the room with an active indicator
        self._typing_sent_at = 0.0

    def save(self, view: RoomView, text: str) -> None:
        """Save the draft of a room and its compose mode in the view and the store. No effect if unchanged.

        The store receives an empty text instead of a command with a password.
        """
        if (text, view.compose_mode) != (view.draft, view.saved_compose_mode):
            view.draft, view.saved_compose_mode = text, view.compose_mode
            self._store.save_draft(view.name, "" if registry.is_secret(text) else text, view.compose_mode)

    def save_read_marker(self, view: RoomView) -> None:
        """Save the read marker of a room for the next start, and call `on_read`. No effect if unchanged."""
        if view.reading.saved_marker != view.saved_marker:
            view.saved_marker = view.reading.saved_marker
            self._store.save_read_marker(view.name, *view.saved_marker)
            self._on_read()

    def add_sent_text(self, view: RoomView, text: str) -> None:
        """Append sent text to the input history of a room and to the store; the history omits a repeated text."""
        view.input_history.add(text)
        self._store.add_sent_text(view.name, text)

    def update_typing(self, view: RoomView, text: str) -> None:
        """Start the typing indicator for a composer text other than the draft, again after `TYPING_REPEAT_INTERVAL`.

        An empty text, or a call for another room, ends an active indicator. A text with a leading `/` starts none.
        """
        if self._typing_room not in {"", view.name} or (self._typing_room and not text):
            self._send_typing(self._typing_room, False)
            self.reset_typing()
        is_due = not self._typing_room or self._now() - self._typing_sent_at > TYPING_REPEAT_INTERVAL
        if text and text != view.draft and not text.startswith("/") and is_due:
            self._typing_room, self._typing_sent_at = view.name, self._now()
            self._send_typing(view.name, True)

    def reset_typing(self) -> None:
        """Mark the typing indicator as inactive, without a request, after a message that ends the indicator."""
        self._typing_room = ""
