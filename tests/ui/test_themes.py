"""Contrast of the themes, and the theme of the first screen."""

from pathlib import Path

import pytest
from rich.color import ColorSystem
from textual.color import Color
from textual.theme import Theme

from tests.support.chat_app import chat_app
from tui_chat.session.settings import schema as settings_schema
from tui_chat.ui import theme as themes

TEXT_COLORS = ("foreground", "text-muted", "primary", "accent", "error", "warning", "success")
BACKGROUND_COLORS = ("background", "surface", "panel", "message-cursor", "mention")

RGB_THEMES = [theme for theme in themes.THEMES_BY_NAME.values() if not theme.ansi]


def min_contrast(theme: Theme) -> float:
    """Return the least contrast ratio of a theme: AAA for `contrast`, AA for the others (WCAG 2.2)."""
    return 7.0 if theme is themes.THEMES_BY_NAME["contrast"] else 4.5


def backgrounds(theme: Theme) -> dict[str, Color]:
    """Return the background colors by variable name."""
    variables = theme.to_color_system().generate() | theme.variables
    return {background: Color.parse(variables[background]) for background in BACKGROUND_COLORS}


def color_pairs(theme: Theme) -> list[tuple[str, Color, Color]]:
    """Return the pairs of text and background color that occur on the screen, each after a label."""
    variables = theme.to_color_system().generate() | theme.variables
    text_pairs = [
        (f"{text} on {name}", Color.parse(variables[text]), background)
        for text in TEXT_COLORS
        for name, background in backgrounds(theme).items()
    ]
    widget_pairs = [
        ("block-cursor-foreground", "block-cursor-background"),
        ("input-selection-foreground", "input-selection-background"),
        ("screen-selection-foreground", "screen-selection-background"),
        ("button-color-foreground", "primary"),
    ]
    return text_pairs + [
        (
            f"{foreground_name} on {background_name}",
            Color.parse(variables[foreground_name]),
            Color.parse(variables[background_name]),
        )
        for foreground_name, background_name in widget_pairs
    ]


def test_the_theme_setting_lists_all_themes() -> None:
    assert settings_schema.fields()["theme"].choices == tuple(themes.THEMES_BY_NAME)


@pytest.mark.parametrize("theme", RGB_THEMES, ids=lambda theme: theme.name)
def test_every_text_color_has_enough_contrast_on_every_background(theme: Theme) -> None:
    for label, text, background in color_pairs(theme):
        ratio = themes.contrast_ratio(text, background)
        assert ratio >= min_contrast(theme), f"{label}: {ratio:.2f}"


@pytest.mark.parametrize("theme", RGB_THEMES, ids=lambda theme: theme.name)
def test_every_text_color_has_enough_contrast_in_256_colors(theme: Theme) -> None:
    def downgrade(color: Color) -> Color:
        palette_color = color.rich_color.downgrade(ColorSystem.EIGHT_BIT)
        return Color.from_rich_color(palette_color, ansi=False)

    for label, text, background in color_pairs(theme):
        ratio = themes.contrast_ratio(downgrade(text), downgrade(background))
        assert ratio >= 4.5, f"{label}: {ratio:.2f}"


@pytest.mark.parametrize("theme", RGB_THEMES, ids=lambda theme: theme.name)
def test_every_nickname_color_has_enough_contrast(theme: Theme) -> None:
    for shade in themes.DARK_NICK_COLORS if theme.dark else themes.LIGHT_NICK_COLORS:
        for background in backgrounds(theme).values():
            adjusted = themes.ensure_contrast(shade, background, min_contrast(theme))
            assert themes.contrast_ratio(Color.parse(adjusted), background) >= min_contrast(theme)


@pytest.mark.parametrize("setting", themes.THEMES_BY_NAME)
async def test_the_first_screen_uses_the_configured_theme(tmp_path: Path, setting: str) -> None:
    theme = themes.THEMES_BY_NAME[setting]
    async with chat_app(tmp_path, settings={"theme": setting}) as driver:
        assert driver.app.theme == theme.name
        assert driver.join_screen.styles.background == Color.parse(theme.background or "")
        assert driver.app.has_class("-dark-mode") is theme.dark
        assert driver.app.native_ansi_color is theme.ansi


@pytest.mark.parametrize(("name", "value"), [("TERM", "xterm"), ("TERM", "linux"), ("NO_COLOR", "1")])
async def test_the_terminal_theme_is_used_with_few_colors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.delenv("COLORTERM")
    monkeypatch.setenv(name, value)
    async with chat_app(tmp_path, settings={"theme": "light"}) as driver:
        assert driver.app.theme == themes.TERMINAL.name
        assert driver.app.settings.theme == "light"
