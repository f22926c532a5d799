"""Files of the conversation dialect: avatars, covers, images and videos.

- Avatars and covers are pinned uploads; a new avatar unpins the former one.
- An account has at most one cover that no group uses yet; a new one unpins the former one.
"""

from server.domain.account_directory import AccountIdentity
from server.domain.log_commands import AttachedUpload
from server.domain.uploads import Upload
from server.engineio.connection import ClientConnection
from server.gateway.account_service import AccountService
from server.gateway.conversations.service import ConversationService
from server.gateway.conversations.views import File, GroupMessage, ViewBuilder
from server.storage.group_repository import GroupRepository


class ConversationMedia:
    """Operations on files; all methods raise `Unavailable` if the database fails.

    Args:
        service: Operations on groups.
        repository: Storage of groups.
        account_service: Operations on accounts.
        views: Encoder of the results.
    """

    def __init__(
        self,
        service: ConversationService,
        repository: GroupRepository,
        account_service: AccountService,
        views: ViewBuilder,
    ) -> None:
        self._service = service
        self._repository = repository
        self._account_service = account_service
        self._views = views

    async def set_avatar(self, account: AccountIdentity, upload: Upload) -> File:
        """Replace the avatar of an account with a pinned upload."""
        await self._account_service.update_profile(account, {"avatar_path": upload.path})
        return self._views.build_file("avatar", upload.path)

    async def add_cover(self, account: AccountIdentity, upload: Upload) -> File:
        """Store a pinned upload as the cover of the next group of an account."""
        await self._repository.replace_pending_cover(account.member_id, upload.id)
        return self._views.build_file("cover", upload.path)

    async def send_file(
        self, connection: ClientConnection, group_id: int, upload: Upload, poster: Upload | None = None
    ) -> GroupMessage:
        """Append a message with an image or a video, whose title image is `poster`.

        Raises as `ConversationService.send`.
        """
        attached = AttachedUpload(upload_id=upload.id, poster_id=None if poster is None else poster.id)
        return await self._service.send(connection, group_id, "", (attached,))
