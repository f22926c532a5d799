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

PAGE = "/"
"""The path of the page itself; all others are those of its assets."""

INDEX = "index.html"
"""The file that a folder of pages shows by itself."""

_CONTENT_TYPES = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
}
_WORTH_COMPRESSING = 1024  # bytes; less fits into one packet anyway


@dataclass(frozen=True, slots=True)
class Coded:
    """A file's bytes in one coding.

    Attributes:
        body: What is sent.
        etag: The entity tag's opaque part, without quotes.
    """

    body: bytes
    etag: str


@dataclass(frozen=True, slots=True)
class PageFile:
    """One file of the page.

    Attributes:
        content_type: Its media type, without a charset; all text is UTF-8.
        plain: As it is.
        gzipped: The same compressed, None where that gains nothing.
    """

    content_type: str
    plain: Coded
    gzipped: Coded | None


def page_files() -> dict[str, PageFile]:
    """The page's files by the path at which they are fetched; the page itself names its assets by theirs."""
    found = {
        str(name): item.read_bytes()
        for name, item in _walk(files("server.web").joinpath("static"), PurePosixPath())
        if name.suffix in _CONTENT_TYPES
    }
    release = hashlib.sha256()
    for name in sorted(found):
        release.update(f"{name} {len(found[name])} ".encode() + found[name])
    folder = f"/assets/{release.hexdigest()[:12]}/"
    index = found.pop(INDEX).replace(b'"/assets/', f'"{folder}'.encode())
    paths = {PAGE: (INDEX, index)} | {folder + name: (name, body) for name, body in found.items()}
    return {path: _page_file(body, _CONTENT_TYPES[PurePosixPath(name).suffix]) for path, (name, body) in paths.items()}


def client_files() -> dict[str, PageFile]:
    """The JavaScript client as pages name it, by the path below `/socket.io/` at which Node.js servers have it."""
    web = files("server.web")
    script = _page_file(web.joinpath("vendor/socket.io.min.js").read_bytes(), _CONTENT_TYPES[".js"])
    module = _page_file(web.joinpath("static/vendor/socket.io.esm.min.js").read_bytes(), _CONTENT_TYPES[".js"])
    return {"socket.io.js": script, "socket.io.min.js": script, "socket.io.esm.min.js": module}


def _walk(folder: Traversable, at: PurePosixPath) -> Iterator[tuple[PurePosixPath, Traversable]]:
    for item in folder.iterdir():
        if item.is_dir():
            yield from _walk(item, at / item.name)
        else:
            yield at / item.name, item


def _page_file(body: bytes, content_type: str) -> PageFile:
    tag = hashlib.sha256(body).hexdigest()[:20]
    compressed = gzip.compress(body, mtime=0) if len(body) >= _WORTH_COMPRESSING else body
    gzipped = Coded(compressed, f"{tag}-gzip") if len(compressed) < len(body) else None
    return PageFile(content_type, Coded(body, tag), gzipped)
