"""Hyperlink detection in message text, with safe conversion to ASCII.

- Schemes: `http`, `https` and `mailto`, not directly after a Latin letter or a digit.
- End: white space, quotes, brackets that URLs do not contain, and CJK punctuation.
- Trailing sentence punctuation and unbalanced closing brackets belong to the sentence.

`server/web/static/state/links.js` has the same rules; `tests/vectors/links.json` tests both.
"""

import re
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit

from tui_chat.protocol.sanitize import sanitize_line

_CJK_PUNCTUATION = "\u3000-\u3004\u3008-\u303f\uff00-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65"
_URL_PATTERN = re.compile(  # no IGNORECASE, which also matches ſ
    "(?<![0-9A-Za-z])(?:[Hh][Tt][Tt][Pp][Ss]?://|[Mm][Aa][Ii][Ll][Tt][Oo]:)"
    rf"[^\s<>\"'`{{}}|\\^\u2018-\u201f\u2026{_CJK_PUNCTUATION}\ufeff]+"
)
_COMPLETE_URL = re.compile("(?:https?://|mailto:).", re.IGNORECASE)
_TRAILING_PUNCTUATION = tuple(".,;:!?*_~")
_PRINTABLE_ASCII = "".join(map(chr, range(0x21, 0x7F)))


@dataclass(frozen=True, slots=True)
class Hyperlink:
    """Address within a text.

    Attributes:
        start: Index of its first character.
        end: Index after its last character.
        url: Link target in printable ASCII, as OSC 8 requires.
    """

    start: int
    end: int
    url: str


def find_hyperlinks(text: str) -> list[Hyperlink]:
    """Return the `http`, `https` and `mailto` links of a sanitized text, in text order."""
    if ":" not in text:
        return []
    candidates = ((match.start(), _strip_trailing_punctuation(match.group())) for match in _URL_PATTERN.finditer(text))
    return [
        Hyperlink(start, start + len(url), _to_ascii_url(url)) for start, url in candidates if _COMPLETE_URL.match(url)
    ]


def _strip_trailing_punctuation(url: str) -> str:
    """Remove sentence punctuation from the end of a URL; a bracket with its partner inside the URL stays."""
    while url.endswith(_TRAILING_PUNCTUATION) or any(
        url.endswith(closing) and url.count(closing) > url.count(opening) for opening, closing in ("()", "[]")
    ):
        url = url[:-1]
    return url


def _to_ascii_url(url: str) -> str:
    """Return the URL in printable ASCII, with an internationalized host name in its IDNA form (RFC 3490)."""
    if url.isascii():
        return quote(url, safe=_PRINTABLE_ASCII)
    scheme, slashes, remainder = url.partition("//")
    if slashes:
        authority_end = next((index for index, character in enumerate(remainder) if character in "/?#"), len(remainder))
        userinfo, at_sign, host_and_port = remainder[:authority_end].rpartition("@")
        host, colon, port = host_and_port.partition(":")
        with suppress(UnicodeError):  # an invalid host name stays unchanged and cannot be resolved
            url = f"{scheme}//{userinfo}{at_sign}{host.encode('idna').decode()}{colon}{port}{remainder[authority_end:]}"
    return quote(url, safe=_PRINTABLE_ASCII)


def parse_host(url: str) -> tuple[str, str]:
    """Return the host of a URL in ASCII and in Unicode.

    Args:
        url: URL of a `Hyperlink`.

    Returns:
        ASCII host (for a mail address, its domain), and the Unicode form or an empty string if both forms are equal.
        Both strings are empty for an invalid URL.
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname or parts.path.rpartition("@")[2]
    except ValueError:
        return "", ""
    host = sanitize_line(unquote(host, errors="replace"))
    unicode_host = host
    with suppress(UnicodeError):
        unicode_host = sanitize_line(host.encode("ascii").decode("idna"))
    return host, "" if unicode_host == host else unicode_host
