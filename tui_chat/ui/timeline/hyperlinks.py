"""Web and mail addresses in a text."""

import re
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit

from tui_chat.protocol.sanitize import sanitize_line

_URL_PATTERN = re.compile(
    r"(?<![0-9a-z])(?:https?://|mailto:)[^\s<>\"'`{}|\\^，。！？；：、（）【】《》「」『』“”‘’]+", re.IGNORECASE
)
_TRAILING_PUNCTUATION = ".,;:!?*_~'"
_PRINTABLE_ASCII = "".join(map(chr, range(0x21, 0x7F)))


@dataclass(frozen=True, slots=True)
class Hyperlink:
    """An address in a text.

    Attributes:
        start: Its first character.
        end: The character after its last.
        url: Where it leads; printable ASCII (the terminal's hyperlinks, OSC 8, take nothing else).
    """

    start: int
    end: int
    url: str


def find_hyperlinks(text: str) -> list[Hyperlink]:
    """The `http`, `https` and `mailto` addresses of a cleaned text, in order."""
    if ":" not in text:
        return []
    return [Hyperlink(match.start(), match.start() + len(url), _to_ascii_url(url)) for match, url in _match_urls(text)]


def _match_urls(text: str) -> list[tuple[re.Match[str], str]]:
    candidates = ((match, _strip_trailing_punctuation(match.group())) for match in _URL_PATTERN.finditer(text))
    return [(match, url) for match, url in candidates if url.rpartition("//")[2].rpartition("mailto:")[2]]


def _strip_trailing_punctuation(url: str) -> str:
    """Without the punctuation of the sentence around it; a bracket stays when it was opened inside."""
    while url:
        last_character = url[-1]
        opening_bracket = {")": "(", "]": "["}.get(last_character)
        if last_character in _TRAILING_PUNCTUATION or (
            opening_bracket is not None and url.count(last_character) > url.count(opening_bracket)
        ):
            url = url[:-1]
        else:
            break
    return url


def _to_ascii_url(url: str) -> str:
    """The address in printable ASCII; a host in other letters by its real name (IDNA, RFC 3490)."""
    if url.isascii():
        return quote(url, safe=_PRINTABLE_ASCII)
    scheme, slashes, remainder = url.partition("//")
    if slashes:
        authority_end = next((at for at, character in enumerate(remainder) if character in "/?#"), len(remainder))
        userinfo, at, host_and_port = remainder[:authority_end].rpartition("@")
        host, colon, port = host_and_port.partition(":")
        with suppress(UnicodeError):  # what is no host name stays as it is, and leads nowhere
            url = f"{scheme}//{userinfo}{at}{host.encode('idna').decode()}{colon}{port}{remainder[authority_end:]}"
    return quote(url, safe=_PRINTABLE_ASCII)


def parse_host(url: str) -> tuple[str, str]:
    """Where an address really leads.

    Args:
        url: As `Link` has it.

    Returns:
        The host by its real name (of a mail address, what follows the `@`), and in the letters
        that it stands for when these are others, else empty.
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
