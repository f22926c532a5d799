"""Target of a session."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SessionTarget:
    """Server and first room of a session.

    Attributes:
        url: Base URL of the server.
        restore_rooms: Reopen the rooms of the previous session as well.
        guest_key: Guest key of an earlier session, None for a new guest.
        invite: Invite code of the room, None without one.
    """

    url: str
    room: str
    nick: str
    restore_rooms: bool
    guest_key: str | None = None
    invite: str | None = None
