"""View model of one room: timeline, members, read state and composer state."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice, takewhile

from msgspec.structs import replace

from tui_chat.client.events import ReadMarker
from tui_chat.protocol.events import Member, Message
from tui_chat.protocol.mentions import MentionTokens
from tui_chat.session.compose_mode import ComposeMode
from tui_chat.session.file_captions import describe_files, list_images, phrase_files
from tui_chat.session.input_history import InputHistory
from tui_chat.session.lines import DeletionState, MessageLine, count_reactions
from tui_chat.session.ports import RoomPort
from tui_chat.session.read_tracker import ReadTracker
from tui_chat.session.room_index import RecentSpeakers, ReplyIndex, TypingMembers
from tui_chat.session.store.composer_store import SavedRoomState
from tui_chat.session.strings import chat as chat_strings
from tui_chat.session.transcript import Transcript

MAX_LINES_SEARCHED = 10_000
"""Number of newest lines that a search for messages examines, so that the event loop is not blocked noticeably."""

MAX_COUNTED_LINES = 1_000
"""Number of unread messages above which the count of the server replaces that of the loaded messages."""


class RoomView:
    """View state of one room, without lines before `load_log`.

    `is_hidden` is the predicate of nickname and member id for authors whose messages are hidden.

    Attributes:
        room: Joined or cached room of the SDK.
        name: Room name in the server's spelling.
        account: Account name of the user in the room, "" for a guest and before the join.
        members: Stored members, sorted by nickname.
        member_count: Number of present members, including members that are not stored; 0 on a basic server.
        draft: Last saved composer text.
        saved_marker: Last persisted `ReadTracker.saved_marker`, None before the first save.
        compose_mode: Mode of the draft, None for a message.
        saved_compose_mode: Last persisted `compose_mode`.
        speakers: Authors of the newest messages.
        deletions: States of unconfirmed deletions by the `seq` of the message.
    """

    def __init__(
        self,
        room: RoomPort,
        *,
        saved_state: SavedRoomState | None = None,
        is_hidden: Callable[[str, str], bool] = lambda nick, member_id: False,
    ) -> None:
        saved_state = saved_state or SavedRoomState()
        self.room = room
        self.name = room.name
        self.topic = room.topic
        self.nick = room.nick
        self.member_id = room.member_id
        self.account = _find_own_account(room)
        self._is_hidden = is_hidden
        self.members: tuple[Member, ...] = ()
        self._confusable_authors: set[tuple[str, str]] = set()
        self.member_count = 0
        self.transcript = Transcript()
        self.reading = ReadTracker(self.transcript)
        self.draft = saved_state.draft
        self.input_history = InputHistory(saved_state.sent_texts)
        self.reading.has_unsent_mark = saved_state.has_unsent_mark
        self.saved_marker: tuple[int, bool] | None = None
        self.compose_mode: ComposeMode | None = saved_state.compose_mode
        self.saved_compose_mode: ComposeMode | None = saved_state.compose_mode
        self.deletions: dict[int, DeletionState] = {}
        self._replies = ReplyIndex()
        self._typing = TypingMembers()
        self.speakers = RecentSpeakers()

    def reset(self) -> None:
        """Remove all lines except unsent ones, and end the compose mode, whose target message no longer exists.

        Read marker and counts become 0; marks as unread and deletion states end. Draft and input history remain.
        """
        self.transcript.reset()
        self.deletions.clear()
        self._replies = ReplyIndex()
        self.compose_mode = None
        self.reading.reset()

    @property
    def read_seq(self) -> int:
        """Read marker: newest viewed `seq`."""
        return self.reading.seq

    @property
    def unread_count(self) -> int:
        """Number of unread messages."""
        return self.reading.unread_count

    @property
    def mention_count(self) -> int:
        """Number of unread messages that mention the user."""
        return self.reading.mention_count

    def load_log(self, read_seq: int | None = None) -> None:
        """Load the messages of the log that are not hidden. Those of other members after the read marker are unread.

        Without a saved read marker, all messages are read.
        """
        lines, last_seq = self._visible_lines(self.room.log.messages()), self.room.log.last
        self._put_lines(lines)
        for line in lines:
            self.speakers.add(line.member_id, line.nick, line.ts)
        self.advance_to(last_seq)
        self.reading.set_marker(last_seq if read_seq is None else min(read_seq, last_seq), lines)

    def trim(self) -> None:
        """Remove all lines before the first entry of the trimmed room log, except unsent messages."""
        first = self.room.log.first
        self.transcript.trim(first)
        self._replies.trim(first)

    def advance_to(self, seq: int) -> None:
        """Advance the newest `seq`, never backwards; a viewed room is read up to that entry."""
        self.transcript.advance_to(seq)
        self.reading.advance()

    def apply_messages(self, messages: Iterable[Message], *, is_live: bool) -> list[MessageLine]:
        """Apply new or changed messages in ascending order, and end the typing state of authors of newer ones.

        Also updates the gaps, the unread counts, and the read marker of a viewed room. `is_live` is that of
        `LogChanged`.

        Returns:
            New unread messages (`ReadTracker.is_unread`), without hidden members; empty for a viewed room.
        """
        lines = self._visible_lines(messages)
        new_lines = [line for line in lines if self.transcript.find_message(line.seq or 0) is None]
        unread_lines = [line for line in new_lines if self.reading.is_unread(line)]
        for line in new_lines:
            if is_live or (line.seq or 0) > self.transcript.newest_seq:
                self._typing.set(line.member_id, False)
                self.speakers.add(line.member_id, line.nick, line.ts)
        self.reading.add_unread(unread_lines, is_live=is_live)
        self._put_lines(lines)
        self.advance_to(self.room.log.last)
        self._update_gaps()
        return [] if self.reading.is_viewed else unread_lines

    def unread_lines(self) -> list[MessageLine]:
        """Return the messages of other members after the read marker in the newest `MAX_LINES_SEARCHED` lines."""
        return [line for line in self._lines_after(self.read_seq) if not line.is_own]

    def _lines_after(self, seq: int) -> list[MessageLine]:
        newest_first = takewhile(lambda line: line.seq is None or line.seq > seq, self._newest_messages())
        return [line for line in newest_first if line.seq is not None][::-1]

    def apply_read_marker(self, marker: ReadMarker, previous: ReadMarker | None, *, is_selected: bool) -> None:
        """Apply the read marker of the account. No effect while the user has an unsent mark as unread.

        The first marker always applies, but a viewed room stays read. A later one moves the marker forward, unless the
        room is viewed, and ends a mark as unread. One lower than its predecessor is a mark as unread on another device:
        the marker moves back, and a room that is selected in a focused terminal stays unread.
        """
        if self.reading.has_unsent_mark:
            return
        is_lower = previous is not None and marker.seq < previous.seq
        if previous is not None and not is_lower and (self.reading.is_viewed or marker.seq < self.read_seq):
            return
        is_later = marker.seq > self.read_seq
        self.mark_read_until(marker.seq, marker)
        if is_lower and is_selected:
            self.reading.mark_unread()
        elif self.reading.is_viewed:
            self.reading.start_viewing()
        elif is_later:
            self.reading.is_marked_unread = False

    def mark_read_until(self, seq: int, counts: ReadMarker | None = None) -> None:
        """Move the read marker, possibly back, and count the unread messages in the newest `MAX_LINES_SEARCHED` lines.

        The counts of the server apply if messages after the marker are not loaded, or above `MAX_COUNTED_LINES` unread
        messages.
        """
        room_log = self.room.log
        is_complete = room_log.first <= seq + 1 and all(gap.before <= seq + 1 for gap in room_log.gaps())
        if counts is not None and is_complete and counts.unread <= MAX_COUNTED_LINES:
            counts = None
        self.reading.set_marker(seq, self._lines_after(seq), counts)

    def message_line(self, message: Message) -> MessageLine:
        """Return the line of a log message. A message that is marked as confusable stays marked."""
        is_own, known_line = message.member_id == self.member_id, self.transcript.find_message(message.seq)
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
            is_mention=not is_own and self._is_mentioned(message),
            reply_to=message.reply_to,
            quote=self.quoted_text(message.reply_to),
            captions=describe_files(message),
            images=list_images(message),
            files=phrase_files(message),
            reactions=count_reactions(message.reactions),
            is_confusable=self.is_confusable(message.member_id, message.nick_name)
            or (known_line is not None and known_line.is_confusable),
            is_bot=message.bot,
            deletion=self.deletions.get(message.seq, DeletionState.NONE),
        )

    def is_confusable(self, member_id: str, nick: str) -> bool:
        """Return whether the server has marked this nickname of a member as confusable (`mark_confusable`)."""
        return (member_id, nick) in self._confusable_authors

    def mark_confusable(self, authors: Iterable[tuple[str, str]]) -> None:
        """Mark the loaded messages of confusable authors, and later ones until a `set_members` without the mark.

        An author is a pair of member id and nickname. Messages before the newest `MAX_LINES_SEARCHED` lines are not
        marked.
        """
        new_authors = set(authors) - self._confusable_authors
        self._confusable_authors |= new_authors
        if new_authors:
            marked = [
                replace(line, is_confusable=True)
                for line in self._newest_messages()
                if line.seq is not None and (line.member_id, line.nick) in new_authors
            ]
            self.transcript.put_messages(reversed(marked))

    def set_deletion(self, seq: int, state: DeletionState) -> None:
        """Set the state of an unconfirmed deletion, even for a message that is loaded later."""
        self.deletions[seq] = state
        line = self.transcript.find_message(seq)
        if line is not None:
            self.transcript.put_messages([replace(line, deletion=state)])

    def _is_mentioned(self, message: Message) -> bool:
        """Return whether a message mentions the user's nickname or account, or `@room` with a role above `member`."""
        mentions, nicks = MentionTokens(message.message), [member.nick_name for member in self.members]
        return any(mentions.includes(name, nicks) for name in {self.nick, self.account}) or (
            mentions.includes_room
            and any(member.member_id == message.member_id and member.role != "member" for member in self.members)
        )

    def quoted_text(self, seq: int | None) -> str:
        """Return the `quote_line` of a message, "" if the message is not loaded."""
        line = None if seq is None else self.transcript.find_message(seq)
        return "" if line is None else chat_strings.quote_line(line)

    def has_own_reaction(self, seq: int, emoji: str) -> bool:
        """Return whether the user reacted to a message with this emoji, False if the message is not loaded."""
        line = self.transcript.find_message(seq)
        return line is not None and any(reaction.is_own and reaction.emoji == emoji for reaction in line.reactions)

    def last_message(self, *, is_own: bool) -> MessageLine | None:
        """Return the newest acknowledged message with a visible text, of the user (`is_own`) or others, if loaded."""
        return self.find_newest(lambda line: line.seq is not None and line.is_own is is_own and not line.is_text_hidden)

    def received_lines(self) -> Iterator[MessageLine]:
        """Yield other members' messages with a visible text in the newest `MAX_LINES_SEARCHED` lines, newest first."""
        return (line for line in self._newest_messages() if not (line.is_own or line.is_text_hidden))

    def find_newest(self, predicate: Callable[[MessageLine], bool]) -> MessageLine | None:
        """Return the newest message in the last `MAX_LINES_SEARCHED` lines that satisfies a predicate, or None."""
        return next(filter(predicate, self._newest_messages()), None)

    def _newest_messages(self) -> Iterator[MessageLine]:
        newest_first = islice(reversed(self.transcript.lines), MAX_LINES_SEARCHED)
        return (line for line in newest_first if isinstance(line, MessageLine))

    def update_identity(self) -> bool:
        """Copy nickname, member id and account of the user after a join.

        Returns:
            True if the lines need `rebuild_lines`: the account, or a member id that was known, is another one.
        """
        room, earlier = self.room, (self.member_id or self.room.member_id, self.account)
        self.nick, self.member_id, self.account = room.nick, room.member_id, _find_own_account(room)
        return earlier != (self.member_id, self.account)

    def rebuild_lines(self) -> None:
        """Rebuild the lines from all log messages after a change of the ignored members or of the user's identity.

        The unread counts remain unchanged. Newer messages follow with their event.
        """
        messages = [message for message in self.room.log.messages() if message.seq <= self.transcript.newest_seq]
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
        """Put lines into the transcript, and update the quotes of replies to them."""
        self.transcript.put_messages(lines)
        # The same batch may contain or change the parent message of a quote.
        for seq in self._replies.update(lines):
            reply = self.transcript.find_message(seq)
            if reply is not None and reply.quote != (quote := self.quoted_text(reply.reply_to)):
                self.transcript.put_messages([replace(reply, quote=quote)])

    def set_typing(self, member_id: str, is_typing: bool) -> None:
        """Set the typing state of a member (`TypingMembers.set`). No effect for the user."""
        if member_id != self.member_id:
            self._typing.set(member_id, is_typing)

    @property
    def last_message_ts(self) -> int:
        """Time of the last message, sent or unsent, in milliseconds since the epoch; 0 without messages."""
        return next((line.ts for line in reversed(self.transcript.lines) if isinstance(line, MessageLine)), 0)

    @property
    def typing_nicks(self) -> list[str]:
        """Nicknames of the typing members that are listed and not hidden, in order of their start."""
        members = self._typing.select(self.members)
        return [member.nick_name for member in members if self._is_visible(member.nick_name, member.member_id)]

    def update_members_and_gaps(self) -> None:
        """Copy members, member count and gaps of the room after a join."""
        self.set_members(list(self.room.members.values()), self.room.member_count)
        self._update_gaps()

    def _update_gaps(self) -> None:
        self.transcript.set_gaps((gap.after, gap.before) for gap in self.room.log.gaps())

    def set_members(self, members: Sequence[Member], count: int) -> None:
        """Replace the members and their number, mark confusable authors, end the typing state of unlisted members."""
        self.member_count = count
        self.members = tuple(sorted(members, key=lambda member: member.nick_name.casefold()))
        confusable_authors = {(member.member_id, member.nick_name) for member in members if member.confusable}
        self._confusable_authors &= confusable_authors
        self.mark_confusable(confusable_authors)
        self._typing.end_absent(members)

    @property
    def title(self) -> str:
        """Display name: the title of a private or direct room, otherwise the name."""
        return self.room.title

    @property
    def other_nicks(self) -> list[str]:
        """Nicknames of the other stored members, recent speakers first; on a basic server, only recent speakers."""
        speakers = self.speakers.newest_first()
        members = {member.member_id: member.nick_name for member in self.members}
        ordered = (
            speakers
            if self.room.is_basic_server
            else {key: members[key] for key in speakers if key in members} | members
        )
        return [nick for member_id, nick in ordered.items() if member_id != self.member_id]


def _find_own_account(room: RoomPort) -> str:
    member = room.members.get(room.member_id)
    return (member.account if member is not None else None) or ""
