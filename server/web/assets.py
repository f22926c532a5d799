"""The page's files, and the client for pages of others, read once from the package.

Rule 1  What can be fetched is a table made at start: no name in a request is
        ever turned into a path.
Rule 2  A file's ETag (RFC 9110, section 8.8.3) follows from its bytes and its
        coding, so a new release is seen at the next visit, and an old one costs
        no second download.
Rule 3  The page's assets stand below a name that follows from all of their
        bytes: what has a path never changes, so a cache keeps it for good, and
        one page never mixes two releases.
"""

import gzip
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import PurePosixPath

INDEX_PATH = "/"
"""The path of the page itself; all others are those of its assets."""

INDEX_FILE = "index.html"
"""The file that a folder of pages shows by itself."""

_CONTENT_TYPES = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
}
_MIN_COMPRESSED_BYTES = 1024  # bytes; less fits into one packet anyway


@dataclass(frozen=True, slots=True)
class EncodedBody:
    """A file's bytes in one coding.

    Attributes:
        body: What is sent.
        etag: The entity tag's opaque part, without quotes.
    """

    body: bytes
    etag: str


@dataclass(frozen=True, slots=True)
class StaticAsset:
    """One file of the page.

    Attributes:
        content_type: Its media type, without a charset; all text is UTF-8.
        plain: As it is.
        gzipped: The same compressed, None where that gains nothing.
    """

    content_type: str
    identity: EncodedBody
    gzipped: EncodedBody | None


def load_page_assets() -> dict[str, StaticAsset]:
    """The page's files by the path at which they are fetched; the page itself names its assets by theirs."""
    bodies = {
        str(name): item.read_bytes()
        for name, item in _walk(files("server.web").joinpath("static"), PurePosixPath())
        if name.suffix in _CONTENT_TYPES
    }
    release_hash = hashlib.sha256()
    for name in sorted(bodies):
        release_hash.update(f"{name} {len(bodies[name])} ".encode() + bodies[name])
    prefix = f"/assets/{release_hash.hexdigest()[:12]}/"
    index_body = bodies.pop(INDEX_FILE).replace(b'"/assets/', f'"{prefix}'.encode())
    paths = {INDEX_PATH: (INDEX_FILE, index_body)} | {prefix + name: (name, body) for name, body in bodies.items()}
    return {
        path: _build_asset(body, _CONTENT_TYPES[PurePosixPath(name).suffix]) for path, (name, body) in paths.items()
    }


def load_client_assets() -> dict[str, StaticAsset]:
    """The JavaScript client as pages name it, by the path below `/socket.io/` at which Node.js servers have it."""
    package = files("server.web")
    script = _build_asset(package.joinpath("vendor/socket.io.min.js").read_bytes(), _CONTENT_TYPES[".js"])
    module = _build_asset(package.joinpath("static/vendor/socket.io.esm.min.js").read_bytes(), _CONTENT_TYPES[".js"])
    return {"socket.io.js": script, "socket.io.min.js": script, "socket.io.esm.min.js": module}


def _walk(directory: Traversable, parent: PurePosixPath) -> Iterator[tuple[PurePosixPath, Traversable]]:
    for item in directory.iterdir():
        if item.is_dir():
            yield from _walk(item, parent / item.name)
        else:
            yield parent / item.name, item


def _build_asset(body: bytes, content_type: str) -> StaticAsset:
    etag = hashlib.sha256(body).hexdigest()[:20]
    compressed = gzip.compress(body, mtime=0) if len(body) >= _MIN_COMPRESSED_BYTES else body
    gzipped = EncodedBody(compressed, f"{etag}-gzip") if len(compressed) < len(body) else None
    return StaticAsset(content_type, EncodedBody(body, etag), gzipped)
