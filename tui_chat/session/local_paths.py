"""Paths of local files in the argument of `/upload` and in pasted text.

- Forms: as typed, quoted or escaped for a shell, and `file://` addresses, which terminals insert for dropped files.
- Access: only the status of a file is read.
"""

import shlex
from pathlib import Path
from urllib.parse import unquote, urlsplit

from tui_chat.protocol.limits import ATTACHMENTS_PER_MESSAGE

MAX_TEXT_LENGTH = 8_192
"""Maximum length of a text that may consist of paths, in characters."""


def parse_paths(argument: str) -> list[Path]:
    """Return the paths of a command argument, with `~` expanded.

    The whole argument is one path if it is the path of a regular file, or if its words in the syntax of a shell are not
    all paths of regular files. Otherwise, each word is a path.
    """
    path = _expand(argument)
    if not _is_regular_file(path):
        paths = _split_line(argument)
        if paths and all(map(_is_regular_file, paths)):
            return paths
    return [path]


def find_dropped_files(text: str) -> list[Path]:
    """Return the files of a text that consists of absolute paths of regular files, otherwise an empty list.

    Each line has one path as typed, or any number in the syntax of a shell, where `~` is expanded. The list is also
    empty for more than `ATTACHMENTS_PER_MESSAGE` files and above `MAX_TEXT_LENGTH` characters.
    """
    if len(text) > MAX_TEXT_LENGTH:
        return []
    paths: list[Path] = []
    for line in filter(None, map(str.strip, text.split("\n"))):
        path = Path(line)
        paths += [path] if path.is_absolute() and _is_regular_file(path) else _split_line(line) or [path]
    is_list = 0 < len(paths) <= ATTACHMENTS_PER_MESSAGE
    return paths if is_list and all(path.is_absolute() and _is_regular_file(path) for path in paths) else []


def _split_line(line: str) -> list[Path]:
    """Return the paths of a line in the syntax of a shell, none for a syntax error or an unusable `file:` address."""
    try:
        words = shlex.split(line)
    except ValueError:
        return []
    paths = [_from_address(word) if word.startswith("file:") else _expand(word) for word in words]
    return [path for path in paths if path is not None] if None not in paths else []


def _from_address(address: str) -> Path | None:
    try:
        parts = urlsplit(address)
    except ValueError:
        return None
    return Path(unquote(parts.path)) if parts.netloc in ("", "localhost") else None


def _expand(text: str) -> Path:
    try:
        return Path(text).expanduser()
    except RuntimeError:  # unknown user after `~`
        return Path(text)


def _is_regular_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False
