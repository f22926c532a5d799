"""Operations of the conversation dialect on groups and messages, with the permissions of rooms.

- Groups: private rooms. A group that the account may not see, and one that does not exist, have the same error.
- Invite codes: reusable, without an expiry, and checked in the transaction of the membership.
"""

import secrets
from collections.abc import Callable

from server.domain.account_directory import AccountIdentity
from server.domain.log_commands import AppendMemberChange, AppendMessage, AttachedUpload, to_member_ref
from server.domain.lru_table import LruTable
from server.domain.mention_resolver import resolve_mentions
from server.domain.permissions import Action
from server.domain.rate_limits import Rate, TokenBucket
from server.engineio.connection import ClientConnection
from server.gateway.account_service import AccountService
from server.gateway.conversations.feed import to_message_record
from server.gateway.conversations.views import Conversation, Group, GroupMessage, User, ViewBuilder, derive_file_id
from server.gateway.handlers import Handlers
from server.gateway.identity import require_account
from server.gateway.request_handler import RequestHandlers
from server.storage.batch_writer import AppendResult
from server.storage.database import Database
from server.storage.group_repository import GroupRecord
from tui_chat.protocol import errors, events, responses, room_requests
from tui_chat.protocol.policies import PolicyFields

NOT_IN_GROUP = "you are not in the group!"
"""Text of all rejections for a group that the account may not see."""

_CODE_BYTES = 16
_MAX_BUCKETS = 10_000  # accounts with a token bucket in memory; above, the least recently used one is dropped


class ConversationRejected(Exception):
    """Rejection with a text that clients show; HTTP responses have status 406."""


