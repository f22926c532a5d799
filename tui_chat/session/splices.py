"""Joining changes of a list: many small splices become few."""

from collections.abc import Iterable

from tui_chat.session.lines import Splice


def coalesce(splices: Iterable[Splice]) -> list[Splice]:
    """The same change in fewer splices: neighbours that touch become one.

    Args:
        splices: In the order they are applied, each with indices as the one before left them.
    """
    result: list[Splice] = []
    for splice in splices:
        if result and _is_adjacent(result[-1], splice):
            result[-1] = _merge(result[-1], splice)
        else:
            result.append(splice)
    return [splice for splice in result if splice.removed or splice.lines]


def _is_adjacent(first: Splice, second: Splice) -> bool:
    return second.index <= first.index + len(first.lines) and second.index + second.removed >= first.index


def _merge(first: Splice, second: Splice) -> Splice:
    end = first.index + len(first.lines)
    second_end = second.index + second.removed
    head = first.lines[: max(0, second.index - first.index)]
    tail = first.lines[max(0, second_end - first.index) :] if second_end < end else ()
    removed = first.removed + max(0, first.index - second.index) + max(0, second_end - end)
    return Splice(min(first.index, second.index), removed, head + second.lines + tail)
