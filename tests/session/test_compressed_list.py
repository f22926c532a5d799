"""Contents and lookups of compressed lists, compared with plain lists."""

import pytest
from hypothesis import given, settings, strategies as st

from tests.support.timeline_app import make_message, make_messages
from tui_chat.client.sync.compressed_blocks import BLOCK_SIZE, Block
from tui_chat.session.compressed_list import UNCOMPRESSED_BLOCKS, CompressedList
from tui_chat.session.lines import DeliveryState, GapLine, Line, MessageLine, NoticeLine, ReactionCount, UnreadLine

CHANGES = st.lists(
    st.tuples(
        st.floats(0, 1),  # position as a fraction of the length
        st.sampled_from([0, 0, 1, 2, 40, BLOCK_SIZE, 3 * BLOCK_SIZE]),
        st.sampled_from([0, 1, 1, 3, 60, BLOCK_SIZE, BLOCK_SIZE + 1, 5 * BLOCK_SIZE]),
    ),
    max_size=12,
)


@settings(deadline=None)
@given(st.sampled_from([0, 1, BLOCK_SIZE, UNCOMPRESSED_BLOCKS * BLOCK_SIZE * 2]), CHANGES)
def test_a_compressed_list_equals_a_plain_list_after_any_splices(
    initial_count: int, changes: list[tuple[float, int, int]]
) -> None:
    expected = make_messages(1, initial_count)
    lines = CompressedList(expected)
    last_number = initial_count
    for position, max_removed, count in changes:
        index = round(position * len(expected))
        removed = min(max_removed, len(expected) - index)
        new = make_messages(last_number + 1, last_number + count)
        last_number += count
        expected[index : index + removed] = new
        lines.splice(index, removed, new)
        assert len(lines) == len(expected)
        for probe in {0, index - 1, index, index + count, len(expected) - 1} & set(range(len(expected))):
            assert lines[probe] == expected[probe]
            assert lines.index_of(expected[probe].key) == probe
            assert lines.get(expected[probe].key) == expected[probe]
    assert list(lines) == expected == lines[:]
    assert list(lines.copy()) == expected
    assert lines.index_of("m0") is None
    assert lines.get("m0") is lines.get(None) is None
    block_items = [block.items for block in lines._blocks]  # pyright: ignore[reportPrivateUsage]
    assert sum(items is not None for items in block_items) <= UNCOMPRESSED_BLOCKS


@pytest.mark.parametrize("count", [3, 2 * UNCOMPRESSED_BLOCKS * BLOCK_SIZE])
def test_a_copy_and_its_source_change_independently(count: int) -> None:
    lines = CompressedList(make_messages(1, count))
    duplicate = lines.copy()
    duplicate.splice(0, 1, [])
    lines.splice(count, 0, make_messages(count + 1, count + 1))
    assert list(lines) == make_messages(1, count + 1)
    assert list(duplicate) == make_messages(2, count)
    last_key = f"m{count + 1}"
    assert [lines.index_of(key) for key in ("m1", last_key)] == [0, count]
    assert [duplicate.index_of(key) for key in ("m1", "m2", last_key)] == [None, 0, None]


def test_every_line_type_is_unchanged_after_compression() -> None:
    samples: list[Line] = [
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
        NoticeLine("c", 3, "joined"),
        GapLine("d", 4, 9),
        UnreadLine(),
    ]
    lines = CompressedList([*samples, *make_messages(1, 2 * UNCOMPRESSED_BLOCKS * BLOCK_SIZE)])
    assert isinstance(lines._blocks[0], Block)  # pyright: ignore[reportPrivateUsage]
    assert lines._blocks[0].items is None  # pyright: ignore[reportPrivateUsage]
    assert lines[: len(samples)] == samples


def test_negative_indexes_count_from_the_end_and_others_out_of_range_raise_index_error() -> None:
    lines = CompressedList(make_messages(1, 3))
    assert lines[-1] == make_message(3)
    for index in (3, -4):
        with pytest.raises(IndexError):
            lines[index]
