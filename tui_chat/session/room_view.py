"""One room as it is shown: its lines, its people, what is unread, what is being written.

Reading: a room is read only while it is looked at, which the screen says (shown,
in focus, at the bottom). What comes while it is not counts as unread, and the
unread line stands above the first of it until the room has been looked at and
left again.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import islice

from msgspec.structs import replace

from server.protocol import names
from server.protocol.entries import Member, Message
from tui_chat.client.posting import OutboxItem
from tui_chat.session import mentions, words
from tui_chat.session.input_history import InputHistory
from tui_chat.session.kept_writing import Left
from tui_chat.session.lines import Delivery, MessageLine, Reacted
from tui_chat.session.transcript import Transcript
from tui_chat.session.writing import Writing

QUOTED_MAX = 200
"""Characters of a message that a quote has at most."""

LOOKED_BACK = 10_000
"""Lines among which what somebody said last is looked for."""

UNSENT = "unsent-"
"""Begins the key of a line that is not sent; its `clientId` follows."""


class RoomView:
    """What there is to show of one room.

    Attributes:
        name: As the server writes it.
        topic: What it is about, may be empty.
        nick: Your nickname in it.
        member_id: Your id in it.
        members: Who is there, by nickname.
        plain: A plain server does not tell who is there.
        transcript: Its lines.
        unread: Messages that came while it was not looked at.
        mentions: How many of those name you.
        draft: What is being written, kept while another room is shown.
        sent: What you sent here, to walk with Up and Down.
        read_seq: The newest `seq` there was when it was last looked at.
        kept_read: The `read_seq` that was kept last.
        newest: The newest `seq` there is.
        writing: What the draft is for, None for a plain message.
        kept_for: What the draft was for when it was last kept.
    """

    def __init__(
        self,
        name: str,
        topic: str,
        nick: str,
        member_id: str,
        *,
        left: Left | None = None,
        hides: Callable[[str, str], bool] = lambda nick, member_id: False,
    ) -> None:
        """Make it.

        Args:
            name: As the server writes it.
            topic: What it is about.
            nick: Your nickname in it.
            member_id: Your id in it.
            left: What you left there, None for nothing.
            hides: Whether what this nickname and member id says is not shown.
        """
        left = left or Left()
        self.name = name
        self.topic = topic
        self.nick = nick
        self.member_id = member_id
        self._hides = hides
        self.members: tuple[Member, ...] = ()
        self.plain = False
        self.transcript = Transcript()
        self.unread = 0
        self.mentions = 0
        self.draft = left.draft
        self.sent = InputHistory(left.sent)
        self.read_seq = 0
        self.kept_read = -1
        self._read_before = left.read
        self.newest = 0
        self.writing: Writing | None = left.writing
        self.kept_for: Writing | None = left.writing
        self._answers: dict[int, set[int]] = {}  # to each message, the `seq` of those that answer it
        self._looked_at = False
        self._typing: dict[str, None] = {}
        self._spoke: dict[str, str] = {}

    def restart(self) -> None:
        """Take all lines away that came from the log; what was written about one of them is a plain draft now."""
        self.transcript.restart()
        self.writing = None
        self.unread = self.mentions = 0
        self.newest = self.read_seq = 0

    def begin(self, messages: Iterable[Message], last_seq: int) -> None:
        """What the room holds when it is entered; unread is what came since you were here before."""
        lines = self._lines(messages)
        self._put(lines)
        for line in lines:
            self._spoke_now(line)
        self.reached(last_seq)
        read, self._read_before = self._read_before, None
        self.read_seq = last_seq if read is None else min(read, last_seq)
        self._unread([line for line in lines if (line.seq or 0) > self.read_seq and not line.own])

    def reached(self, seq: int) -> None:
        """The room's newest entry is this."""
        self.newest = max(self.newest, seq)
        self.transcript.reached(seq)
        if self._looked_at:
            self.read_seq = self.newest

    def changed(self, messages: Iterable[Message], last_seq: int, *, live: bool = True) -> list[MessageLine]:
        """Messages that are new or now read otherwise, ascending; the newest entry is `last_seq`.

        What was missed and fetched now (not `live`) has the unread line above it even
        where somebody looks: it comes all at once.

        Returns:
            Those that came while nobody looked.
        """
        lines = self._lines(messages)
        new = [line for line in lines if (line.seq or 0) > self.read_seq and not line.own and not self._known(line.seq)]
        for line in lines:
            self._typing.pop(line.member_id, None)
            if (line.seq or 0) > self.newest:
                self._spoke_now(line)
        if not self._looked_at:
            self._unread(new)
        elif new and not live:
            self.transcript.set_unread(self.read_seq)
        self._put(lines)
        self.reached(last_seq)
        return [] if self._looked_at else new

    def _unread(self, new: list[MessageLine]) -> None:
        if new and self.unread == 0:
            self.transcript.set_unread(self.read_seq)
        self.unread += len(new)
        self.mentions += sum(line.mention for line in new)

    def look(self) -> None:
        """It is shown, in focus and at the bottom: all of it is read."""
        self._looked_at = True
        self.unread = self.mentions = 0
        self.read_seq = self.newest

    def look_away(self) -> None:
        """It is no longer looked at: what comes now is unread."""
        if self._looked_at:
            self._looked_at = False
            self.transcript.set_unread(None)

    def line(self, message: Message) -> MessageLine:
        """A message of the log as a line."""
        own = message.member_id == self.member_id
        return MessageLine(
            key=f"message-{message.seq}",
            seq=message.seq,
            ts=message.ts,
            nick=message.nick_name,
            member_id=message.member_id,
            own=own,
            text=message.message,
            edited=message.edited is not None,
            deleted=message.deleted,
            mention=not own and mentions.names(message.message, self.nick),
            reply_to=message.reply_to,
            quoted=self.quote(message.reply_to),
            reactions=tuple(
                Reacted(emoji, len(members), self.member_id in members)
                for emoji, members in (message.reactions or {}).items()
            ),
        )

    def quote(self, seq: int | None) -> str:
        """Who said this message and what, in one line; empty when it is not here."""
        line = None if seq is None else self.transcript.message(seq)
        return "" if line is None else words.quoted_line(line, QUOTED_MAX)

    def last_said(self, *, own: bool) -> MessageLine | None:
        """The newest message that is yours, or that is not, and was sent and not taken back."""
        return self._newest(lambda line: line.seq is not None and line.own is own and not line.deleted)

    def last_of(self, member_id: str) -> MessageLine | None:
        """The newest message of this member."""
        return self._newest(lambda line: line.member_id == member_id)

    def last_called(self, nick: str) -> MessageLine | None:
        """The newest message that was said under this nickname (`names.key`)."""
        return self._newest(lambda line: names.canonical_key(line.nick) == nick)

    def _newest(self, fits: Callable[[MessageLine], bool]) -> MessageLine | None:
        # Reading a hundred thousand lines would be felt; so far back nobody means the last one.
        newest_first = islice(reversed(self.transcript.lines), LOOKED_BACK)
        return next((line for line in newest_first if isinstance(line, MessageLine) and fits(line)), None)

    def show_others(self, messages: Iterable[Message]) -> None:
        """Others are ignored now than before: these are all messages of the log."""
        messages = list(messages)
        self.transcript.take_away(
            message.seq for message in messages if not self._shows(message.nick_name, message.member_id)
        )
        self._put(self._lines(messages))

    def _shows(self, nick: str, member_id: str) -> bool:
        return member_id == self.member_id or not self._hides(nick, member_id)

    def _lines(self, messages: Iterable[Message]) -> list[MessageLine]:
        return [self.line(message) for message in messages if self._shows(message.nick_name, message.member_id)]

    def _put(self, lines: list[MessageLine]) -> None:
        self.transcript.put(lines)
        changed: set[int] = set()
        for line in lines:
            if line.reply_to is not None and line.seq is not None:
                self._answers.setdefault(line.reply_to, set()).add(line.seq)
                changed.add(line.seq)
            changed |= self._answers.get(line.seq or 0, set())
        # What was quoted may have come, or changed, with the same lines.
        for seq in sorted(changed):
            answer = self.transcript.message(seq)
            if answer is not None and answer.quoted != (quoted := self.quote(answer.reply_to)):
                self.transcript.put([replace(answer, quoted=quoted)])

    def unsent_line(self, posting: OutboxItem) -> MessageLine:
        """A message that waits to be sent as a line."""
        return MessageLine(
            key=f"{UNSENT}{posting.client_id}",
            seq=None,
            ts=posting.ts,
            nick=self.nick,
            member_id=self.member_id,
            own=True,
            text=posting.text,
            delivery=Delivery.PENDING,
            reply_to=posting.reply_to,
            quoted=self.quote(posting.reply_to),
        )

    def sent_line(self, posting: OutboxItem) -> MessageLine:
        """A message that was just sent as a line."""
        line = self.transcript.unsent(str(posting.client_id)) or self.unsent_line(posting)
        return replace(
            line,
            key=f"message-{posting.seq}",
            seq=posting.seq,
            ts=posting.server_ts or posting.ts,
            delivery=Delivery.SENT,
            problem="",
        )

    def types(self, member_id: str, on: bool) -> None:
        """A member began to type, or stopped."""
        if on and member_id != self.member_id:
            self._typing[member_id] = None
        else:
            self._typing.pop(member_id, None)

    @property
    def last_ts(self) -> int:
        """When something was said here last, in milliseconds since the epoch; 0 for never."""
        return next((line.ts for line in reversed(self.transcript.lines) if isinstance(line, MessageLine)), 0)

    @property
    def typing(self) -> list[str]:
        """The nicknames of those who are typing."""
        if not self._typing:
            return []
        nicks = {
            member.member_id: member.nick_name
            for member in self.members
            if self._shows(member.nick_name, member.member_id)
        }
        return [nicks[member_id] for member_id in self._typing if member_id in nicks]

    def set_members(self, members: Sequence[Member]) -> None:
        """The room's members are now these."""
        self.members = tuple(sorted(members, key=lambda member: member.nick_name.casefold()))
        present = {member.member_id for member in members}
        for gone in [member_id for member_id in self._typing if member_id not in present]:
            del self._typing[gone]

    @property
    def nicks(self) -> list[str]:
        """The nicknames of the others, those who spoke last first."""
        present = {member.member_id: member.nick_name for member in self.members if member.member_id != self.member_id}
        spoke = [present.pop(member_id) for member_id in reversed(self._spoke) if member_id in present]
        others = [nick for member_id, nick in reversed(self._spoke.items()) if member_id != self.member_id]
        return spoke + list(present.values()) if not self.plain else others

    def _known(self, seq: int | None) -> bool:
        return seq is not None and self.transcript.message(seq) is not None

    def _spoke_now(self, line: MessageLine) -> None:
        self._spoke.pop(line.member_id, None)
        self._spoke[line.member_id] = line.nick
