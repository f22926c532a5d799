from pathlib import Path

import pytest
from rich.color import ColorSystem
from textual.color import Color
from textual.theme import Theme

from tests.support.chat_app import chat_app
from tui_chat.session.settings import schema as settings_schema
from tui_chat.ui import theme as themes
from tui_chat.ui.timeline import nick_colors
from tui_chat.ui.timeline.nick_colors import contrast_ratio

TEXTS = ("foreground", "text-muted", "primary", "accent", "error", "warning", "success")
GROUNDS = ("background", "surface", "panel", "message-cursor", "mention")

MEASURED = [theme for theme in themes.THEMES_BY_NAME.values() if not theme.ansi]


def least(theme: Theme) -> float:
    return 7.0 if theme is themes.HIGH_CONTRAST else 4.5


def grounds(theme: Theme) -> dict[str, Color]:
    variables = theme.to_color_system().generate() | theme.variables
    return {ground: Color.parse(variables[ground]) for ground in GROUNDS}


def pairs(theme: Theme) -> list[tuple[str, Color, Color]]:
    variables = theme.to_color_system().generate() | theme.variables
    over = [
        (f"{text} on {name}", Color.parse(variables[text]), ground)
        for text in TEXTS
        for name, ground in grounds(theme).items()
    ]
    chosen = [
        ("block-cursor-foreground", "block-cursor-background"),
        ("input-selection-foreground", "input-selection-background"),
        ("screen-selection-foreground", "screen-selection-background"),
        ("button-color-foreground", "primary"),
    ]
    return over + [
        (f"{one} on {other}", Color.parse(variables[one]), Color.parse(variables[other])) for one, other in chosen
    ]


def test_the_setting_and_the_themes_have_the_same_words() -> None:
    assert settings_schema.fields()["theme"].choices == tuple(themes.THEMES_BY_NAME)


@pytest.mark.parametrize("theme", MEASURED, ids=lambda theme: theme.name)
def test_every_text_can_be_read_on_every_ground(theme: Theme) -> None:
    for what, text, ground in pairs(theme):
        ratio = contrast_ratio(text, ground)
        assert ratio >= least(theme), f"{what}: {ratio:.2f}"


@pytest.mark.parametrize("theme", MEASURED, ids=lambda theme: theme.name)
def test_every_text_can_still_be_read_in_256_colors(theme: Theme) -> None:
    def nearest(color: Color) -> Color:
        shown = color.rich_color.downgrade(ColorSystem.EIGHT_BIT)
        return Color.from_rich_color(shown, ansi=False)

    for what, text, ground in pairs(theme):
        ratio = contrast_ratio(nearest(text), nearest(ground))
        assert ratio >= 4.5, f"{what}: {ratio:.2f}"


@pytest.mark.parametrize("theme", MEASURED, ids=lambda theme: theme.name)
def test_every_nickname_can_be_read(theme: Theme) -> None:
    for shade in nick_colors.DARK_THEME_COLORS if theme.dark else nick_colors.LIGHT_THEME_COLORS:
        for ground in grounds(theme).values():
            read = nick_colors.ensure_contrast(shade, ground, least(theme))
            assert contrast_ratio(Color.parse(read), ground) >= least(theme)


@pytest.mark.parametrize("word", themes.THEMES_BY_NAME)
async def test_the_theme_that_is_set_is_what_the_first_screen_is_drawn_in(tmp_path: Path, word: str) -> None:
    theme = themes.THEMES_BY_NAME[word]
    async with chat_app(tmp_path, settings={"theme": word}) as person:
        assert person.app.theme == theme.name
        assert person.join_screen.styles.background == Color.parse(theme.background or "")
        assert person.app.has_class("-dark-mode") is theme.dark
        assert person.app.native_ansi_color is theme.ansi


@pytest.mark.parametrize(("name", "value"), [("TERM", "xterm"), ("TERM", "linux"), ("NO_COLOR", "1")])
async def test_where_there_are_few_colors_the_terminals_own_are_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.delenv("COLORTERM")
    monkeypatch.setenv(name, value)
    async with chat_app(tmp_path, settings={"theme": "light"}) as person:
        assert person.app.theme == themes.TERMINAL.name
        assert person.app.settings.theme == "light"
