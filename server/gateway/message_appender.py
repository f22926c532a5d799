"""Messages of members, and of authors who are in no room (docs/protocol.md, "sendMessage")."""

from collections.abc import Awaitable

from server.domain.account_directory import AccountDirectory
from server.domain.direct_members import DirectMembers
from server.domain.log_commands import AppendMessage, AttachedUpload, MentionTargets, RoomRef
from server.domain.mention_resolver import resolve_mentions
from server.domain.permissions import Action
from server.domain.room_registry import RoomRegistry
from server.engineio.connection import ClientConnection
from server.gateway.direct_contacts import DirectContacts
from server.gateway.identity import IdentityResolver
from server.gateway.room_access import RoomAccessControl
from server.storage.batch_writer import AppendResult
from server.storage.database import Database
from tui_chat.protocol import requests, responses
from tui_chat.protocol.events import Member


class MessageAppender:
    """Writer of messages to the journal; a rejected message raises a `ChatError`.

    Args:
        database: Journal of the messages.
        identity: Source of authors.
        accounts: Directory of all accounts.
        room_registry: Rooms with members.
        access_control: Permission checks.
        contacts: Checks of direct rooms.
    """

    def __init__(
        self,
        database: Database,
        identity: IdentityResolver,
        accounts: AccountDirectory,
        room_registry: RoomRegistry[ClientConnection],
        *,
        access_control: RoomAccessControl,
        contacts: DirectContacts,
    ) -> None:
        self._database = database
        self._identity = identity
        self._accounts = accounts
        self._room_registry = room_registry
        self._access_control = access_control
        self._contacts = contacts

    async def send(self, connection: ClientConnection, request: requests.SendMessage) -> responses.SendResponse:
        """Append a message as `append`, and return its position.

        With `request.author`, the response contains the nickname. Unless the message is a repeat, the response contains
        the guest key of a guest, and the connection stores the member id.
        """
        append_result = await self.append(connection, request)
        entry, guest_key = append_result.entry, None
        if request.author is not None and not append_result.duplicate:  # a known `clientId` proves no identity
            guest_key = self._identity.issue_guest_key(connection, entry.member_id) or None
            connection.member_id = connection.member_id or entry.member_id
        return responses.SendResponse(
            seq=entry.seq,
            id=entry.id,
            ts=entry.ts,
            duplicate=append_result.duplicate,
            nick_name=None if request.author is None else entry.nick_name,
            guest_key=guest_key,
        )

    def append(self, connection: ClientConnection, request: requests.SendMessage) -> Awaitable[AppendResult]:
        """Append a message; the result is its committed entry, or the original one for a repeated `clientId`.

        The author becomes the most recent speaker of a joined room. A new message in a direct room is announced to the
        members that have not joined the room.

        Errors are raised by the call, before the await, or by the await.

        Raises:
            BadRequest: The message names an author, and the connection has joined a room.
            NotJoined, NotFound: The message names no author, and the connection is not in the room; or the room is not
                visible.
            Forbidden: The message is not permitted.
            StaleAccess: The access changed between the check and the write.
            ChatError: The journal rejects the message, for example without the message of `reply_to` or a file.
        """
        action = Action.UPLOAD if request.attachments else Action.SEND
        if request.author is not None:
            return self._append_for_author(connection, request, request.author, action)
        live_room, participant = self._room_registry.require_membership(connection, request.room)
        policy_seq = self._access_control.require(live_room, participant, action)
        policy = None if live_room.access is None else live_room.access.policy
        live_room.record_speaker(participant.member.member_id)
        mentions = resolve_mentions(request.message, self._accounts, live_room, policy, participant.standing)
        command = _build_command(request, live_room.to_ref(), participant.member, policy_seq, mentions)
        if live_room.direct is not None:
            return self._append_in_direct_room(command, live_room.direct)
        return self._database.journal.append(command)  # no coroutine, which would cost a resumption per message

    async def _append_for_author(
        self,
        connection: ClientConnection,
        request: requests.SendMessage,
        requested_author: requests.TemporaryAuthor,
        action: Action,
    ) -> AppendResult:
        """Append the message of an author who is in no room; results and errors as for `append`."""
        room, author = self._identity.resolve_temporary_author(connection, request, requested_author)
        state = await self._access_control.authorize(connection, request.room, author.member_id, action)
        policy = state.access.policy
        live_room = self._room_registry.rooms.get(room.key)
        direct = await self._contacts.load(request.room, author.member_id, policy)
        mentions = resolve_mentions(request.message, self._accounts, live_room, policy, state.standing)
        command = _build_command(request, room, author, state.access.policy_seq, mentions)
        if direct is not None:
            return await self._append_in_direct_room(command, direct)
        return await self._database.journal.append(command)

    async def _append_in_direct_room(self, command: AppendMessage, direct: DirectMembers) -> AppendResult:
        """Append a message of a direct room, and announce a new one; results and errors as for `append`."""
        self._contacts.require_contact(direct, command.author.member_id)
        append_result = await self._database.journal.append(command)
        if not append_result.duplicate:
            self._contacts.announce(command.room.name, list(direct.members.values()))
        return append_result


def _build_command(
    request: requests.SendMessage, room: RoomRef, author: Member, policy_seq: int, mentions: MentionTargets
) -> AppendMessage:
    return AppendMessage(
        room=room,
        author=author,
        policy_seq=policy_seq,
        message=request.message,
        client_id=request.client_id,
        reply_to=request.reply_to,
        mentions=mentions,
        attachments=tuple(AttachedUpload(upload_id=upload_id) for upload_id in dict.fromkeys(request.attachments))
        if request.attachments
        else (),
    )
