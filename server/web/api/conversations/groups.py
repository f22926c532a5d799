"""Profile, groups, conversations and messages of the conversation dialect."""

from typing import Any

from aiohttp import web

from server.domain.account_directory import AccountDirectory, AccountIdentity
from server.gateway.account_service import AccountService
from server.gateway.conversations.service import ConversationRejected, ConversationService
from server.gateway.conversations.views import GENERATED_IMAGE_PATH, Conversation, Group, GroupMessage, User
from server.web.api.authentication import ApiLimits, RequestAuthenticator, acquire
from server.web.api.conversations.auth import USERNAME_LIMITS
from server.web.api.conversations.envelope import AccountHandler, create_account_endpoint
from server.web.api.conversations.fields import FieldReader
from server.web.api.conversations.generated_images import render_image
from server.web.api.guard import read_json
from tui_chat.protocol import errors, names, sanitize
from tui_chat.protocol.accounts import validate_account_name
from tui_chat.protocol.limits import SECRET_CHARACTERS, STORED_MESSAGE_CHARACTERS

MESSAGES_DEFAULT, MESSAGES_MAX = 10, 200
"""Number of messages in a list without `size`, and the maximum of `size`."""

_CONTENT_BYTES = 64 * 1024  # of a JSON body with `STORED_MESSAGE_CHARACTERS`, even with escapes
_NICKNAME_LIMITS, _NAME_LIMITS, _DESCRIPTION_LIMITS = (2, 20), (2, 32), (2, 100)


