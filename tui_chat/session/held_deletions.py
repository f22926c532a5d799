"""Deletions that the user can still undo.

- Hold: a deletion waits `UNDO_SECONDS` before it enters the outbox. Until then, no other member sees it.
- Quit: `flush` queues all held deletions at once. After a crash, held deletions have no effect.
- Offline: the outbox sends a queued deletion after the reconnect.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

from tui_chat.session.lines import DeletionState
from tui_chat.session.room_view import RoomView

UNDO_SECONDS = 5.0


class Cancellable(Protocol):
    """Timer, such as `asyncio.TimerHandle`."""

    def cancel(self) -> None:
        """Stop the timer."""


def _call_later(delay: float, callback: Callable[[], None]) -> Cancellable:
    return asyncio.get_running_loop().call_later(delay, callback)


class HeldDeletions:
    """Deletions of own messages, oldest first.

    Args:
        delete: Queues the deletion of the message with a `seq` in a room. Returns the error message, empty on success.
        on_changed: Called after a hold, an undo and the end of a hold, with the error message or "".
        call_later: Calls a function after a number of seconds.
    """

    def __init__(
        self,
        delete: Callable[[str, int], str],
        on_changed: Callable[[str], None],
        call_later: Callable[[float, Callable[[], None]], Cancellable] = _call_later,
    ) -> None:
        self._delete = delete
        self._on_changed = on_changed
        self._call_later = call_later
        self._timers: dict[tuple[RoomView, int], Cancellable] = {}

    def hold(self, view: RoomView, seq: int) -> None:
        """Hide a message at once, and queue its deletion after `UNDO_SECONDS`. No effect for a held deletion."""
        if (view, seq) not in self._timers:
            view.set_deletion(seq, DeletionState.HELD)
            self._timers[view, seq] = self._call_later(UNDO_SECONDS, lambda: self._finish(view, seq))
            self._on_changed("")

    def undo(self, seq: int | None = None, view: RoomView | None = None) -> bool:
        """Cancel the newest held deletion, or the one of a message. Return whether there was one.

        Args:
            seq: Message, None for the newest held deletion.
            view: Room of the message, None for the newest held deletion of all rooms.
        """
        key = next(reversed(self._timers), None) if view is None or seq is None else (view, seq)
        timer = self._timers.pop(key, None) if key is not None else None
        if key is None or timer is None:
            return False
        timer.cancel()
        key[0].set_deletion(key[1], DeletionState.NONE)
        self._on_changed("")
        return True

    def flush(self) -> bool:
        """Queue all held deletions in the outbox now. Return whether there were any; errors go to `on_changed`."""
        held = list(self._timers)
        for view, seq in held:
            self._finish(view, seq)
        return bool(held)

    def _finish(self, view: RoomView, seq: int) -> None:
        self._timers.pop((view, seq)).cancel()
        if view.deletions.get(seq) is not DeletionState.HELD:
            return  # the server replaced the log, so that `seq` belongs to another message
        problem = self._delete(view.name, seq)
        if problem:
            view.set_deletion(seq, DeletionState.NONE)
        self._on_changed(problem)
