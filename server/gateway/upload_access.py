"""Permissions of uploads and downloads, over HTTP and on connections (docs/protocol.md, "Attachments").

- Uploads: an upload requires the permission to upload in a room that the uploader names; the message is checked again.
- Downloads: a file in a message requires read access to the room. A file before its first message is readable by its
  uploader, and a pinned file by all accounts.
- Secrecy: invisible files and files that do not exist have the same error.
"""

from collections.abc import Iterable

from server.domain.permissions import Action
from server.domain.uploads import FilePath, Upload, Uploader
from server.engineio.connection import ClientConnection
from server.gateway.http_callers import HttpCaller
from server.gateway.identity import IdentityResolver
from server.gateway.request_handler import RequestHandlers
from server.gateway.room_access import Caller, RoomAccessControl
from server.storage.upload_repository import FoundUpload
from server.uploads.upload_service import UploadService
from tui_chat.protocol import errors, requests, responses
from tui_chat.protocol.names import validate_room_name


class UploadAccess:
    """Permission checks of files; all methods raise `Unavailable` if the database fails.

    Args:
        uploads: Uploads of the server.
        identity: Source of member ids.
        access_control: Permission checks of rooms.

    Attributes:
        handlers_by_type: Request handlers by request type.
    """

    def __init__(
        self,
        uploads: UploadService,
        identity: IdentityResolver,
        access_control: RoomAccessControl,
    ) -> None:
        self._uploads = uploads
        self._identity = identity
        self._access_control = access_control
        self.handlers_by_type: RequestHandlers = {requests.SignAttachments: self._sign}

    async def authorize_upload(self, caller: HttpCaller, room_name: str) -> Uploader:
        """Check that a person may upload to a room, and return the author with the key of the quota.

        Guests of one address share a quota, except at a loopback address or a trusted proxy. The room need not exist if
        the person may create it.

        Raises:
            ChatError: The name is invalid, the room is not visible, or the upload is not permitted.
        """
        await self._access_control.authorize(caller, validate_room_name(room_name), caller.member_id, Action.UPLOAD)
        address_hash = self._access_control.guest_addresses.hash_address(caller.address)
        if caller.account is not None or address_hash is None:
            return Uploader(member_id=caller.member_id, quota_key=caller.member_id)
        return Uploader(member_id=caller.member_id, quota_key=f"address {address_hash.hex()}")

    async def require_readable(self, caller: HttpCaller, file_path: FilePath) -> Upload:
        """Return the upload of a path.

        Raises:
            NotFound: The file does not exist, or is not visible.
            Forbidden: The caller is banned from the room of a message with the file.
        """
        found = await self._require_stored(file_path)
        if found.room_key is not None:
            try:
                await self._access_control.authorize(caller, found.room_key, caller.member_id)
            except errors.NotFound:
                raise errors.NotFound("upload_not_found") from None
        elif not _is_readable(found, caller, caller.member_id):
            raise errors.NotFound("upload_not_found")
        return found.upload

    async def require_signed(self, file_path: FilePath, expires: str, signature: str) -> Upload:
        """Return the upload of a signed URL.

        Raises:
            Unauthorized: The signature is invalid or has expired.
            NotFound: The file no longer exists, or all of its messages are deleted.
        """
        if not self._uploads.verify(file_path, expires, signature):
            raise errors.Unauthorized("signature_invalid")
        found = await self._require_stored(file_path)
        if not (found.room_key or found.upload.is_pinned or found.upload.room_id is None):
            raise errors.NotFound("upload_not_found")
        return found.upload

    async def _require_stored(self, file_path: FilePath) -> FoundUpload:
        """Return the upload of a path without a permission check; raise `NotFound` without readable bytes."""
        found = (await self._uploads.find([file_path.upload_id])).get(file_path.upload_id)
        if found is None:
            raise errors.NotFound("upload_not_found")
        return found

    async def _sign(self, connection: ClientConnection, request: requests.SignAttachments) -> responses.SignedAddresses:
        """Return the signed URLs of paths in the same order, None for a path that is not readable."""
        file_paths = [FilePath.parse(path) for path in request.paths]
        readable = await self._find_readable(connection, [path for path in file_paths if path is not None])
        return self._uploads.sign_all(
            [
                path if file_path is not None and file_path.upload_id in readable else None
                for path, file_path in zip(request.paths, file_paths, strict=True)
            ]
        )

    async def _find_readable(self, connection: ClientConnection, file_paths: Iterable[FilePath]) -> set[str]:
        """Return the ids of the readable uploads among paths; unknown ones are omitted."""
        found_uploads = await self._uploads.find({file_path.upload_id for file_path in file_paths})
        member_id = self._identity.get_member_id(connection) or ""
        room_keys = {found.room_key for found in found_uploads.values() if found.room_key is not None}
        readable_keys = await self._access_control.find_readable(connection, room_keys, member_id) if room_keys else ()
        return {
            upload_id
            for upload_id, found in found_uploads.items()
            if (found.room_key in readable_keys if found.room_key else _is_readable(found, connection, member_id))
        }


def _is_readable(found: FoundUpload, caller: Caller, member_id: str) -> bool:
    """Return whether a person may read an upload that is in no message (module documentation)."""
    if found.upload.is_pinned and caller.account is not None:
        return True
    return found.upload.member_id == member_id and found.upload.room_id is None
