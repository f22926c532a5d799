"""Static assets of the browser page and the JavaScript client, loaded once from the package.

- Fixed table: all assets are loaded at start; a request path is never used as a file path.
- Validators: the ETag (RFC 9110, section 8.8.3) is a hash of content and coding. A new release
  changes the ETag; an unchanged file is not downloaded again.
- Immutable paths: the asset prefix contains a hash of all assets. Caches may store assets
  permanently, and a page never mixes modules of two releases.
"""

import gzip
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import PurePosixPath

ASSETS_PATH = "/assets/"
"""URL path of all asset prefixes."""

INDEX_FILE = "index.html"
"""Index file of a directory."""

_CONTENT_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
}
_MIN_COMPRESSED_BYTES = 1024  # smaller files fit into one packet uncompressed


@dataclass(frozen=True, slots=True)
class StaticAsset:
    """One static file.

    Attributes:
        content_type: Value of `Content-Type`.
        body: Uncompressed content.
        gzipped: Compressed content; None if not smaller.
        etag: Opaque part of the entity tag of the uncompressed content, without quotes.
    """

    content_type: str
    body: bytes
    gzipped: bytes | None
    etag: str


def load_page_assets() -> dict[str, StaticAsset]:
    """Return the files of the browser page by URL path; asset references in the page include the asset prefix.

    The references are relative, so that a reverse proxy can serve the page below a path. Files with unknown extensions
    are omitted; the index and the icon have the paths `/` and `/favicon.ico` only.
    """
    bodies = {
        str(name): item.read_bytes()
        for name, item in _iter_files(files("server.web").joinpath("static"), PurePosixPath())
        if name.suffix in _CONTENT_TYPES
    }
    release_hash = hashlib.sha256()
    for name in sorted(bodies):
        release_hash.update(f"{name} {len(bodies[name])} ".encode() + bodies[name])
    prefix = f"{ASSETS_PATH}{release_hash.hexdigest()[:12]}/"
    index_body = bodies.pop(INDEX_FILE).replace(b'"assets/', f'"{prefix[1:]}'.encode())
    # Browsers request the icon without a link, for example for problem responses.
    paths = {"/": (INDEX_FILE, index_body), "/favicon.ico": ("favicon.ico", bodies.pop("favicon.ico"))}
    paths |= {prefix + name: (name, body) for name, body in bodies.items()}
    return {
        path: _build_asset(body, _CONTENT_TYPES[PurePosixPath(name).suffix]) for path, (name, body) in paths.items()
    }


def load_client_assets() -> dict[str, StaticAsset]:
    """Return the JavaScript client by path below `/socket.io/`, for example `socket.io.min.js`.

    The names are those of the Socket.IO server for Node.js; `socket.io.js` is minified too.
    """
    package = files("server.web")
    script = _build_asset(package.joinpath("vendor/socket.io.min.js").read_bytes(), _CONTENT_TYPES[".js"])
    module = _build_asset(package.joinpath("static/vendor/socket.io.esm.min.js").read_bytes(), _CONTENT_TYPES[".js"])
    return {"socket.io.js": script, "socket.io.min.js": script, "socket.io.esm.min.js": module}


def _iter_files(directory: Traversable, parent: PurePosixPath) -> Iterator[tuple[PurePosixPath, Traversable]]:
    for item in directory.iterdir():
        if item.is_dir():
            yield from _iter_files(item, parent / item.name)
        else:
            yield parent / item.name, item


def _build_asset(body: bytes, content_type: str) -> StaticAsset:
    compressed = gzip.compress(body, mtime=0) if len(body) >= _MIN_COMPRESSED_BYTES else body
    gzipped = compressed if len(compressed) < len(body) else None
    return StaticAsset(content_type, body, gzipped, etag=hashlib.sha256(body).hexdigest()[:20])
