"""Sizes and positions of images in cells."""

import pytest

from tui_chat.session.lines import LineImage
from tui_chat.ui.images.image_layout import ImageLimits, count_image_rows, layout_images
from tui_chat.ui.images.pictures import build_decode_request
from tui_chat.ui.terminal.graphics import CellSize, ImageProtocol

LIMITS = ImageLimits(12, CellSize(10, 20))


@pytest.mark.parametrize(
    ("width", "height", "columns", "rows"),
    [
        (16, 16, 2, 1),
        (100, 100, 10, 5),
        (101, 101, 11, 6),
        (800, 600, 32, 12),
        (10_000, 10, 60, 1),
        (1, 100_000, 1, 12),
        (100_000, 100_000, 24, 12),
        (600, 240, 60, 12),
    ],
)
def test_images_are_scaled_down_to_the_limits_and_never_up(width: int, height: int, columns: int, rows: int) -> None:
    (box,) = layout_images([LineImage("/a", width, height)], 60, LIMITS)
    assert (box.column, box.row, box.columns, box.rows) == (0, 0, columns, rows)


@pytest.mark.parametrize(
    ("protocol", "size", "content", "canvas"),
    [
        (ImageProtocol.KITTY, (480, 360), (320, 240), (320, 240)),
        (ImageProtocol.SIXEL, (235, 100), (240, 100), (240, 100)),
        (ImageProtocol.KITTY, (100, 30), (100, 30), (100, 40)),
        (ImageProtocol.BLOCKS, (480, 360), (32, 24), (32, 24)),
        (ImageProtocol.BLOCKS, (100, 30), (10, 3), (10, 4)),
        (ImageProtocol.BLOCKS, (10_000, 1), (60, 1), (60, 2)),
    ],
)
def test_pixels_fill_the_cells_if_the_aspect_ratio_is_nearly_preserved(
    protocol: ImageProtocol, size: tuple[int, int], content: tuple[int, int], canvas: tuple[int, int]
) -> None:
    (box,) = layout_images([LineImage("/a", *size)], 60, LIMITS)
    request = build_decode_request(box, 1, protocol, LIMITS.cell_size, (0, 0, 0))
    assert (request.width, request.height) == content
    assert (request.canvas_width, request.canvas_height) == canvas
    assert request.has_palette == (protocol is ImageProtocol.SIXEL)


def test_images_are_side_by_side_as_far_as_the_width_permits() -> None:
    images = [LineImage(f"/{number}", 200, height) for number, height in enumerate((100, 200, 40, 20))]
    boxes = layout_images(images, 45, LIMITS)
    assert [(box.column, box.row) for box in boxes] == [(0, 0), (21, 0), (0, 10), (21, 10)]
    assert count_image_rows(boxes) == 12
    assert [box.column for box in layout_images(images, 5, LIMITS)] == [0, 0, 0, 0]


def test_unavailable_images_take_no_space_and_a_limit_of_0_rows_hides_all_images() -> None:
    images = [LineImage("/a", 100, 100), LineImage("/b", 100, 100)]
    (box,) = layout_images(images, 45, ImageLimits(12, unavailable=frozenset({"/a"})))
    assert (box.image.path, box.column) == ("/b", 0)
    assert layout_images(images, 45, ImageLimits()) == ()
    assert count_image_rows(()) == 0
