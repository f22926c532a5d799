"""Files of the conversation dialect: avatars, covers, images and videos."""

from aiohttp import web

from server.domain.account_directory import AccountIdentity
from server.gateway.conversations.media import ConversationMedia
from server.gateway.conversations.views import File, GroupMessage
from server.uploads.upload_service import UploadService
from server.web.api.authentication import ApiLimits, RequestAuthenticator, acquire
from server.web.api.conversations.envelope import create_account_endpoint
from server.web.api.conversations.forms import FileRule, receive_form

_MEBIBYTE = 2**20
_PICTURES = frozenset({"image/png", "image/jpeg"})
_PORTRAIT = FileRule(types=_PICTURES, max_bytes=5 * _MEBIBYTE, is_pinned=True)
_IMAGE = FileRule(types=_PICTURES, max_bytes=10 * _MEBIBYTE)
_VIDEO = FileRule(types=frozenset({"video/mp4", "video/webm"}))


class ConversationMediaApi:
    """Handlers of the endpoints with files.

    Args:
        media: Operations on files.
        uploads: Uploads of the server.
        authenticator: Verifier of credentials.
        limits: Limits per address, None for no limits.
    """

    def __init__(
        self,
        media: ConversationMedia,
        uploads: UploadService,
        authenticator: RequestAuthenticator,
        limits: ApiLimits | None,
    ) -> None:
        self._media = media
        self._uploads = uploads
        self._authenticator = authenticator
        self._limits = limits

    def add_routes(self, app: web.Application) -> None:
        """Add the endpoints (`HttpApi.add_routes`)."""
        for path, handler in (
            ("/api/user/avatar", self._set_avatar),
            ("/api/group/cover", self._add_cover),
            ("/api/conversation/group/message/image", self._send_image),
            ("/api/conversation/group/message/video", self._send_video),
        ):
            app.router.add_post(path, create_account_endpoint(self._authenticator, handler))

    async def _set_avatar(self, request: web.Request, account: AccountIdentity) -> File:
        self._acquire(request)
        async with receive_form(request, self._uploads, account, {"file": _PORTRAIT}) as form:
            return await self._media.set_avatar(account, form.files["file"])

    async def _add_cover(self, request: web.Request, account: AccountIdentity) -> File:
        self._acquire(request)
        async with receive_form(request, self._uploads, account, {"file": _PORTRAIT}) as form:
            return await self._media.add_cover(account, form.files["file"])

    async def _send_image(self, request: web.Request, account: AccountIdentity) -> GroupMessage:
        self._acquire(request)
        connection = self._authenticator.create_connection(request, account)
        async with receive_form(request, self._uploads, account, {"file": _IMAGE}, needs_group=True) as form:
            return await self._media.send_file(connection, form.group_id, form.files["file"])

    async def _send_video(self, request: web.Request, account: AccountIdentity) -> GroupMessage:
        self._acquire(request)
        connection = self._authenticator.create_connection(request, account)
        rules = {"file": _VIDEO, "coverFile": _IMAGE}
        async with receive_form(request, self._uploads, account, rules, needs_group=True) as form:
            return await self._media.send_file(connection, form.group_id, form.files["file"], form.files["coverFile"])

    def _acquire(self, request: web.Request) -> None:
        address = self._authenticator.get_client(request).address
        acquire(self._limits, "uploads", address, "too_many_requests")
