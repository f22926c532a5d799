"""Files of the messages of one batch: checks of the uploads, and references to them.

- Ownership: a message attaches uploads of its author. The first message sets the room of an upload, so that each upload
  is readable in one room only. Within a batch, this is the room of the first message, accepted or not: the creation of
  rooms precedes the messages.
- Locks: the rows of the attached uploads are locked before the rows of the rooms. Therefore no upload is
  removed before the commit, and a message with an invalid upload creates no room.
"""

import re
from collections.abc import Iterator, Sequence, Set
from typing import Any

import msgspec
from sqlalchemy import Connection

from server.domain.log_commands import AppendMessage, LogCommand
from server.domain.uploads import UPLOAD_ID_PATTERN, Upload
from server.storage.batch_rooms import BatchRoom
from server.storage.statements import BatchStatements
from server.storage.tables import uploads
from server.storage.upload_repository import upload_from_row
from tui_chat.protocol import errors, events


class BatchAttachments:
    """Uploads and pending rows of one batch."""

    def __init__(self, connection: Connection, statements: BatchStatements, commands: Sequence[LogCommand]) -> None:
        self._connection = connection
        self._statements = statements
        attached = list(_iterate_attached(commands))
        self._uploads = self._load_uploads({upload_id for _, upload_id in attached})
        self._room_keys: dict[str, str] = {}  # by id of an upload without a room
        for command, upload_id in attached:
            if upload_id in self._uploads and self._uploads[upload_id].member_id == command.author.member_id:
                self._room_keys.setdefault(upload_id, command.room.key)
        self._rows: list[tuple[str, int, int]] = []
        self._texts: list[tuple[bytes, int, int]] = []
        self._claimed: list[tuple[int, str]] = []
        self._removed: list[tuple[int, int]] = []  # room id and `seq` of deleted messages

    def may_create_room(self, command: AppendMessage) -> bool:
        """Return whether `require_files` accepts the files of a message in a new room."""
        return all(
            self._is_attachable(command, upload_id, None)
            for attached in command.attachments
            for upload_id in attached.all_ids
        )

    def require_files(self, room: BatchRoom, command: AppendMessage) -> list[events.Attachment]:
        """Return the files of a new message.

        Raises:
            NotFound: An upload, or the poster of one, does not exist, has another state than `ready`, or belongs to
                another member or another room.
        """
        found: list[events.Attachment] = []
        for attached in command.attachments:
            upload = self._require_upload(room, command, attached.upload_id)
            poster = None if attached.poster_id is None else self._require_upload(room, command, attached.poster_id)
            found.append(upload.to_attachment(poster))
        return found

    def add(self, room: BatchRoom, seq: int, command: AppendMessage, files: list[events.Attachment]) -> None:
        """Queue the references of a new message to its files, and the room of its uploads without one.

        Args:
            files: Result of `require_files` for the command.
        """
        for upload_id in {upload_id for attached in command.attachments for upload_id in attached.all_ids}:
            self._rows.append((upload_id, room.id, seq))
            if self._uploads[upload_id].room_id is None:
                self._uploads[upload_id] = msgspec.structs.replace(self._uploads[upload_id], room_id=room.id)
                self._claimed.append((room.id, upload_id))
        self._texts.append((msgspec.json.encode(files), room.id, seq))

    def remove(self, room: BatchRoom, seq: int) -> None:
        """Queue the removal of the references of a deleted message, and drop its queued files."""
        self._removed.append((room.id, seq))
        self._texts = [row for row in self._texts if row[1:] != (room.id, seq)]

    def flush(self) -> None:
        """Write all pending rows, after those of the entries; no statement runs without rows."""
        statements = self._statements
        for statement, rows in (
            (statements.insert_attachment, self._rows),
            (statements.set_attachments, self._texts),
            (statements.claim_upload, self._claimed),
            (statements.delete_attachments, self._removed),
        ):
            if rows:
                statement.execute_many(self._connection, list[tuple[Any, ...]](rows))

    def _load_uploads(self, attached_ids: Set[str]) -> dict[str, Upload]:
        """Lock the stored uploads among the attached ids, and return them by id; malformed ids are ignored."""
        upload_ids = sorted(upload_id for upload_id in attached_ids if re.fullmatch(UPLOAD_ID_PATTERN, upload_id))
        if not upload_ids:
            return {}
        rows = self._statements.select_uploads.execute(self._connection, self._statements.array_param(upload_ids))
        found = [upload_from_row(dict(zip(uploads.columns.keys(), row, strict=True))) for row in rows]
        return {upload.id: upload for upload in found}

    def _require_upload(self, room: BatchRoom, command: AppendMessage, upload_id: str) -> Upload:
        """Return an upload of a message; raise `NotFound` as `require_files`."""
        if not self._is_attachable(command, upload_id, room.id):
            raise errors.NotFound("upload_not_found")
        return self._uploads[upload_id]

    def _is_attachable(self, command: AppendMessage, upload_id: str, room_id: int | None) -> bool:
        """Return whether a message may attach an upload: a ready one of its author, in no room or in `room_id`.

        An upload without a room must have its first message of the batch in the room of the command.
        """
        upload = self._uploads.get(upload_id)
        return (
            upload is not None
            and upload.state == "ready"
            and upload.member_id == command.author.member_id
            and upload.room_id in (None, room_id)
            and (upload.room_id is not None or self._room_keys[upload_id] == command.room.key)
        )


def _iterate_attached(commands: Sequence[LogCommand]) -> Iterator[tuple[AppendMessage, str]]:
    """Yield the messages among commands with each id of their uploads and posters, in order."""
    for command in commands:
        if type(command) is AppendMessage and command.attachments:
            for attached in command.attachments:
                for upload_id in attached.all_ids:
                    yield command, upload_id
