"""Presence changes of one room, batched into one push per flush of `PresenceBroadcaster`.

Consistency: the delta, applied to the member list of any moment between two flushes, yields the member list at the
later flush. A member with a join and a leave between two flushes is therefore reported in `left`, because a client
that joined in between has the member in its list.
"""

from dataclasses import dataclass, field

from tui_chat.protocol.events import Member, PresencePush, RenamedMember


@dataclass(slots=True)
class PresenceDelta:
    """Accumulated presence changes of a room since the last push.

    Attributes:
        joined: Joined members by id.
        left: Ids of departed members, in order of departure.
        renamed: Members with new nicknames by id, without those in `joined`.
    """

    joined: dict[str, Member] = field(default_factory=dict[str, Member])
    left: dict[str, None] = field(default_factory=dict[str, None])
    renamed: dict[str, Member] = field(default_factory=dict[str, Member])

    def record_join(self, member: Member) -> None:
        """Add a joined member; a later join replaces an earlier one, and removes a recorded departure or rename."""
        self.left.pop(member.member_id, None)
        self.renamed.pop(member.member_id, None)
        self.joined[member.member_id] = member

    def record_leave(self, member_id: str) -> None:
        """Add a departed member; the departure removes a recorded join or rename."""
        self.renamed.pop(member_id, None)
        self.joined.pop(member_id, None)
        self.left[member_id] = None

    def record_rename(self, member: Member) -> None:
        """Add the current nickname of a renamed member; a member in `joined` is updated there instead."""
        if member.member_id in self.joined:
            self.joined[member.member_id] = member
        else:
            self.renamed[member.member_id] = member

    def to_push(self, room: str, member_count: int) -> PresencePush:
        """Return the `presence` push with the accumulated changes; the delta stays unchanged.

        Args:
            room: Display name of the room.
            member_count: Number of present members.
        """
        return PresencePush(
            room=room,
            joined=list(self.joined.values()),
            left=list(self.left),
            renamed=[
                RenamedMember(member_id=member.member_id, nick_name=member.nick_name, confusable=member.confusable)
                for member in self.renamed.values()
            ],
            member_count=member_count,
        )
