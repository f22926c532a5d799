"""Static site of the operator instead of the built-in page.

- Containment: no file outside the directory is served, neither through `..` nor through symlinks.
- Hidden files: no path component of a request or of the resolved file begins with a dot.
- Fallback: unknown paths outside of `/api/` and `/socket.io/` return one file, for sites with client-side routes.
- Content-Security-Policy: none, because custom pages may use inline scripts and a client from a CDN.
"""

import asyncio
import mimetypes
from pathlib import Path
from typing import Final
from urllib.parse import quote

from aiohttp import web

from server.engineio.socketio_server import SOCKETIO_PATH
from server.web.api.guard import API_PATH
from server.web.assets import INDEX_FILE
from server.web.headers import STATIC_SITE_ROUTE
from tui_chat.protocol.errors import NotFound

# Independent of the machine's table, which may contain types that browsers refuse to run.
_CONTENT_TYPES: Final = {".htm": "text/html", ".html": "text/html", ".js": "text/javascript", ".mjs": "text/javascript"}


def add_static_site(app: web.Application, directory: Path, fallback: str = "") -> None:
    """Add a catch-all route for files of the directory; a directory serves its `index.html`, if any.

    The path of a directory without a final slash is redirected (301) with its query. Unknown paths return the fallback
    with status 200, or raise `NotFound` without one. Caches must revalidate all files. Fixed paths of other routes take
    precedence.

    Args:
        app: Application before its start.
        directory: Directory of the files.
        fallback: Path of the file for unknown paths outside of `/api/` and `/socket.io/`; empty for none.
    """
    root = directory.resolve()

    async def serve(request: web.Request) -> web.StreamResponse:
        path = request.match_info["path"]
        file = await asyncio.to_thread(_resolve_file, root, path)
        if file is None and fallback and not request.path.startswith((API_PATH, SOCKETIO_PATH)):
            file, path = await asyncio.to_thread(_resolve_file, root, fallback), fallback
        if file is None:
            raise NotFound("path_not_found")
        if file.name == INDEX_FILE and path and not path.endswith(("/", INDEX_FILE)):
            # Relative, because a reverse proxy may serve the directory below another path.
            parents = "../" * (request.rel_url.raw_path.count("/") - 1)
            query = request.rel_url.raw_query_string
            location = f"./{parents}{quote(path.strip('/'))}/{'?' * bool(query)}{query}"
            return web.Response(status=301, headers={"Location": location})
        # Paths contain no version, so caches must revalidate.
        return web.FileResponse(file, headers={"Cache-Control": "no-cache", "Content-Type": _guess_content_type(file)})

    app.router.add_get("/{path:.*}", serve, name=STATIC_SITE_ROUTE)


def _resolve_file(root: Path, path: str) -> Path | None:
    """Return the file of a request path, or the index file of a directory.

    None for an invalid path, a missing or hidden file, and a file outside `root` after the resolution of symlinks.
    """
    parts = [part for part in path.split("/") if part]
    if any(part.startswith(".") or "\\" in part for part in parts):
        return None
    try:
        file = root.joinpath(*parts).resolve()
        if file.is_dir():
            file = (file / INDEX_FILE).resolve()
        is_inside = file.is_relative_to(root) and not any(part.startswith(".") for part in file.relative_to(root).parts)
        return file if is_inside and file.is_file() else None
    except (OSError, ValueError, RuntimeError):  # name too long, NUL byte, symlink loop
        return None


def _guess_content_type(file: Path) -> str:
    """Return the content type by the extension of a file, with the charset UTF-8 for text, JSON and SVG."""
    content_type = (
        _CONTENT_TYPES.get(file.suffix.lower()) or mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    )
    is_text = content_type.startswith("text/") or content_type in {"application/json", "image/svg+xml"}
    return f"{content_type}; charset=utf-8" if is_text else content_type
