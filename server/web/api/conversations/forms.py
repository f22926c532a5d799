"""Multipart forms of the conversation dialect: text fields, and files in any order."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import NamedTuple

from aiohttp import BodyPartReader, web
from msgspec import Struct

from server.domain.account_directory import AccountIdentity
from server.domain.uploads import Upload, Uploader
from server.uploads.upload_service import UploadService
from server.web.api.conversations.fields import FieldReader
from server.web.api.uploads import FORM_ERRORS, MAX_FIELD_BYTES, UPLOAD_TIMEOUT, read_part

_MAX_PARTS = 10


class FileRule(Struct, frozen=True, kw_only=True):
    """Accepted files of one field.

    Attributes:
        types: Accepted media types by content.
        max_bytes: Maximum size in bytes; None for the limit of the server.
        is_pinned: Keep the file without a message.
    """

    types: frozenset[str]
    max_bytes: int | None = None
    is_pinned: bool = False


class Form(NamedTuple):
    """Content of a form: stored files by field, and the field `groupId`, 0 without the field."""

    files: dict[str, Upload]
    group_id: int


@asynccontextmanager
async def receive_form(
    request: web.Request,
    uploads: UploadService,
    account: AccountIdentity,
    rules: Mapping[str, FileRule],
    *,
    needs_group: bool = False,
) -> AsyncGenerator[Form]:
    """Store the files of a form, and yield the form; an error before or within the context unpins pinned files.

    A repeated file, the parts after the first `_MAX_PARTS` and text fields other than `groupId` are ignored.

    Args:
        request: Request with an unread body.
        uploads: Uploads of the server.
        account: Author of the files.
        rules: Required files by field.
        needs_group: The field `groupId` is required.

    Raises:
        ValidationFailed: The body is not a valid form, a file is missing, or the group is missing or invalid.
        BadRequest, TooLong, Forbidden, RateLimited, Unavailable: A file is rejected (`UploadService.receive`).
        web.HTTPRequestTimeout: The form makes no progress, or takes longer than `UPLOAD_TIMEOUT`.
    """
    files: dict[str, Upload] = {}
    try:
        group_id = await _read_parts(request, uploads, account, rules, files, needs_group=needs_group)
        yield Form(files, group_id)
    except BaseException:
        for name, upload in files.items():
            if rules[name].is_pinned:
                await uploads.unpin(upload.id)
        raise


async def _read_parts(
    request: web.Request,
    uploads: UploadService,
    account: AccountIdentity,
    rules: Mapping[str, FileRule],
    files: dict[str, Upload],
    *,
    needs_group: bool,
) -> int:
    """Store the files of a form in `files`, even before an error; return the group, 0 without `needs_group`.

    Raises as `receive_form`.
    """
    texts: dict[str, str] = {}
    reader = FieldReader(texts)
    uploader = Uploader(member_id=account.member_id, quota_key=account.member_id)
    if request.content_type == "multipart/form-data":
        try:
            async with asyncio.timeout(UPLOAD_TIMEOUT):
                form = await request.multipart()
                for _ in range(_MAX_PARTS):
                    part = await form.next()
                    if not isinstance(part, BodyPartReader):
                        break
                    name = part.name or ""
                    if name in rules and name not in files:
                        rule = rules[name]
                        files[name] = await uploads.receive(
                            read_part(part),
                            uploader,
                            part.filename or name,
                            max_bytes=rule.max_bytes,
                            types=rule.types,
                            is_pinned=rule.is_pinned,
                        )
                    elif name not in rules:
                        chunks = [chunk async for chunk in read_part(part, MAX_FIELD_BYTES)]
                        texts[name] = b"".join(chunks).decode()
        except TimeoutError:
            raise web.HTTPRequestTimeout from None
        except FORM_ERRORS:
            reader.reject("the form is malformed")
    group_id = reader.read_id("groupId") if needs_group else 0
    for name in rules.keys() - files.keys():
        reader.reject(f"{name} must be a file")
    reader.finish()
    return group_id
