"""Files of outbox items.

- Identity: a file on this computer is identified by path, size and time of modification. A file that changes before its
  upload is not sent, because the user chose another content.
- Blocking: only regular files are opened, so that no operation waits for the writer of a pipe or for a device.
"""

import os
import stat
from errno import EILSEQ, EINVAL, EISDIR, ESTALE
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from msgspec import Struct

from tui_chat.protocol.errors import BadRequest
from tui_chat.protocol.events import Attachment


class FileChanged(OSError):
    """File that changed since its selection."""


class OutboxFile(Struct, frozen=True, omit_defaults=True):
    """File of a message: a file on this computer, a text, or an upload.

    Attributes:
        name: File name without a directory.
        size: Size in bytes.
        path: Absolute path of a file on this computer, otherwise empty.
        modified_ns: Time of modification of a file on this computer, in nanoseconds since the epoch.
        content: Content without a file on this computer.
        upload_id: Id of the upload, None before the upload.
    """

    name: str
    size: int
    path: str = ""
    modified_ns: int = 0
    content: bytes = b""
    upload_id: str | None = None

    @classmethod
    def from_path(cls, path: str | Path) -> "OutboxFile":
        """Return a file on this computer with its current size and time of modification.

        Raises:
            OSError: The file is not readable or no regular file, or its path is not UTF-8.
        """
        path = Path(path).absolute()
        _require_utf8(path)
        _require_regular(path, path.stat())  # before the open, which has effects on some devices
        with _open_regular(path) as content:
            status = os.fstat(content.fileno())
        return cls(path.name, status.st_size, str(path), status.st_mtime_ns)

    @classmethod
    def from_text(cls, name: str, text: str) -> "OutboxFile":
        """Return a file with a text as content."""
        content = text.encode()
        return cls(name, len(content), content=content)

    @classmethod
    def from_upload(cls, attachment: Attachment) -> "OutboxFile":
        """Return an upload of the user."""
        return cls(attachment.name, attachment.size, upload_id=attachment.id)

    @property
    def has_content(self) -> bool:
        """True for a file on this computer and for a text that is not empty, which can be uploaded again."""
        return bool(self.path or self.content)

    def refreshed(self) -> "OutboxFile":
        """Return the file with its current size and time of modification; unchanged without an accessible path."""
        if self.upload_id is not None or not self.path:
            return self
        try:
            return self.from_path(self.path)
        except OSError:
            return self

    def changed_error(self) -> FileChanged:
        """Return the error of a file that changed."""
        return FileChanged(ESTALE, "File changed", self.path)

    def open(self) -> BinaryIO:
        """Open the content for reading, without waiting; the caller closes the result.

        A text is read from memory. An upload without a path has no content.

        Raises:
            FileChanged: Size or time of modification differ from the attributes.
            OSError: The file is not readable, or not regular.
        """
        if not self.path:
            return BytesIO(self.content)
        content = _open_regular(Path(self.path))
        status = os.fstat(content.fileno())
        if (status.st_size, status.st_mtime_ns) != (self.size, self.modified_ns):
            content.close()
            raise self.changed_error()
        return content


def _open_regular(path: Path) -> BinaryIO:
    """Open a file for reading, without waiting; raise `OSError` for an inaccessible or not regular one."""
    content = open(path, "rb", opener=_open_without_waiting)  # noqa: SIM115 (closed by the caller)
    try:
        _require_regular(path, os.fstat(content.fileno()))
    except OSError:
        content.close()
        raise
    return content


def _open_without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))  # a pipe without a writer would block


def _require_regular(path: Path, status: os.stat_result) -> None:
    """Raise `IsADirectoryError` for a directory, `OSError` for any other file that is not regular."""
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(EISDIR, os.strerror(EISDIR), str(path))
    if not stat.S_ISREG(status.st_mode):
        raise OSError(EINVAL, "Not a regular file", str(path))


def _require_utf8(path: Path) -> None:
    try:
        str(path).encode()
    except UnicodeEncodeError:
        raise OSError(EILSEQ, "Name is not UTF-8", _printable(path)) from None


def _printable(path: str | Path) -> str:
    """Return a path with U+FFFD in place of bytes that are not UTF-8."""
    return os.fsencode(path).decode(errors="replace")


def file_error(path: str | Path, error: OSError) -> BadRequest:
    """Return the error of a file that changed or cannot be read, with a translatable reason."""
    reasons: dict[type[OSError], str] = {
        FileChanged: "file_changed",
        FileNotFoundError: "file_missing",
        IsADirectoryError: "file_is_directory",
        PermissionError: "file_forbidden",
    }
    file = _printable(path)
    if type(error) in reasons:
        return BadRequest(reasons[type(error)], file=file)
    return BadRequest("file_unreadable", file=file, problem=error.strerror or type(error).__name__)
