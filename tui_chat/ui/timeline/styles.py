"""Styles of the parts of a timeline, from the component classes of the widget."""

from collections.abc import Callable
from dataclasses import dataclass

from rich.style import Style
from textual.widget import Widget

from tui_chat.ui import theme as themes
from tui_chat.ui.app_services import app_of

COMPONENT_NAMES = (
    "cursor", "mentioned", "time", "notice", "rule", "gap", "unread",
    "link", "mention", "sent", "pending", "failed", "secondary",
)  # fmt: skip
TIMELINE_COMPONENTS = {f"timeline--{name}" for name in COMPONENT_NAMES}


@dataclass(frozen=True, slots=True)
class TimelineStyles:
    """Rich styles of the timeline parts in the current theme.

    `text`, `cursor` and `mentioned` include a background; the other styles are added to one of these three.
    """

    text: Style
    cursor: Style
    mentioned: Style
    time: Style
    notice: Style
    rule: Style
    gap: Style
    unread: Style
    link: Style
    mention: Style
    sent: Style
    pending: Style
    failed: Style
    secondary: Style
    selection: Style
    nick_style: Callable[[str], Style]


def build_styles(timeline: Widget) -> TimelineStyles:
    """Return the current styles of a widget with the component classes `TIMELINE_COMPONENTS`."""
    background = timeline.rich_style

    def part_style(name: str, is_background: bool = False) -> Style:
        component = f"timeline--{name}"
        style = timeline.get_component_rich_style(component)
        color = Style.from_color(None, style.bgcolor) if is_background else Style.from_color(style.color)
        return timeline.get_component_styles(component).text_style + color

    colors = themes.nick_palette(app_of(timeline), timeline.background_colors[1])
    nick_styles = {color: Style(color=color, bold=True) for color in colors}
    return TimelineStyles(
        text=background,
        cursor=background + part_style("cursor", is_background=True),
        mentioned=background + part_style("mentioned", is_background=True),
        time=part_style("time"),
        notice=part_style("notice"),
        rule=part_style("rule"),
        gap=part_style("gap"),
        unread=part_style("unread"),
        link=part_style("link"),
        mention=part_style("mention"),
        sent=part_style("sent"),
        pending=part_style("pending"),
        failed=part_style("failed"),
        secondary=part_style("secondary"),
        selection=timeline.screen.get_component_rich_style("screen--selection"),
        nick_style=lambda nick: nick_styles[themes.nick_color(nick, colors)],
    )
