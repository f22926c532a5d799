"""Moderation requests of one room (docs/moderation.md).

- Effect: each action is an entry of the room log, which `RoomChanged` reports.
- Target: a present or former member of the room.
- Repeat: after a lost connection, a request is repeated; the repeat of a completed action may create a second entry.
"""

from collections.abc import Iterable
from typing import Literal

from msgspec import structs

from tui_chat.client import sanitize
from tui_chat.client.room_context import RoomContext
from tui_chat.protocol import room_requests
from tui_chat.protocol.events import Entry, MemberChange
from tui_chat.protocol.limits import HISTORY_DEFAULT, HISTORY_PAGE
from tui_chat.protocol.responses import ChangeAccepted, HistoryPage

_MAX_AUDIT_PAGES = 50  # 10,000 actions
_SANCTIONS = {"banned": "banned", "unbanned": "banned", "muted": "muted", "unmuted": "muted"}
"""First action of a sanction, by each action that starts or ends the sanction."""


class RoomModeration:
    """Kicks, bans, mutes, roles and the audit of one room.

    Each method raises `Forbidden` without the permission, `NotFound` for a person who was never in the room,
    `BadRequest` or `TooLong` for an invalid argument, and otherwise the exceptions of `Room.change_nick`.
    """

    def __init__(self, context: RoomContext) -> None:
        self._context = context

    async def kick(self, member_id: str, reason: str = "") -> ChangeAccepted:
        """Remove a member with all connections; a later join is permitted."""
        return await self._change(
            room_requests.Kick(room=self._context.name, member_id=member_id, reason=reason or None)
        )

    async def ban(
        self, member_id: str, reason: str = "", *, until: int | None = None, delete_recent: int = 0
    ) -> ChangeAccepted:
        """Remove a member and reject later joins; the ban of a guest also applies to guests from the same address.

        Args:
            member_id: Member id.
            reason: Reason for members and the audit.
            until: End in milliseconds since the epoch, None for no end.
            delete_recent: Age in seconds up to which the member's messages are deleted, at most seven days; 0 for none.
        """
        return await self._change(
            room_requests.Ban(
                room=self._context.name,
                member_id=member_id,
                reason=reason or None,
                until=until,
                delete_recent=delete_recent,
            )
        )

    async def unban(self, member_id: str) -> ChangeAccepted:
        """End a ban; no effect without one."""
        return await self._change(room_requests.Unban(room=self._context.name, member_id=member_id))

    async def mute(self, member_id: str, reason: str = "", *, until: int | None = None) -> ChangeAccepted:
        """Reject messages, edits, reactions, files, topics and new webhooks of a member.

        Args:
            member_id: Member id.
            reason: Reason for members and the audit.
            until: End in milliseconds since the epoch, None for no end.
        """
        return await self._change(
            room_requests.Mute(room=self._context.name, member_id=member_id, until=until, reason=reason or None)
        )

    async def unmute(self, member_id: str) -> ChangeAccepted:
        """End a mute; no effect without one."""
        return await self._change(room_requests.Unmute(room=self._context.name, member_id=member_id))

    async def set_role(self, member_id: str, role: Literal["member", "moderator", "owner"]) -> ChangeAccepted:
        """Set the role of a member; `Conflict` for the last owner."""
        return await self._change(room_requests.SetRole(room=self._context.name, member_id=member_id, role=role))

    async def read_audit(self, *, before: int | None = None, limit: int = HISTORY_DEFAULT) -> HistoryPage:
        """Return the newest entries of moderation and policy in ascending order, for moderators.

        Args:
            before: `seq` of the first entry of a newer page, None for the newest page.
            limit: Maximum number of entries, at most 200.
        """
        page = await self._context.request(
            room_requests.ReadAudit(room=self._context.name, before=before, limit=limit), HistoryPage
        )
        return structs.replace(page, messages=[sanitize.received(entry) for entry in page.messages])

    async def list_sanctions(self, now_ms: int) -> list[MemberChange]:
        """Return the bans and mutes of the 10,000 newest entries of the audit that have not ended, newest first.

        Args:
            now_ms: Current time in milliseconds since the epoch.
        """
        entries: list[Entry] = []
        before: int | None = None
        for _ in range(_MAX_AUDIT_PAGES):
            page = await self.read_audit(before=before, limit=HISTORY_PAGE)
            entries[:0] = page.messages
            if not page.has_more or not page.messages:
                break
            before = page.messages[0].seq
        return find_active_sanctions(entries, now_ms)

    async def _change(self, request: room_requests.MemberRequest) -> ChangeAccepted:
        return await self._context.request(request, ChangeAccepted)


def find_active_sanctions(entries: Iterable[Entry], now_ms: int) -> list[MemberChange]:
    """Return the entries of the bans and mutes that have not ended, newest first, the last one per member and kind.

    Args:
        entries: Entries of an audit, ascending.
        now_ms: Current time in milliseconds since the epoch.
    """
    active: dict[tuple[str, str], MemberChange] = {}
    for entry in entries:
        if isinstance(entry, MemberChange) and (start := _SANCTIONS.get(entry.action)) is not None:
            active.pop((start, entry.target.member_id), None)
            if entry.action == start:
                active[start, entry.target.member_id] = entry
    return [entry for entry in reversed(active.values()) if entry.until is None or entry.until > now_ms]
