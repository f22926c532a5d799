"""A chat of plain lines: what the screen shows, as sentences, for a screen reader or a braille line.

Rule 1  What is said in the current room is read out; in other rooms, what the settings notify of, and that a room
        has something unread.
Rule 2  What you typed stands there already and is not said again; that it could not be sent is said.
"""

import asyncio
import os
from collections.abc import Callable, Sequence

from server.protocol import names
from server.protocol.entries import Message
from server.protocol.errors import ChatError
from tui_chat.client import events
from tui_chat.client.address import Address
from tui_chat.client.chat import ChatClient
from tui_chat.client.posting import OutboxItemState
from tui_chat.client.room import Room
from tui_chat.plain import sentences
from tui_chat.session import commands, language, refusals, words
from tui_chat.session.completion import complete
from tui_chat.session.kept_writing import KeptWriting
from tui_chat.session.language import tr
from tui_chat.session.session import Session
from tui_chat.session.settings import Settings
from tui_chat.session.settings_file import SettingsFile

SHOWN_AT_FIRST = 10
"""Messages that are read out when a room is entered."""


class Talk:
    """The rooms of one server, and what is said in them.

    Attributes:
        chat: The client.
        session: What is open, read and unread.
        settings: What is set.
        say: Writes a sentence.
        leaving: Set when it is over.
        going_to: The server to go on at, None for none.
        all_sent: Set while nothing is on its way.
    """

    def __init__(
        self,
        chat: ChatClient,
        settings: SettingsFile,
        kept: KeptWriting,
        say: Callable[[str], None],
        now_ms: Callable[[], int],
    ) -> None:
        self.chat = chat
        self._kept = kept
        self.settings = settings
        self.say = say
        self.session = Session(now_ms, lambda: settings.settings)
        self.leaving = asyncio.Event()
        self.going_to: Address | None = None
        self.all_sent = asyncio.Event()
        self.all_sent.set()
        self._rooms: dict[str, Room] = {}
        self._online = True
        self._told_unread: dict[str, int] = {}

    @property
    def room(self) -> Room | None:
        """The current room."""
        view = self.session.current
        return self._rooms.get(names.canonical_key(view.name)) if view is not None else None

    @property
    def held(self) -> Settings:
        """The settings in force."""
        return self.settings.settings

    def answer(self, sentence: str) -> None:
        """Say what a command asked for."""
        self.say(sentence)

    def set_setting(self, name: str, value: object) -> None:
        """Set something for now and for later; None is the usual value."""
        if problem := self.settings.change(name, value):
            self.say(problem)
        if name == "language":
            language.use(language.chosen("", self.held.language, os.environ))
        self.session.take_settings()

    async def enter(self, name: str, nick: str) -> None:
        """Go into a room, and read out what was said last; raises what `ChatClient.join` does."""
        room = await self._join(name, nick, show=True)
        self._kept.known_as(room.nick)
        self._looked()
        if room.nick.casefold() != nick.casefold():
            self.say(words.got_other_nick(nick, room.nick))
        self.say(sentences.entered(room.name, len(room.members) - 1, room.topic))
        for message in list(room.log.messages())[-SHOWN_AT_FIRST:]:
            self._read_out(message)

    async def come_back(self) -> None:
        """Go into the rooms, too, that were open before, and say what was not read there."""
        room = self.room
        for name in await self._kept.rooms() if room is not None else ():
            if self.session.room(name) is not None or room is None:
                continue
            try:
                await self._join(name, room.nick, show=False)
            except ChatError as refusal:
                self.say(words.not_back_in(name, refusals.within(refusal.message, refusal.code)))
                continue
            self._say_unread(name)

    async def _join(self, name: str, nick: str, *, show: bool) -> Room:
        left = await self._kept.left(name)
        room = await self.chat.join(name, nick=nick)
        self._rooms[names.canonical_key(room.name)] = room
        self.session.enter(room, left, show=show)
        self._kept.opened(room.name)
        return room

    def _looked(self) -> None:
        """All that was said in the current room is read out now."""
        self.session.look(True)
        view = self.session.current
        if view is not None and view.read_seq != view.kept_read:
            view.kept_read = view.read_seq
            self._kept.read(view.name, view.read_seq)

    def show(self, name: str) -> None:
        """Make an open room the current one, and read out what was not read in it."""
        view, room = self.session.room(name), self._rooms.get(names.canonical_key(name))
        if view is None or room is None:
            return
        count = view.unread
        self.session.show(view.name)
        self._looked()
        self._told_unread.pop(view.name, None)
        self.say(sentences.entered(room.name, len(room.members) - 1, room.topic))
        for message in list(room.log.messages())[-max(count, SHOWN_AT_FIRST) :] if count else ():
            self._read_out(message)

    def go_to_server(self, there: Address) -> None:
        """Leave this server for another."""
        self.going_to = there
        self.leaving.set()

    async def leave_room(self, name: str) -> None:
        """Leave a room; the chat is over with the last one."""
        room = self._rooms.pop(names.canonical_key(name), None)
        if room is not None:
            await room.leave()
        self.session.leave(name)
        self._kept.closed(name)
        self._after_leaving()

    def post(self, text: str) -> str:
        """Say something in the current room; why not, empty when it is on its way."""
        room = self.room
        if room is None:
            return tr(words.NOT_IN_A_ROOM)
        try:
            room.post(text)
        except ChatError as refusal:
            return refusals.of(refusal)
        self.all_sent.clear()
        return ""

    def completed(self, before: str) -> Sequence[str]:
        """What the text before the caret may become, as whole texts."""
        view = self.session.current
        rooms = [each.name for each in self.session.rooms.values()]
        found = complete(before, view.nicks if view is not None else (), rooms)
        return [before[: found.start] + each.text for each in found.candidates] if found is not None else ()

    async def listen(self) -> None:
        """Say what happens, until the client is closed."""
        async for event in self._stream:
            self._happened(event)

    def begin(self) -> None:
        """From now on nothing that happens is missed."""
        self._stream = self.chat.events()

    def _happened(self, event: events.ClientEvent) -> None:
        match event:
            case events.ConnectionStateChanged(state):
                online = isinstance(state, events.Online)
                if online != self._online and (told := sentences.state(state)):
                    self._online = online
                    self.say(told)
            case events.LogChanged(room, seqs, True):
                self.session.apply(event)
                self._log_changed(room, seqs)
                return
            case events.NoticeReceived(notice):
                view = self.session.room(notice.room)
                others = view is not None and notice.member_id != view.member_id
                if view is self.session.current and others and self._joins(notice.nick_name):
                    self.say(sentences.noticed(notice))
            case events.TopicChanged(room, topic):
                view = self.session.room(room)
                if view is not None and view is self.session.current and view.topic != topic:
                    self.say(words.topic_is(topic))
            case events.OutboxItemChanged(posting) if posting.state is OutboxItemState.FAILED:
                problem = refusals.within(posting.problem)
                self.say(tr("Not sent: {problem}. It was: {text}", problem=problem, text=posting.text))
            case events.RoomLost(room, reason):
                self.session.apply(event)
                self._rooms.pop(names.canonical_key(room), None)
                self._kept.closed(room)
                self.say(words.room_lost(room, refusals.within(reason)))
                self._after_leaving()
                return
            case events.PersistenceFailed(problem):
                self.say(refusals.within(problem))
            case _:
                pass
        self.session.apply(event)
        if isinstance(event, events.OutboxItemChanged) and not self.session.unsent:
            self.all_sent.set()

    def _log_changed(self, name: str, seqs: Sequence[int]) -> None:
        view, room = self.session.room(name), self._rooms.get(names.canonical_key(name))
        if view is None or room is None:
            return
        if view is self.session.current:
            for seq in seqs:
                if seq in room.log and room.log[seq].member_id != room.member_id:
                    self._read_out(room.log[seq])
            self._looked()
            return
        heard = self.session.take_heard()
        for each in heard:
            self.say(sentences.said_elsewhere(each.room, each.nick, each.text, each.named))
        if not heard and not self.session.muted(view):
            self._say_unread(view.name)

    def _say_unread(self, name: str) -> None:
        view = self.session.room(name)
        if view is not None and view.unread and view.name not in self._told_unread:
            self._told_unread[view.name] = view.unread
            self.say(sentences.unread(view.name, view.unread, view.mentions))

    def _read_out(self, message: Message) -> None:
        if not self.settings.settings.ignores(message.nick_name):
            self.say(sentences.said(message))

    def _joins(self, nick: str) -> bool:
        return self.settings.settings.show_joins and not self.settings.settings.ignores(nick)

    def _after_leaving(self) -> None:
        view = self.session.current
        if view is None:
            self.say(tr(words.LAST_ROOM_LEFT))
            self.leaving.set()
        else:
            self.show(view.name)

    async def typed(self, line: str) -> None:
        """Somebody typed a line: it is said, or done."""
        from tui_chat.plain.commands import run  # noqa: PLC0415 (the two need each other)

        text = line.rstrip("\r\n")
        if not text.strip():
            return
        match commands.parse(text):
            case commands.Wrong(problem):
                self.say(problem)
            case commands.Call() as call:
                try:
                    problem = await run(call, self)
                except ChatError as refusal:
                    problem = refusals.of(refusal)
                if problem:
                    self.say(problem)
            case commands.Say(said):
                if problem := self.post(said):
                    self.say(problem)
