"""Export of the files of messages: `chat-server export ROOM --files DIR`."""

import asyncio
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

from server.control_socket import ControlError
from server.domain.uploads import FilePath
from server.storage.errors import StorageError
from server.storage.private_file import create_private_file
from server.uploads.object_store import STORE_ERRORS, UploadStore


class FileExport(NamedTuple):
    """Result of an export: number of copied files, and unsigned paths of the files that are no longer stored."""

    copied: int
    missing: tuple[str, ...]


def export_files(
    attachments: Iterable[Mapping[str, Any]], location: str, directory: Path, *, overwrite: bool
) -> FileExport:
    """Copy each file and the title image of each video once, to `ID/NAME` in a directory, with mode 0600.

    Args:
        attachments: Attachments of the exported messages (docs/protocol.md, "Attachments").
        location: Path or URL of the uploads.
        directory: Directory of the copies, created with mode 0700.
        overwrite: Replace existing files.

    Raises:
        ControlError: The location is not readable, or a copy exists or cannot be written; earlier copies stay.
    """
    paths = [path for attachment in attachments for key in ("path", "poster") if (path := attachment.get(key))]
    try:
        if "://" not in location and not Path(location).is_dir():
            raise ControlError(f"the files of messages are in {location}, which is not a directory on this machine")
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        return asyncio.run(_copy_all(dict.fromkeys(paths), UploadStore(location), directory, overwrite))
    except (StorageError, *STORE_ERRORS, ValueError) as error:
        raise ControlError(str(error).partition("\n")[0]) from error


async def _copy_all(paths: Iterable[str], store: UploadStore, directory: Path, overwrite: bool) -> FileExport:
    """Copy the files of unsigned paths one after the other; skip invalid paths, and raise the first error."""
    count, missing = 0, list[str]()
    for path in paths:
        file_path = FilePath.parse(path)
        name = Path(unquote(path)).name
        if file_path is None:
            continue
        try:
            _, parts = await store.read(file_path.upload_id, is_preview=file_path.is_preview)
        except FileNotFoundError:
            missing.append(path)
            continue
        target = directory / file_path.upload_id / name
        target.parent.mkdir(mode=0o700, exist_ok=True)
        with create_private_file(target, overwrite=overwrite) as temporary, temporary.open("wb") as file:
            async for part in parts:
                file.write(part)
        count += 1
    return FileExport(count, tuple(missing))
