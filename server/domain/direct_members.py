"""Members of a direct room, with the blocks between them."""

from msgspec import Struct

from tui_chat.protocol.events import MemberRef


class DirectMembers(Struct, frozen=True):
    """Members of a direct room.

    Attributes:
        members: Members by member id, with their names at the read.
        blocks: Blocks between members: the blocking and the blocked member id.
    """

    members: dict[str, MemberRef]
    blocks: frozenset[tuple[str, str]]
