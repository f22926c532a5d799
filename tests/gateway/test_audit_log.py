"""Audit log of the server, without the gateway."""

from pathlib import Path

from server.domain.permissions import Role, Standing, is_visible
from server.domain.room_access import Requester
from server.gateway.audit_log import AuditLog
from server.storage.database import open_database
from tests.support.storage import ManualClock
from tui_chat.protocol.events import Message
from tui_chat.protocol.names import AUDIT_ROOM


async def test_a_recorded_action_is_a_message_that_is_visible_to_administrators_only(tmp_path: Path) -> None:
    database = await open_database(tmp_path / "chat.db", clock=ManualClock())
    try:
        await AuditLog(database.journal).record("suspended the account ann")
        (entry,) = (await database.reader.read_page(AUDIT_ROOM, after=0, limit=9)).messages
        assert isinstance(entry, Message)
        assert (entry.nick_name, entry.message) == ("operator", "suspended the account ann")
        state = await database.reader.read_access(AUDIT_ROOM, Requester(member_id="gann"))
        assert is_visible(state.access.policy, Standing(role=Role.ADMIN))
        assert not is_visible(state.access.policy, Standing(role=Role.OWNER, is_member=True))
        assert await database.reader.list_rooms(None, 9, [AUDIT_ROOM]) == []
        assert (
            await database.reader.search("suspended", room_key=None, joined=(), before=None, limit=9)
        ).messages == []
    finally:
        await database.close()
