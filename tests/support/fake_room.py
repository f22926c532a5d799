"""Stand-in for the room of the SDK."""

from dataclasses import dataclass, field

from tui_chat.client import events
from tui_chat.client.outbox_item import OutboxItem
from tui_chat.client.sync.room_log import RoomLog
from tui_chat.protocol.events import Member, Message
from tui_chat.protocol.responses import JoinResponse, RoomState
from tui_chat.session.chat_session import ChatSession

ANN = Member(member_id="a", nick_name="ann", role="member")
BOB = Member(member_id="b", nick_name="bob", role="member")


@dataclass
class FakeRoom:
    """Stand-in for the room of the SDK, backed by a real room log."""

    name: str
    topic: str = ""
    nick: str = "ann"
    member_id: str = "a"
    members: dict[str, Member] = field(default_factory=lambda: {"a": ANN, "b": BOB})
    log: RoomLog = field(default_factory=RoomLog)
    unsent_items: tuple[OutboxItem, ...] = ()
    is_basic_server: bool = False

    def unsent(self) -> tuple[OutboxItem, ...]:
        """Return the unacknowledged items."""
        return self.unsent_items

    def join(self, *texts: str) -> "FakeRoom":
        """Fill the log with messages of Bob, as after a join. Return the room."""
        state = RoomState(name=self.name, topic=self.topic, last_seq=len(texts), visibility="public")
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
