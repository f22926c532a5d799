"""The same talk for every program: who says what, in line `number` of a room."""

from itertools import accumulate
from random import Random

NICKS = tuple(f"{name}{number}" for name in ("alice", "bob", "carol", "dave", "erin") for number in range(4))
START_MS = 1_795_000_000_000
BETWEEN_MS = 5_000


def _words() -> list[str]:
    """Five thousand made-up words, no two alike by rule: chat packs no better than this."""
    random = Random(1)
    return ["".join(random.choices("etaoinshrdlucmfwypvbgk", k=random.randint(2, 9))) for _ in range(5_000)]


_WORDS = _words()
_OFTEN = list(accumulate(1 / rank for rank in range(1, len(_WORDS) + 1)))  # Zipf's law, as in any language


def nick(number: int) -> str:
    """Who says line `number`."""
    return NICKS[number * 7 % len(NICKS)]


def text(number: int) -> str:
    """What is said in line `number`: lowercase letters, digits and blanks, 20 to 120 characters."""
    random = Random(number)
    return f"{number} " + " ".join(random.choices(_WORDS, cum_weights=_OFTEN, k=random.randint(4, 20)))
