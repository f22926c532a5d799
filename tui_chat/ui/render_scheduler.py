"""Event processing and rendering in time slices, so that a flood of events does not delay key echo.

- Frame rate: a frame starts at the earliest `RENDER_INTERVAL` seconds after the end of the previous frame.
- Frame rate during input: a frame starts at the earliest `TYPING_RENDER_INTERVAL` seconds after the start of the
  previous one, because a key that arrives during a frame waits until that frame ends.
- Frame rate under a backlog: a frame starts at the earliest `BUSY_RENDER_INTERVAL` seconds after the start of the
  previous one. The last frame only waits for the idle time.
- Idle time: the `MIN_IDLE_TIME` seconds after each frame are free for other work.
- Slices: events are processed for `TIME_SLICE` seconds at a time, then the event loop runs other tasks.
- Input priority: no processing starts within `KEY_ECHO_WINDOW` seconds after a key or mouse event, unless the screen
  would stay unchanged for longer than `TYPING_RENDER_INTERVAL`.
- Backpressure: while terminal output is blocked, nothing is rendered, and the app processes events only to drain an
  overfull queue. Memory stays bounded even if a terminal is blocked for days.
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager

RENDER_INTERVAL = 0.05
TIME_SLICE = 0.004
KEY_ECHO_WINDOW = 0.03
TYPING_RENDER_INTERVAL = 0.08
BUSY_RENDER_INTERVAL = 0.06
# Free time after a frame, in seconds; Textual flushes the screen during this time, 60 times per second.
MIN_IDLE_TIME = 0.02
RETRY_DELAY = 1.0  # after an unexpected exception, in seconds
TYPING_WINDOW = 1.0  # seconds since the last key or mouse event during which the user counts as typing


class RenderScheduler:
    """Schedule of processing and rendering, with a monotonic clock in seconds, without timers or side effects."""

    def __init__(self, clock: Callable[[], float], is_output_blocked: Callable[[], bool]) -> None:
        self._clock = clock
        self.is_output_blocked = is_output_blocked
        self._render_started = self._render_ended = self._last_input = clock() - TYPING_WINDOW

    def record_input(self) -> None:
        """Record a key press or mouse event."""
        self._last_input = self._clock()

    @contextmanager
    def rendering(self) -> Generator[None]:
        """Measure the frame that is rendered in the body of the `with` statement."""
        self._render_started = self._clock()
        try:
            yield
        finally:
            self._render_ended = self._clock()

    @property
    def delay(self) -> float:
        """Seconds until a new event may be processed; 0 for immediately."""
        now = self._clock()
        is_typing = now < self._last_input + TYPING_WINDOW
        return max(
            (self._earliest_after(TYPING_RENDER_INTERVAL) if is_typing else self._render_ended + RENDER_INTERVAL) - now,
            self.processing_pause,
        )

    @property
    def processing_pause(self) -> float:
        """Seconds during which event processing pauses in favor of input or because of blocked output; 0 for none."""
        if self.is_output_blocked():
            return RENDER_INTERVAL
        return max(
            0.0, min(self._last_input + KEY_ECHO_WINDOW, self._earliest_after(TYPING_RENDER_INTERVAL)) - self._clock()
        )

    @property
    def slice_deadline(self) -> float:
        """Clock time at which a time slice that starts now ends."""
        return self._clock() + TIME_SLICE

    @property
    def is_due(self) -> bool:
        """True if a frame is due under a backlog of events."""
        return self._clock() >= self._earliest_after(BUSY_RENDER_INTERVAL)

    def _earliest_after(self, seconds: float) -> float:
        return max(self._render_started + seconds, self._render_ended + MIN_IDLE_TIME)


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
        on_error: Called for the first of consecutive unexpected exceptions. The slice runs again after `RETRY_DELAY`.
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
        on_error: Callable[[Exception], None],
    ) -> None:
        self._scheduler = scheduler
        self._process = process
        self._is_overfull = is_overfull
        self._draw = draw
        self._set_timer = set_timer
        self._call_later = call_later
        self._on_error = on_error
        self._has_failed = False

    def on_events_queued(self) -> None:
        """Schedule the processing of a queue that was empty before."""
        self._schedule(self._scheduler.delay)

    def _schedule(self, delay: float) -> None:
        """Run a slice after a delay in seconds, or after the pending messages for 0."""
        if delay > 0:
            self._set_timer(delay, self._run_slice)
        else:
            self._call_later(self._run_slice)

    def _run_slice(self) -> None:
        """Process one slice; after an exception, run again after `RETRY_DELAY`."""
        try:
            self._process_and_draw()
        except Exception as error:
            if not self._has_failed:
                self._on_error(error)
            self._has_failed = True
            self._schedule(RETRY_DELAY)
        else:
            self._has_failed = False

    def _process_and_draw(self) -> None:
        """Process events for one slice, draw if the queue is empty or a frame is due, and schedule the next slice.

        No slice follows an empty queue. During a pause, only the next slice is scheduled; while output is blocked, an
        overfull queue is processed without drawing.
        """
        scheduler = self._scheduler
        if (pause := scheduler.processing_pause) > 0:
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
