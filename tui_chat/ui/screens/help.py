"""Keys and commands, from their two registries."""

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from tui_chat.session import commands, words
from tui_chat.ui import keys


class HelpScreen(ModalScreen[None]):
    """Over whatever is shown; Esc closes it."""

    CSS_PATH = "help.tcss"
    BINDINGS = keys.bindings(keys.Place.HELP)

    def compose(self) -> ComposeResult:
        """One page that scrolls."""
        with VerticalScroll(id="help"):
            yield Static(self._text(), markup=False)

    def on_mount(self) -> None:
        """Its frame says how to close it."""
        frame = self.query_one("#help")
        frame.border_title = Content(words.HELP_TITLE)
        frame.border_subtitle = Content(words.HELP_CLOSE)

    def _text(self) -> Content:
        sections = [(words.HELP_COMMANDS, [(command.usage, _with_aliases(command)) for command in commands.ALL])]
        for place in keys.Place:
            if place is not keys.Place.HELP:
                sections.append((place.value, [("  ".join(names), what) for names, what in keys.listed(place)]))
        width = max(cell_len(left) for _, rows in sections for left, _ in rows) + 3
        parts: list[Content | tuple[str, str]] = []
        for heading, rows in sections:
            parts.append((f"{heading}\n", "bold $primary"))
            for left, right in rows:
                parts += [(left + " " * (width - cell_len(left)), "$accent"), Content(right + "\n")]
            parts.append(Content("\n"))
        return Content.assemble(*parts[:-1])


def _with_aliases(command: commands.Command) -> str:
    return command.help + (f" (also {', '.join('/' + alias for alias in command.aliases)})" if command.aliases else "")
