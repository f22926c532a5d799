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


@pytest.mark.parametrize(("kept", "theme"), [("light", themes.LIGHT), ("dark", themes.DARK), ("gone", themes.DARK)])
async def test_a_remembered_theme_is_what_the_first_screen_is_drawn_in(tmp_path: Path, kept: str, theme: Theme) -> None:
    async with chat_app(tmp_path, kept=Remembered(theme=kept)) as person:
        assert person.app.theme == theme.name
        assert person.form.styles.background.hex.lower() == theme.background
        assert person.app.has_class("-dark-mode") is theme.dark
