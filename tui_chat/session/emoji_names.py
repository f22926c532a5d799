"""Emoji lookup by short name: `smile`, `thumbsup`, `+1`."""

from functools import cache
from itertools import islice

FULLY_QUALIFIED = 2
"""Status of emoji with a reliable emoji presentation (UTS #51, section 1.4)."""


def search(query: str, limit: int) -> list[tuple[str, str]]:
    """Return up to `limit` emoji with a name or a later word of a name that starts with a query.

    The query is a prefix without colons, in any case; an empty one matches every name. Each emoji appears once, under
    its best name. Only emoji with a reliable presentation are found.

    Returns:
        Pairs of name and emoji: the exact name, then prefix matches, then word matches, each group by length.
    """
    folded_query = query.casefold()
    matches = sorted(
        (name != folded_query, not name.startswith(folded_query), len(name), name, emoji)
        for name, emoji in _load_names().items()
        if f"_{folded_query}" in f"_{name}"
    )
    best: dict[str, str] = {}
    for *_, name, emoji in matches:
        best.setdefault(emoji, name)
    return [(name, emoji) for emoji, name in islice(best.items(), limit)]


def find(name: str) -> str | None:
    """Return the emoji with exactly this name (any case, no colons) and a reliable presentation, otherwise None."""
    return _load_names().get(name.casefold())


@cache
def _load_names() -> dict[str, str]:
    """Return the fully qualified emoji by their case-folded names and aliases."""
    from emoji import EMOJI_DATA  # noqa: PLC0415 (50 ms, at the first lookup)

    return {
        name.strip(":").casefold(): emoji
        for emoji, data in EMOJI_DATA.items()
        if data["status"] == FULLY_QUALIFIED
        for name in (*data.get("alias", ()), data["en"])
    }
