"""The page's files, and the client for pages of others, read once from the package.

Rule 1  What can be fetched is a table made at start: no name in a request is
        ever turned into a path.
Rule 2  A file's ETag (RFC 9110, section 8.8.3) follows from its bytes and its
        coding, so a new release is seen at the next visit, and an old one costs
        no second download.
"""

import gzip
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import PurePosixPath

INDEX = "index.html"
"""The name of the page itself; all others are its assets."""

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
    """The page's files by their name below `pages/`, with `/` between folders."""
    found: dict[str, PageFile] = {}
    for name, item in _walk(files("server.web").joinpath("pages"), PurePosixPath()):
        content_type = _CONTENT_TYPES.get(name.suffix)
        if content_type is not None:
            found[str(name)] = _page_file(item.read_bytes(), content_type)
    return found


def client_files() -> dict[str, PageFile]:
    """The JavaScript client as pages name it, by the path below `/socket.io/` at which Node.js servers have it."""
    web = files("server.web")
    script = _page_file(web.joinpath("vendor/socket.io.min.js").read_bytes(), _CONTENT_TYPES[".js"])
    module = _page_file(web.joinpath("pages/vendor/socket.io.esm.min.js").read_bytes(), _CONTENT_TYPES[".js"])
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
