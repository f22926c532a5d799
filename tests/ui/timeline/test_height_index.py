"""Row sums of the height index, compared with a plain list."""

from itertools import cycle, islice

from hypothesis import HealthCheck, given, settings, strategies as st

from tui_chat.ui.timeline.viewport import HeightIndex


def repeat_heights(pattern: list[int], count: int) -> list[int]:
    """Return `count` heights that repeat a pattern; Hypothesis draws a pattern faster than a long list."""
    return list(islice(cycle(pattern), count))


heights = st.lists(st.integers(0, 500), max_size=300) | st.builds(
    repeat_heights, st.lists(st.integers(0, 2), min_size=1, max_size=60), st.integers(600, 900)
)


def assert_matches(height_index: HeightIndex, expected: list[int]) -> None:
    assert len(height_index) == len(expected)
    assert height_index.total_rows == sum(expected)
    running = 0
    for index, height in enumerate(expected):
        assert height_index.rows_before(index) == running
        running += height


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(heights, st.lists(st.tuples(st.integers(0, 800), st.integers(0, 100), heights), max_size=6))
def test_row_sums_match_a_plain_list_after_any_splices(initial: list[int], changes: list[tuple[int, int, list[int]]]):
    height_index, expected = HeightIndex(initial), list(initial)
    for index, removed, new in changes:
        position = min(index, len(expected))
        removed_count = min(removed, len(expected) - position)
        height_index.splice(position, removed_count, new)
        expected[position : position + removed_count] = new
        assert_matches(height_index, expected)


@given(heights.filter(bool), st.lists(st.tuples(st.integers(0, 299), st.integers(0, 500)), max_size=20))
def test_a_changed_height_updates_all_later_sums(initial: list[int], changes: list[tuple[int, int]]):
    height_index, expected = HeightIndex(initial), list(initial)
    for index, height in changes:
        position = index % len(expected)
        height_index[position] = expected[position] = height
    assert_matches(height_index, expected)


@given(st.lists(st.integers(1, 9), min_size=1, max_size=200), st.integers(-5, 2000))
def test_a_row_is_located_in_the_line_that_covers_it(expected: list[int], row: int):
    index, within = HeightIndex(expected).locate(row)
    assert 0 <= within < expected[index]
    assert sum(expected[:index]) + within == max(0, min(row, sum(expected) - 1))


def test_lines_are_inserted_before_a_long_list():
    height_index = HeightIndex([2] * 100_000)
    height_index.splice(0, 0, [3] * 50)
    assert height_index.total_rows == 200_150
    assert height_index.locate(150) == (50, 0)
    assert height_index.rows_before(50_050) == 150 + 100_000
