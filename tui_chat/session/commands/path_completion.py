"""Completion of file system paths as command arguments."""

import os
import unicodedata
from itertools import islice
from pathlib import Path

from tui_chat.protocol.sanitize import sanitize_line

MAX_ENTRIES = 2_000
"""Maximum number of directory entries that are examined."""

MAX_PATHS = 50
"""Maximum number of candidates."""


def complete_path(typed: str) -> list[str]:
    """Return the sorted paths that start with a typed path, directories with a final separator; empty if unreadable.

    Hidden entries require a typed dot, and names that sanitizing changes are omitted. A leading `~/` or `~user/`
    stays in the candidates; an unknown user has none. At most `MAX_ENTRIES` entries of the directory are examined, in
    the order of the file system, and at most `MAX_PATHS` paths returned.
    """
    directory, _, prefix = typed.rpartition(os.sep)
    directory += os.sep if os.sep in typed else ""
    try:
        with os.scandir(Path(directory or ".").expanduser()) as entries:
            found = [
                entry.name + (os.sep if entry.is_dir() else "")
                for entry in islice(entries, MAX_ENTRIES)
                if entry.name.startswith(prefix) and (prefix or not entry.name.startswith("."))
            ]
    except (OSError, RuntimeError, ValueError):
        return []
    return [directory + name for name in sorted(found) if _is_typeable(name)][:MAX_PATHS]


def _is_typeable(name: str) -> bool:
    """Return whether the composer keeps a name unchanged, apart from its normalization to NFC."""
    return sanitize_line(name) == unicodedata.normalize("NFC", name)
