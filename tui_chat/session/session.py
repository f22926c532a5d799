"""Everything that is on screen, without a screen: rooms in order, the one shown, what is on its way.

Rule 1  Only this module applies what the client tells, in the order it is told.
Rule 2  A draft and a send belong to the room they were written in.
Rule 3  Nothing is drawn here: what has changed is gathered and handed out by `take_changes`.
"""

from collections import deque
from collections.abc import Callable, Sequence
from uuid import UUID

from server.protocol import names
from server.protocol.entries import JoinNotice, LeaveNotice, Member, NickNotice
from tui_chat.client import events
from tui_chat.client.posting import OutboxItem
from tui_chat.session import refusals, words
from tui_chat.session.changes import Changes, Part
from tui_chat.session.comings import Coming, Went
from tui_chat.session.ignoring import Ignoring
from tui_chat.session.joined_room import RoomLike
from tui_chat.session.kept_writing import Left
from tui_chat.session.language import tr
from tui_chat.session.lines import MessageLine, Splice
from tui_chat.session.notices import Heard
from tui_chat.session.on_the_way import OnTheWay
from tui_chat.session.room_view import UNSENT, RoomView
from tui_chat.session.settings import Settings

LINES_MAX = 20_000
"""Lines of a room beyond which the oldest are let go, to come back when somebody scrolls up to them."""

READING_MAX = 150_000
"""The same of a room in which somebody reads back, or that nobody looks at."""

HEARD_MOST = 1_000
"""Messages that wait to be told to somebody who is not here; the newest."""


