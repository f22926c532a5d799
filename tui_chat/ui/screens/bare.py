"""The bare view: nothing but what was said, for the terminal's own selection.

Rule 1  It is written to the terminal as running text, past Textual: a long line is wrapped
        by the terminal, which therefore selects and copies it, and an address in it, as one.
Rule 2  What is written has no control character but the ends of lines.
Rule 3  Nothing moves in it, and the mouse belongs to the terminal, until it is left.
"""

from contextlib import ExitStack
from typing import ClassVar

from textual.binding import BindingType
from textual.screen import Screen
from wcwidth import iter_graphemes

from tui_chat.session import setting_words
from tui_chat.session.language import tr
from tui_chat.ui import keys
from tui_chat.ui.settings_app import settings_app
from tui_chat.ui.widgets.timeline.clusters import render_cluster

LINES_MAX = 1000
"""Lines of a room that the bare view holds."""

_BEGIN = "\x1b[0m\x1b[H\x1b[2J\x1b[?7h"  # plain, from the top, wrapped by the terminal
_HINT = "\x1b[{row};1H\x1b[2m{hint}\x1b[0m"
_END = "\x1b[?7l"


class BareScreen(Screen[None]):
    """A picture of the shown room, page by page."""

    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings(keys.Place.BARE)]

    def __init__(self, text: str) -> None:
        """Make it.

        Args:
            text: What was said, as it is copied.
        """
        super().__init__()
        self._text = text
        self._below = 0  # rows that are below the view
        self._alone = ExitStack()

    def on_mount(self) -> None:
        """The mouse is the terminal's, and Textual draws nothing more until this is left."""
        settings_app(self).take_mouse(False)
        self._alone.enter_context(settings_app(self).batch_update())
        self.write()

    def on_unmount(self) -> None:
        """The mouse is as it was."""
        self._alone.close()
        app = settings_app(self)
        app.take_mouse(app.settings.mouse)

    def on_resize(self) -> None:
        """Written anew for the new width."""
        self.write()

    def action_page(self, by: int) -> None:
        """So many pages up."""
        self._below += by * (settings_app(self).size.height - 2)
        self.write()

    def action_close(self) -> None:
        """Back to the chat."""
        self.dismiss(None)

    def write(self) -> None:
        """Write the page to the terminal."""
        width, height = settings_app(self).size
        rows = [row for line in self._text.split("\n") for row in in_rows(line, width)]
        room = max(1, height - 1)
        self._below = max(0, min(self._below, len(rows) - room))
        last = len(rows) - self._below
        shown = "".join(row + ("\r\n" if ends else "") for row, ends in rows[max(0, last - room) : last])
        hint, _ = _fitting(tr(setting_words.COPY_MODE_HINT), width)
        settings_app(self).write(_BEGIN + shown.removesuffix("\r\n") + _HINT.format(row=height, hint=hint) + _END)


def in_rows(line: str, width: int) -> list[tuple[str, bool]]:
    """The rows a terminal makes of a line, and whether the line ends there."""
    rows: list[tuple[str, bool]] = []
    row, cells = "", 0
    for cluster in iter_graphemes(line):
        picture, wide = (" ", 1) if cluster == "\t" else render_cluster(cluster)
        if cells + wide > width and row:
            rows.append((row, False))
            row, cells = "", 0
        row, cells = row + picture, cells + wide
    return [*rows, (row, True)]


def _fitting(text: str, width: int) -> tuple[str, bool]:
    return in_rows(text, width)[0]
