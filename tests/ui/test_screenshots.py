"""The pictures in docs/screenshots are what the program draws: one that differs says which rows.

When a change of looks is meant: `make screenshots`, and look at them.
"""

import html
import re
from difflib import unified_diff

import pytest

from tools.screenshots import SCENES, ScreenshotScene, render_scene

PICTURES = [(scene, size) for scene in SCENES for size in scene.sizes]


def rows(svg: str) -> list[str]:
    """The rows of text in a picture, each with its pieces as they stand."""
    found: dict[float, list[tuple[float, str]]] = {}
    for x, y, text in re.findall(r'<text class="[^"]*" x="([\d.]+)" y="([\d.]+)"[^>]*>(.*?)</text>', svg):
        found.setdefault(float(y), []).append((float(x), html.unescape(text).replace("\xa0", " ")))
    return ["".join(text for _, text in sorted(pieces)).rstrip() for _, pieces in sorted(found.items())]


@pytest.mark.parametrize(("scene", "size"), PICTURES, ids=[scene.path(size).stem for scene, size in PICTURES])
async def test_the_program_looks_as_in_its_picture(scene: ScreenshotScene, size: tuple[int, int]) -> None:
    kept, drawn = scene.path(size).read_text(encoding="utf-8"), await render_scene(scene, size)
    difference = "\n".join(unified_diff(rows(kept), rows(drawn), "kept", "drawn", lineterm="", n=0))
    assert not difference, f"make screenshots\n{difference}"
    assert drawn == kept, "make screenshots: the text is the same, its colours or places are not"


def test_no_picture_is_left_over() -> None:
    folder = PICTURES[0][0].path(PICTURES[0][1]).parent
    assert {file.name for file in folder.iterdir()} == {scene.path(size).name for scene, size in PICTURES}
