"""The same talk for every program: who says what, in line `number` of a room."""

from itertools import accumulate
from random import Random

NICKS = tuple(f"{name}{number}" for name in ("alice", "bob", "carol", "dave", "erin") for number in range(4))
START_MS = 1_795_000_000_000
INTERVAL_MS = 5_000


def _make_vocabulary() -> list[str]:
    """Five thousand made-up words, no two alike by rule: chat packs no better than this."""
    rng = Random(1)
    return ["".join(rng.choices("etaoinshrdlucmfwypvbgk", k=rng.randint(2, 9))) for _ in range(5_000)]


_VOCABULARY = _make_vocabulary()
_CUMULATIVE_WEIGHTS = list(
    accumulate(1 / rank for rank in range(1, len(_VOCABULARY) + 1))
)  # Zipf's law, as in any language


def line_nick(number: int) -> str:
    """Who says line `number`."""
    return NICKS[number * 7 % len(NICKS)]


def line_text(number: int) -> str:
    """What is said in line `number`: lowercase letters, digits and blanks, 20 to 120 characters."""
    rng = Random(number)
    return f"{number} " + " ".join(rng.choices(_VOCABULARY, cum_weights=_CUMULATIVE_WEIGHTS, k=rng.randint(4, 20)))
