"""Comings and goings, gathered per room, so that a storm of them is one push a tick.

Rule: applying what was gathered to the members as they were at any moment of the
tick gives the members as they are. So somebody who came and left within a tick
is told as having left: whoever joined in between holds them as a member.
"""

from dataclasses import dataclass, field

from tui_chat.protocol.events import Member, PresencePush, RenamedMember


@dataclass(slots=True)
class PresenceDelta:
    """What has changed in one room since the last push."""

    joined: dict[str, Member] = field(default_factory=dict[str, Member])
    left: dict[str, None] = field(default_factory=dict[str, None])
    renamed: dict[str, str] = field(default_factory=dict[str, str])

    def record_join(self, member: Member) -> None:
        """A member is here."""
        self.left.pop(member.member_id, None)
        self.joined[member.member_id] = member

    def record_leave(self, member_id: str) -> None:
        """A member is not here any more."""
        self.renamed.pop(member_id, None)
        self.joined.pop(member_id, None)
        self.left[member_id] = None

    def record_rename(self, member: Member) -> None:
        """A member has another nickname."""
        if member.member_id in self.joined:
            self.joined[member.member_id] = member
        else:
            self.renamed[member.member_id] = member.nick_name

    def to_push(self, room: str) -> PresencePush:
        """The push that tells it."""
        renamed_members = [
            RenamedMember(member_id=member_id, nick_name=nick) for member_id, nick in self.renamed.items()
        ]
        return PresencePush(room=room, joined=list(self.joined.values()), left=list(self.left), renamed=renamed_members)
