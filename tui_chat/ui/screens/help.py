"""Keys and commands, from their two registries."""

from typing import ClassVar

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from tui_chat.session import commands, words
from tui_chat.session.language import tr
from tui_chat.ui import keys
from tui_chat.ui.settings_app import settings_app
from tui_chat.ui.widgets import members


class HelpText(Static):
    """Two columns, the right one wrapped under itself."""

    def render(self) -> Content:
        """The page, for the width there is."""
        sections = [(tr(words.HELP_COMMANDS), [(command.usage, _with_aliases(command)) for command in commands.ALL])]
        keymap = settings_app(self).keymap
        for place in keys.Place:
            if place is not keys.Place.HELP:
                sections.append(
                    (
                        tr(place.value),
                        [("  ".join(names), tr(key.help)) for names, key in keymap.listed(place) if key.help],
                    )
                )
        sections.append((tr(words.HELP_SIGNS), [(sign, tr(meaning)) for sign, meaning in members.SIGNS]))
        left_width = max(cell_len(left) for _, rows in sections for left, _ in rows) + 2
        right_width = max(20, self.content_region.width - left_width)
        parts: list[Content | tuple[str, str]] = []
        for heading, rows in sections:
            parts.append((f"{heading}\n", "bold $primary"))
            for left, right in rows:
                first, *rest = Content(right).wrap(right_width)
                parts += [(left + " " * (left_width - cell_len(left)), "$accent"), first, Content("\n")]
                for more in rest:
                    parts += [Content(" " * left_width), more, Content("\n")]
            parts.append(Content("\n"))
        return Content.assemble(*parts[:-1])


class HelpScreen(ModalScreen[None]):
    """Over whatever is shown; Esc closes it."""

    CSS_PATH = "help.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings(keys.Place.HELP)]

    def compose(self) -> ComposeResult:
        """One page that scrolls."""
        with VerticalScroll(id="help"):
            yield HelpText(markup=False)

    def on_mount(self) -> None:
        """Its frame says how to close it."""
        frame = self.query_one("#help")
        frame.border_title = Content(tr(words.HELP_TITLE))
        frame.border_subtitle = Content(tr(words.HELP_CLOSE))


def _with_aliases(command: commands.Command) -> str:
    return " · ".join((tr(command.help), *(f"/{alias}" for alias in command.aliases)))
