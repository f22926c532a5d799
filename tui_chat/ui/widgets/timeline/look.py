"""The styles of a timeline, from the theme."""

from collections.abc import Sequence
from typing import cast

from rich.style import Style
from textual.app import App
from textual.widget import Widget

from tui_chat.ui.widgets.timeline import palette
from tui_chat.ui.widgets.timeline.drawing import Styles

PARTS = (
    "cursor", "mentioned", "time", "notice", "rule", "gap", "unread",
    "link", "mention", "sent", "pending", "failed", "aside",
)  # fmt: skip
COMPONENTS = {f"timeline--{part}" for part in PARTS}


def styles_of(timeline: Widget) -> Styles:
    """The present styles of a widget that has `COMPONENTS`."""
    background = timeline.rich_style

    def part(name: str) -> Style:
        component = f"timeline--{name}"
        text_style = timeline.get_component_styles(component).text_style
        return text_style + Style.from_color(timeline.get_component_rich_style(component).color)

    def over(name: str) -> Style:
        return background + Style.from_color(None, timeline.get_component_rich_style(f"timeline--{name}").bgcolor)

    shades = _nick_shades(timeline)
    names = {shade: Style(color=shade, bold=True) for shade in shades}
    return Styles(
        text=background,
        cursor=over("cursor"),
        mentioned=over("mentioned"),
        time=part("time"),
        notice=part("notice"),
        rule=part("rule"),
        gap=part("gap"),
        unread=part("unread"),
        link=part("link"),
        mention=part("mention"),
        sent=part("sent"),
        pending=part("pending"),
        failed=part("failed"),
        aside=part("aside"),
        selection=timeline.screen.get_component_rich_style("screen--selection"),
        nick=lambda nick: names[palette.nick_color(nick, shades)],
    )


def _nick_shades(timeline: Widget) -> Sequence[str]:
    program = cast("App[object]", timeline.app)  # pyright: ignore[reportUnknownMemberType]
    if program.native_ansi_color or program.console.color_system in {"standard", "windows"}:
        return palette.ANSI
    background = timeline.background_colors[1]
    shades = palette.DARK if program.current_theme.dark else palette.LIGHT
    return [palette.readable(shade, background) for shade in shades]
