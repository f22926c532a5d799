"""Log of actions on accounts, as messages in the room `&audit` of the administrators (docs/moderation.md, "Audit")."""

from server.domain.account_directory import AccountIdentity
from server.domain.log_commands import AppendMessage, RoomRef
from server.storage.journal import Journal
from tui_chat.protocol.events import Member
from tui_chat.protocol.names import AUDIT_ROOM

_OPERATOR = Member(member_id="operator", nick_name="operator", role="member")  # commands on the machine of the server


class AuditLog:
    """Writer of the room `&audit`.

    Args:
        journal: Writer of room logs.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    async def record(self, action: str, by: AccountIdentity | None = None) -> None:
        """Append an action as a message of its author.

        Args:
            action: Action in the past tense, such as `suspended the account ann`.
            by: Acting account, None for the operator of the server.

        Raises:
            Unavailable: The database is not writable, or the journal is overloaded or closing.
        """
        author = (
            _OPERATOR
            if by is None
            else Member(member_id=by.member_id, nick_name=by.nick_name, role="member", account=by.name)
        )
        room = RoomRef(key=AUDIT_ROOM, name=AUDIT_ROOM)
        await self._journal.append(AppendMessage(room=room, author=author, message=action))
