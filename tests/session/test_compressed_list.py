"""A long list is a list, whatever of it is packed."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.timeline_app import make_message, make_messages
from tui_chat.client.sync.compressed_blocks import BLOCK_SIZE, Block
from tui_chat.session.compressed_list import UNCOMPRESSED_BLOCKS, CompressedList
from tui_chat.session.lines import DeliveryState, GapLine, Line, MessageLine, NoticeLine, ReactionCount, UnreadLine

CHANGES = st.lists(
    st.tuples(
        st.floats(0, 1),  # where, as a part of the length
        st.sampled_from([0, 0, 1, 2, 40, BLOCK_SIZE, 3 * BLOCK_SIZE]),
        st.sampled_from([0, 1, 1, 3, 60, BLOCK_SIZE, BLOCK_SIZE + 1, 5 * BLOCK_SIZE]),
    ),
    max_size=12,
)


@settings(deadline=None)
@given(st.sampled_from([0, 1, BLOCK_SIZE, UNCOMPRESSED_BLOCKS * BLOCK_SIZE * 2]), CHANGES)
def test_it_holds_what_a_list_would(at_first: int, changes: list[tuple[float, int, int]]) -> None:
    plain = make_messages(1, at_first)
    lines = CompressedList(plain)
    number = at_first
    for where, wanted, count in changes:
        index = round(where * len(plain))
        removed = min(wanted, len(plain) - index)
        new = make_messages(number + 1, number + count)
        number += count
        plain[index : index + removed] = new
        lines.splice(index, removed, new)
        assert len(lines) == len(plain)
        for probe in {0, index - 1, index, index + count, len(plain) - 1} & set(range(len(plain))):
            assert lines[probe] == plain[probe]
            assert lines.index_of(plain[probe].key) == probe
            assert lines.get(plain[probe].key) == plain[probe]
    assert list(lines) == plain == lines[:]
    assert list(lines.copy()) == plain
    assert lines.index_of("m0") is None
    assert lines.get("m0") is lines.get(None) is None
    sizes = [block.items for block in lines._blocks]  # pyright: ignore[reportPrivateUsage]
    assert sum(items is not None for items in sizes) <= UNCOMPRESSED_BLOCKS


def test_every_kind_of_line_comes_back_as_it_was() -> None:
    kinds: list[Line] = [
        MessageLine(
            "a",
            None,
            1,
            "n",
            "m",
            True,
            "t\n漢",
            DeliveryState.FAILED,
            "why",
            reactions=(ReactionCount("👍", 2, True),),
        ),
        MessageLine("b", 7, 2, "n", "m", False, "", edited=True, deleted=True, is_mention=True, reply_to=3, quote="q"),
        NoticeLine("c", 3, "came"),
        GapLine("d", 4, 9),
        UnreadLine(),
    ]
    lines = CompressedList([*kinds, *make_messages(1, 2 * UNCOMPRESSED_BLOCKS * BLOCK_SIZE)])
    assert isinstance(lines._blocks[0], Block)  # pyright: ignore[reportPrivateUsage]
    assert lines._blocks[0].items is None  # pyright: ignore[reportPrivateUsage]
    assert lines[: len(kinds)] == kinds


def test_a_copy_goes_its_own_way() -> None:
    lines = CompressedList(make_messages(1, 2 * UNCOMPRESSED_BLOCKS * BLOCK_SIZE))
    other = lines.copy()
    other.splice(0, 1, [make_message(900_000)])
    lines.splice(len(lines) - 1, 1, [])
    assert (lines[0], other[0]) == (make_message(1), make_message(900_000))
    assert len(other) == len(lines) + 1


def test_there_is_nothing_outside() -> None:
    lines = CompressedList(make_messages(1, 3))
    assert lines[-1] == make_message(3)
    for index in (3, -4):
        with pytest.raises(IndexError):
            lines[index]
