"""Web and mail addresses in a text."""

import re
from dataclasses import dataclass
from urllib.parse import quote

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
    return quote(url, safe=_PRINTABLE)
