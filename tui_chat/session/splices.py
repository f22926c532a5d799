"""Joining changes of a list: many small splices become few."""

from collections.abc import Iterable

from tui_chat.session.lines import Splice


def joined(splices: Iterable[Splice]) -> list[Splice]:
    """The same change in fewer splices: neighbours that touch become one.

    Args:
        splices: In the order they are applied, each with indices as the one before left them.
    """
    result: list[Splice] = []
    for splice in splices:
        if result and _touch(result[-1], splice):
            result[-1] = _join(result[-1], splice)
        else:
            result.append(splice)
    return [splice for splice in result if splice.removed or splice.lines]


def _touch(first: Splice, second: Splice) -> bool:
    return second.index <= first.index + len(first.lines) and second.index + second.removed >= first.index


def _join(first: Splice, second: Splice) -> Splice:
    end = first.index + len(first.lines)
    second_end = second.index + second.removed
    kept_before = first.lines[: max(0, second.index - first.index)]
    kept_after = first.lines[max(0, second_end - first.index) :] if second_end < end else ()
    removed = first.removed + max(0, first.index - second.index) + max(0, second_end - end)
    return Splice(min(first.index, second.index), removed, kept_before + second.lines + kept_after)
