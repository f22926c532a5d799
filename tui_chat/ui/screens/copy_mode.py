"""Copy mode: plain transcript for the terminal's own text selection.

- Output: text bypasses Textual and wraps in the terminal. The terminal can therefore select a long line, or a URL in
  one, as a whole.
- Safety: the transcript contains no control characters other than line ends.
- Stability: new messages do not change the transcript, and mouse reporting is off while the screen is active.
"""

from contextlib import ExitStack

from textual.screen import Screen
from wcwidth import iter_graphemes

from tui_chat.ui.app_services import app_of, app_services
from tui_chat.ui.input.keys import KeyScope, textual_bindings
from tui_chat.ui.timeline.grapheme_cells import render_cluster

MAX_LINES = 1000
"""Maximum number of transcript lines."""

_PAGE_START = "\x1b[0m\x1b[H\x1b[2J\x1b[?7h"  # reset style, clear screen, enable auto-wrap
_HINT = "\x1b[{row};1H\x1b[2m{hint}\x1b[0m"
_PAGE_END = "\x1b[?7l"


class CopyModeScreen(Screen[None]):
    """Paged snapshot of a transcript."""

    BINDINGS = textual_bindings(KeyScope.COPY_MODE)

    def __init__(self, text: str) -> None:
        super().__init__()
        self._transcript_text = text
        self._rows_below = 0  # hidden rows below the page
        self._paused_updates = ExitStack()

    def on_screen_resume(self) -> None:
        """Disable mouse reporting, suspend Textual's drawing and write the page."""
        app_services(self).terminal.set_mouse_enabled(False)
        self._paused_updates.enter_context(app_of(self).batch_update())
        self.write_page()

    def on_screen_suspend(self) -> None:
        """Resume drawing and restore the mouse setting, at the end and below another screen, such as the help."""
        self._paused_updates.close()
        app_services(self).terminal.apply_settings()

    def on_resize(self) -> None:
        """Rewrap the transcript for the new size and output the page. No effect below another screen."""
        if self.is_active:
            self.write_page()

    def action_page(self, pages: int) -> None:
        """Scroll up by `pages` pages, down if negative."""
        self._rows_below += pages * max(1, app_of(self).size.height - 2)
        self.write_page()

    def write_page(self) -> None:
        """Write the page that ends `_rows_below` rows above the end, and a hint in the last row.

        `_rows_below` is clamped to the transcript.
        """
        width, height = app_of(self).size
        rows = [row for line in self._transcript_text.split("\n") for row in wrap_rows(line, width)]
        page_height = max(1, height - 1)
        self._rows_below = max(0, min(self._rows_below, len(rows) - page_height))
        end = len(rows) - self._rows_below
        page = "".join(row + ("\r\n" if ends_line else "") for row, ends_line in rows[max(0, end - page_height) : end])
        keymap = app_services(self).keymap
        page_keys = map(keymap.display_key, ("copy-mode-page-up", "copy-mode-page-down"))
        hint, _ = wrap_rows(keymap.close_hint("copy-mode-close", page_keys), width)[0]
        app_services(self).terminal.write(
            _PAGE_START + page.removesuffix("\r\n") + _HINT.format(row=height, hint=hint) + _PAGE_END
        )


def wrap_rows(line: str, width: int) -> list[tuple[str, bool]]:
    """Return the rows of a line in a terminal of `width` columns as (text, whether the row ends the line).

    An empty line has one empty row. A tab becomes one space, and other glyphs are those of `render_cluster`. A glyph
    wider than `width` is alone in its row.
    """
    rows: list[tuple[str, bool]] = []
    row, cells = "", 0
    for cluster in iter_graphemes(line):
        glyph, glyph_width = (" ", 1) if cluster == "\t" else render_cluster(cluster)
        if cells + glyph_width > width and row:
            rows.append((row, False))
            row, cells = "", 0
        row, cells = row + glyph, cells + glyph_width
    return [*rows, (row, True)]
