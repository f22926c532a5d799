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

from server.protocol.errors import NotFound
from server.web.files import INDEX
from server.web.headers import OWN_PAGES

_TYPES: Final = {".htm": "text/html", ".html": "text/html", ".js": "text/javascript", ".mjs": "text/javascript"}
"""Not left to the machine's own table, which can say what browsers refuse to run."""


def add_own_pages(app: web.Application, folder: Path) -> None:
    """Answer every path that nothing else answers from the folder, `/` with its `index.html`."""
    root = folder.resolve()

    async def serve(request: web.Request) -> web.StreamResponse:
        path = request.match_info["path"]
        found = await asyncio.to_thread(_find, root, path)
        if found is None:
            raise NotFound("there is nothing at this address")
        if found.name == INDEX and path and not path.endswith(("/", INDEX)):
            return web.Response(status=301, headers={"Location": _as_folder(path)})
        # A name says nothing of a version, so a cache asks each time and mostly hears 304.
        return web.FileResponse(found, headers={"Cache-Control": "no-cache", "Content-Type": _content_type(found)})

    app.router.add_get("/{path:.*}", serve, name=OWN_PAGES)


def _as_folder(path: str) -> str:
    """The address of a folder; with one slash in front, since behind two a browser reads another host."""
    return f"/{quote(path.strip('/'))}/"


def _find(root: Path, path: str) -> Path | None:
    """The file that a request's path names, a folder's being its index; None when there is none to be served."""
    parts = [part for part in path.split("/") if part]
    if any(part.startswith(".") or "\\" in part for part in parts):
        return None
    try:
        found = root.joinpath(*parts).resolve()
        if found.is_dir():
            found = (found / INDEX).resolve()
        inside = found.is_relative_to(root) and not any(part.startswith(".") for part in found.relative_to(root).parts)
        return found if inside and found.is_file() else None
    except (OSError, ValueError, RuntimeError):  # a name too long, a NUL in it, a loop of links
        return None


def _content_type(file: Path) -> str:
    kind = _TYPES.get(file.suffix.lower()) or mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    is_text = kind.startswith("text/") or kind in {"application/json", "image/svg+xml"}
    return f"{kind}; charset=utf-8" if is_text else kind
