"""Deletions that the user can still undo.

- Delay: the outbox receives a deletion after `UNDO_SECONDS`. Other members see the message until then.
- Quit: `flush` queues all delayed deletions at once. After a crash, delayed deletions have no effect.
"""

import asyncio
import logging
from collections.abc import Callable

from tui_chat.session.i18n import tr
from tui_chat.session.lines import DeletionState
from tui_chat.session.room_view import RoomView
from tui_chat.session.strings import app as app_strings

log = logging.getLogger("chat.session")

UNDO_SECONDS = 5.0


class DelayedDeletions:
    """Delayed deletions, oldest first.

    Args:
        delete: Queues the deletion of the message with a `seq` in a room. Returns the error message, empty on success.
        on_changed: Called after the start, the undo and the end of a delay, with the error message or "". Not called at
            the end of a delay in a replaced log.
    """

    def __init__(self, delete: Callable[[str, int], str], on_changed: Callable[[str], None]) -> None:
        self._delete = delete
        self._on_changed = on_changed
        self._timers: dict[tuple[RoomView, int], asyncio.TimerHandle] = {}

    def schedule(self, view: RoomView, seq: int) -> None:
        """Hide a message at once, and queue its deletion after `UNDO_SECONDS`. No effect on a delayed deletion.

        After an error, the message reappears. The deletion has no effect if the server replaces the log meanwhile.
        """
        if view.deletions.get(seq) is DeletionState.DELAYED:
            return
        outdated_timer = self._timers.pop((view, seq), None)  # of a message in a replaced log
        if outdated_timer is not None:
            outdated_timer.cancel()
        view.set_deletion(seq, DeletionState.DELAYED)
        loop = asyncio.get_running_loop()
        self._timers[view, seq] = loop.call_later(UNDO_SECONDS, self._finish, view, seq)
        self._on_changed("")

    def undo(self, view: RoomView, seq: int) -> None:
        """Cancel the delayed deletion of a message. No effect without one."""
        timer = self._timers.pop((view, seq), None)
        if timer is not None:
            timer.cancel()
            view.set_deletion(seq, DeletionState.NONE)
            self._on_changed("")

    def undo_newest(self) -> bool:
        """Cancel the delayed deletion that was scheduled last, in any room. Return whether there was one."""
        newest = next(reversed(self._timers), None)
        if newest is not None:
            self.undo(*newest)
        return newest is not None

    def flush(self) -> bool:
        """Queue all delayed deletions in the outbox now. Return whether there were any; errors go to `on_changed`."""
        delayed = list(self._timers)
        for view, seq in delayed:
            self._finish(view, seq)
        return bool(delayed)

    def _finish(self, view: RoomView, seq: int) -> None:
        """End the delay of a deletion, queue the deletion and call `on_changed`; show the message again after an error.

        An unexpected exception is logged, and reported as an internal error.
        """
        self._timers.pop((view, seq)).cancel()
        if view.deletions.get(seq) is not DeletionState.DELAYED:
            return  # the server replaced the log, so that `seq` belongs to another message
        try:
            problem = self._delete(view.name, seq)
        except Exception:
            log.exception("deletion not queued: message shown again")
            problem = tr(app_strings.INTERNAL_ERROR)
        if problem:
            view.set_deletion(seq, DeletionState.NONE)
        self._on_changed(problem)
