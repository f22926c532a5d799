"""Rows of images in the timeline."""

import asyncio

import pytest
from msgspec.structs import replace
from PIL import Image
from textual.geometry import Region

from tests.support.timeline_app import TimelineApp, make_append, make_message, make_messages
from tests.support.uploads import encode_image
from tests.support.wait import wait_until
from tui_chat.session.lines import DeletionState, LineImage, Splice
from tui_chat.ui.images.image_store import ImageOptions, ImageStore
from tui_chat.ui.terminal.graphics import ImageProtocol
from tui_chat.ui.timeline.widget import Timeline


class NoOutput:
    """Output to no terminal."""

    has_pending_output = False

    def write(self, sequence: str) -> None:
        """Reject an output, because half blocks are part of the rows."""
        raise AssertionError(sequence)


async def test_rows_of_images_are_reserved_before_the_load_drawn_alone_after_it_and_removed_after_a_failure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    is_released, content = asyncio.Event(), {"/good": encode_image(Image.new("RGB", (60, 40), "red")), "/bad": b"no"}

    async def read_file(image: LineImage) -> bytes:
        await is_released.wait()
        return content[image.path]

    def rows_below(text: str) -> list[str]:
        rows = [row.removesuffix("beside").strip() for row in app.rendered_rows()]
        return rows[next(number for number, row in enumerate(rows) if row.endswith(text)) + 1 :]

    store = ImageStore(read_file, NoOutput)
    messages = make_messages(1, 30)
    app = TimelineApp(messages, store)
    async with app.run_test(size=(90, 32)):
        timeline = app.timeline
        store.on_loaded = lambda paths: timeline.call_later(timeline.update_images, paths)
        store.on_changed = lambda: timeline.call_later(timeline.update_images)
        store.configure(ImageOptions(ImageProtocol.BLOCKS))
        timeline.update_images()
        good = replace(make_message(31, "good"), images=(LineImage("/good", 60, 40),))
        bad = replace(make_message(32, "bad"), images=(LineImage("/bad", 30, 100),))
        app.splice(make_append(timeline, good, bad, *make_messages(33, 60)))
        timeline.scroll_to_key("m31")
        assert rows_below("good")[:2] == ["…", ""]
        assert len(rows_below("bad")) - len(rows_below("message 33")) == 6
        rows_above = len(app.rendered_rows()) - len(rows_below("good"))
        drawn: list[Region] = []
        refresh = timeline.refresh

        def record_refresh(*regions: Region, **options: bool) -> Timeline:
            drawn.extend(regions)
            return refresh(*regions, **options)

        monkeypatch.setattr(timeline, "refresh", record_refresh)
        is_released.set()
        await wait_until(lambda: store.unavailable == frozenset({"/bad"}))
        await wait_until(lambda: len(rows_below("bad")) - len(rows_below("message 33")) == 1)
        await wait_until(lambda: rows_below("good")[:2] == ["▀" * 6, "▀" * 6])
        assert len(app.rendered_rows()) - len(rows_below("good")) == rows_above
        image_y = timeline.region.y + rows_above
        await wait_until(lambda: bool(drawn))
        assert [(region.y + timeline.region.y, region.height) for region in drawn] == [(image_y, 1), (image_y + 1, 1)]
        app.splice(Splice(30, 1, (replace(good, deletion=DeletionState.DELAYED),)))
        assert rows_below("restores it")[0].endswith("bad")
        app.splice(Splice(30, 1, (good,)))
        assert rows_below("good")[:2] == ["▀" * 6, "▀" * 6]
        store.configure(ImageOptions())
        timeline.update_images()
        assert rows_below("good")[0].endswith("bad")
        await store.close()
