"""Viewport invariants, tested with a state machine."""

from dataclasses import dataclass, field

from hypothesis import given, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.support.timeline_app import make_message, make_messages
from tui_chat.session.lines import Line, MessageLine, Splice
from tui_chat.ui.timeline.viewport import LineExtent, Viewport


@dataclass
class LineModel:
    """Lines with the text length as height, and a counter of measurements."""

    measured: int = 0
    view: Viewport = field(init=False)

    def __post_init__(self) -> None:
        self.view = Viewport(self.extent, lambda line: 1)

    def extent(self, index: int) -> LineExtent:
        self.measured += 1
        line = self.view.lines[index]
        assert isinstance(line, MessageLine)
        rows = len(line.text)
        return LineExtent(rows, 1 if rows > 2 else 0)


def line_of_height(number: int, rows: int) -> Line:
    return make_message(number, "x" * rows)


class ViewportMachine(RuleBasedStateMachine):
    """Random operations; the viewport must stay full, ordered and anchored."""

    @initialize(rows=st.lists(st.integers(1, 9), max_size=60), height=st.integers(1, 30))
    def initialize_view(self, rows: list[int], height: int) -> None:
        self.number = 1000
        self.lines = LineModel()
        self.view = self.lines.view
        self.view.height = height
        self.view.reset([line_of_height(number, count) for number, count in enumerate(rows)])
        self.view.update()

    def make_lines(self, rows: list[int]) -> tuple[Line, ...]:
        self.number += len(rows)
        return tuple(line_of_height(self.number + offset, count) for offset, count in enumerate(rows, -len(rows)))

    def rows_of(self, key: str) -> list[tuple[int, int]]:
        """Return pairs of viewport row and row within the line `key`."""
        return [
            (row, within)
            for row, (index, within) in enumerate(self.view.visible_rows)
            if self.view.lines[index].key == key
        ]

    @rule(fraction=st.floats(0, 1), removed=st.integers(0, 5), rows=st.lists(st.integers(1, 9), max_size=30))
    def splice(self, fraction: float, removed: int, rows: list[int]) -> None:
        view = self.view
        index = round(fraction * len(view.lines))
        removed = min(removed, len(view.lines) - index)
        was_following = view.is_following
        removed_keys = {line.key for line in view.lines[index : index + removed]}
        anchor = view.anchor
        anchor_key = view.lines[anchor.index].key if anchor is not None else None
        before = self.rows_of(anchor_key) if anchor_key is not None else []
        view.splice(Splice(index, removed, self.make_lines(rows)))
        view.update()
        if was_following:
            assert view.is_following
        elif anchor_key is not None and anchor_key not in removed_keys and not view.is_following:
            first = view.visible_rows[0]
            if first != (0, 0):  # at the top of the list no rows are left to fill the viewport
                assert self.rows_of(anchor_key) == before

    @rule(rows=st.integers(-60, 60))
    def scroll(self, rows: int) -> None:
        self.view.scroll_by(rows)
        self.view.update()

    @rule(row=st.integers(-3, 400))
    def jump(self, row: int) -> None:
        self.view.scroll_to(row)
        self.view.update()

    @rule(height=st.integers(1, 40))
    def resize(self, height: int) -> None:
        self.view.height = height
        self.view.update()

    @rule()
    def follow(self) -> None:
        self.view.is_following = True
        self.view.update()
        assert self.view.is_following

    @invariant()
    def viewport_is_full_and_in_order(self) -> None:
        view = self.view
        total = sum(len(line.text) for line in view.lines if isinstance(line, MessageLine))
        assert len(view.visible_rows) == min(view.height, total)
        for (index, row), (next_index, next_row) in zip(view.visible_rows, view.visible_rows[1:], strict=False):
            is_last_row = row == self.lines.extent(index).rows - 1
            assert (next_index, next_row) == ((index + 1, 0) if is_last_row else (index, row + 1))
        if view.lines:
            end = (len(view.lines) - 1, self.lines.extent(len(view.lines) - 1).rows - 1)
            assert view.is_following == (view.visible_rows[-1] == end)


TestViewport = ViewportMachine.TestCase


@given(st.integers(1, 50), st.integers(1, 500))
def test_scrolling_down_and_up_restores_the_view(height: int, rows: int):
    lines = LineModel()
    lines.view.height = height
    lines.view.reset([line_of_height(number, 1 + number % 5) for number in range(400)])
    lines.view.scroll_to(100)
    lines.view.update()
    before = list(lines.view.visible_rows)
    for step in (rows, -rows):
        lines.view.scroll_by(step)
        lines.view.update()
    assert lines.view.visible_rows == before


def test_the_number_of_measurements_is_bounded_in_a_long_timeline():
    lines = LineModel()
    lines.view.height = 50
    lines.view.reset([line_of_height(number, 3) for number in range(100_000)])
    lines.view.update()
    lines.view.scroll_by(-49)
    lines.view.update()
    lines.view.splice(Splice(0, 0, tuple(make_messages(200_001, 200_050))))
    lines.view.splice(Splice(50_000, 1, tuple(make_messages(200_051, 200_090))))
    lines.view.splice(Splice(len(lines.view.lines), 0, tuple(make_messages(200_091, 200_100))))
    lines.view.update()
    assert lines.measured < 300
