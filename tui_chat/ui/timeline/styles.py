"""Conversion of the theme CSS to the Rich styles of a timeline."""

from rich.style import Style
from textual.widget import Widget

from tui_chat.ui import nick_colors
from tui_chat.ui import theme as themes
from tui_chat.ui.app_services import app_of
from tui_chat.ui.timeline.line_renderer import TimelineStyles

COMPONENT_NAMES = (
    "cursor", "mentioned", "time", "notice", "rule", "gap", "unread",
    "link", "mention", "sent", "pending", "failed", "secondary",
)  # fmt: skip
TIMELINE_COMPONENTS = {f"timeline--{name}" for name in COMPONENT_NAMES}


def build_styles(timeline: Widget) -> TimelineStyles:
    """Return the current styles of a widget with the component classes `TIMELINE_COMPONENTS`."""
    background = timeline.rich_style

    def foreground_style(name: str) -> Style:
        component = f"timeline--{name}"
        text_style = timeline.get_component_styles(component).text_style
        return text_style + Style.from_color(timeline.get_component_rich_style(component).color)

    def background_style(name: str) -> Style:
        component = f"timeline--{name}"
        text_style = timeline.get_component_styles(component).text_style
        background_color = Style.from_color(None, timeline.get_component_rich_style(component).bgcolor)
        return background + text_style + background_color

    colors = themes.nick_palette(app_of(timeline), timeline.background_colors[1])
    nick_styles = {color: Style(color=color, bold=True) for color in colors}
    return TimelineStyles(
        text=background,
        cursor=background_style("cursor"),
        mentioned=background_style("mentioned"),
        time=foreground_style("time"),
        notice=foreground_style("notice"),
        rule=foreground_style("rule"),
        gap=foreground_style("gap"),
        unread=foreground_style("unread"),
        link=foreground_style("link"),
        mention=foreground_style("mention"),
        sent=foreground_style("sent"),
        pending=foreground_style("pending"),
        failed=foreground_style("failed"),
        secondary=foreground_style("secondary"),
        selection=timeline.screen.get_component_rich_style("screen--selection"),
        nick_style=lambda nick: nick_styles[nick_colors.nick_color(nick, colors)],
    )
