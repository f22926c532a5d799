"""Rendered rows without reference cycles.

- Cause: `Strip.divide` of Textual caches its result in the strip. If the only cut is the end of the strip, the result
  is the strip itself, which then refers to itself.
- Effect: only the garbage collector frees such a strip. Each page of a timeline leaves 36 strips of the scrollbar, 400
  objects in total, and a collection delays every third page (docs/performance.md).
- Private API: Textual offers no public hook. `tests/ui/test_strip_cycles.py` fails if an upgrade moves the cache.
"""

from collections.abc import Iterable, Sequence

from textual.strip import Strip

_divide = Strip.divide


def prevent_strip_cycles() -> None:
    """Replace `Strip.divide` for the whole process. Repeated calls have no effect."""
    Strip.divide = _divide_without_cycle


def _divide_without_cycle(self: Strip, cuts: Iterable[int]) -> Sequence[Strip]:
    """Return the result of `Strip.divide`; a result that contains the strip itself is not cached."""
    strips = _divide(self, cuts)
    if strips and strips[0] is self:
        self._divide_cache.clear()  # pyright: ignore[reportPrivateUsage]
    return strips
