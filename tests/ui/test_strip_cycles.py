"""Garbage of rendered rows."""

import gc
from pathlib import Path

import pytest
from textual.strip import Strip

from tests.support.chat_app import chat_app_in_room
from tests.support.in_process_server import running_server
from tests.support.timeline_app import make_messages
from tui_chat.ui import gc_tuning
from tui_chat.ui.timeline.virtual_list import ScrollPosition

pytestmark = pytest.mark.usefixtures("all_frames")


def collect_strips() -> list[str]:
    """Collect all garbage and return the texts of the strips in it."""
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        gc.collect()
        return [item.text for item in gc.garbage if isinstance(item, Strip)]
    finally:
        gc.set_debug(0)
        gc.garbage.clear()


async def test_paging_leaves_no_strips_for_the_garbage_collector(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gc_tuning, "tune_thresholds", lambda: None)  # would exclude strips from collection
    async with running_server(tmp_path) as server, chat_app_in_room(tmp_path, server.url, "ann") as driver:
        driver.timeline.set_lines(make_messages(1, 500))
        await driver.press("pageup")
        existing_strips = [item for item in gc.get_objects() if isinstance(item, Strip)]  # also of earlier tests
        gc.disable()
        try:
            positions = set[ScrollPosition]()
            for key in ("pageup", "pageup", "pageup", "pagedown", "pageup", "pageup"):
                await driver.press(key)
                positions.add(driver.timeline.get_scroll_position())
            assert len(positions) == 4
            assert collect_strips() == []
        finally:
            gc.enable()
            existing_strips.clear()
