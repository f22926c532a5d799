"""Stand-in for the room of the SDK."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID, uuid4

from tui_chat.client import events
from tui_chat.client.outbox_file import OutboxFile
from tui_chat.client.outbox_item import OutboxItem
from tui_chat.client.sync.room_log import RoomLog
from tui_chat.protocol.errors import ChatError
from tui_chat.protocol.events import Member, Message
from tui_chat.protocol.policies import RoomPolicy
from tui_chat.protocol.requests import DeleteMessage, EditMessage, React, SendMessage
from tui_chat.protocol.responses import JoinResponse, RoomState
from tui_chat.session.chat_session import ChatSession

ANN = Member(member_id="a", nick_name="ann", role="member")
BOB = Member(member_id="b", nick_name="bob", role="member")


@dataclass
class FakeReadMarker:
    """Stand-in for the read marker of the SDK."""

    state: events.ReadMarker | None = None


@dataclass
class FakeRoom:
    """Stand-in for the room of the SDK, backed by a real room log.

    Attributes:
        posts: Names and arguments of the queued messages and changes, retries and drops, in order.
        error: Error of every message, change and retry; None for none.
    """

    name: str
    topic: str = ""
    nick: str = "ann"
    member_id: str = "a"
    members: dict[str, Member] = field(default_factory=lambda: {"a": ANN, "b": BOB})
    log: RoomLog = field(default_factory=RoomLog)
    unsent_items: tuple[OutboxItem, ...] = ()
    is_basic_server: bool = False
    is_direct: bool = False
    role: str | None = None
    upload_max_bytes: int | None = None
    policy: RoomPolicy = field(default_factory=RoomPolicy)
    read_marker: FakeReadMarker = field(default_factory=FakeReadMarker)
    posts: list[tuple[object, ...]] = field(default_factory=list[tuple[object, ...]])
    error: ChatError | None = None

    @property
    def title(self) -> str:
        """Name, as the title of a public room."""
        return self.name

    @property
    def member_count(self) -> int:
        """Number of members."""
        return len(self.members)

    def unsent(self) -> tuple[OutboxItem, ...]:
        """Return the unacknowledged items."""
        return self.unsent_items

    def join(self, *texts: str) -> "FakeRoom":
        """Fill the log with messages of Bob, as after a join. Return the room."""
        state = RoomState(
            name=self.name, topic=self.topic, log_id="log", first_seq=1, last_seq=len(texts), visibility="public"
        )
        messages = [self.message(seq, text) for seq, text in enumerate(texts, 1)]
        self.log.apply_join(
            JoinResponse(
                room=state,
                nick_name=self.nick,
                member_id=self.member_id,
                guest_key="k",
                members=list(self.members.values()),
                messages=list(messages),
                has_more=False,
            ),
            None,
        )
        return self

    def message(self, seq: int, text: str, author: Member = BOB) -> Message:
        """Return a message of the room."""
        return Message(
            room=self.name,
            seq=seq,
            id=seq,
            nick_name=author.nick_name,
            member_id=author.member_id,
            message=text,
            ts=seq,
        )

    def push_message(self, session: ChatSession, text: str, author: Member = BOB) -> int:
        """Add a message to the log and apply its event. Return its `seq`."""
        seq = self.log.last + 1
        changed = self.log.apply_push(self.message(seq, text, author))
        session.apply(events.LogChanged(self.name, changed, True))
        return seq

    def post(self, text: str, reply_to: int | None = None, *, files: Sequence[OutboxFile] = ()) -> OutboxItem:
        """Record a message, which stays unsent."""
        client_id = uuid4()
        attachments = [""] * len(files) or None
        request = SendMessage(self.name, text, client_id, reply_to, attachments=attachments)
        item = self._record(
            OutboxItem(self.name, client_id, request, 1_000, files=tuple(files)), "post", text, reply_to
        )
        self.unsent_items = (*self.unsent_items, item)
        return item

    def post_edit(self, seq: int, text: str) -> OutboxItem:
        """Record an edit."""
        request = EditMessage(room=self.name, seq=seq, message=text)
        return self._record(OutboxItem(self.name, uuid4(), request, 1_000), "edit", seq, text)

    def post_deletion(self, seq: int) -> OutboxItem:
        """Record a deletion."""
        return self._record(
            OutboxItem(self.name, uuid4(), DeleteMessage(room=self.name, seq=seq), 1_000), "delete", seq
        )

    def post_reaction(self, seq: int, emoji: str, on: bool = True) -> OutboxItem:
        """Record a reaction."""
        request = React(room=self.name, seq=seq, emoji=emoji, on=on)
        return self._record(OutboxItem(self.name, uuid4(), request, 1_000), "react", seq, emoji, on)

    def _record(self, item: OutboxItem, *post: object) -> OutboxItem:
        if self.error is not None:
            raise self.error
        self.posts.append(post)
        return item

    def retry(self, client_id: UUID) -> OutboxItem:
        """Record a retry. Raise `error`, or `KeyError` as for an item that has not failed."""
        self.posts.append(("retry", client_id))
        raise self.error or KeyError(client_id)

    def drop(self, client_id: UUID) -> OutboxItem:
        """Record the drop of an item. Raise `KeyError`, as for an item in flight."""
        self.posts.append(("drop", client_id))
        raise KeyError(client_id)
