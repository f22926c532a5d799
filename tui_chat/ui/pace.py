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

BETWEEN_DRAWS = 0.05
SLICE = 0.004
ECHO = 0.03
STILL_MOST = 0.08
CROWDED = 0.06
REST = 0.02
"""Seconds after a drawing in which the screen is written: Textual looks 60 times a second what is to be."""
TYPING = 1.0
"""Seconds after a key for which somebody is taken to type on."""


class Pace:
    """Says when; does nothing itself.

    Args:
        clock: Seconds that never go back.
        behind: Says whether the line to the terminal is.
    """

    def __init__(self, clock: Callable[[], float], behind: Callable[[], bool]) -> None:
        self._clock = clock
        self._behind = behind
        self._began = self._drawn = self._pressed = clock() - TYPING

    def pressed(self) -> None:
        """Somebody pressed a key, or the mouse."""
        self._pressed = self._clock()

    @contextmanager
    def drawing(self) -> Generator[None]:
        """All that was applied is drawn within."""
        self._began = self._clock()
        try:
            yield
        finally:
            self._drawn = self._clock()

    @property
    def behind(self) -> bool:
        """The line to the terminal is behind."""
        return self._behind()

    @property
    def wait(self) -> float:
        """Seconds until what has just come may be applied; 0 for at once."""
        now = self._clock()
        typing = now < self._pressed + TYPING
        return max((self._after(STILL_MOST) if typing else self._drawn + BETWEEN_DRAWS) - now, self.hold)

    @property
    def hold(self) -> float:
        """Seconds for which a key, or the line, goes first; 0 for none."""
        if self._behind():
            return BETWEEN_DRAWS
        return max(0.0, min(self._pressed + ECHO, self._after(STILL_MOST)) - self._clock())

    @property
    def slice_end(self) -> float:
        """Until when to go on applying if it is begun now, on the same clock."""
        return self._clock() + SLICE

    @property
    def due(self) -> bool:
        """It is time to draw, even if there is more to apply."""
        return self._clock() >= self._after(CROWDED)

    def _after(self, seconds: float) -> float:
        return max(self._began + seconds, self._drawn + REST)
