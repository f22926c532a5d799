"""One room as it is shown: its lines, its people, what is unread, what is being written.

Reading: a room is read only while it is looked at, which the screen says (shown,
in focus, at the bottom). What comes while it is not counts as unread, and the
unread line stands above the first of it until the room has been looked at and
left again.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from itertools import islice

from msgspec.structs import replace

from tui_chat.client.outbox.item import OutboxItem
from tui_chat.protocol import names
from tui_chat.protocol.events import Member, Message
from tui_chat.session.compose_mode import ComposeMode
from tui_chat.session.input_history import InputHistory
from tui_chat.session.lines import DeliveryState, MessageLine, ReactionCount
from tui_chat.session.store.composer_store import SavedRoomState
from tui_chat.session.strings import chat as chat_strings
from tui_chat.session.transcript import Transcript


@lru_cache(maxsize=256)
def _mention_pattern(nick: str) -> re.Pattern[str]:
    # Scripts without spaces put a name right beside other letters, so only an edge that is
    # a letter or digit of a spaced script asks for a boundary: "ann" is not in "channel",
    # and is in "ann你好".
    before = r"(?<![0-9A-Za-z_\u00c0-\u024f\u0370-\u058f])" if _needs_word_boundary(nick[0]) else ""
    after = r"(?![0-9A-Za-z_\u00c0-\u024f\u0370-\u058f])" if _needs_word_boundary(nick[-1]) else ""
    return re.compile(before + re.escape(nick.casefold()) + after)


def _needs_word_boundary(character: str) -> bool:
    return bool(re.match(r"[0-9A-Za-z_\u00c0-\u024f\u0370-\u058f]", character))


def is_mentioned(text: str, nick: str) -> bool:
    """Whether `text` names `nick`: as a word of its own, in any case, with or without `@`."""
    return bool(nick) and _mention_pattern(nick).search(text.casefold()) is not None


MAX_QUOTE_LENGTH = 200
"""Characters of a message that a quote has at most."""

MAX_LINES_SEARCHED = 10_000
"""Lines among which what somebody said last is looked for."""

UNSENT_KEY_PREFIX = "unsent-"
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
        saved_state: SavedRoomState | None = None,
        is_hidden: Callable[[str, str], bool] = lambda nick, member_id: False,
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
        saved_state = saved_state or SavedRoomState()
        self.name = name
        self.topic = topic
        self.nick = nick
        self.member_id = member_id
        self._is_hidden = is_hidden
        self.members: tuple[Member, ...] = ()
        self.is_basic_server = False
        self.transcript = Transcript()
        self.unread_count = 0
        self.mention_count = 0
        self.draft = saved_state.draft
        self.input_history = InputHistory(saved_state.sent_texts)
        self.read_seq = 0
        self.saved_read_seq = -1
        self._previous_read_seq = saved_state.read_seq
        self.newest_seq = 0
        self.compose_mode: ComposeMode | None = saved_state.compose_mode
        self.saved_compose_mode: ComposeMode | None = saved_state.compose_mode
        self._replies: dict[int, set[int]] = {}  # to each message, the `seq` of those that answer it
        self._is_viewed = False
        self._typing_member_ids: dict[str, None] = {}
        self._recent_speakers: dict[str, str] = {}

    def reset(self) -> None:
        """Take all lines away that came from the log; what was written about one of them is a plain draft now."""
        self.transcript.reset()
        self.compose_mode = None
        self.unread_count = self.mention_count = 0
        self.newest_seq = self.read_seq = 0

    def load_log(self, messages: Iterable[Message], last_seq: int) -> None:
        """What the room holds when it is entered; unread is what came since you were here before."""
        lines = self._visible_lines(messages)
        self._put_lines(lines)
        for line in lines:
            self._record_speaker(line)
        self.advance_to(last_seq)
        previous_read_seq, self._previous_read_seq = self._previous_read_seq, None
        self.read_seq = last_seq if previous_read_seq is None else min(previous_read_seq, last_seq)
        self._count_unread([line for line in lines if (line.seq or 0) > self.read_seq and not line.is_own])

    def advance_to(self, seq: int) -> None:
        """The room's newest entry is this."""
        self.newest_seq = max(self.newest_seq, seq)
        self.transcript.advance_to(seq)
        if self._is_viewed:
            self.read_seq = self.newest_seq

    def apply_messages(self, messages: Iterable[Message], last_seq: int, *, is_live: bool = True) -> list[MessageLine]:
        """Messages that are new or now read otherwise, ascending; the newest entry is `last_seq`.

        What was missed and fetched now (not `live`) has the unread line above it even
        where somebody looks: it comes all at once.

        Returns:
            Those that came while nobody looked.
        """
        lines = self._visible_lines(messages)
        unread_lines = [
            line
            for line in lines
            if (line.seq or 0) > self.read_seq and not line.is_own and not self._has_message(line.seq)
        ]
        for line in lines:
            self._typing_member_ids.pop(line.member_id, None)
            if (line.seq or 0) > self.newest_seq:
                self._record_speaker(line)
        if not self._is_viewed:
            self._count_unread(unread_lines)
        elif unread_lines and not is_live:
            self.transcript.set_unread_line(self.read_seq)
        self._put_lines(lines)
        self.advance_to(last_seq)
        return [] if self._is_viewed else unread_lines

    def _count_unread(self, unread_lines: list[MessageLine]) -> None:
        if unread_lines and self.unread_count == 0:
            self.transcript.set_unread_line(self.read_seq)
        self.unread_count += len(unread_lines)
        self.mention_count += sum(line.is_mention for line in unread_lines)

    def start_viewing(self) -> None:
        """It is shown, in focus and at the bottom: all of it is read."""
        self._is_viewed = True
        self.unread_count = self.mention_count = 0
        self.read_seq = self.newest_seq

    def stop_viewing(self) -> None:
        """It is no longer looked at: what comes now is unread."""
        if self._is_viewed:
            self._is_viewed = False
            self.transcript.set_unread_line(None)

    def message_line(self, message: Message) -> MessageLine:
        """A message of the log as a line."""
        is_own = message.member_id == self.member_id
        return MessageLine(
            key=f"message-{message.seq}",
            seq=message.seq,
            ts=message.ts,
            nick=message.nick_name,
            member_id=message.member_id,
            is_own=is_own,
            text=message.message,
            edited=message.edited is not None,
            deleted=message.deleted,
            is_mention=not is_own and is_mentioned(message.message, self.nick),
            reply_to=message.reply_to,
            quote=self.quoted_text(message.reply_to),
            reactions=tuple(
                ReactionCount(emoji, len(members), self.member_id in members)
                for emoji, members in (message.reactions or {}).items()
            ),
        )

    def quoted_text(self, seq: int | None) -> str:
        """Who said this message and what, in one line; empty when it is not here."""
        line = None if seq is None else self.transcript.find_message(seq)
        return "" if line is None else chat_strings.quote_line(line, MAX_QUOTE_LENGTH)

    def last_message(self, *, is_own: bool) -> MessageLine | None:
        """The newest message that is yours, or that is not, and was sent and not taken back."""
        return self._find_newest(lambda line: line.seq is not None and line.is_own is is_own and not line.deleted)

    def last_message_by(self, member_id: str) -> MessageLine | None:
        """The newest message of this member."""
        return self._find_newest(lambda line: line.member_id == member_id)

    def last_message_by_nick(self, nick: str) -> MessageLine | None:
        """The newest message that was said under this nickname (`names.key`)."""
        return self._find_newest(lambda line: names.canonical_key(line.nick) == nick)

    def _find_newest(self, predicate: Callable[[MessageLine], bool]) -> MessageLine | None:
        # Reading a hundred thousand lines would be felt; so far back nobody means the last one.
        newest_first = islice(reversed(self.transcript.lines), MAX_LINES_SEARCHED)
        return next((line for line in newest_first if isinstance(line, MessageLine) and predicate(line)), None)

    def apply_ignore_filter(self, messages: Iterable[Message]) -> None:
        """Others are ignored now than before: these are all messages of the log."""
        messages = list(messages)
        self.transcript.remove_messages(
            message.seq for message in messages if not self._is_visible(message.nick_name, message.member_id)
        )
        self._put_lines(self._visible_lines(messages))

    def _is_visible(self, nick: str, member_id: str) -> bool:
        return member_id == self.member_id or not self._is_hidden(nick, member_id)

    def _visible_lines(self, messages: Iterable[Message]) -> list[MessageLine]:
        return [
            self.message_line(message) for message in messages if self._is_visible(message.nick_name, message.member_id)
        ]

    def _put_lines(self, lines: list[MessageLine]) -> None:
        self.transcript.put_messages(lines)
        changed_seqs: set[int] = set()
        for line in lines:
            if line.reply_to is not None and line.seq is not None:
                self._replies.setdefault(line.reply_to, set()).add(line.seq)
                changed_seqs.add(line.seq)
            changed_seqs |= self._replies.get(line.seq or 0, set())
        # What was quoted may have come, or changed, with the same lines.
        for seq in sorted(changed_seqs):
            reply = self.transcript.find_message(seq)
            if reply is not None and reply.quote != (quote := self.quoted_text(reply.reply_to)):
                self.transcript.put_messages([replace(reply, quote=quote)])

    def unsent_line(self, item: OutboxItem) -> MessageLine:
        """A message that waits to be sent as a line."""
        return MessageLine(
            key=f"{UNSENT_KEY_PREFIX}{item.client_id}",
            seq=None,
            ts=item.ts,
            nick=self.nick,
            member_id=self.member_id,
            is_own=True,
            text=item.text,
            delivery=DeliveryState.PENDING,
            reply_to=item.reply_to,
            quote=self.quoted_text(item.reply_to),
        )

    def sent_line(self, item: OutboxItem) -> MessageLine:
        """A message that was just sent as a line."""
        line = self.transcript.find_unsent(str(item.client_id)) or self.unsent_line(item)
        return replace(
            line,
            key=f"message-{item.seq}",
            seq=item.seq,
            ts=item.server_ts or item.ts,
            delivery=DeliveryState.SENT,
            problem="",
        )

    def set_typing(self, member_id: str, is_typing: bool) -> None:
        """A member began to type, or stopped."""
        if is_typing and member_id != self.member_id:
            self._typing_member_ids[member_id] = None
        else:
            self._typing_member_ids.pop(member_id, None)

    @property
    def last_message_ts(self) -> int:
        """When something was said here last, in milliseconds since the epoch; 0 for never."""
        return next((line.ts for line in reversed(self.transcript.lines) if isinstance(line, MessageLine)), 0)

    @property
    def typing_nicks(self) -> list[str]:
        """The nicknames of those who are typing."""
        if not self._typing_member_ids:
            return []
        nicks = {
            member.member_id: member.nick_name
            for member in self.members
            if self._is_visible(member.nick_name, member.member_id)
        }
        return [nicks[member_id] for member_id in self._typing_member_ids if member_id in nicks]

    def set_members(self, members: Sequence[Member]) -> None:
        """The room's members are now these."""
        self.members = tuple(sorted(members, key=lambda member: member.nick_name.casefold()))
        present_ids = {member.member_id for member in members}
        for departed_id in [member_id for member_id in self._typing_member_ids if member_id not in present_ids]:
            del self._typing_member_ids[departed_id]

    @property
    def other_nicks(self) -> list[str]:
        """The nicknames of the others, those who spoke last first."""
        present = {member.member_id: member.nick_name for member in self.members if member.member_id != self.member_id}
        recent_nicks = [present.pop(member_id) for member_id in reversed(self._recent_speakers) if member_id in present]
        speaker_nicks = [
            nick for member_id, nick in reversed(self._recent_speakers.items()) if member_id != self.member_id
        ]
        return recent_nicks + list(present.values()) if not self.is_basic_server else speaker_nicks

    def _has_message(self, seq: int | None) -> bool:
        return seq is not None and self.transcript.find_message(seq) is not None

    def _record_speaker(self, line: MessageLine) -> None:
        self._recent_speakers.pop(line.member_id, None)
        self._recent_speakers[line.member_id] = line.nick
