"""Sizes and positions of the images of a message in cells."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil

from tui_chat.session.lines import LineImage
from tui_chat.ui.terminal.graphics import DEFAULT_CELL_SIZE, CellSize

MAX_IMAGE_ROWS = 12
"""Maximum height of an image in rows."""

MAX_IMAGE_COLUMNS = 80
"""Maximum width of an image in cells."""


@dataclass(frozen=True, slots=True)
class ImageBox:
    """Area of an image.

    Attributes:
        image: Image of the message.
        column: Cells from the start of the text.
        row: Rows from the start of the images of the message.
        columns: Width in cells.
        rows: Height in rows.
    """

    image: LineImage
    column: int
    row: int
    columns: int
    rows: int


@dataclass(frozen=True, slots=True)
class ImageLimits:
    """Limits of the images of a timeline.

    Attributes:
        max_rows: Maximum height in rows; 0 hides all images.
        cell_size: Size of a cell.
        unavailable: Paths of images to hide.
    """

    max_rows: int = 0
    cell_size: CellSize = DEFAULT_CELL_SIZE
    unavailable: frozenset[str] = frozenset()


def layout_images(images: Iterable[LineImage], max_columns: int, limits: ImageLimits) -> tuple[ImageBox, ...]:
    """Return the areas of the images of a message, except hidden ones, in rows of `max_columns` cells.

    Adjacent images share a row if the width permits, with a gap of one cell. Images above the limits are scaled down;
    none is scaled up. An area has at least one cell.
    """
    boxes: list[ImageBox] = []
    column = row = next_row = 0
    for image in images:
        if limits.max_rows <= 0 or image.path in limits.unavailable:
            continue
        columns, rows = _fit(image, min(max_columns, MAX_IMAGE_COLUMNS), limits)
        if column + columns > max_columns:
            column, row = 0, next_row
        boxes.append(ImageBox(image, column, row, columns, rows))
        column += columns + 1
        next_row = max(next_row, row + rows)
    return tuple(boxes)


def count_image_rows(boxes: Iterable[ImageBox]) -> int:
    """Return the total height of the images of a message in rows."""
    return max((box.row + box.rows for box in boxes), default=0)


def _fit(image: LineImage, max_columns: int, limits: ImageLimits) -> tuple[int, int]:
    """Return the columns and rows of an image within the limits, with its aspect ratio, rounded up."""
    cell = limits.cell_size
    scale = min(1, max_columns * cell.width / image.width, limits.max_rows * cell.height / image.height)
    columns = ceil(image.width * scale / cell.width - 1e-6)
    rows = ceil(image.height * scale / cell.height - 1e-6)
    return max(1, min(columns, max_columns)), max(1, min(rows, limits.max_rows))
