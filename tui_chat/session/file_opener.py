"""Opening of received files with the program of the desktop.

- Consent: the caller asks the user before each call of `open`.
- Programs: only names with the suffix of a passive format are opened (`OPENABLE_SUFFIXES`). The desktop chooses the
  program by this suffix, so the media type of the server is irrelevant.
- Isolation: a private directory for each `FileOpener`, removed with it, at the latest at the end of the process; no
  shell.
"""

import asyncio
import os
import shutil
import sys
import tempfile
import weakref
from collections.abc import Mapping
from pathlib import Path

from tui_chat.client.room_files import RoomFiles
from tui_chat.protocol.events import Attachment

OPENABLE_SUFFIXES = frozenset(
    """
    .aac .avif .bmp .conf .csv .doc .docx .epub .flac .gif .heic .jpeg .jpg .json .log .m4a .md .mkv .mov .mp3 .mp4
    .odp .ods .odt .oga .ogg .ogv .opus .pdf .png .ppt .pptx .rtf .tif .tiff .toml .txt .wav .webm .webp .xls .xlsx
    .yaml .yml
    """.split()  # noqa: SIM905 a word list reads better than 50 quoted strings
)
"""Suffixes of files that programs display without running code; neither HTML and SVG, nor scripts and archives."""

START_TIMEOUT = 3.0
"""Time in which a failure of the program is detected, in seconds."""


class OpenFailed(Exception):
    """Failure to open a file with a program."""


def has_local_display(environ: Mapping[str, str], platform: str = sys.platform) -> bool:
    """Return whether the process has a local display, so that a graphical program can open. False over SSH.

    Programs of the terminal are excluded because they would overwrite the screen.
    """
    return "SSH_CONNECTION" not in environ and bool(
        platform in {"darwin", "win32"} or environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY")
    )


def is_openable(name: str) -> bool:
    """Return whether the suffix of a file name belongs to a passive format."""
    return Path(name).suffix.lower() in OPENABLE_SUFFIXES


class FileOpener:
    """Private directory of opened files."""

    def __init__(self) -> None:
        self._directory: Path | None = None

    async def open(self, files: RoomFiles, attachment: Attachment) -> None:
        """Download a file to the private directory and start the program of the desktop.

        Raises:
            ChatError: The download failed.
            OSError: The file or the directory cannot be written.
            OpenFailed: The name of the downloaded file is not openable, no program starts, or the program failed within
                `START_TIMEOUT`. The file stays in the directory.
        """
        path = await files.download(attachment, await asyncio.to_thread(self._create_directory))
        if not is_openable(path.name):
            raise OpenFailed
        await _start_program(path)

    def _create_directory(self) -> Path:
        """Return the private directory, created at the first call."""
        if self._directory is None:
            self._directory = Path(tempfile.mkdtemp(prefix="chat-tui-"))  # mode 0700
            weakref.finalize(self, shutil.rmtree, self._directory, ignore_errors=True)
        return self._directory


async def _start_program(path: Path) -> None:
    """Start the program of the desktop for a file; return at its success, or after `START_TIMEOUT` if still running.

    On Windows, the call returns after the start, and only a failed start is an error.

    Raises:
        OpenFailed: The program does not start, or exits with an error within `START_TIMEOUT`.
    """
    if sys.platform == "win32":
        try:
            os.startfile(path)
        except OSError:
            raise OpenFailed from None
        return
    try:
        process = await asyncio.create_subprocess_exec(
            "open" if sys.platform == "darwin" else "xdg-open",
            str(path),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError:
        raise OpenFailed from None
    try:
        async with asyncio.timeout(START_TIMEOUT):
            exit_code = await process.wait()
    except TimeoutError:
        return  # the program runs in place of the command
    if exit_code:
        raise OpenFailed
