"""Color themes of the app.

- Contrast: text has a ratio of at least 4.5 on its background, at least 7 in the high-contrast theme (WCAG 2.2,
  criteria 1.4.3 and 1.4.6).
- Terminal palette: `terminal` uses only the 16 ANSI colors and the default background, and has no measurable contrast.
  Cursors are reversed or bold, and selected text is black on cyan. The theme is the fallback for terminals with at most
  16 colors.
- Nicknames: the color is a function of the case-folded nickname and the palette.
- Accessibility: color is never the only sign of a state.
- `NO_COLOR` (https://no-color.org): no color sequence reaches the terminal. Text with a background color, such as a
  selection, is shown in reverse video instead. Bold, underline, italic and hyperlinks are preserved.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any
from zlib import crc32

from rich.segment import Segment
from rich.style import Style
from textual.app import App
from textual.color import BLACK, WHITE, Color
from textual.filter import LineFilter
from textual.theme import Theme
from textual.widget import Widget

from tui_chat.ui.app_services import app_of

MIN_CONTRAST = 4.5

DARK_NICK_COLORS = (
    "#ff8f8f", "#f5a26b", "#e0b34f", "#b9c356", "#86cf72", "#5ed3a3",
    "#56cfd1", "#6fc1f7", "#97b2ff", "#bda4ff", "#e394f2", "#ff8cc3",
)  # fmt: skip
LIGHT_NICK_COLORS = (
    "#b3261e", "#a34100", "#855800", "#5f6600", "#2f7013", "#00704a",
    "#006e70", "#00669e", "#3557c4", "#6a45c2", "#8f34a3", "#ad2169",
)  # fmt: skip
ANSI_NICK_COLORS = ("red", "green", "yellow", "blue", "magenta", "cyan")


def _make_theme(
    name: str,
    *,
    dark: bool,
    backgrounds: tuple[str, str, str],
    text: str,
    muted: str,
    primary: str,
    accent: str,
    success: str,
    error: str,
    rule: str,
    rule_strong: str,
    message_cursor: str,
    mention: str,
    row_cursor: tuple[str, str],
    selection: tuple[str, str],
    min_contrast: float = MIN_CONTRAST,
) -> Theme:
    """Return a Textual theme derived from a small palette.

    Args:
        name: Theme name without the `chat-` prefix.
        dark: Light text on a dark background.
        backgrounds: Background colors of timeline, side panes and bars.
        text: Message text.
        muted: Secondary text.
        primary: Titles, room names and keys.
        accent: Mentions and warnings.
        success: Success states.
        error: Error states.
        rule: Separators and idle scrollbars.
        rule_strong: Scrollbars under the mouse.
        message_cursor: Background of the message under the cursor, almost gray so that 256 colors can represent it.
        mention: Background of messages that mention the user.
        row_cursor: Text and background of the highlighted row.
        selection: Text and background of selected text.
        min_contrast: Minimum contrast ratio of nicknames.
    """
    background, surface, panel = backgrounds
    return Theme(
        name=f"chat-{name}",
        dark=dark,
        background=background,
        surface=surface,
        panel=panel,
        foreground=text,
        primary=primary,
        secondary=success,
        accent=accent,
        success=success,
        warning=accent,
        error=error,
        variables={
            "text-muted": muted,
            "text-disabled": muted,
            "text-primary": primary,
            "text-accent": accent,
            "text-error": error,
            "text-warning": accent,
            "text-success": success,
            "border": primary,
            "border-blurred": rule,
            "rule": rule,
            "input-cursor-background": text,
            "input-cursor-foreground": background,
            "input-selection-foreground": selection[0],
            "input-selection-background": selection[1],
            "screen-selection-foreground": selection[0],
            "screen-selection-background": selection[1],
            "block-cursor-foreground": row_cursor[0],
            "block-cursor-background": row_cursor[1],
            "block-cursor-text-style": "bold",
            "block-cursor-blurred-foreground": row_cursor[0],
            "block-cursor-blurred-background": row_cursor[1],
            "block-cursor-blurred-text-style": "bold",
            "button-color-foreground": background,
            "scrollbar": rule,
            "scrollbar-hover": rule_strong,
            "scrollbar-active": primary,
            "scrollbar-background": background,
            "scrollbar-background-hover": background,
            "scrollbar-background-active": background,
            "message-cursor": message_cursor,
            "mention": mention,
            "min-contrast": str(min_contrast),
        },
    )


TERMINAL = Theme(
    name="chat-terminal",
    ansi=True,
    dark=True,
    background="ansi_default",
    surface="ansi_default",
    panel="ansi_default",
    boost="ansi_default",
    foreground="ansi_default",
    primary="ansi_blue",
    secondary="ansi_cyan",
    accent="ansi_magenta",
    success="ansi_green",
    warning="ansi_magenta",
    error="ansi_red",
    variables={
        "surface": "ansi_default",
        "panel": "ansi_default",
        "border": "ansi_blue",
        "border-blurred": "ansi_default",
        "rule": "ansi_default",
        "input-cursor-background": "ansi_default",
        "input-cursor-foreground": "ansi_default",
        "input-cursor-text-style": "reverse",
        "input-selection-background": "ansi_cyan",
        "input-selection-foreground": "ansi_black",
        "screen-selection-background": "ansi_cyan",
        "screen-selection-foreground": "ansi_black",
        "block-cursor-background": "ansi_default",
        "block-cursor-foreground": "ansi_default",
        "block-cursor-text-style": "bold reverse",
        "block-cursor-blurred-background": "ansi_default",
        "block-cursor-blurred-foreground": "ansi_default",
        "block-cursor-blurred-text-style": "bold reverse",
        "button-color-foreground": "ansi_default",
        "scrollbar": "ansi_bright_black",
        "scrollbar-hover": "ansi_bright_black",
        "scrollbar-active": "ansi_blue",
        "scrollbar-background": "ansi_default",
        "scrollbar-background-hover": "ansi_default",
        "scrollbar-background-active": "ansi_default",
        "ansi-background": "ansi_default",
        "ansi-foreground": "ansi_default",
        "message-cursor": "ansi_default",
        "mention": "ansi_default",
        "min-contrast": "0",
    },
)

THEMES_BY_NAME: Mapping[str, Theme] = {
    theme.name.removeprefix("chat-"): theme
    for theme in (
        _make_theme(
            "dark",
            dark=True,
            backgrounds=("#12161b", "#181d24", "#1e252e"),
            text="#d5dce5",
            muted="#97a4b3",
            primary="#7fb0f0",
            accent="#e5b567",
            success="#8cc98f",
            error="#f28b82",
            rule="#2b3440",
            rule_strong="#3a4655",
            message_cursor="#2c2f35",
            mention="#2b2721",
            row_cursor=("#eef2f6", "#2a3a4d"),
            selection=("#eef2f6", "#33506f"),
        ),
        _make_theme(
            "light",
            dark=False,
            backgrounds=("#fbfbf9", "#f3f3ef", "#eaeae5"),
            text="#22272e",
            muted="#525c67",
            primary="#1f5fa8",
            accent="#855000",
            success="#2c6e3a",
            error="#b3261e",
            rule="#d3d3cc",
            rule_strong="#b9b9b0",
            message_cursor="#e9e9e9",
            mention="#f3efe4",
            row_cursor=("#22272e", "#dbe6f3"),
            selection=("#22272e", "#bcd3ee"),
        ),
        _make_theme(
            "contrast",
            dark=True,
            backgrounds=("#000000", "#000000", "#101010"),
            text="#ffffff",
            muted="#cfcfcf",
            primary="#8ecbff",
            accent="#ffd84d",
            success="#8ff0a4",
            error="#ffa8a0",
            rule="#8a8a8a",
            rule_strong="#ffffff",
            message_cursor="#303030",
            mention="#2a2620",
            row_cursor=("#000000", "#ffd84d"),
            selection=("#000000", "#8ecbff"),
            min_contrast=7.0,
        ),
        _make_theme(
            "warm",
            dark=True,
            backgrounds=("#1d1a17", "#24201c", "#2c2722"),
            text="#e6dac6",
            muted="#b0a38f",
            primary="#e0a878",
            accent="#e7c15c",
            success="#a8bd7a",
            error="#ee8f7b",
            rule="#40382f",
            rule_strong="#5a4f43",
            message_cursor="#363330",
            mention="#312c26",
            row_cursor=("#f5ecdc", "#4a3c2d"),
            selection=("#f5ecdc", "#6b5236"),
        ),
        TERMINAL,
    )
}
"""Themes by their name in the `theme` setting and in `/theme`."""


def install_themes(app: App[Any], initial: Theme) -> None:
    """Register all themes, and set the initial one before the first stylesheet is built.

    A change of the theme on mount would build the stylesheet twice.
    """
    for theme in THEMES_BY_NAME.values():
        app.register_theme(theme)
    app.set_reactive(App.theme, initial.name)
    app.set_reactive(App.ansi_color, initial.ansi)
    app._watch_ansi_color(initial.ansi)  # pyright: ignore[reportPrivateUsage]
    app.stylesheet.set_variables(app.get_css_variables())
    app.set_class(initial.dark, "-dark-mode", update=False)
    app.set_class(not initial.dark, "-light-mode", update=False)


def effective_theme(name: str, few_colors: bool) -> Theme:
    """Return the theme called `name`, or `TERMINAL` for any name if the terminal has few colors.

    Raises:
        KeyError: The theme is unknown.
    """
    return TERMINAL if few_colors else THEMES_BY_NAME[name]


def has_few_colors(app: App[Any]) -> bool:
    """Return whether the terminal has at most 16 colors, or `NO_COLOR` is set."""
    return app.no_color or app.console.color_system in {None, "standard", "windows"}


def nick_color(nick: str, colors: Sequence[str]) -> str:
    """Return the entry of `colors` for a nickname, case-insensitively."""
    return colors[crc32(nick.casefold().encode("utf-8", "replace")) % len(colors)]


def contrast_ratio(first: Color, second: Color) -> float:
    """Return the WCAG 2.2 contrast ratio of two opaque colors, in the range 1 to 21."""
    darker_luminance, lighter_luminance = sorted((_relative_luminance(first), _relative_luminance(second)))
    return (lighter_luminance + 0.05) / (darker_luminance + 0.05)


def ensure_contrast(hex_color: str, background: Color, min_contrast: float = MIN_CONTRAST) -> str:
    """Blend a color towards black or white in steps of 5 %, no further than `min_contrast` requires.

    The direction is the one with the higher contrast to the opaque `background`. Colors have the form `#rrggbb`. The
    result is black or white if no blend reaches the ratio.
    """
    color = Color.parse(hex_color)
    extreme = max(WHITE, BLACK, key=lambda candidate: contrast_ratio(candidate, background))
    blends = (color.blend(extreme, step / 20) for step in range(21))
    return next((blend for blend in blends if contrast_ratio(blend, background) >= min_contrast), extreme).hex6


def _relative_luminance(color: Color) -> float:
    """Return the WCAG 2.2 relative luminance of a color, in the range 0 to 1."""
    red, green, blue = (
        channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4 for channel in color.normalized
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def nick_palette(app: App[Any], background: Color) -> Sequence[str]:
    """Return the nickname colors, adjusted to the contrast of the theme on `background`.

    The theme `TERMINAL` and a terminal with few colors have `ANSI_NICK_COLORS`.
    """
    theme = app.current_theme
    if theme.ansi or has_few_colors(app):
        return ANSI_NICK_COLORS
    min_contrast = float(theme.variables.get("min-contrast", MIN_CONTRAST))
    return [
        ensure_contrast(color, background, min_contrast)
        for color in (DARK_NICK_COLORS if theme.dark else LIGHT_NICK_COLORS)
    ]


def nick_style(widget: Widget, nick: str) -> Style:
    """Return the style of a nickname on the background of `widget`: its color in `nick_palette`."""
    return Style(color=nick_color(nick, nick_palette(app_of(widget), widget.background_colors[1])))


class NoColorFilter(LineFilter):
    """Line filter that removes all colors; text with a background color becomes reverse video."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Return copies of the segments without colors."""
        return [
            Segment(text, None if style is None else _strip_color(style), control) for text, style, control in segments
        ]


NO_COLOR_FILTERS: Sequence[LineFilter] = (NoColorFilter(),)


@lru_cache(4096)
def _strip_color(style: Style) -> Style:
    """Return a style without colors, in reverse video if the background had a color other than the default."""
    colorless = style.without_color
    if style.link:
        # Rich assigns a new link id to each copy, which would split a wrapped hyperlink into several.
        colorless._link_id = style._link_id  # pyright: ignore[reportPrivateUsage]
    has_background = style.bgcolor is not None and not style.bgcolor.is_default
    return colorless + Style(reverse=True) if has_background and not style.reverse else colorless
