from pathlib import Path

import pytest
from textual.color import Color
from textual.theme import Theme

from tests.support.chat_app import chat_app
from tui_chat.session.remembered import Remembered
from tui_chat.ui import themes
from tui_chat.ui.widgets.timeline.palette import contrast

TEXTS = ("foreground", "text-muted", "primary", "accent", "error", "warning", "success")
GROUNDS = ("background", "surface", "panel")


@pytest.mark.parametrize("theme", themes.ALL, ids=lambda theme: theme.name)
def test_every_text_can_be_read_on_every_ground(theme: Theme) -> None:
    variables = theme.to_color_system().generate()
    pairs = [(text, ground) for text in TEXTS for ground in GROUNDS]
    pairs += [
        ("block-cursor-foreground", "block-cursor-background"),
        ("input-selection-foreground", "input-selection-background"),
        ("button-color-foreground", "primary"),
    ]
    for text, ground in pairs:
        ratio = contrast(Color.parse(variables[text]), Color.parse(variables[ground]))
        assert ratio >= 4.5, f"{text} on {ground}: {ratio:.2f}"


async def test_a_remembered_theme_is_taken_at_the_start(tmp_path: Path) -> None:
    async with chat_app(tmp_path, kept=Remembered(theme="light")) as person:
        assert person.app.theme == "chat-light"
    async with chat_app(tmp_path, kept=Remembered(theme="gone")) as person:
        assert person.app.theme == "chat-dark"
