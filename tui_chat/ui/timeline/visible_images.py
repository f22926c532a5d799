"""Images of the visible lines of a timeline."""

from collections.abc import Collection, Iterable, Sequence

from textual.geometry import Region
from textual.strip import Strip

from tui_chat.ui.images.image_layout import ImageBox
from tui_chat.ui.images.image_store import ImageStore
from tui_chat.ui.images.pictures import GraphicStrip, Picture, RowGraphic
from tui_chat.ui.terminal.graphics import ImageProtocol
from tui_chat.ui.timeline.virtual_list import VirtualList


class VisibleImages:
    """Loads and draws the images of the visible lines; without a store, only captions are shown."""

    def __init__(self, store: ImageStore | None, lines: VirtualList) -> None:
        self._store = store
        self._lines = lines
        self._has_graphics = False

    def find(self, box: ImageBox) -> Picture | None:
        """Return the picture of an image, None until the image is loaded, and without a store."""
        return self._store.get(box) if self._store is not None else None

    def apply_options(self) -> None:
        """Apply the options of the store to the layouts, and hide unavailable images. No effect without a store."""
        if self._store is not None:
            is_shown = self._store.options.protocol is not ImageProtocol.NONE
            self._lines.set_images(self._store.options.cell_size if is_shown else None, self._store.unavailable)

    def update(self) -> None:
        """Pass the images in view, possibly none, to the store, which loads them. No effect without a store."""
        if self._store is not None:
            boxes = list(self._find_boxes())
            has_graphics = self._store.options.protocol in {ImageProtocol.KITTY, ImageProtocol.SIXEL}
            self._has_graphics = has_graphics and bool(boxes)
            self._store.show(boxes)

    def find_regions(self, paths: Collection[str], width: int) -> list[Region]:
        """Return the rows of the view, with `width` cells, that contain a part of the images with these paths."""
        return [
            Region(0, y, width, 1)
            for y in range(self._lines.viewport.height)
            if (hit := self._lines.row_at(y)) is not None
            and any(box.image.path in paths for box, _ in self._boxes_at(*hit))
        ]

    def _find_boxes(self) -> Iterable[ImageBox]:
        """Return the images that are at least partly in view, each once, from top to bottom."""
        visible_rows = self._lines.viewport.visible_rows
        return dict.fromkeys(box for index, row in visible_rows for box, _ in self._boxes_at(index, row))

    def add_graphics(self, strips: Sequence[Strip], first_row: int) -> list[Strip]:
        """Return complete rows of the view, the first of which is `first_row`, with terminal graphics on top."""
        if not self._has_graphics:
            return list(strips)
        return [self._add_row_graphics(strip, y) for y, strip in enumerate(strips, first_row)]

    def _add_row_graphics(self, strip: Strip, y: int) -> Strip:
        """Return a row with the graphics of its images, unchanged without any."""
        if (hit := self._lines.row_at(y)) is None:
            return strip
        start = self._lines.geometry.text_start
        graphics = [
            RowGraphic(start + box.column, box.columns, picture.graphics[box_row])
            for box, box_row in self._boxes_at(*hit)
            if (picture := self.find(box)) is not None and picture.graphics
        ]
        return GraphicStrip(strip, graphics) if graphics else strip

    def _boxes_at(self, index: int, row: int) -> Iterable[tuple[ImageBox, int]]:
        """Yield the images in a row of a line, each with the row inside the image, from left to right."""
        layout = self._lines.layout(index)
        image_row = row - layout.image_start
        for box in layout.images:
            if box.row <= image_row < box.row + box.rows:
                yield box, image_row - box.row
