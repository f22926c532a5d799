"""The styles of a timeline, from the theme."""

from rich.style import Style
from textual.widget import Widget

from tui_chat.ui import themes
from tui_chat.ui.app_of import app_of
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
        component = f"timeline--{name}"
        text_style = timeline.get_component_styles(component).text_style
        ground = Style.from_color(None, timeline.get_component_rich_style(component).bgcolor)
        return background + text_style + ground

    shades = themes.nick_shades(app_of(timeline), timeline.background_colors[1])
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
