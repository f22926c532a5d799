"""Static assets of the browser page and the JavaScript client, loaded once from the package.

- Fixed table: all assets are loaded at start; a request path is never used as a file path.
- Compression: a file is compressed by its first request with `Accept-Encoding: gzip`, because the compression of all
  files would double the load time.
- Immutable paths: the asset prefix contains a hash of all assets. Caches may store assets permanently, and a page never
  mixes modules of two releases.
- Bundle: the modules of the page are one file, and the style sheets another (`server.web.bundle`).
"""

import gzip
import hashlib
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from server.web.bundle import bundle_modules, bundle_styles

ASSETS_PATH = "/assets/"
"""Start of all asset prefixes."""

INDEX_FILE = "index.html"
"""Index file of a directory."""

_CONTENT_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".map": "application/json",
    ".svg": "image/svg+xml; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
}
_SCRIPT = "app.js"
_STYLES = "page.css"
_PACKAGE = Path(__file__).parent
_MIN_COMPRESSED_BYTES = 1024  # smaller files fit into one packet uncompressed


@dataclass(frozen=True)
class StaticAsset:
    """One static file.

    Attributes:
        content_type: Value of `Content-Type`.
        body: Uncompressed content.
        etag: Opaque part of the entity tag of the uncompressed content, without quotes.
    """

    content_type: str
    body: bytes
    etag: str

    @cached_property
    def gzipped(self) -> bytes | None:
        """Compressed content; None if not smaller or below `_MIN_COMPRESSED_BYTES`."""
        compressed = gzip.compress(self.body, mtime=0) if len(self.body) >= _MIN_COMPRESSED_BYTES else self.body
        return compressed if len(compressed) < len(self.body) else None


@cache
def load_page_assets() -> dict[str, StaticAsset]:
    """Return the bundled files of the browser page by URL path; the index and the icon are `/` and `/favicon.ico`.

    The references in the page are relative, so that a reverse proxy can serve the page below a path. Files with
    extensions outside `_CONTENT_TYPES` are omitted.
    """
    directory = _PACKAGE / "static"
    bodies = {
        path.relative_to(directory).as_posix(): path.read_bytes()
        for path in directory.rglob("*")
        if path.suffix in _CONTENT_TYPES
    }
    _bundle(bodies)
    release_hash = hashlib.sha256()
    for name in sorted(bodies):
        release_hash.update(f"{name} {len(bodies[name])} ".encode() + bodies[name])
    prefix = f"{ASSETS_PATH}{release_hash.hexdigest()[:12]}/"
    bodies[INDEX_FILE] = bodies[INDEX_FILE].replace(b'"assets/', f'"{prefix[1:]}'.encode())
    # Browsers request the icon without a link, for example for problem responses.
    fixed_paths = {INDEX_FILE: "/", "favicon.ico": "/favicon.ico"}
    return {
        fixed_paths.get(name, prefix + name): _build_asset(body, _CONTENT_TYPES[Path(name).suffix])
        for name, body in bodies.items()
    }


def _bundle(bodies: dict[str, bytes]) -> None:
    """Replace the modules that the page imports, and the style sheets, with one file each, and add the source map."""
    texts = {name: body.decode() for name, body in bodies.items() if name.endswith((".js", ".css"))}
    script, source_map, modules = bundle_modules(texts, _SCRIPT)
    styles, style_sheets = bundle_styles(texts, _STYLES)
    for name in (*modules, *style_sheets):
        del bodies[name]
    bodies |= {_SCRIPT: script.encode(), f"{_SCRIPT}.map": source_map.encode(), _STYLES: styles.encode()}


@cache
def load_client_assets() -> dict[str, StaticAsset]:
    """Return the JavaScript client by path below `/socket.io/`, for example `socket.io.min.js`.

    The names are those of the Socket.IO server for Node.js; `socket.io.js` is minified too.
    """
    script = _build_asset((_PACKAGE / "vendor/socket.io.min.js").read_bytes(), _CONTENT_TYPES[".js"])
    module = _build_asset((_PACKAGE / "static/vendor/socket.io.esm.min.js").read_bytes(), _CONTENT_TYPES[".js"])
    return {"socket.io.js": script, "socket.io.min.js": script, "socket.io.esm.min.js": module}


def _build_asset(body: bytes, content_type: str) -> StaticAsset:
    return StaticAsset(content_type, body, etag=hashlib.sha256(body).hexdigest()[:20])