class ConversationApi:
    """Handlers of `/api/user`, `/api/group` and `/api/conversation`.

    Args:
        service: Operations of the dialect.
        account_service: Operations on accounts.
        authenticator: Verifier of credentials.
        limits: Limits per address, None for no limits.
    """

    def __init__(
        self,
        service: ConversationService,
        account_service: AccountService,
        authenticator: RequestAuthenticator,
        *,
        limits: ApiLimits | None,
    ) -> None:
        self._service = service
        self._account_service = account_service
        self._directory: AccountDirectory = account_service.directory
        self._authenticator = authenticator
        self._limits = limits

    def add_routes(self, app: web.Application) -> None:
        """Add the endpoints (`HttpApi.add_routes`)."""
        routes: tuple[tuple[str, str, AccountHandler], ...] = (
            ("GET", "/api/user", self._read_user),
            ("POST", "/api/user", self._update_user),
            ("POST", "/api/group", self._create_group),
            ("GET", "/api/group/join/{code}", self._join_group),
            ("GET", "/api/group/list", self._list_groups),
            ("GET", "/api/group/{id:[0-9]{1,16}}", self._read_group),
            ("POST", "/api/group/{id:[0-9]{1,16}}/invite", self._replace_code),
            ("GET", "/api/conversation/list", self._list_conversations),
            ("GET", "/api/conversation/group/message/list", self._list_messages),
            ("POST", "/api/conversation/group/message/text", self._send_text),
        )
        for method, path, handler in routes:
            app.router.add_route(method, path, create_account_endpoint(self._authenticator, handler))
        app.router.add_get(GENERATED_IMAGE_PATH + "{kind:avatar|cover}/{id:[0-9]{1,16}}.svg", self._get_image)

    # -- users

    async def _read_user(self, _: web.Request, account: AccountIdentity) -> User:
        record = await self._account_service.read_profile(account)
        return self._service.build_user(account.id, record.email)

    async def _update_user(self, request: web.Request, account: AccountIdentity) -> None:
        """Change account name and nickname; an absent or empty field stays unchanged.

        Raises:
            ValidationFailed: A field is invalid.
            ConversationRejected: The account name or the nickname belongs to another account.
            ChatError: A name is invalid, or the rate of the address is exceeded.
        """
        fields = FieldReader(await read_json(request, dict[str, Any]))
        username = fields.read_text("username", *USERNAME_LIMITS, required=False)
        nickname = fields.read_text("nickname", *_NICKNAME_LIMITS, required=False)
        fields.finish()
        address = self._authenticator.get_client(request).address
        acquire(self._limits, "changes", address, "too_many_requests")
        values = {"nick_name": names.validate_nickname(nickname) if nickname else account.nick_name}
        if username:
            values["name"] = validate_account_name(username)
        try:
            await self._account_service.update_profile(account, values)
        except errors.Conflict:
            owner = self._directory.find(names.canonical_key(username)) if username else None
            is_username = owner is not None and owner.id != account.id
            raise ConversationRejected(f"{'username' if is_username else 'nickname'} already exists") from None

    # -- groups

    async def _create_group(self, request: web.Request, account: AccountIdentity) -> Group:
        """Create a group with title, cover and an optional description, and return the group.

        Raises:
            ValidationFailed: A field is missing or invalid.
            ConversationRejected, ChatError: As in `ConversationService.create_group`.
        """
        fields = FieldReader(await read_json(request, dict[str, Any]))
        name = fields.read_text("name", *_NAME_LIMITS)
        description = fields.read_text("description", *_DESCRIPTION_LIMITS, required=False)
        cover_id = fields.read_id("coverId")
        fields.finish()
        return await self._service.create_group(
            self._authenticator.create_connection(request, account),
            names.validate_room_title(name),
            sanitize.validate_topic(description),
            cover_id,
        )

    async def _join_group(self, request: web.Request, account: AccountIdentity) -> None:
        """Join the group of the code in the path; each attempt counts toward the rate of the address.

        Raises:
            RateLimited: Too many attempts came from the address.
            ConversationRejected: As in `ConversationService.join_group`.
        """
        acquire(self._limits, "joins", self._authenticator.get_client(request).address, "too_many_joins")
        code = request.match_info["code"][:SECRET_CHARACTERS]
        await self._service.join_group(self._authenticator.create_connection(request, account), code)

    async def _list_groups(self, _: web.Request, account: AccountIdentity) -> dict[str, list[Group]]:
        return await self._service.list_groups(account)

    async def _read_group(self, request: web.Request, account: AccountIdentity) -> Group:
        return await self._service.read_group(account, _read_group_id(request))

    async def _replace_code(self, request: web.Request, account: AccountIdentity) -> Group:
        return await self._service.replace_code(account, _read_group_id(request))

    # -- conversations and messages

    async def _list_conversations(self, _: web.Request, account: AccountIdentity) -> list[Conversation]:
        return await self._service.list_conversations(account)

    async def _list_messages(self, request: web.Request, account: AccountIdentity) -> list[GroupMessage]:
        """Return messages before `cursorId`, newest first; without a cursor or with 0, the newest ones.

        `size` is `MESSAGES_DEFAULT` if absent or 0, and `MESSAGES_MAX` if greater.

        Raises:
            ValidationFailed: A parameter is not a positive integer, or `groupId` is missing.
            ConversationRejected: As in `ConversationService.list_messages`.
        """
        fields = FieldReader(request.query)
        group_id = fields.read_id("groupId")
        before_id = fields.read_id("cursorId", default=0)
        size = fields.read_id("size", default=MESSAGES_DEFAULT)
        fields.finish()
        return await self._service.list_messages(account, group_id, before_id or None, min(size, MESSAGES_MAX))

    async def _send_text(self, request: web.Request, account: AccountIdentity) -> GroupMessage:
        """Append a sanitized text message, and return the message.

        Raises:
            ValidationFailed: A field is missing or invalid, or the sanitized text is blank.
            ConversationRejected, ChatError: As in `ConversationService.send`.
        """
        fields = FieldReader(await read_json(request, dict[str, Any], _CONTENT_BYTES))
        group_id = fields.read_id("groupId")
        content = sanitize.sanitize_body(fields.read_text("content", 1, STORED_MESSAGE_CHARACTERS))
        if sanitize.is_blank(content):
            fields.reject("content must not be empty")
        fields.finish()
        return await self._service.send(self._authenticator.create_connection(request, account), group_id, content)

    async def _get_image(self, request: web.Request) -> web.Response:
        """Return the generated image of any id."""
        image = render_image(request.match_info["kind"], int(request.match_info["id"]))
        headers = {"Cache-Control": "public, max-age=86400", "Cross-Origin-Resource-Policy": "cross-origin"}
        return web.Response(text=image, content_type="image/svg+xml", headers=headers)


def _read_group_id(request: web.Request) -> int:
    """Return the id in the path.

    Raises:
        ValidationFailed: The id is 0 or too large.
    """
    fields = FieldReader(request.match_info)
    group_id = fields.read_id("id")
    fields.finish()
    return group_id
