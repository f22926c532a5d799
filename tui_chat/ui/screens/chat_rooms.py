"""The chat screen, as far as it is about several rooms: join, walk, switch.

Rule 1  What is typed after a room was asked for is for that room: keys wait for it. When it does
        not come, what they would have written stands in the composer, and is not sent.
Rule 2  So does what is typed on when the room that it is for has gone.
"""

from collections.abc import Sequence

from textual import on
from textual.events import Key, Paste
from textual.timer import Timer

from server.protocol import names
from server.protocol import text as texts
from server.protocol.answers import RoomSummary
from tui_chat.session import switching
from tui_chat.session.room_view import RoomView
from tui_chat.session.session import ChatSession
from tui_chat.ui.app_of import app_of
from tui_chat.ui.connection import Connection
from tui_chat.ui.keys import Place
from tui_chat.ui.screens.chat_messages import MessageActions
from tui_chat.ui.screens.switcher import Switcher
from tui_chat.ui.typing_app import typing_app
from tui_chat.ui.widgets.rooms import RoomList

GOING_MOST = 3.0
"""Seconds that keys wait for a room that was asked for."""

GONE_FOR = 1.0
"""Seconds for which somebody who is writing may not have noticed that the room has gone."""


class RoomActions(MessageActions):
    """What one can do with messages and rooms."""

    def __init__(self, session: ChatSession, connection: Connection) -> None:
        """Make it.

        Args:
            session: What there is to show.
            connection: The server.
        """
        super().__init__(session, connection)
        self._listed: dict[str, RoomSummary] = {}
        self._switcher: Switcher | None = None
        self._going: str | None = None  # the key of a room's name; empty for whichever is shown next
        self._patience: Timer | None = None

    @property
    def going(self) -> bool:
        """Another room was asked for, and is not shown yet."""
        return self._going is not None

    def stay(self, room: str = "") -> None:
        """A room does not come, or not in time; what was typed for it is kept, and goes nowhere else."""
        if self._going is None or (room and self._going != names.canonical_key(room)):
            return
        self._wait_no_longer()
        app, text = typing_app(self), ""
        for pressed in app.key_order.take_back():
            if isinstance(pressed, Key) and pressed.key in app.keymap.actions(Place.ANYWHERE):
                app.post_message(pressed)  # whoever wants to quit, or needs help, means it wherever they are
            text += _written(pressed)
        if text.strip():
            self.not_sent(text.rstrip("\n"))

    def _wait_for(self, room: str, seconds: float) -> None:
        self._wait_no_longer()
        self._going = room
        self._patience = self.set_timer(seconds, self.stay)

    def _wait_no_longer(self) -> None:
        self._going = None
        if self._patience is not None:
            self._patience.stop()
            self._patience = None

    def not_sent(self, text: str) -> None:
        """Put this into the composer, unsent."""
        raise NotImplementedError

    def room_came(self) -> None:
        """Another room is to be shown than before, which nobody has chosen just now."""
        going, view, writing = self._going, self.session.current_room, bool(self.composer.draft)
        self.draw()
        if going is None and writing:
            self._wait_for("", GONE_FOR)
        elif going is not None and view is not None and going in ("", names.canonical_key(view.name)):
            self._wait_no_longer()

    @property
    def known_rooms(self) -> list[str]:
        """The names of the rooms that the server told of."""
        return [summary.name for summary in self._listed.values()]

    def join(self, room: str) -> None:
        """Go into a room, or show it when it is open."""
        if self.session.find_room(room) is not None:
            self.session.show_room(room)
            self.draw()
        else:
            view = self.session.current_room
            self._wait_for(names.canonical_key(room), GOING_MOST)
            self.connection.join(room, view.nick if view is not None else "")

    def part(self, view: RoomView) -> None:
        """Leave a room."""
        if view is self.session.current_room:
            self._wait_for("", GOING_MOST)
        self.connection.part(view.name)

    def rooms_listed(self, rooms: Sequence[RoomSummary]) -> None:
        """The server has these rooms, among others."""
        self._listed |= {names.canonical_key(summary.name): summary for summary in rooms}
        if self._switcher is not None:
            self._switcher.update()

    def action_switch(self) -> None:
        """Choose a room by some letters of its name."""
        self.switch("")

    def switch(self, typed: str) -> None:
        """Open the switcher, with this typed already."""
        if self._switcher is not None:
            return
        switcher = self._switcher = Switcher(
            lambda text: switching.rank_rooms(
                text, list(self.session.rooms.values()), self.session.current_room, self._listed.values()
            ),
            lambda query: self.connection.list_rooms(query, told=False),
            typed,
        )
        app_of(self).push_screen(switcher, self._switched)

    def _switched(self, room: str | None) -> None:
        self._switcher = None
        self.composer.focus()
        if room is not None:
            self.join(room)

    def action_step(self, by: int) -> None:
        """Show the next room, or the one before."""
        self.session.cycle_room(by)
        self.draw()

    def action_show_number(self, number: int) -> None:
        """Show a room by its place in the list."""
        self.session.show_room_number(number)
        self.draw()

    def action_activity(self) -> None:
        """Show the next room with something unread."""
        self.session.show_next_unread()
        self.draw()

    @on(RoomList.Chosen)
    def _room_chosen(self, event: RoomList.Chosen) -> None:
        self.session.show_room(event.room)
        self.draw()


def _written(pressed: Key | Paste) -> str:
    """What this would have written."""
    if isinstance(pressed, Paste):
        return texts.sanitize_body(pressed.text)
    if pressed.key == "enter":
        return "\n"
    return (pressed.character or "") if pressed.is_printable and not pressed.key.startswith("alt+") else ""
