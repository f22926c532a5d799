"""Comings and goings, gathered per room, so that a storm of them is one push a tick.

Rule: applying what was gathered to the members as they were gives the members
as they are. Somebody who came and left within a tick is not told of at all.
"""

from dataclasses import dataclass, field

from server.protocol.entries import Member, PresencePush, Renamed


@dataclass(slots=True)
class PresenceDelta:
    """What has changed in one room since the last push.

    Attributes:
        returned: Those of `joined` whom the others still hold, because they left in the same tick.
    """

    joined: dict[str, Member] = field(default_factory=dict[str, Member])
    returned: set[str] = field(default_factory=set[str])
    left: dict[str, None] = field(default_factory=dict[str, None])
    renamed: dict[str, str] = field(default_factory=dict[str, str])

    def came(self, member: Member) -> None:
        """A member is here."""
        if member.member_id in self.left:
            del self.left[member.member_id]
            self.returned.add(member.member_id)
        self.joined[member.member_id] = member

    def went(self, member_id: str) -> None:
        """A member is not here any more."""
        self.renamed.pop(member_id, None)
        if self.joined.pop(member_id, None) is None or member_id in self.returned:
            self.left[member_id] = None

    def took_nick(self, member: Member) -> None:
        """A member has another nickname."""
        if member.member_id in self.joined:
            self.joined[member.member_id] = member
        else:
            self.renamed[member.member_id] = member.nick_name

    def push(self, room: str) -> PresencePush | None:
        """The push that tells it, or None when all cancelled out."""
        if not (self.joined or self.left or self.renamed):
            return None
        renamed = [Renamed(member_id=member_id, nick_name=nick) for member_id, nick in self.renamed.items()]
        return PresencePush(room=room, joined=list(self.joined.values()), left=list(self.left), renamed=renamed)
