"""Rendering and memory cost of long timelines, measured in operations and bytes."""

import gc
import tracemalloc
from collections.abc import Callable

import pytest
from textual.screen import UPDATE_PERIOD

from tests.support.timeline_app import TimelineApp, make_append, make_message, make_messages
from tui_chat.session.compressed_list import CompressedList
from tui_chat.session.lines import Line, Splice
from tui_chat.ui.timeline import virtual_list
from tui_chat.ui.timeline.layout import LineLayout
from tui_chat.ui.timeline.line_renderer import LineRenderer

LINE_COUNT = 100_000
ROWS = 50


class RenderCounter:
    """Number of line layouts and row renderings."""

    layout_count = 0
    row_count = 0

    def reset(self) -> None:
        """Restart at 0."""
        self.layout_count = self.row_count = 0


@pytest.fixture
def counter(monkeypatch: pytest.MonkeyPatch) -> RenderCounter:
    render_counter = RenderCounter()
    layout_line: Callable[..., LineLayout] = virtual_list.layout_line
    render_row = LineRenderer.render_row

    def counting_layout_line(*values: object) -> LineLayout:
        render_counter.layout_count += 1
        return layout_line(*values)

    def counting_render_row(self: LineRenderer, *values: object) -> object:
        render_counter.row_count += 1
        return render_row(self, *values)  # pyright: ignore[reportArgumentType]

    monkeypatch.setattr(virtual_list, "layout_line", counting_layout_line)
    monkeypatch.setattr(LineRenderer, "render_row", counting_render_row)
    return render_counter


@pytest.fixture(scope="module")
def many_lines() -> list[Line]:
    return [make_message(number, "a message of some words " * (1 + number % 6)) for number in range(LINE_COUNT)]


async def test_the_render_cost_depends_on_the_view_and_not_on_the_number_of_lines(
    counter: RenderCounter, many_lines: list[Line]
):
    app = TimelineApp(many_lines)
    async with app.run_test(size=(100, ROWS + 1)) as pilot:
        timeline = app.timeline

        async def assert_cost(max_layouts: int, max_rows: int) -> None:
            await pilot.pause(2 * UPDATE_PERIOD)  # a change of the scrollbar is drawn with the next frame
            assert counter.layout_count <= max_layouts
            assert counter.row_count <= max_rows
            counter.reset()

        # The scrollbar appears after the first paint, so each row can be rendered twice.
        await assert_cost(2 * ROWS + 2, 2 * ROWS)
        await pilot.press("pageup")
        await assert_cost(ROWS + 2, ROWS)
        await pilot.press("up")
        await assert_cost(2, 2)
        app.splice(Splice(0, 0, tuple(make_messages(200_000, 200_199))))
        await assert_cost(2, ROWS)
        app.splice(Splice(LINE_COUNT // 2, 1, tuple(make_messages(200_200, 200_400))))
        await assert_cost(2, ROWS)
        app.splice(make_append(timeline, make_message(200_500)))
        await assert_cost(2, 0)
        timeline.scroll_to_key(f"m{LINE_COUNT // 3}")
        await assert_cost(ROWS + 2, ROWS)
        await pilot.resize_terminal(60, ROWS + 1)
        await assert_cost(2 * ROWS + 2, 3 * ROWS)
        await pilot.press("home")
        await assert_cost(ROWS + 2, ROWS)


def live_layouts() -> list[LineLayout]:
    """Return all line layouts of the process after a garbage collection."""
    gc.collect()
    return [instance for instance in gc.get_objects() if isinstance(instance, LineLayout)]


async def test_the_layout_cache_is_bounded_during_scrolling(many_lines: list[Line]):
    earlier = live_layouts()  # layouts of earlier tests, which stay alive in this list
    app = TimelineApp(many_lines[:10_000])
    async with app.run_test(size=(100, ROWS + 1)) as pilot:
        for _ in range(300):
            app.timeline.action_page_up()
        await pilot.pause()
        assert ROWS < len(live_layouts()) - len(earlier) <= virtual_list.MAX_CACHED_LAYOUTS + 2 * ROWS


async def test_a_batch_of_splices_is_rendered_once(counter: RenderCounter):
    app = TimelineApp(make_messages(1, 100))
    async with app.run_test(size=(100, ROWS + 1)) as pilot:
        await pilot.pause()
        counter.reset()
        app.timeline.splice_many([Splice(100 + number, 0, (make_message(101 + number),)) for number in range(5_000)])
        await pilot.pause()
        assert app.rendered_rows()[-1].endswith("message 5100")
        assert counter.layout_count <= ROWS + 2


def test_a_compressed_line_takes_less_than_100_bytes(many_lines: list[Line]):
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        lines = CompressedList(many_lines[:20_000])
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # Bytes per line. An uncompressed line takes 136 plus the size of its texts.
    assert (after - before) / len(lines) < 100
    assert lines[5] == many_lines[5]
