"""The chat screen, as far as it is about finding what was said: search, go to a day, and come back.

Rule 1  Going somewhere keeps the place it began at; Esc leads back there, once.
Rule 2  Whoever goes elsewhere by themselves (newest line, another room, a message of
        their own) no longer wants to come back, nor to arrive.
"""

from dataclasses import dataclass
from datetime import date, datetime

from tui_chat.client.results import SearchPage
from tui_chat.session import days, search_words, words
from tui_chat.session.language import tr
from tui_chat.session.lines import MessageLine
from tui_chat.session.room_view import RoomView
from tui_chat.session.searching import SearchPageRequest
from tui_chat.session.session import ChatSession
from tui_chat.ui.app_of import app_of
from tui_chat.ui.connection import Connection
from tui_chat.ui.screens.chat_pasting import PasteActions
from tui_chat.ui.screens.search import Chosen, SearchScreen
from tui_chat.ui.widgets.timeline.decoration import TimeFormat
from tui_chat.ui.widgets.timeline.line_view import ScrollPosition


@dataclass(slots=True)
class _Aim:
    """Where somebody wants to go.

    Attributes:
        room: The room's name.
        seq: The message; None until it is known.
        day: The day that was asked for, if it was one.
        asked: The connection was asked for what is about it.
    """

    room: str
    seq: int | None
    day: date | None = None
    asked: bool = False


class SearchActions(PasteActions):
    """What one can do with messages, rooms, pastes, and what was said long ago."""

    def __init__(self, session: ChatSession, connection: Connection) -> None:
        """Make it.

        Args:
            session: What there is to show.
            connection: The server.
        """
        super().__init__(session, connection)
        self._aim: _Aim | None = None
        self._began_at: tuple[RoomView, ScrollPosition] | None = None
        self._there: RoomView | None = None

    def action_search(self) -> None:
        """Search what was said."""
        self.search("")

    def search(self, typed: str) -> None:
        """Open the search, for this at once."""
        view = self.session.current_room
        screen = SearchScreen(
            self._ask,
            lambda room: self.session.find_room(room) is not None,
            view.name if view is not None else None,
            typed,
        )
        app_of(self).push_screen(screen, self._searched)

    async def _ask(self, question: SearchPageRequest) -> SearchPage:
        return await self.connection.search(question.query, question.room, question.before)

    def _searched(self, chosen: Chosen | None) -> None:
        self.composer.focus()
        if chosen is not None:
            self.go_to(chosen.room, chosen.seq)

    def go_to(self, room: str, seq: int) -> None:
        """Show a message with what is about it; a room that is not open is joined."""
        self._set_out(_Aim(room, seq))

    def go_to_answered(self, view: RoomView, seq: int) -> None:
        """Show the message that one in this room answers; Esc leads back to the answer."""
        self._began_at = None  # the way back is the answer, wherever one came from
        self._set_out(_Aim(view.name, seq, asked=view.transcript.find_message(seq) is not None))

    def go_to_day(self, text: str) -> str:
        """Show the first message of a day in this room; why not, empty when that can be."""
        view = self.session.current_room
        if view is None:
            return tr(words.NOT_IN_A_ROOM)
        day = days.parse(text, datetime.now().astimezone().date())
        if day is None:
            return search_words.invalid_date(text)
        self._set_out(_Aim(view.name, None, day))
        return ""

    def _set_out(self, aim: _Aim) -> None:
        view = self.session.current_room
        if view is not None and self._began_at is None:
            self._began_at = (view, self.timeline.get_scroll_position())
        self._aim, self._there = aim, None
        self.join(aim.room)
        self.told(tr(search_words.JUMPING_TO_MESSAGE))
        self._come_nearer()

    def problem(self, problem: str) -> None:
        """Say what is wrong; whoever was on the way somewhere stays."""
        self._aim = None
        super().problem(problem)

    def place_loaded(self, room: str, seq: int | None) -> None:
        """What was said about a place is here."""
        aim = self._aim
        if aim is None or not aim.asked or self.session.find_room(aim.room) is not self.session.find_room(room):
            return
        if seq is None:
            self._aim = None
            self.problem(tr(search_words.ROOM_EMPTY if aim.day is not None else search_words.MESSAGE_GONE))
        else:
            aim.seq = seq
            self._come_nearer()

    def draw(self) -> None:
        """Draw what has changed, and arrive where somebody wanted to go as soon as that is here."""
        super().draw()
        if self._there is not None and self._there is not self.session.current_room:
            self.forget_way_back()
        self._come_nearer()

    def _come_nearer(self) -> None:
        aim, view = self._aim, self.session.current_room
        if aim is None or view is None or self.shown is not view or view is not self.session.find_room(aim.room):
            return
        if not aim.asked:
            aim.asked, self._there = True, view
            if aim.seq is not None:
                self.connection.load_place(view.name, seq=aim.seq)
            elif aim.day is not None:
                self.connection.load_place(view.name, ts=days.start_of_day(aim.day))
            return
        line = view.transcript.find_message(aim.seq) if aim.seq is not None else None
        if line is not None and self.timeline.scroll_to_key(line.key):
            self._arrive(aim, line)

    def _arrive(self, aim: _Aim, line: MessageLine) -> None:
        self._aim = None
        self.timeline.set_cursor(line.key)
        self.timeline.focus()
        self.status.show_problem("")
        if aim.day is not None:
            there = TimeFormat().local_date(line.ts)
            if there != aim.day:
                self.told(search_words.no_messages_on(aim.day.isoformat(), there > aim.day))

    def action_leave_picked(self) -> None:
        """Back to writing, and to where you were before you went to this message."""
        self.timeline.action_hide_cursor()
        self.go_back()

    def go_back(self) -> bool:
        """Back to where you were before you went somewhere; False when you did not."""
        began = self._began_at
        self.forget_way_back()
        if began is None:
            return False
        view, position = began
        self.status.show_problem("")
        self.timeline.set_cursor(None)
        if self.session.find_room(view.name) is view:
            if self.session.current_room is view:
                self.timeline.set_lines(view.transcript.lines, position)
            else:
                self.positions[view] = position
                self.session.show_room(view.name)
            self.draw()
        return True

    def forget_way_back(self) -> None:
        """You went elsewhere by yourself."""
        self._began_at = self._aim = self._there = None
