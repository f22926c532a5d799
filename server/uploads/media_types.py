"""Media types by content (WHATWG MIME Sniffing, section 6); the type and the name of the uploader are ignored.

- Images: only types that `server.uploads.image_worker` decodes and encodes again.
- Text: HTML and SVG are plain text, and therefore never run as a document.
"""

IMAGE_TYPES = {
    "image/jpeg": "JPEG",
    "image/png": "PNG",
    "image/webp": "WEBP",
    "image/gif": "GIF",
    "image/avif": "AVIF",
}
"""Types of images, with the names of their formats in Pillow."""

INLINE_TYPES = frozenset(
    {*IMAGE_TYPES, "video/mp4", "video/webm", "audio/mpeg", "audio/mp4", "audio/ogg", "audio/wav", "audio/flac"}
)
"""Types that a browser may show in a page; all others are downloads."""

DEFAULT_TYPE = "application/octet-stream"

SNIFF_BYTES = 4096
"""Number of first bytes that determine the type."""

_SIGNATURES = (
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (8, b"WEBP", "image/webp"),
    (8, b"WAVE", "audio/wav"),
    (0, b"%PDF-", "application/pdf"),
    (0, b"PK\x03\x04", "application/zip"),
    (0, b"\x1f\x8b", "application/gzip"),
    (0, b"OggS", "audio/ogg"),
    (0, b"fLaC", "audio/flac"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"\xff\xfb", "audio/mpeg"),
)

_MATROSKA_SIGNATURE = b"\x1aE\xdf\xa3"  # EBML header (RFC 8794, section 11.2)
_WEBM_DOCTYPE = b"\x42\x82\x84webm"  # element ID, size and value
_DOCTYPE_BYTES = 64  # first bytes of a file that contain the document type
_RIFF_TYPES = {"image/webp", "audio/wav"}
_AVIF_BRANDS = (b"avif", b"avis")
_AUDIO_BRANDS = (b"M4A ", b"M4B ")
_OTHER_IMAGE_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")  # HEIF (ISO 23008-12)


def detect_type(head: bytes) -> str:
    """Return the media type of a file by its signature.

    Without a known signature, UTF-8 text without control characters is `text/plain`, even if empty, and other files are
    `DEFAULT_TYPE`. An ISO media file of an unknown brand is `video/mp4`. HEIF images and Matroska files other than WebM
    are `DEFAULT_TYPE`.

    Args:
        head: First `SNIFF_BYTES` bytes of the file, or the whole file.
    """
    head = head[:SNIFF_BYTES]
    if head[4:8] == b"ftyp":
        brand = head[8:12]
        if brand in _OTHER_IMAGE_BRANDS:
            return DEFAULT_TYPE
        return "image/avif" if brand in _AVIF_BRANDS else "audio/mp4" if brand in _AUDIO_BRANDS else "video/mp4"
    if head.startswith(_MATROSKA_SIGNATURE):
        return "video/webm" if _WEBM_DOCTYPE in head[:_DOCTYPE_BYTES] else DEFAULT_TYPE
    for offset, signature, media_type in _SIGNATURES:
        if head.startswith(signature, offset) and (media_type not in _RIFF_TYPES or head.startswith(b"RIFF")):
            return media_type
    return "text/plain" if _is_text(head) else DEFAULT_TYPE


def _is_text(head: bytes) -> bool:
    """Return whether bytes are UTF-8 without control characters; the last character may be incomplete in a long file.

    Tabs, line breaks, form feeds and escape characters are permitted.
    """
    try:
        text = head.decode()
    except UnicodeDecodeError as error:
        if error.start < len(head) - 3 or len(head) < SNIFF_BYTES:
            return False  # not the character at the end of the examined part
        text = head[: error.start].decode()
    return not any(character < " " and character not in "\t\n\f\r\x1b" for character in text)
