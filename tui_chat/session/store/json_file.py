"""Small JSON files of the state directory, such as the profile and the logins.

- Atomic writes: a crash leaves either the previous or the new file, with mode 0600.
- Corruption: an undecodable file is renamed, not overwritten.
"""

from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import msgspec

from tui_chat.protocol.errors import DECODE_ERRORS
from tui_chat.session.i18n import tr
from tui_chat.session.store.atomic_write import atomic_write
from tui_chat.session.strings import settings as settings_strings

ContentT = TypeVar("ContentT", bound=msgspec.Struct)


def read_json_file(path: Path, content_type: type[ContentT]) -> tuple[ContentT | None, str]:
    """Read a file. An undecodable one is renamed to end with `.damaged`, if possible, in place of an earlier one.

    Returns:
        Content, None for a missing or undecodable file; and error sentence, "" for a valid or missing file.

    Raises:
        OSError: The file cannot be read.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=content_type), ""
    except FileNotFoundError:
        return None, ""
    except DECODE_ERRORS:
        backup_path = path.with_suffix(".damaged")
        with suppress(OSError):
            path.replace(backup_path)
        return None, tr(settings_strings.SAVED_DATA_DAMAGED, file=str(backup_path))


def write_json_file(path: Path, content: msgspec.Struct) -> None:
    """Replace a file; its directory is created with mode 0700 if missing.

    Raises:
        OSError: The file cannot be written.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    atomic_write(path, msgspec.json.format(msgspec.json.encode(content)))


def describe_read_error(path: Path, error: OSError) -> str:
    """Return the sentence for a file that cannot be read."""
    return tr(settings_strings.FILE_UNREADABLE, path=str(path), reason=error.strerror or "")


def describe_write_error(path: Path, error: OSError) -> str:
    """Return the sentence for a file that cannot be written."""
    return tr("{path} cannot be written: {reason}", path=str(path), reason=error.strerror or "")
