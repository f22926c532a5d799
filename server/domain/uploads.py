"""Uploaded files, their paths and their signed URLs (docs/protocol.md, "Attachments")."""

import hashlib
import hmac
import re
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterable
from typing import Literal
from urllib.parse import quote

from msgspec import Struct

from tui_chat.protocol.events import Attachment

UPLOAD_ID_PATTERN = r"[\w-]{22}"
"""Pattern of the id of an upload, 128 random bits in base64url."""

UPLOADS_PATH = "/api/uploads"

URL_LIFETIME_MS = 3600 * 1000
"""Minimum validity of a signed URL in milliseconds."""

_URL_ROUNDING_MS = URL_LIFETIME_MS // 4  # equal URLs for a quarter of an hour, for the caches of browsers

_PREVIEW_SUFFIX = ".preview"
_PREVIEW_NAME = "preview.webp"

_FILE_PATH = re.compile(rf"{UPLOADS_PATH}/({UPLOAD_ID_PATTERN})({re.escape(_PREVIEW_SUFFIX)})?/[^/?#]+")

UploadState = Literal["pending", "ready", "expired", "removed"]
"""State of an upload: bytes being stored, readable, due for removal, removed.

A removed upload counts for the daily quota.
"""


class Uploader(Struct, frozen=True, kw_only=True):
    """Author of an upload.

    Attributes:
        member_id: Member id of the account or the guest.
        quota_key: Key of the daily quota: the account, or the address of a guest, because a guest may have any number
            of member ids.
    """

    member_id: str
    quota_key: str


class Upload(Struct, frozen=True, kw_only=True):
    """Uploaded file.

    Attributes:
        id: Random identifier, 22 characters.
        state: State of the bytes.
        member_id: Member id of the uploader.
        room_id: Room of the first message with the file, None before.
        name: Sanitized file name without a directory.
        type: Media type, derived from the content.
        size: Size in bytes.
        width: Width of an image in pixels, None for other files.
        height: Height of an image in pixels, None for other files.
        has_preview: A smaller version of an image exists.
        digest: SHA-256 of the bytes.
        is_pinned: The upload is stored although no message contains the file, for example as an avatar.
        created_at: Time of the upload in milliseconds since the epoch.
    """

    id: str
    state: UploadState
    member_id: str
    room_id: int | None = None
    name: str
    type: str
    size: int
    width: int | None = None
    height: int | None = None
    has_preview: bool = False
    digest: bytes
    is_pinned: bool = False
    created_at: int

    @property
    def path(self) -> str:
        """Unsigned path of the file."""
        return build_path(self.id, self.name)

    @property
    def preview_path(self) -> str | None:
        """Unsigned path of the preview, None without one."""
        return f"{UPLOADS_PATH}/{self.id}{_PREVIEW_SUFFIX}/{_PREVIEW_NAME}" if self.has_preview else None

    def to_attachment(self, poster: "Upload | None" = None) -> Attachment:
        """Return the upload as the file of a message; `poster` is the title image of a video."""
        return Attachment(
            id=self.id,
            name=self.name,
            type=self.type,
            size=self.size,
            path=self.path,
            width=self.width,
            height=self.height,
            preview=self.preview_path,
            poster=None if poster is None else poster.path,
        )


def build_path(upload_id: str, name: str) -> str:
    """Return the unsigned path of a file."""
    return f"{UPLOADS_PATH}/{upload_id}/{quote(name, safe='')}"


class FilePath(Struct, frozen=True):
    """Parsed path of a file or of its preview."""

    upload_id: str
    is_preview: bool

    @classmethod
    def parse(cls, path: str) -> "FilePath | None":
        """Return a parsed path, None for any other path; the name in the path is not checked."""
        match = _FILE_PATH.fullmatch(path)
        return None if match is None else cls(match[1], match[2] is not None)


class SignedUrls:
    """Signer and verifier of URLs that grant access to one file without credentials.

    A signature covers the upload, the choice of file or preview, and the expiry, not the file name.

    Args:
        secret: Signing secret of the server, at least 32 bytes.
    """

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def sign(self, path: str, now: int) -> str:
        """Return a path of a file with the parameters `expires` and `signature`, valid for `URL_LIFETIME_MS` or longer.

        Args:
            path: Path of `Upload.path` or `Upload.preview_path`.
            now: Current time in milliseconds since the epoch.

        Raises:
            ValueError: The path is not that of a file.
        """
        file_path = FilePath.parse(path)
        if file_path is None:
            raise ValueError(f"not the path of a file: {path}")
        expires = -(-(now + URL_LIFETIME_MS) // _URL_ROUNDING_MS) * _URL_ROUNDING_MS
        return f"{path}?expires={expires}&signature={self._sign(file_path, expires)}"

    def verify(self, file_path: FilePath, expires: str, signature: str, now: int) -> bool:
        """Return whether the parameters of a URL are valid for a path and have not expired at `now`, as for `sign`."""
        if not re.fullmatch("[0-9]{1,15}", expires) or int(expires) <= now:
            return False
        return hmac.compare_digest(signature.encode(errors="replace"), self._sign(file_path, int(expires)).encode())

    def _sign(self, file_path: FilePath, expires: int) -> str:
        text = f"{file_path.upload_id} {file_path.is_preview:d} {expires}"
        return urlsafe_b64encode(hmac.digest(self._secret, text.encode(), hashlib.sha256)[:18]).decode()


def append_file_lines(text: str, attachments: Iterable[Attachment], get_url: Callable[[str], str]) -> str:
    """Return a text followed by one line per file with name and URL; an empty text has no line.

    Args:
        text: Text of the message.
        attachments: Files of the message.
        get_url: Returns the URL of a file by its path.
    """
    lines = [f"{attachment.name} {get_url(attachment.path)}" for attachment in attachments]
    return "\n".join([*filter(None, [text]), *lines])