class Session:
    """What one person has open on one server.

    Attributes:
        rooms: What is open, by the names' keys, in the order it was opened.
        state: How the connection is.
        in_focus: The terminal has the focus, as far as it tells.
    """

    def __init__(self, now_ms: Callable[[], int], settings: Callable[[], Settings] = Settings) -> None:
        """Nothing is open yet.

        Args:
            now_ms: Milliseconds since the epoch.
            settings: What is set now.
        """
        self.rooms: dict[str, RoomView] = {}
        self.state: events.ConnectionState = events.Connecting()
        self.in_focus = True
        self._now_ms = now_ms
        self._settings = settings
        self._joined: dict[str, RoomLike] = {}
        self._current: str | None = None
        self._looking = False
        self._heard: deque[Heard] = deque(maxlen=HEARD_MOST)
        self._parts = Part.NOTHING
        self._on_the_way = OnTheWay()
        self._unsaid: list[str] = []  # for the first room that is shown
        self._places: dict[str, int] = {}
        self._ignoring = Ignoring(settings)
        self._told_plain = False
        self._not_kept: set[str] = set()

    # What is shown.

    @property
    def current(self) -> RoomView | None:
        """The room that is shown."""
        return None if self._current is None else self.rooms[self._current]

    def room(self, name: str) -> RoomView | None:
        """The open room of this name."""
        return self.rooms.get(names.canonical_key(name))

    def take_changes(self) -> Changes:
        """What has changed since this was last asked."""
        parts, self._parts = self._parts, Part.NOTHING
        splices: list[Splice] = []
        for view in self.rooms.values():
            anew = view.transcript.anew
            taken = view.transcript.take_splices()
            if view is self.current and Part.ROOM not in parts:
                splices = taken
                parts |= Part.TALK if anew else Part.NOTHING
        return Changes(parts, splices)

    def show(self, name: str) -> None:
        """Show this room; the draft of the one that was shown stays with it."""
        key = names.canonical_key(name)
        if key == self._current or key not in self.rooms:
            return
        if self.current is not None:
            self.current.look_away()
        self._current = key
        self._parts |= Part.ROOM | Part.ROOMS | Part.MEMBERS | Part.HEADER | Part.STATUS

    def step(self, by: int) -> None:
        """Show the room that many places further down the list, around its end."""
        keys = list(self.rooms)
        if self._current is not None:
            self.show(self.rooms[keys[(keys.index(self._current) + by) % len(keys)]].name)

    def show_number(self, number: int) -> None:
        """Show the room at this place of the list, from 1; nothing when there is none."""
        if 1 <= number <= len(self.rooms):
            self.show(list(self.rooms.values())[number - 1].name)

    def muted(self, view: RoomView) -> bool:
        """Nothing of this room is wanted but what names you."""
        return self._settings().muted(view.name)

    def take_settings(self) -> None:
        """The settings have changed: what follows from them is made so."""
        self._parts |= Part.ROOMS
        if self._ignoring.changed():
            self._parts |= Part.MEMBERS | Part.STATUS
            for key, room in self._joined.items():
                self.rooms[key].show_others(room.log.messages())

    def show_activity(self) -> None:
        """Show the next room where something is unread, one that names you first."""
        views = list(self.rooms.values())
        at = next((index for index, view in enumerate(views) if view is self.current), 0)
        others = views[at + 1 :] + views[:at]
        waiting = [view for view in others if view.mentions]
        waiting = waiting or [view for view in others if view.unread and not self.muted(view)]
        if waiting:
            self.show(waiting[0].name)

    def look(self, looking: bool) -> None:
        """Say whether the shown room is looked at: in focus, and at the bottom."""
        view = self.current
        self._looking = looking
        if view is None:
            return
        if looking:
            if view.unread:
                self._parts |= Part.ROOMS
            view.look()
        else:
            view.look_away()

    # What the client tells.

    def expect(self, rooms: Sequence[str]) -> None:
        """These rooms were open before, and stand in this order when they are again."""
        self._places = {names.canonical_key(name): place for place, name in enumerate(rooms)}
        self._arrange()
        self._parts |= Part.ROOMS

    def enter(self, room: RoomLike, left: Left | None = None, *, show: bool = True) -> RoomView:
        """A room that was joined, with what its log holds.

        Args:
            room: It.
            left: What you left there, None for nothing.
            show: It is shown now; otherwise only when no other is.
        """
        key = names.canonical_key(room.name)
        view = self.rooms.get(key)
        if view is None:
            view = self.rooms[key] = RoomView(
                room.name, room.topic, room.nick, room.member_id, left=left, hides=self._ignoring.hides
            )
            self._arrange()
            view.begin(room.log.messages(), room.log.last)
        self._joined[key] = room
        view.set_members(list(room.members.values()))
        view.transcript.set_gaps((gap.after, gap.before) for gap in room.log.gaps())
        for posting in room.unsent():
            self._posted(posting)
        if show or self.current is None:
            self.show(room.name)
        self._parts |= Part.ROOMS
        unsaid, self._unsaid = self._unsaid, []
        for notice in unsaid:
            self.say(notice)
        self._say_if_plain(view, room)
        return view

    def _arrange(self) -> None:
        # Those that were not expected stand behind the others, in the order they came.
        last = len(self._places)
        self.rooms = dict(sorted(self.rooms.items(), key=lambda item: self._places.get(item[0], last)))

    def leave(self, name: str) -> None:
        """The room is closed, and the one before it shown."""
        key = names.canonical_key(name)
        if key not in self.rooms:
            return
        keys = list(self.rooms)
        at = keys.index(key)
        shown = self._current == key
        del self.rooms[key]
        self._joined.pop(key, None)
        self._on_the_way.forget(key)
        self._parts |= Part.ROOMS
        if shown:
            self._current = None
            rest = list(self.rooms.values())
            if rest:
                self.show(rest[max(0, at - 1)].name)
            self._parts |= Part.ROOM | Part.MEMBERS | Part.HEADER | Part.STATUS

    def apply(self, event: events.ClientEvent) -> None:
        """Something the client tells; what concerns a room that is not open is dropped."""
        match event:
            case events.ConnectionStateChanged(state):
                self.state = state
                self._parts |= Part.HEADER
            case events.RoomJoined():
                self._entered(event)
            case events.RoomLost(room, reason):
                self.leave(room)
                self.say(words.room_lost(room, refusals.within(reason)))
            case events.LogChanged(room, seqs, live):
                self._log_changed(room, seqs, live)
            case events.NoticeReceived(notice):
                self._noticed(notice)
            case events.MembersChanged(room, members):
                self._members(room, members)
            case events.TypingChanged(room, member_id, on):
                view = self.room(room)
                if view is not None:
                    view.types(member_id, on)
                    self._parts |= Part.STATUS if view is self.current else Part.NOTHING
            case events.TopicChanged(room, topic):
                view = self.room(room)
                if view is not None and view.topic != topic:
                    view.topic = topic
                    view.transcript.notice(self._now_ms(), words.topic_is(topic))
                    self._parts |= Part.HEADER

            case events.OutboxItemChanged(posting):
                self._posted(posting)
            case events.PersistenceFailed(problem):
                if problem not in self._not_kept:  # outbox and drafts, history and index: one disk has one fault
                    self._not_kept.add(problem)
                    self.say(refusals.within(problem))

    def say(self, notice: str) -> None:
        """A word of the program's own, in the room that is shown, or the first that will be."""
        if self.current is not None:
            self.current.transcript.notice(self._now_ms(), notice)
        else:
            self._unsaid.append(notice)

    def trim(self, name: str) -> None:
        """The room's log has let its oldest messages go: their lines go too."""
        view, room = self.room(name), self._joined.get(names.canonical_key(name))
        if view is not None and room is not None:
            view.transcript.trim(room.log.first)

    def too_long(self) -> dict[str, int]:
        """The rooms with so many lines that the oldest should go, and how many messages should stay.

        Where somebody reads back far more stays: `READING_MAX`, and whoever is
        still above them then gets to the oldest that are left.
        """
        kept: dict[str, int] = {}
        for view in self.rooms.values():
            reads_back = view is self.current and not self._looking
            most = READING_MAX if reads_back else LINES_MAX
            if len(view.transcript.lines) > most:
                kept[view.name] = most - LINES_MAX // 2
        return kept

    # What you say.

    def unsent_line(self, key: str) -> tuple[RoomView, UUID] | None:
        """The shown room and the `clientId` of the send whose line has this key."""
        view = self.current
        client_id = key.removeprefix(UNSENT)
        if view is None or client_id == key or view.transcript.unsent(client_id) is None:
            return None
        return view, UUID(client_id)

    @property
    def unsent(self) -> int:
        """How many messages and changes are on their way."""
        return len(self._on_the_way)

    # How each event is applied.

    def _posted(self, posting: OutboxItem) -> None:
        view = self.room(posting.room)
        if view is None:
            return
        before = len(self._on_the_way)
        self._on_the_way.posted(view, posting, self._now_ms())
        if len(self._on_the_way) != before and not isinstance(self.state, events.Online):
            self._parts |= Part.HEADER

    def _entered(self, event: events.RoomJoined) -> None:
        view, room = self.room(event.room), self._joined.get(names.canonical_key(event.room))
        if view is None or room is None:
            return
        if event.log_reset:
            view.restart()
            view.begin(room.log.messages(), room.log.last)
        if view.nick != room.nick:
            view.transcript.notice(self._now_ms(), words.you_are_now(room.nick))
        view.nick, view.member_id, view.topic = room.nick, room.member_id, room.topic
        view.set_members(list(room.members.values()))
        view.transcript.set_gaps((gap.after, gap.before) for gap in room.log.gaps())
        self._say_if_plain(view, room)
        self._parts |= Part.HEADER | Part.MEMBERS | Part.STATUS

    def _say_if_plain(self, view: RoomView, room: RoomLike) -> None:
        view.plain = room.plain
        if room.plain and not self._told_plain:
            self._told_plain = True
            view.transcript.notice(self._now_ms(), tr(words.PLAIN_SERVER))

    def _log_changed(self, name: str, seqs: tuple[int, ...], live: bool) -> None:
        view, room = self.room(name), self._joined.get(names.canonical_key(name))
        if view is None or room is None:
            return
        messages = [room.log[seq] for seq in seqs if seq in room.log]
        for message in messages:
            if message.member_id == view.member_id and view.transcript.message(message.seq) is None:
                self._on_the_way.came_back(view, message)
        unread, mentions = view.unread, view.mentions
        self._hear(view, view.changed(messages, room.log.last, live=live))
        view.transcript.set_gaps((gap.after, gap.before) for gap in room.log.gaps())
        if (unread, mentions) != (view.unread, view.mentions):
            self._parts |= Part.ROOMS
        if view is self.current:
            self._parts |= Part.STATUS

    def _hear(self, view: RoomView, lines: Sequence[MessageLine]) -> None:
        """Keep what somebody who is not here wants to be told of."""
        if view is self.current and self.in_focus:
            return  # it is on the screen, or waits below what is
        settings = self._settings()
        level = settings.level(view.name)
        for line in lines:
            if (level == "all" or (level == "mentions" and line.mention)) and not settings.ignores(line.nick):
                self._heard.append(Heard(view.name, line.nick, line.text, line.mention))

    def take_heard(self) -> list[Heard]:
        """What was said since this was last asked that somebody who is not here wants to be told of."""
        heard = list(self._heard)
        self._heard.clear()
        return heard

    def _noticed(self, notice: JoinNotice | LeaveNotice | NickNotice) -> None:
        view = self.room(notice.room)
        if view is None:
            return
        match notice:
            case NickNotice() if notice.member_id == view.member_id:
                view.nick = notice.nick_name
                view.transcript.notice(notice.ts, words.you_are_now(notice.nick_name))
                self._parts |= Part.HEADER | Part.MEMBERS
                return
            case JoinNotice():
                coming = Coming(Went.IN, notice.member_id, notice.nick_name, more=notice.more)
            case LeaveNotice():
                coming = Coming(Went.OUT, notice.member_id, notice.nick_name, more=notice.more)
            case NickNotice():
                coming = Coming(Went.RENAMED, notice.member_id, notice.nick_name, notice.old_nick_name)
        hidden = self._ignoring.hides(notice.nick_name, notice.member_id)
        if notice.member_id != view.member_id and self._settings().show_joins and not hidden:
            view.transcript.came_or_went(notice.ts, coming)

    def _members(self, name: str, members: Sequence[Member]) -> None:
        view = self.room(name)
        if view is None:
            return
        view.set_members(members)
        if view is self.current:
            self._parts |= Part.MEMBERS | Part.HEADER | Part.STATUS
