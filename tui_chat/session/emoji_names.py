"""Emoji by the names that people know them by: `smile`, `thumbsup`, `+1`."""

from functools import cache

FULLY_QUALIFIED = 2
"""Emoji that are drawn as such everywhere (UTS #51, section 1.4)."""


def starting(typed: str, most: int) -> list[tuple[str, str]]:
    """The emoji with a name that starts with `typed`, or has a later word that does.

    Args:
        typed: A part of a name, without colons, in any case.
        most: How many to give.

    Returns:
        Name and emoji; the exact name first, then shorter ones before longer ones.
    """
    wanted = typed.casefold()
    found: list[tuple[tuple[bool, bool, int, str], str, str]] = []
    for name, emoji in _names().items():
        begins = name.startswith(wanted)
        if begins or f"_{wanted}" in name:
            found.append(((name != wanted, not begins, len(name), name), name, emoji))
    best: dict[str, str] = {}
    for _, name, emoji in sorted(found):
        best.setdefault(emoji, name)
        if len(best) == most:
            break
    return [(name, emoji) for emoji, name in best.items()]


def named(name: str) -> str | None:
    """The emoji of this very name, without colons, in any case."""
    return _names().get(name.casefold())


@cache
def _names() -> dict[str, str]:
    from emoji import EMOJI_DATA  # noqa: PLC0415 (50 ms, for those who type a colon)

    return {
        name.strip(":").casefold(): emoji
        for emoji, about in EMOJI_DATA.items()
        if about["status"] == FULLY_QUALIFIED
        for name in (*about.get("alias", ()), about["en"])
    }
