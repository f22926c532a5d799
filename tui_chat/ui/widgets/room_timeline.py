"""The timeline with the keys of this program's registry."""

from typing import ClassVar

from textual.binding import BindingType

from tui_chat.ui import keys
from tui_chat.ui.widgets.timeline.widget import Timeline


class RoomTimeline(Timeline, inherit_bindings=False):
    """The timeline of the shown room."""

    BINDINGS: ClassVar[list[BindingType]] = [*keys.textual_bindings(keys.KeyScope.MESSAGE_CURSOR)]
