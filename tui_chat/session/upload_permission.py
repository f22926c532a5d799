"""Permission to upload files by the known policy and size limit of a room, so that a rejected file is not read.

The server decides: mutes are unknown here. Before the first join, the policy is the default one and the limit unknown.
"""

from collections.abc import Iterable

from tui_chat.client.errors import UnsupportedByServer
from tui_chat.protocol.errors import ChatError, Forbidden, TooLong
from tui_chat.session.ports import MODERATING_ROLES, RoomPort


def find_upload_refusal(room: RoomPort) -> ChatError | None:
    """Return the error of an upload to a room, None if permitted."""
    if room.is_basic_server:
        return UnsupportedByServer("uploads_unsupported")
    if room.upload_max_bytes == 0:
        return Forbidden("uploads_disabled")
    policy = room.policy
    if room.role is None and not policy.guest_post:
        return Forbidden("guests_read_only")
    for audience in (policy.speak, policy.upload):
        if audience == "members" and room.role is None:
            return Forbidden("members_only")
        if audience == "moderators" and room.role not in MODERATING_ROLES:
            return Forbidden("moderators_only")
    return None


def find_size_refusal(room: RoomPort, sizes: Iterable[int]) -> TooLong | None:
    """Return the error of files with these sizes in bytes, None if none exceeds the limit or the limit is unknown."""
    limit = room.upload_max_bytes
    return TooLong("file_too_large", limit=limit) if limit is not None and max(sizes, default=0) > limit else None


def unavailable_commands(room: RoomPort) -> tuple[str, ...]:
    """Return the names of the commands that a room refuses: `upload` without a permission to upload."""
    return () if find_upload_refusal(room) is None else ("upload",)