class ConversationService:
    """Operations of one account each; a rejected one raises `ConversationRejected` or a `ChatError`.

    All methods raise `Unavailable` if the database fails.

    Args:
        database: Storage of rooms and groups.
        handlers: Request handlers of the server.
        account_service: Accounts.
        views: Encoder of the results.
        message_rate: Rate of the messages of one account, None for no limit.
        monotonic: Monotonic clock, in seconds.

    Attributes:
        handlers_by_type: Handlers of native requests by request type.
    """

    def __init__(
        self,
        database: Database,
        handlers: Handlers,
        account_service: AccountService,
        views: ViewBuilder,
        *,
        message_rate: Rate | None,
        monotonic: Callable[[], float],
    ) -> None:
        self._database = database
        self._groups = database.groups
        self._handlers = handlers
        self._accounts = account_service.directory
        self._views = views
        self._message_rate = message_rate
        self._monotonic = monotonic
        self._buckets = LruTable[int, TokenBucket](_MAX_BUCKETS)
        self.handlers_by_type: RequestHandlers = {room_requests.ReplaceGroupCode: self._replace_code_of_room}

    # -- groups

    async def create_group(self, connection: ClientConnection, title: str, description: str, cover_id: int) -> Group:
        """Create a group with the account as its owner, and return it with its invite code.

        Args:
            connection: Connection of the account.
            title: Validated title.
            description: Validated topic, possibly empty.
            cover_id: File id of a cover: the unused one of the account, or that of a group which the account owns.

        Raises:
            ConversationRejected: The account has no such cover.
            Forbidden: The connection has no account, or the account may not create rooms.
            RateLimited: The rate of room creations is exceeded.
            NotFound, ConversationRejected: Another device has deleted the group already.
        """
        account = require_account(connection)
        covers = await self._groups.list_covers(account.member_id)
        cover = next((upload_id for upload_id, path in covers.items() if derive_file_id(path) == cover_id), None)
        if cover is None:
            raise ConversationRejected("cover does not exist")
        private = PolicyFields(visibility="private")
        name = await self._handlers.room_admin.create(connection, None, title, private, topic=description)
        group = await self._groups.find_by_name(name, account.member_id)
        if group is None:  # deleted by another device
            raise errors.NotFound("room_not_found")
        await self._groups.set_cover(group.id, cover)
        return await self._load_group(account, group.id)

    async def join_group(self, connection: ClientConnection, invite_code: str) -> None:
        """Make the account a member of the group that has the invite code; the entry is committed before the return.

        Raises:
            ConversationRejected: The code is unknown or replaced, or the account is a member already or banned.
            Forbidden: The connection has no account.
        """
        account = require_account(connection)
        name = await self._groups.find_name_by_code(invite_code)
        if name is None:
            raise ConversationRejected("invite code invalid")
        if await self._groups.find_by_name(name, account.member_id) is not None:
            raise ConversationRejected("you have already in the group")
        author = self._handlers.identity.build_author(connection)
        command = AppendMemberChange(
            room=self._handlers.room_registry.get_ref(name),
            author=author,
            action="joined",
            target=to_member_ref(author),
            reusable_code=invite_code,
        )
        try:
            result = await self._database.journal.append(command)
        except errors.NotFound:  # a new code, a ban or a deletion since the read
            raise ConversationRejected("invite code invalid") from None
        if result.duplicate:
            raise ConversationRejected("you have already in the group")

    async def list_groups(self, account: AccountIdentity) -> dict[str, list[Group]]:
        """Return the groups of an account, latest activity first: the owned ones as `owner`, all others as `member`."""
        groups = await self._groups.list_groups(account.member_id)
        return {
            "owner": [self._views.build_group(group) for group in groups if group.role == "owner"],
            "member": [self._views.build_group(group) for group in groups if group.role != "owner"],
        }

    async def read_group(self, account: AccountIdentity, group_id: int) -> Group:
        """Return a group with its members, and for an owner with the invite code (`_load_group`)."""
        return await self._load_group(account, group_id, with_members=True)

    async def replace_code(self, account: AccountIdentity, group_id: int) -> Group:
        """Replace the invite code of a group that the account owns, and return the group.

        Raises:
            ConversationRejected: The account is not a member, or not the owner, or the group does not exist.
        """
        group = await self._require_group(account, group_id)
        if group.role != "owner":
            raise ConversationRejected("you are not the owner of the group")
        await self._store_new_code(group)
        return await self._load_group(account, group.id)

    async def _replace_code_of_room(
        self, connection: ClientConnection, request: room_requests.ReplaceGroupCode
    ) -> responses.GroupCode:
        """Replace the invite code of a private room, and return the new one.

        Raises:
            NotFound: The room is not private, or the account is not a member.
            Forbidden: The connection has no account, or the account is not an owner of the room.
        """
        account = require_account(connection)
        group = await self._groups.find_by_name(request.room, account.member_id)
        if group is None:
            raise errors.NotFound("room_not_found")
        if group.role != "owner":
            raise errors.Forbidden("owner_only")
        return responses.GroupCode(code=await self._store_new_code(group))

    async def _store_new_code(self, group: GroupRecord) -> str:
        """Replace the invite code of a group, and return the new one."""
        code = secrets.token_urlsafe(_CODE_BYTES)
        await self._groups.replace_code(group.id, code)
        return code

    # -- conversations and messages

    async def list_conversations(self, account: AccountIdentity) -> list[Conversation]:
        """Return the groups of the account with their read markers, latest activity first."""
        records = await self._groups.list_conversations(account.member_id)
        return [self._views.build_conversation(record, account.id) for record in records]

    async def list_messages(
        self, account: AccountIdentity, group_id: int, before_id: int | None, limit: int
    ) -> list[GroupMessage]:
        """Return at most `limit` messages of a group with an id below `before_id`, if given, newest first.

        Raises:
            ConversationRejected: The group does not exist, or the account is not a member.
        """
        group = await self._require_group(account, group_id)
        messages = await self._groups.list_messages(group.id, before_id, limit)
        return [self._views.build_message(message) for message in messages]

    async def send(
        self,
        connection: ClientConnection,
        group_id: int,
        text: str,
        attachments: tuple[AttachedUpload, ...] = (),
    ) -> GroupMessage:
        """Append a message, and return the committed message; `@room` mentions nobody.

        A message of a member consumes a token of the message rate, even a rejected one.

        Args:
            connection: Connection of a member.
            group_id: Id of the group.
            text: Sanitized text, empty only with files.
            attachments: Files of the account.

        Raises:
            ConversationRejected: The group does not exist, the account is not a member, or a file is missing.
            Forbidden: The member is muted, or only others may write or upload.
            RateLimited: The message rate of the account is exceeded.
        """
        account = require_account(connection)
        group = await self._require_group(account, group_id)
        self._acquire_token(account)
        access_control, action = self._handlers.access_control, Action.UPLOAD if attachments else Action.SEND

        async def append() -> AppendResult:
            state = await access_control.authorize(connection, group.name, account.member_id, action)
            return await self._database.journal.append(
                AppendMessage(
                    room=self._handlers.room_registry.get_ref(group.name),
                    author=self._handlers.identity.build_author(connection),
                    policy_seq=state.access.policy_seq,
                    message=text,
                    mentions=resolve_mentions(text, self._accounts),
                    attachments=attachments,
                )
            )

        try:
            entry = (await access_control.retry_stale(connection, append)).entry
        except errors.NotFound:  # removed since the read
            raise ConversationRejected(NOT_IN_GROUP) from None
        assert isinstance(entry, events.Message)
        return self._views.build_message(to_message_record(entry, group.id))

    # -- users

    def build_user(self, account_id: int, email: str | None) -> User:
        """Return an account with its email, empty without one.

        Raises:
            Unauthorized: The id is unknown.
        """
        stored = self._accounts.get(account_id)
        if stored is None:  # the directory has every authenticated account
            raise errors.Unauthorized("token_invalid")
        return self._views.build_own_user(stored, email or "")

    # -- internals

    async def _require_group(self, account: AccountIdentity, group_id: int) -> GroupRecord:
        """Return a group of an account.

        Raises:
            ConversationRejected: The group does not exist, or the account is not a member.
        """
        group = await self._groups.find(group_id, account.member_id)
        if group is None:
            raise ConversationRejected(NOT_IN_GROUP)
        return group

    async def _load_group(self, account: AccountIdentity, group_id: int, *, with_members: bool = False) -> Group:
        """Return a group as stored, for an owner with the invite code, which is created on demand.

        Raises:
            ConversationRejected: The group does not exist, or the account is not a member.
        """
        group = await self._require_group(account, group_id)
        code = None
        if group.role == "owner":
            code = group.invite_code or await self._groups.ensure_code(group.id, secrets.token_urlsafe(_CODE_BYTES))
        members = await self._groups.list_members(group.id) if with_members else None
        return self._views.build_group(group, members, code)

    def _acquire_token(self, account: AccountIdentity) -> None:
        """Acquire a token for one message; raise `RateLimited` above the message rate of the account."""
        if self._message_rate is None:
            return
        now = self._monotonic()
        bucket = self._buckets.get(account.id) or TokenBucket(self._message_rate, now)
        self._buckets.put(account.id, bucket)
        delay = bucket.acquire(now)
        if delay:
            raise errors.RateLimited("too_many_messages", retry_after=round(delay, 3))
