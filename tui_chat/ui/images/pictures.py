"""Pictures: images as half blocks or terminal graphics, row by row.

- Half blocks are segments, which Textual crops, filters and exports like other text.
- Terminal graphics are sequences on top of blank cells (`GraphicStrip`). A sequence draws one row, and is omitted if
  another widget covers a part of this row of the image.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.color import Color
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tui_chat.ui.images.image_layout import ImageBox
from tui_chat.ui.images.image_worker import DecodeRequest
from tui_chat.ui.images.sixel import encode_sixel_rows
from tui_chat.ui.terminal.escape_sequences import ESC
from tui_chat.ui.terminal.graphics import CellSize, ImageProtocol

_HALF_BLOCK = "▀"
_HALF_BLOCK_CELL = CellSize(1, 2)
_MIN_STRETCHED = 0.9


@dataclass(frozen=True, slots=True)
class Picture:
    """Rows of one image.

    Attributes:
        segments: Half blocks per row; empty for terminal graphics.
        graphics: Sequence per row that draws over blank cells and may move the cursor; empty for half blocks.
    """

    segments: tuple[tuple[Segment, ...], ...] = ()
    graphics: tuple[str, ...] = ()


def build_decode_request(
    box: ImageBox, file_bytes: int, protocol: ImageProtocol, cell_size: CellSize, background: tuple[int, int, int]
) -> DecodeRequest:
    """Return the request for the pixels of an image.

    An image that covers at least `_MIN_STRETCHED` of its width or height in cells is stretched to fill this dimension.
    Otherwise the aspect ratio is preserved. Half blocks have two pixels per cell.
    """
    pixels = _HALF_BLOCK_CELL if protocol is ImageProtocol.BLOCKS else cell_size
    image, box_width, box_height = box.image, box.columns * cell_size.width, box.rows * cell_size.height
    scale = min(1, box_width / image.width, box_height / image.height)
    canvas_width, canvas_height = box.columns * pixels.width, box.rows * pixels.height
    return DecodeRequest(
        file_bytes,
        _fill(canvas_width, image.width * scale / box_width),
        _fill(canvas_height, image.height * scale / box_height),
        canvas_width,
        canvas_height,
        background,
        has_palette=protocol is ImageProtocol.SIXEL,
    )


def _fill(canvas: int, share: float) -> int:
    """Return the pixels of the image for its share of a dimension; all pixels for at least `_MIN_STRETCHED`."""
    return canvas if share >= _MIN_STRETCHED else max(1, round(canvas * share))


def half_block_picture(rgb: bytes, columns: int) -> Picture:
    """Return the half blocks of an image with `columns` pixels per row, each with the colors of two pixels."""
    colors = [Color.from_rgb(*rgb[start : start + 3]) for start in range(0, len(rgb), 3)]
    lines = [colors[start : start + columns] for start in range(0, len(colors), columns)]
    return Picture(
        segments=tuple(_half_block_row(upper, lower) for upper, lower in zip(lines[::2], lines[1::2], strict=True))
    )


def _half_block_row(upper: Sequence[Color], lower: Sequence[Color]) -> tuple[Segment, ...]:
    """Return the segments of one row; adjacent cells of equal colors share a segment."""
    segments: list[Segment] = []
    previous: tuple[Color, Color] | None = None
    for colors in zip(upper, lower, strict=True):
        if colors == previous:
            text, style, _ = segments[-1]
            segments[-1] = Segment(text + _HALF_BLOCK, style)
        else:
            segments.append(Segment(_HALF_BLOCK, Style.from_color(*colors)))
        previous = colors
    return tuple(segments)


def sixel_picture(pixels: bytes, request: DecodeRequest, rows: int) -> Picture:
    """Return the Sixel graphics of an image from the response to a request with `has_palette`, one per text row."""
    count = request.canvas_width * request.canvas_height
    row_height = request.canvas_height // rows
    return Picture(graphics=encode_sixel_rows(pixels[:count], pixels[count:], request.canvas_width, row_height))


@dataclass(frozen=True, slots=True)
class RowGraphic:
    """Terminal graphics in one row.

    Attributes:
        column: First cell.
        columns: Width in cells.
        sequence: Sequence that draws the graphics from the position of the cursor.
    """

    column: int
    columns: int
    sequence: str


class GraphicStrip(Strip):
    """Strip with terminal graphics on top of its blank cells.

    Parts of the strip keep the graphics that they contain completely.
    """

    def __init__(self, strip: Strip, graphics: Sequence[RowGraphic]) -> None:
        super().__init__(list(strip), strip.cell_length)
        self._strip = strip
        self._graphics = graphics

    def divide(self, cuts: Iterable[int]) -> Sequence[Strip]:
        """Return the parts of the strip as `Strip.divide` does."""
        parts: list[Strip] = []
        start = 0
        for part in self._strip.divide(cuts):
            parts.append(self._with_graphics(part, start))
            start += part.cell_length
        return parts

    def crop(self, start: int, end: int | None = None) -> Strip:
        """Return a part of the strip as `Strip.crop` does."""
        return self._with_graphics(self._strip.crop(start, end), max(0, start))

    def render(self, console: Console) -> str:
        """Return the sequences of the text, then those of the graphics; the cursor ends after the text."""
        overlays = (
            f"{ESC}7{ESC}[{self.cell_length - graphic.column}D{graphic.sequence}{ESC}8" for graphic in self._graphics
        )
        return self._strip.render(console) + "".join(overlays)

    def _with_graphics(self, part: Strip, start: int) -> Strip:
        """Return a part of the strip from cell `start` on, with the graphics that are completely inside."""
        end = start + part.cell_length
        graphics = [
            RowGraphic(graphic.column - start, graphic.columns, graphic.sequence)
            for graphic in self._graphics
            if start <= graphic.column and graphic.column + graphic.columns <= end
        ]
        return GraphicStrip(part, graphics) if graphics else part
