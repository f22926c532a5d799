"""Web and mail addresses in a text."""

import re
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit

from server.protocol.text import sanitize_line

_ADDRESS = re.compile(
    r"(?<![0-9a-z])(?:https?://|mailto:)[^\s<>\"'`{}|\\^，。！？；：、（）【】《》「」『』“”‘’]+", re.IGNORECASE
)
_ENDS_A_SENTENCE = ".,;:!?*_~'"
_PRINTABLE = "".join(map(chr, range(0x21, 0x7F)))


@dataclass(frozen=True, slots=True)
class Link:
    """An address in a text.

    Attributes:
        start: Its first character.
        end: The character after its last.
        url: Where it leads; printable ASCII (the terminal's hyperlinks, OSC 8, take nothing else).
    """

    start: int
    end: int
    url: str


def find_links(text: str) -> list[Link]:
    """The `http`, `https` and `mailto` addresses of a cleaned text, in order."""
    if ":" not in text:
        return []
    return [Link(match.start(), match.start() + len(url), _ascii(url)) for match, url in _addresses(text)]


def _addresses(text: str) -> list[tuple[re.Match[str], str]]:
    found = ((match, _without_ending(match.group())) for match in _ADDRESS.finditer(text))
    return [(match, url) for match, url in found if url.rpartition("//")[2].rpartition("mailto:")[2]]


def _without_ending(url: str) -> str:
    """Without the punctuation of the sentence around it; a bracket stays when it was opened inside."""
    while url:
        last = url[-1]
        opened = {")": "(", "]": "["}.get(last)
        if last in _ENDS_A_SENTENCE or (opened is not None and url.count(last) > url.count(opened)):
            url = url[:-1]
        else:
            break
    return url


def _ascii(url: str) -> str:
    """The address in printable ASCII; a host in other letters by its real name (IDNA, RFC 3490)."""
    if url.isascii():
        return quote(url, safe=_PRINTABLE)
    scheme, slashes, rest = url.partition("//")
    if slashes:
        end = next((at for at, character in enumerate(rest) if character in "/?#"), len(rest))
        person, at, place = rest[:end].rpartition("@")
        host, colon, port = place.partition(":")
        with suppress(UnicodeError):  # what is no host name stays as it is, and leads nowhere
            url = f"{scheme}//{person}{at}{host.encode('idna').decode()}{colon}{port}{rest[end:]}"
    return quote(url, safe=_PRINTABLE)


def host_of(url: str) -> tuple[str, str]:
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
    letters = host
    with suppress(UnicodeError):
        letters = sanitize_line(host.encode("ascii").decode("idna"))
    return host, "" if letters == host else letters
