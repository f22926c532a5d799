"""What it costs to have 100,000 lines: counted in work done, not in seconds."""

import gc
import tracemalloc
from collections.abc import Callable

import pytest

from tests.support.timeline_app import TimelineApp, make_append, make_message, make_messages
from tui_chat.session.compressed_list import CompressedList
from tui_chat.session.lines import Line, Splice
from tui_chat.ui.timeline import layout_cache
from tui_chat.ui.timeline.layout import LineLayout
from tui_chat.ui.timeline.line_renderer import LineRenderer

MANY = 100_000
ROWS = 50


class Count:
    """How often lines were laid out and rows drawn."""

    laid_out = 0
    drawn = 0

    def reset(self) -> None:
        self.laid_out = self.drawn = 0


@pytest.fixture
def count(monkeypatch: pytest.MonkeyPatch) -> Count:
    counted = Count()
    lay_out: Callable[..., LineLayout] = layout_cache.layout_line
    paint = LineRenderer.render_row

    def counting_lay_out(*values: object) -> LineLayout:
        counted.laid_out += 1
        return lay_out(*values)

    def counting_paint(self: LineRenderer, *values: object) -> object:
        counted.drawn += 1
        return paint(self, *values)  # pyright: ignore[reportArgumentType]

    monkeypatch.setattr(layout_cache, "layout_line", counting_lay_out)
    monkeypatch.setattr(LineRenderer, "render_row", counting_paint)
    return counted


@pytest.fixture(scope="module")
def many() -> list[Line]:
    return [make_message(number, "a message of some words " * (1 + number % 6)) for number in range(MANY)]


async def test_work_follows_the_view_and_not_the_length_of_the_list(count: Count, many: list[Line]):
    app = TimelineApp(many)
    async with app.run_test(size=(100, ROWS + 1)) as pilot:
        timeline = app.timeline

        async def costs(laid_out: int, drawn: int) -> None:
            await pilot.pause()
            assert count.laid_out <= laid_out
            assert count.drawn <= drawn
            count.reset()

        # A row is drawn at most twice: a first paint may be followed by one with the scrollbar in its place.
        await costs(2 * ROWS + 2, 2 * ROWS)
        await pilot.press("pageup")
        await costs(ROWS + 2, ROWS)
        await pilot.press("up")
        await costs(2, 2)
        timeline.splice(Splice(0, 0, tuple(make_messages(200_000, 200_199))))
        await costs(2, ROWS)
        timeline.splice(Splice(MANY // 2, 1, tuple(make_messages(200_200, 200_400))))
        await costs(2, ROWS)
        timeline.splice(make_append(timeline, make_message(200_500)))
        await costs(2, 0)
        timeline.scroll_to_key(f"m{MANY // 3}")
        await costs(ROWS + 2, ROWS)
        await pilot.resize_terminal(60, ROWS + 1)
        await costs(2 * ROWS + 2, 3 * ROWS)
        await pilot.press("home")
        await costs(ROWS + 2, ROWS)


def layouts_alive() -> int:
    gc.collect()
    return sum(isinstance(thing, LineLayout) for thing in gc.get_objects())


async def test_what_is_kept_of_a_long_journey_is_bounded(many: list[Line]):
    before = layouts_alive()  # of programs that other tests have left
    app = TimelineApp(many[:10_000])
    async with app.run_test(size=(100, ROWS + 1)) as pilot:
        for _ in range(300):
            app.timeline.action_page_up()
        await pilot.pause()
        assert ROWS < layouts_alive() - before <= layout_cache.MAX_CACHED_LAYOUTS + 2 * ROWS


async def test_a_flood_in_one_batch_draws_once(count: Count):
    app = TimelineApp(make_messages(1, 100))
    async with app.run_test(size=(100, ROWS + 1)) as pilot:
        await pilot.pause()
        count.reset()
        app.timeline.splice_many([Splice(100 + number, 0, (make_message(101 + number),)) for number in range(5_000)])
        await pilot.pause()
        assert app.rendered_rows()[-1].endswith("message 5100")
        assert count.laid_out <= ROWS + 2


def test_what_nobody_looks_at_takes_little_memory(many: list[Line]):
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        lines = CompressedList(many[:20_000])
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (after - before) / len(lines) < 100  # bytes a line, where an object is 136 and its texts come to that
    assert lines[5] == many[5]
