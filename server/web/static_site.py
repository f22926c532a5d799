"""A folder of the operator's own pages, served in place of the built-in page.

Rule 1  Nothing outside the folder is ever served: not by `..`, not by a link that
        leads out of it.
Rule 2  No part of a served file's path begins with a dot, neither as it was asked
        for nor as it is in the folder.
Rule 3  These pages may do what pages of tutorials do: run inline scripts and take
        their client from another host. So the built-in page's policy is not theirs.
"""

import asyncio
import mimetypes
from pathlib import Path
from typing import Final
from urllib.parse import quote

from aiohttp import web

from server.web.assets import INDEX_FILE
from server.web.headers import STATIC_SITE_ROUTE
from tui_chat.protocol.errors import NotFound

_CONTENT_TYPES: Final = {".htm": "text/html", ".html": "text/html", ".js": "text/javascript", ".mjs": "text/javascript"}
"""Not left to the machine's own table, which can say what browsers refuse to run."""


def add_static_site(app: web.Application, directory: Path) -> None:
    """Answer every path that nothing else answers from the folder, `/` with its `index.html`."""
    root = directory.resolve()

    async def serve(request: web.Request) -> web.StreamResponse:
        path = request.match_info["path"]
        file = await asyncio.to_thread(_resolve_file, root, path)
        if file is None:
            raise NotFound("there is nothing at this address")
        if file.name == INDEX_FILE and path and not path.endswith(("/", INDEX_FILE)):
            return web.Response(status=301, headers={"Location": _directory_url(path)})
        # A name says nothing of a version, so a cache asks each time and mostly hears 304.
        return web.FileResponse(file, headers={"Cache-Control": "no-cache", "Content-Type": _guess_content_type(file)})

    app.router.add_get("/{path:.*}", serve, name=STATIC_SITE_ROUTE)


def _directory_url(path: str) -> str:
    """The address of a folder; with one slash in front, since behind two a browser reads another host."""
    return f"/{quote(path.strip('/'))}/"


def _resolve_file(root: Path, path: str) -> Path | None:
    """The file that a request's path names, a folder's being its index; None when there is none to be served."""
    parts = [part for part in path.split("/") if part]
    if any(part.startswith(".") or "\\" in part for part in parts):
        return None
    try:
        file = root.joinpath(*parts).resolve()
        if file.is_dir():
            file = (file / INDEX_FILE).resolve()
        is_inside = file.is_relative_to(root) and not any(part.startswith(".") for part in file.relative_to(root).parts)
        return file if is_inside and file.is_file() else None
    except (OSError, ValueError, RuntimeError):  # a name too long, a NUL in it, a loop of links
        return None


def _guess_content_type(file: Path) -> str:
    content_type = (
        _CONTENT_TYPES.get(file.suffix.lower()) or mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    )
    is_text = content_type.startswith("text/") or content_type in {"application/json", "image/svg+xml"}
    return f"{content_type}; charset=utf-8" if is_text else content_type
