"""One visit to one server: what comes from the connection is applied to the session here."""

import time
from collections.abc import Callable, Sequence
from typing import Protocol

from server.protocol.answers import RoomSummary
from server.protocol.entries import NickNotice
from server.protocol.errors import ChatError, Forbidden, NickInvalid, NotFound, RoomInvalid, TooLong
from tui_chat.client.events import NoticeReceived, RoomJoined, RoomLost
from tui_chat.session import refusals, words
from tui_chat.session.language import tr
from tui_chat.session.room_view import RoomView
from tui_chat.session.session import ChatSession
from tui_chat.session.settings import ClientSettings
from tui_chat.ui import arrivals as came
from tui_chat.ui.connection import Connection
from tui_chat.ui.screens.join import Entrance
from tui_chat.ui.start import Keeping


class Front(Protocol):
    """What stands before a visit: the form, then the chat screen."""

    def not_entered(self, field: str, problem: str, offer_server: bool) -> None:
        """The visit ended before it began, for what is in this field of the form."""
        ...

    def entered(self, visit: "Visit", view: RoomView) -> None:
        """A room was joined, the first or another."""
        ...

    def renamed(self, visit: "Visit", nick: str) -> None:
        """You have another nickname."""
        ...

    def left(self, reason: str) -> None:
        """The last room is closed."""
        ...

    def rooms_listed(self, rooms: Sequence[RoomSummary]) -> None:
        """These rooms are on the server."""
        ...

    def place_loaded(self, room: str, seq: int | None) -> None:
        """What was said about a place of a room is here."""
        ...

    def not_joined(self, room: str, problem: str) -> None:
        """Another room could not be joined."""
        ...

    def another_room(self) -> None:
        """Another room is shown now than before."""
        ...

    def problem(self, problem: str) -> None:
        """Something that was asked for could not be done."""
        ...


class Visit:
    """A connection, and what it has brought so far.

    Attributes:
        entrance: What the form said.
    """

    def __init__(
        self,
        entrance: Entrance,
        guest_key: str | None,
        keeping: Keeping,
        arrived: Callable[[], None],
        settings: Callable[[], ClientSettings],
        *,
        come_back: bool,
    ) -> None:
        self.entrance = entrance
        first = (entrance.room, entrance.nick)
        self.connection = Connection(entrance.server, first, guest_key, keeping, arrived, come_back=come_back)
        self.session = ChatSession(lambda: time.time_ns() // 1_000_000, settings)

    def take(self, front: Front, until: float) -> bool:
        """Apply what has come, until a moment of `time.monotonic`; whether that was all."""
        inbox, shown = self.connection.inbox, self.session.current_room
        while inbox:
            self._apply(inbox.take(), front)
            if self.session.current_room is not shown:
                shown = self.session.current_room
                front.another_room()
            if time.monotonic() >= until:
                break
        for room, kept in self.session.rooms_to_trim().items():
            self.connection.trim(room, kept)
        return not inbox

    def _apply(self, arrival: came.Arrival, front: Front) -> None:
        session = self.session
        match arrival:
            case came.Opened():
                self.connection.join(self.entrance.room, self.entrance.nick)
            case came.NotOpened(error):
                front.not_entered("server", refusals.describe(error), True)
            case came.RoomJoined(room, wanted_nick, left, show):
                view = session.add_room(room, left, show=show)
                if wanted_nick and room.nick.casefold() != wanted_nick.casefold():
                    session.add_notice(words.nick_assigned(wanted_nick, room.nick))
                if show:
                    self._entered(view, front)
            case came.RoomNotJoined(room, error):
                if session.rooms:
                    front.not_joined(room, refusals.describe(error))
                else:
                    front.not_entered(_field(error), refusals.describe(error), False)
            case came.RoomParted(room):
                session.remove_room(room)
                self._check_left(tr(words.LEFT_LAST_ROOM), front)
            case came.RoomOpened(room, left, show):
                view = session.add_room(room, left, show=show)
                if show:
                    self._entered(view, front)
            case came.RoomsExpected(rooms):
                session.restore_order(rooms)
            case came.RoomTrimmed(room):
                session.trim_room(room)
            case came.RoomsListed(rooms, told):
                if told:
                    lines = [words.room_summary(room.name, room.members, room.topic) for room in rooms]
                    session.add_notice(words.room_list(lines))
                front.rooms_listed(rooms)
            case came.PlaceLoaded(room, seq):
                front.place_loaded(room, seq)
            case came.Refused(problem):
                front.problem(refusals.sentence(problem))
            case _:
                session.apply(arrival)
                if isinstance(arrival, RoomLost):
                    self.connection.lost(arrival.room)
                    self._check_left(words.room_lost(arrival.room, refusals.phrase(arrival.reason)), front)
                elif isinstance(arrival, RoomJoined):
                    if (view := session.find_room(arrival.room)) is not None:
                        self._renamed(view.nick, front)
                elif isinstance(arrival, NoticeReceived) and isinstance(arrival.notice, NickNotice):
                    view = session.find_room(arrival.notice.room)
                    if view is not None and view.member_id == arrival.notice.member_id:
                        self._renamed(view.nick, front)

    def _entered(self, view: RoomView, front: Front) -> None:
        self.connection.known_as(view.nick)
        front.entered(self, view)

    def _renamed(self, nick: str, front: Front) -> None:
        self.connection.known_as(nick)
        front.renamed(self, nick)

    def _check_left(self, reason: str, front: Front) -> None:
        if not self.session.rooms:
            front.left(reason)


def _field(error: ChatError) -> str:
    if isinstance(error, NickInvalid):
        return "nick"
    if isinstance(error, RoomInvalid | NotFound | Forbidden | TooLong):
        return "room"
    return "server"
