"""Processing of queued session events in time slices between inputs and frames."""

from collections.abc import Callable

from tui_chat.ui.render_scheduler import MIN_IDLE_TIME, RenderScheduler


class EventProcessor:
    """Loop that processes the events of a queue and draws the result.

    Args:
        scheduler: Timing of processing and rendering.
        process: Processes events until a time of the monotonic clock, at least one, and returns whether the queue is
            empty. The second argument is False if the user cannot see the result.
        is_overfull: Returns whether the queue holds more events than its limit.
        draw: Draws all changes.
        set_timer: Calls a function after a delay in seconds.
        call_later: Calls a function after the pending messages.
    """

    def __init__(
        self,
        scheduler: RenderScheduler,
        *,
        process: Callable[[float, bool], bool],
        is_overfull: Callable[[], bool],
        draw: Callable[[], None],
        set_timer: Callable[[float, Callable[[], None]], object],
        call_later: Callable[[Callable[[], None]], object],
    ) -> None:
        self._scheduler = scheduler
        self._process = process
        self._is_overfull = is_overfull
        self._draw = draw
        self._set_timer = set_timer
        self._call_later = call_later

    def on_events_queued(self) -> None:
        """Schedule the processing of a queue that was empty before."""
        self._schedule(self._scheduler.delay)

    def _schedule(self, delay: float) -> None:
        if delay > 0:
            self._set_timer(delay, self._run_slice)
        else:
            self._call_later(self._run_slice)

    def _run_slice(self) -> None:
        scheduler = self._scheduler
        if (pause := scheduler.processing_pause) > 0:
            # While output is blocked, drain an overfull queue without rendering.
            must_drain = scheduler.is_output_blocked() and self._is_overfull()
            if must_drain:
                self._process(scheduler.slice_deadline, False)
            self._schedule(0 if must_drain else pause)
            return
        queue_drained = self._process(scheduler.slice_deadline, True)
        if queue_drained or scheduler.is_due:
            with scheduler.rendering():
                self._draw()
            if not queue_drained:
                # Leave Textual time to flush the screen, which each slice would delay.
                self._schedule(MIN_IDLE_TIME)
        else:
            self._schedule(0)
