"""Comparison of rendered scenes with the images in docs/screenshots.

After an intended change of the appearance, run `make screenshots` and review the images.
"""

import html
import re
from difflib import unified_diff

import pytest

from tools.screenshots import SCENES, ScreenshotScene, render_scene

SCREENSHOTS = [(scene, size) for scene in SCENES for size in scene.sizes]


def text_rows(svg: str) -> list[str]:
    """Return the text rows of an SVG screenshot, top to bottom."""
    pieces_by_row: dict[float, list[tuple[float, str]]] = {}
    for x, y, text in re.findall(r'<text class="[^"]*" x="([\d.]+)" y="([\d.]+)"[^>]*>(.*?)</text>', svg):
        pieces_by_row.setdefault(float(y), []).append((float(x), html.unescape(text).replace("\xa0", " ")))
    return ["".join(text for _, text in sorted(pieces)).rstrip() for _, pieces in sorted(pieces_by_row.items())]


@pytest.mark.parametrize(("scene", "size"), SCREENSHOTS, ids=[scene.path(size).stem for scene, size in SCREENSHOTS])
async def test_scenes_match_their_screenshots(scene: ScreenshotScene, size: tuple[int, int]) -> None:
    expected, rendered = scene.path(size).read_text(encoding="utf-8"), await render_scene(scene, size)
    difference = "\n".join(
        unified_diff(text_rows(expected), text_rows(rendered), "expected", "rendered", lineterm="", n=0)
    )
    assert not difference, f"run make screenshots\n{difference}"
    assert rendered == expected, "colors or positions differ: run make screenshots"


def test_every_screenshot_belongs_to_a_scene() -> None:
    folder = SCREENSHOTS[0][0].path(SCREENSHOTS[0][1]).parent
    assert {file.name for file in folder.iterdir()} == {scene.path(size).name for scene, size in SCREENSHOTS}
