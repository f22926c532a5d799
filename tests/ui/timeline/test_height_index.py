from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tui_chat.ui.timeline.height_index import HeightIndex

heights = st.lists(st.integers(0, 500), max_size=300) | st.lists(st.integers(0, 2), min_size=600, max_size=900)


def check(sums: HeightIndex, plain: list[int]) -> None:
    assert len(sums) == len(plain)
    assert sums.total_rows == sum(plain)
    running = 0
    for index, height in enumerate(plain):
        assert sums[index] == height
        assert sums.rows_before(index) == running
        running += height


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(heights, st.lists(st.tuples(st.integers(0, 800), st.integers(0, 100), heights), max_size=6))
def test_sums_stay_those_of_a_plain_list_over_any_splices(first: list[int], changes: list[tuple[int, int, list[int]]]):
    sums, plain = HeightIndex(first), list(first)
    for index, removed, new in changes:
        at = min(index, len(plain))
        gone = min(removed, len(plain) - at)
        sums.splice(at, gone, new)
        plain[at : at + gone] = new
        check(sums, plain)


@given(heights.filter(bool), st.lists(st.tuples(st.integers(0, 299), st.integers(0, 500)), max_size=20))
def test_a_changed_height_changes_every_sum_after_it(first: list[int], changes: list[tuple[int, int]]):
    sums, plain = HeightIndex(first), list(first)
    for index, height in changes:
        at = index % len(plain)
        sums[at] = plain[at] = height
    check(sums, plain)


@given(st.lists(st.integers(1, 9), min_size=1, max_size=200), st.integers(-5, 2000))
def test_a_row_belongs_to_the_line_that_covers_it(plain: list[int], row: int):
    index, within = HeightIndex(plain).locate(row)
    assert 0 <= within < plain[index]
    assert sum(plain[:index]) + within == max(0, min(row, sum(plain) - 1))


def test_many_lines_put_before_a_long_list():
    sums = HeightIndex([2] * 100_000)
    sums.splice(0, 0, [3] * 50)
    assert sums.total_rows == 200_150
    assert sums.locate(150) == (50, 0)
    assert sums.rows_before(50_050) == 150 + 100_000
