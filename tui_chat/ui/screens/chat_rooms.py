"""The chat screen, as far as it is about several rooms: join, walk, switch."""

from collections.abc import Sequence

from textual import on

from server.protocol import names
from server.protocol.answers import RoomSummary
from tui_chat.session import switching
from tui_chat.session.session import Session
from tui_chat.ui.app_of import app_of
from tui_chat.ui.connection import Connection
from tui_chat.ui.screens.chat_messages import MessageActions
from tui_chat.ui.screens.switcher import Switcher
from tui_chat.ui.widgets.rooms import RoomList


class RoomActions(MessageActions):
    """What one can do with messages and rooms."""

    def __init__(self, session: Session, connection: Connection) -> None:
        """Make it.

        Args:
            session: What there is to show.
            connection: The server.
        """
        super().__init__(session, connection)
        self._listed: dict[str, RoomSummary] = {}
        self._switcher: Switcher | None = None

    @property
    def known_rooms(self) -> list[str]:
        """The names of the rooms that the server told of."""
        return [summary.name for summary in self._listed.values()]

    def join(self, room: str) -> None:
        """Go into a room, or show it when it is open."""
        if self.session.room(room) is not None:
            self.session.show(room)
            self.draw()
        else:
            view = self.session.current
            self.connection.join(room, view.nick if view is not None else "")

    def rooms_listed(self, rooms: Sequence[RoomSummary]) -> None:
        """The server has these rooms, among others."""
        self._listed |= {names.key(summary.name): summary for summary in rooms}
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
            lambda text: switching.choices(
                text, list(self.session.rooms.values()), self.session.current, self._listed.values()
            ),
            lambda query: self.connection.list_rooms(query, told=False),
            typed,
        )
        # What is typed before the switcher stands is for it, and must not be sent.
        self.composer.lend(switcher.take)
        app_of(self).push_screen(switcher, self._switched)

    def _switched(self, room: str | None) -> None:
        self._switcher = None
        self.composer.lend(None)
        self.composer.focus()
        if room is not None:
            self.join(room)

    def action_step(self, by: int) -> None:
        """Show the next room, or the one before."""
        self.session.step(by)
        self.draw()

    def action_show_number(self, number: int) -> None:
        """Show a room by its place in the list."""
        self.session.show_number(number)
        self.draw()

    def action_activity(self) -> None:
        """Show the next room with something unread."""
        self.session.show_activity()
        self.draw()

    @on(RoomList.Chosen)
    def _room_chosen(self, event: RoomList.Chosen) -> None:
        self.session.show(event.room)
        self.draw()
