"""Emoji by the names that people know them by: `smile`, `thumbsup`, `+1`."""

from functools import cache

FULLY_QUALIFIED = 2
"""Emoji that are drawn as such everywhere (UTS #51, section 1.4)."""


def search(query: str, limit: int) -> list[tuple[str, str]]:
    """The emoji with a name that starts with `typed`, or has a later word that does.

    Args:
        typed: A part of a name, without colons, in any case.
        most: How many to give.

    Returns:
        Name and emoji; the exact name first, then shorter ones before longer ones.
    """
    folded_query = query.casefold()
    matches: list[tuple[tuple[bool, bool, int, str], str, str]] = []
    for name, emoji in _load_names().items():
        is_prefix = name.startswith(folded_query)
        if is_prefix or f"_{folded_query}" in name:
            matches.append(((name != folded_query, not is_prefix, len(name), name), name, emoji))
    best: dict[str, str] = {}
    for _, name, emoji in sorted(matches):
        best.setdefault(emoji, name)
        if len(best) == limit:
            break
    return [(name, emoji) for emoji, name in best.items()]


def find(name: str) -> str | None:
    """The emoji of this very name, without colons, in any case."""
    return _load_names().get(name.casefold())


@cache
def _load_names() -> dict[str, str]:
    from emoji import EMOJI_DATA  # noqa: PLC0415 (50 ms, for those who type a colon)

    return {
        name.strip(":").casefold(): emoji
        for emoji, data in EMOJI_DATA.items()
        if data["status"] == FULLY_QUALIFIED
        for name in (*data.get("alias", ()), data["en"])
    }
