"""Numeric suffixes of taken nicknames in one room: `ann2`, `ann3` and so on.

Allocation does not search the members: it takes the smallest released suffix, or the next new one.
"""

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, field

from tui_chat.protocol import names


@dataclass(slots=True, eq=False)
class _SuffixPool:
    """Suffixes of one nickname with the same number of digits.

    Attributes:
        next: Smallest suffix that was never allocated.
        freed: Released suffixes in ascending order; a member may take one of them again by a direct request.
    """

    next: int
    freed: list[int] = field(default_factory=list[int])


class NickSuffixes:
    """Allocator of suffixes for the nicknames of one room."""

    def __init__(self) -> None:
        self._pools: dict[tuple[str, int], _SuffixPool] = {}  # by canonical key without suffix, and number of digits

    def allocate(self, requested: str, is_available: Callable[[str], bool]) -> tuple[str, str]:
        """Return the requested nickname with the smallest free suffix, and its canonical key: `("Ann2", "ann2")`.

        The suffix stays allocated until `release`. A long nickname is truncated (`names.with_suffix`).

        Args:
            requested: Validated nickname in use.
            is_available: Returns whether no member has a nickname with this canonical key, because a member may request
                a nickname with a suffix directly. Suffixes of such nicknames are skipped until their release.
        """
        digits = 1
        while True:
            first = _get_first_suffix(digits)
            base_key = names.canonical_key(names.with_suffix(requested, first))[:-digits]
            pool = self._pools.setdefault((base_key, digits), _SuffixPool(first))
            while pool.freed or pool.next < 10**digits:
                suffix = pool.freed.pop(0) if pool.freed else pool.next
                pool.next = max(pool.next, suffix + 1)
                nick = names.with_suffix(requested, suffix)
                nick_key = names.canonical_key(nick)
                if is_available(nick_key):
                    return nick, nick_key
            digits += 1

    def release(self, nick_key: str) -> None:
        """Free the suffix of a nickname that is no longer in use.

        Without effect for a nickname without an allocated suffix, and for a repeated release.
        """
        for start in names.suffix_starts(nick_key):
            pool_key, suffix = (nick_key[:start], len(nick_key) - start), int(nick_key[start:])
            pool, first = self._pools.get(pool_key), _get_first_suffix(pool_key[1])
            if pool is not None and first <= suffix < pool.next:
                position = bisect_left(pool.freed, suffix)
                if suffix not in pool.freed[position : position + 1]:
                    pool.freed.insert(position, suffix)
                if len(pool.freed) == pool.next - first:
                    del self._pools[pool_key]


def _get_first_suffix(digits: int) -> int:
    return 2 if digits == 1 else 10 ** (digits - 1)
