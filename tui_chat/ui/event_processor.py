"""Processing of queued session events in time slices between inputs and frames."""

from collections.abc import Callable
from typing import Protocol

from tui_chat.ui.render_scheduler import MIN_IDLE_TIME, RenderScheduler


class EventSource(Protocol):
    """Queue of session events."""

    @property
    def is_overfull(self) -> bool:
        """True if the queue holds more events than its limit."""
        ...

    def process_events(self, deadline: float, *, viewed: bool = True) -> bool:
        """Process events until `deadline`, at least one. Return whether the queue is empty.

        Args:
            deadline: Time limit on the monotonic clock, in seconds.
            viewed: False if the user cannot see the result.
        """
        ...


class EventProcessor:
    """Loop that processes the events of a source and draws the result.

    Args:
        scheduler: Timing of processing and rendering.
        source: Queue of session events.
        draw: Draws all changes.
        set_timer: Calls a function after a delay in seconds.
        call_later: Calls a function after the pending messages.
    """

    def __init__(
        self,
        scheduler: RenderScheduler,
        source: EventSource,
        draw: Callable[[], None],
        set_timer: Callable[[float, Callable[[], None]], object],
        call_later: Callable[[Callable[[], None]], object],
    ) -> None:
        self._scheduler = scheduler
        self._source = source
        self._draw = draw
        self._set_timer = set_timer
        self._call_later = call_later

    def on_events_queued(self) -> None:
        """Schedule the processing of a queue that was empty before."""
        self._schedule(self._scheduler.delay)

    def _schedule(self, delay: float) -> None:
        if delay > 0:
            self._set_timer(delay, self._process)
        else:
            self._call_later(self._process)

    def _process(self) -> None:
        scheduler = self._scheduler
        if (pause := scheduler.processing_pause) > 0:
            # While output is blocked, drain an overfull queue without rendering.
            must_drain = scheduler.is_output_blocked and self._source.is_overfull
            if must_drain:
                self._source.process_events(scheduler.slice_deadline, viewed=False)
            self._schedule(0 if must_drain else pause)
            return
        queue_drained = self._source.process_events(scheduler.slice_deadline)
        if queue_drained or scheduler.is_due:
            with scheduler.rendering():
                self._draw()
            if not queue_drained:
                # Leave Textual time to flush the screen, which each slice would delay.
                self._schedule(MIN_IDLE_TIME)
        else:
            self._schedule(0)
