"""When what came from the network is applied and drawn, so that a flood holds up nobody who types.

Rule 1  It is drawn at most every `BETWEEN_DRAWS` seconds; while somebody types every
        `STILL_MOST` seconds, since a key that falls into a drawing waits for it; and while
        more comes than can be applied every `CROWDED` seconds. These two are from the
        beginning of one drawing to that of the next, so that ten screens a second hold
        however long one takes (until it is written another 15 to 30 ms pass); only `REST`
        seconds are always left for everything else.
Rule 2  It is applied in slices of `SLICE` seconds; between two of them everything else has its turn.
Rule 3  A key goes first: for `ECHO` seconds after one nothing is begun, unless the screen
        would then stand still for longer than `STILL_MOST`.
Rule 4  While the line to the terminal is behind nothing is begun: what nobody could see
        yet is not drawn. Where very much waits meanwhile it is applied unseen, so that
        it is let go in its turn, and the line may be behind for days.
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager

RENDER_INTERVAL = 0.05
TIME_SLICE = 0.004
KEY_ECHO_WINDOW = 0.03
MAX_RENDER_DELAY = 0.08
BUSY_RENDER_INTERVAL = 0.06
MIN_IDLE_TIME = 0.02
"""Seconds after a drawing in which the screen is written: Textual looks 60 times a second what is to be."""
TYPING_WINDOW = 1.0
"""Seconds after a key for which somebody is taken to type on."""


class RenderScheduler:
    """Says when; does nothing itself.

    Args:
        clock: Seconds that never go back.
        behind: Says whether the line to the terminal is.
    """

    def __init__(self, clock: Callable[[], float], is_output_blocked: Callable[[], bool]) -> None:
        self._clock = clock
        self._is_output_blocked = is_output_blocked
        self._render_started = self._render_ended = self._last_input = clock() - TYPING_WINDOW

    def record_input(self) -> None:
        """Somebody pressed a key, or the mouse."""
        self._last_input = self._clock()

    @contextmanager
    def rendering(self) -> Generator[None]:
        """All that was applied is drawn within."""
        self._render_started = self._clock()
        try:
            yield
        finally:
            self._render_ended = self._clock()

    @property
    def is_output_blocked(self) -> bool:
        """The line to the terminal is behind."""
        return self._is_output_blocked()

    @property
    def delay(self) -> float:
        """Seconds until what has just come may be applied; 0 for at once."""
        now = self._clock()
        is_typing = now < self._last_input + TYPING_WINDOW
        return max(
            (self._earliest_after(MAX_RENDER_DELAY) if is_typing else self._render_ended + RENDER_INTERVAL) - now,
            self.input_hold,
        )

    @property
    def input_hold(self) -> float:
        """Seconds for which a key, or the line, goes first; 0 for none."""
        if self._is_output_blocked():
            return RENDER_INTERVAL
        return max(0.0, min(self._last_input + KEY_ECHO_WINDOW, self._earliest_after(MAX_RENDER_DELAY)) - self._clock())

    @property
    def slice_deadline(self) -> float:
        """Until when to go on applying if it is begun now, on the same clock."""
        return self._clock() + TIME_SLICE

    @property
    def is_due(self) -> bool:
        """It is time to draw, even if there is more to apply."""
        return self._clock() >= self._earliest_after(BUSY_RENDER_INTERVAL)

    def _earliest_after(self, seconds: float) -> float:
        return max(self._render_started + seconds, self._render_ended + MIN_IDLE_TIME)
