"""Request handlers of all dialects (docs/protocol.md, "Requests").

- Permissions: each command carries the `policy_seq` of its check (`server.gateway.room_access`).
- Membership after `await`: the connection may leave or close during any `await`. A change of a live room checks the
  membership again afterwards; a read does not.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, get_args

from msgspec import structs

from server.domain.log_commands import (
    AppendDeletion,
    AppendEdit,
    AppendReaction,
    AppendTopic,
)
from server.domain.mention_resolver import resolve_mentions
from server.domain.permissions import Action
from server.domain.rate_limits import PerAddressLimiter
from server.domain.room_registry import RoomRegistry
from server.domain.search_cursors import SearchCursors
from server.engineio.connection import ClientConnection
from server.gateway.account_service import AccountService
from server.gateway.direct_contacts import DirectContacts
from server.gateway.direct_rooms import DirectRooms
from server.gateway.fanout import Fanout
from server.gateway.identity import IdentityResolver
from server.gateway.member_updates import MemberUpdates
from server.gateway.message_appender import MessageAppender
from server.gateway.moderation import Moderation
from server.gateway.owned_room_catalog import OwnedRoomCatalog
from server.gateway.presence_broadcaster import PresenceBroadcaster
from server.gateway.read_markers import ReadMarkers
from server.gateway.request_handler import RequestHandlers
from server.gateway.room_access import RoomAccessControl
from server.gateway.room_admin import RoomAdmin
from server.gateway.room_catalog import RoomCatalog
from server.gateway.room_entry import RoomEntry
from server.gateway.room_hooks import RoomHooks
from server.gateway.room_queries import RoomQueries
from server.gateway.upload_access import UploadAccess
from server.storage.database import Database
from server.uploads.upload_service import UploadService
from tui_chat.protocol import errors, events, names, requests, responses

ChangeRequest = requests.EditMessage | requests.DeleteMessage | requests.React | requests.SetTopic

_CHANGE_ACTIONS = {
    requests.EditMessage: Action.EDIT_OWN,
    requests.DeleteMessage: Action.DELETE_OWN,
    requests.React: Action.REACT,
    requests.SetTopic: Action.SET_TOPIC,
}

_ACCESS_ENTRY_TYPES = frozenset({events.MemberChange, events.PolicyChange})


class Handlers:
    """Request handlers; a rejected request raises a `ChatError`.

    The constructor sets `publish` as the callback of the journal.

    Args:
        database: Storage of rooms and entries.
        account_service: Operations on accounts.
        fanout: Sender of room events.
        now: Wall clock, as Unix time in milliseconds.
        monotonic: Monotonic clock, in seconds.
        search_cursors: Encoder and decoder of search cursors.
        room_write_limiter: Rate limit per address of creations, renames and removals of rooms; None for no limit.
        uploads: Uploads of the server.

    Attributes:
        identity: Source of member ids.
        room_registry: Rooms with members.
        presence_broadcaster: Sender of presence and notices.
        access_control: Permission checks.
        contacts: Checks of direct rooms.
        room_entry: Joins, observations and leaves.
        moderation: Moderation of rooms.
        room_catalog: Room list, and room management of guests.
        room_admin: Owned rooms.
        owned_room_catalog: Room management of accounts.
        message_appender: Writer of messages.
        room_queries: Reads of rooms without a connection.
        upload_access: Permission checks of files.
        file_lines: Renderer of files for basic clients.
        published_count: Number of entries published since the start.
    """

    def __init__(
        self,
        database: Database,
        identity: IdentityResolver,
        account_service: AccountService,
        room_registry: RoomRegistry[ClientConnection],
        fanout: Fanout,
        *,
        access_control: RoomAccessControl,
        now: Callable[[], int],
        monotonic: Callable[[], float],
        search_cursors: SearchCursors,
        room_write_limiter: PerAddressLimiter | None,
        uploads: UploadService,
    ) -> None:
        self._database = database
        self.identity = identity
        self._accounts = account_service.directory
        self._search_cursors = search_cursors
        self.room_registry = room_registry
        self._fanout = fanout
        self.file_lines = fanout.file_lines
        self.presence_broadcaster = PresenceBroadcaster(now, monotonic, fanout)
        self.access_control = access_control
        self.contacts = DirectContacts(
            database.direct_rooms, room_registry, account_service.directory, account_service.tokens
        )
        self.room_entry = RoomEntry(
            database,
            identity,
            room_registry,
            access_control=access_control,
            contacts=self.contacts,
            presence_broadcaster=self.presence_broadcaster,
            upload_max_bytes=uploads.limits.file,
        )
        self.moderation = Moderation(
            database,
            room_registry,
            access_control,
            self.room_entry,
            account_directory=account_service.directory,
            now=now,
        )
        direct_rooms = DirectRooms(
            database,
            identity,
            room_registry,
            accounts=account_service.directory,
            room_entry=self.room_entry,
            contacts=self.contacts,
            device_tokens=account_service.tokens,
        )
        self.room_catalog = RoomCatalog(
            database,
            identity,
            room_registry,
            access_control,
            monotonic=monotonic,
            address_limiter=room_write_limiter,
        )
        self.room_admin = RoomAdmin(
            database,
            identity,
            room_registry,
            access_control=access_control,
            room_entry=self.room_entry,
            room_catalog=self.room_catalog,
            now=now,
        )
        self.owned_room_catalog = OwnedRoomCatalog(self.room_admin, self.room_catalog)
        self.upload_access = UploadAccess(uploads, identity, access_control)
        self.message_appender = MessageAppender(
            database,
            identity,
            account_service.directory,
            room_registry,
            access_control=access_control,
            contacts=self.contacts,
        )
        self.room_queries = RoomQueries(database, room_registry, access_control=access_control, contacts=self.contacts)
        self.published_count = 0
        self._handlers_by_type: RequestHandlers = {
            **self.room_entry.handlers_by_type,
            **self.moderation.handlers_by_type,
            **self.room_admin.handlers_by_type,
            **RoomHooks(
                database,
                identity,
                room_registry,
                access_control,
                accounts=account_service.directory,
            ).handlers_by_type,
            requests.ListMembers: self._list_members,
            requests.SendMessage: self.message_appender.send,
            requests.History: self._read_history,
            **dict.fromkeys(get_args(ChangeRequest), self._append_change),
            requests.Typing: self._set_typing,
            requests.Search: self._search,
            requests.ListRooms: self._list_rooms,
            **MemberUpdates(
                account_service, room_registry, self.presence_broadcaster, self.room_entry
            ).handlers_by_type,
            **direct_rooms.handlers_by_type,
            **self.upload_access.handlers_by_type,
            **ReadMarkers(database.read_markers, account_service.tokens, search_cursors).handlers_by_type,
        }
        database.journal.publish = self.publish

    def add_handlers(self, handlers_by_type: RequestHandlers) -> None:
        """Add the request handlers of an optional dialect, by request type."""
        self._handlers_by_type.update(handlers_by_type)

    def handle(self, connection: ClientConnection, request: requests.Request) -> Awaitable[events.WireStruct]:
        """Run a request other than a join.

        Log entries are committed before the response; their pushes may precede or follow the response.

        Raises:
            BadRequest: The request is unsupported; all other errors are raised by the await.
        """
        handler = self._handlers_by_type.get(type(request))
        if handler is None:
            raise errors.BadRequest("request_unsupported")
        return handler(connection, request)

    def publish(self, committed: Sequence[events.Entry]) -> None:
        """Send committed entries to the connections and observers of their rooms, including the author.

        A change of the access is recorded even for a room that is not live. After the push of a change, removed members
        leave, and a new name or title applies.
        """
        self.published_count += len(committed)
        for entry in committed:
            is_access_change = type(entry) in _ACCESS_ENTRY_TYPES
            if is_access_change:
                self.access_control.record_change(entry)
            room = self.room_registry.rooms.get(names.canonical_key(entry.room))
            if room is None:
                continue
            if room.access is not None and not room.access.is_stored:
                self.access_control.mark_stored(room)
            if is_access_change:
                self.access_control.on_change(room, entry)
            self._fanout.send_to_room(room, entry)
            if type(entry) is events.MemberChange:
                self.moderation.on_member_change(room, entry)
                self.room_entry.on_member_change(room, entry)
            elif type(entry) is events.PolicyChange:
                self.room_entry.on_policy_change(room, entry)

    def on_disconnect(self, connection: ClientConnection) -> None:
        """Remove a connection from all its rooms, end its observations and announce the leaves.

        A repeated call has no effect.
        """
        for leave_result in self.room_registry.leave_all(connection):
            self.presence_broadcaster.on_leave(leave_result)

    def close(self) -> None:
        """Discard pending presence updates and coalesced notices."""
        self.presence_broadcaster.close()

    # -- membership

    async def _list_members(
        self, connection: ClientConnection, request: requests.ListMembers
    ) -> responses.MemberListResponse:
        """Return a page of the present members of a joined or observed room by member id, and the number of all.

        Raises:
            NotJoined, NotFound: The connection neither joined nor observes the room.
        """
        room = self.room_registry.require_reader(connection, request.room)
        query = names.canonical_key(request.query) if request.query else ""
        page, has_more = room.list_page(request.after, request.limit, query)
        members = [participant.member for participant in page]
        return responses.MemberListResponse(members=members, has_more=has_more, member_count=len(room.participants))

    # -- log entries

    async def _append_change(self, connection: ClientConnection, request: ChangeRequest) -> responses.ChangeAccepted:
        """Append an edit, a deletion, a reaction or a topic of a member, and return its `seq` after the commit.

        A change without effect appends nothing, and returns the newest `seq` of the room.

        Raises:
            NotJoined, NotFound: The connection is not in the room, or the message does not exist.
            Forbidden: The change is not permitted, or other than a deletion and rejected by
                `DirectContacts.require_contact`.
            StaleAccess: The access changed between the check and the write.
            ChatError: The journal rejects the change.
        """
        live_room, participant = self.room_registry.require_membership(connection, request.room)
        common: dict[str, Any] = {
            "policy_seq": self.access_control.require(live_room, participant, _CHANGE_ACTIONS[type(request)]),
            "room": live_room.to_ref(),
            "author": participant.member,
            "client_id": request.client_id,
        }
        if live_room.direct is not None and not isinstance(request, requests.DeleteMessage):
            self.contacts.require_contact(live_room.direct, participant.member.member_id)
        match request:
            case requests.EditMessage(seq=seq, message=message):
                policy = None if live_room.access is None else live_room.access.policy
                mentions = resolve_mentions(message, self._accounts, live_room, policy, participant.standing)
                command = AppendEdit(target=seq, message=message, mentions=mentions, **common)
            case requests.DeleteMessage(seq=seq):
                any_author = await self.moderation.authorize_deletion(live_room, participant, seq)
                command = AppendDeletion(target=seq, any_author=any_author, **common)
            case requests.React(seq=seq, emoji=emoji, on=on):
                command = AppendReaction(target=seq, emoji=emoji, on=on, **common)
            case requests.SetTopic(topic=topic):
                command = AppendTopic(topic=topic, **common)
        return responses.ChangeAccepted(revision=(await self._database.journal.append(command)).entry.seq)

    # -- queries

    async def _read_history(self, connection: ClientConnection, request: requests.History) -> responses.HistoryPage:
        """Return a page of the log of a joined or observed room, with `own` of reactions for a member.

        A room that is not stored has an empty page with the `log_id` of the live room.

        Raises:
            NotJoined, NotFound: The connection neither joined nor observes the room.
            Unavailable: The database is not readable.
        """
        room = self.room_registry.require_reader(connection, request.room)
        participant = room.connections.get(connection)
        page = await self._database.reader.read_page(
            room.key,
            before=request.before,
            after=request.after,
            around=request.around,
            at=request.at,
            limit=request.limit,
            reader=None if participant is None else participant.member.member_id,
        )
        return page if page.log_id else structs.replace(page, log_id=room.log_id)

    async def _search(self, connection: ClientConnection, request: requests.Search) -> responses.SearchResponse:
        """Return messages of one room, or of all readable rooms, from a cursor on (`LogReader.search`).

        Raises:
            BadRequest: The cursor is malformed, or that of another search.
            NotFound: The room is neither joined nor visible, or does not exist.
            Forbidden: The person is banned from the room.
            Unavailable: Too many searches wait, or the database is not readable.
        """
        joined_keys = frozenset(room.key for room in self.room_registry.get_joined_rooms(connection))
        room_key = None if request.room is None else names.canonical_key(request.room)
        member_id = self.identity.get_member_id(connection) or ""
        result = await self._database.reader.search(
            request.query,
            room_key=room_key,
            joined=joined_keys,
            searcher=self.access_control.build_requester(connection, member_id),
            before=(
                None if request.cursor is None else self._search_cursors.decode(request.cursor, request.query, room_key)
            ),
            limit=request.limit,
        )
        end = result.next_before
        return responses.SearchResponse(
            messages=result.messages,
            has_more=end is not None,
            next=None if end is None else self._search_cursors.encode(end, request.query, room_key),
        )

    async def _list_rooms(self, _: ClientConnection, request: requests.ListRooms) -> responses.RoomListResponse:
        return responses.RoomListResponse(rooms=await self.room_catalog.list_summaries(request.query, request.limit))

    async def _set_typing(self, connection: ClientConnection, request: requests.Typing) -> responses.Empty:
        """Send the start or end of typing to the other connections of a room.

        Raises:
            NotJoined, NotFound: The connection is not in the room.
        """
        room, participant = self.room_registry.require_membership(connection, request.room)
        self.presence_broadcaster.send_typing(room, participant.member.member_id, request.on, connection)
        return responses.Empty()
