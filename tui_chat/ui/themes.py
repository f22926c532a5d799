"""A dark and a light theme: quiet surfaces, one accent, every text readable (contrast 4.5 and more)."""

from rich.style import Style
from textual.theme import Theme
from textual.widget import Widget

from tui_chat.ui.app_of import app_of
from tui_chat.ui.widgets.timeline import palette

DARK = Theme(
    name="chat-dark",
    dark=True,
    background="#12161b",
    surface="#181d24",
    panel="#1e252e",
    foreground="#d5dce5",
    primary="#7fb0f0",
    secondary="#8fb8a8",
    accent="#e5b567",
    success="#8cc98f",
    warning="#e5b567",
    error="#f28b82",
    variables={
        "text-muted": "#8b98a8",
        "text-disabled": "#8b98a8",
        "text-primary": "#7fb0f0",
        "text-accent": "#e5b567",
        "text-error": "#f28b82",
        "text-warning": "#e5b567",
        "text-success": "#8cc98f",
        "border": "#7fb0f0",
        "border-blurred": "#2b3440",
        "rule": "#2b3440",
        "input-cursor-background": "#d5dce5",
        "input-cursor-foreground": "#12161b",
        "input-selection-background": "#33506f",
        "input-selection-foreground": "#eef2f6",
        "block-cursor-background": "#2a3a4d",
        "block-cursor-foreground": "#eef2f6",
        "block-cursor-text-style": "none",
        "button-color-foreground": "#12161b",
        "scrollbar": "#2b3440",
        "scrollbar-hover": "#3a4655",
        "scrollbar-active": "#7fb0f0",
        "scrollbar-background": "#12161b",
        "scrollbar-background-hover": "#12161b",
        "scrollbar-background-active": "#12161b",
    },
)

LIGHT = Theme(
    name="chat-light",
    dark=False,
    background="#fbfbf9",
    surface="#f3f3ef",
    panel="#eaeae5",
    foreground="#22272e",
    primary="#1f5fa8",
    secondary="#2f6f5e",
    accent="#8a5300",
    success="#2c6e3a",
    warning="#8a5300",
    error="#b3261e",
    variables={
        "text-muted": "#59636e",
        "text-disabled": "#59636e",
        "text-primary": "#1f5fa8",
        "text-accent": "#8a5300",
        "text-error": "#b3261e",
        "text-warning": "#8a5300",
        "text-success": "#2c6e3a",
        "border": "#1f5fa8",
        "border-blurred": "#d3d3cc",
        "rule": "#d3d3cc",
        "input-cursor-background": "#22272e",
        "input-cursor-foreground": "#fbfbf9",
        "input-selection-background": "#bcd3ee",
        "input-selection-foreground": "#22272e",
        "block-cursor-background": "#dbe6f3",
        "block-cursor-foreground": "#22272e",
        "block-cursor-text-style": "none",
        "button-color-foreground": "#fbfbf9",
        "scrollbar": "#d3d3cc",
        "scrollbar-hover": "#b9b9b0",
        "scrollbar-active": "#1f5fa8",
        "scrollbar-background": "#fbfbf9",
        "scrollbar-background-hover": "#fbfbf9",
        "scrollbar-background-active": "#fbfbf9",
    },
)

ALL = (DARK, LIGHT)
BY_WORD = {"dark": DARK, "light": LIGHT}
"""As `/theme` names them."""


def nick_style(widget: Widget, nick: str) -> Style:
    """A nickname's colour on the background of a widget: the one it has in the timeline."""
    app = app_of(widget)
    if app.native_ansi_color or app.console.color_system in {"standard", "windows"}:
        return Style(color=palette.nick_color(nick, palette.ANSI))
    shade = palette.nick_color(nick, palette.DARK if app.current_theme.dark else palette.LIGHT)
    return Style(color=palette.readable(shade, widget.background_colors[1]))
