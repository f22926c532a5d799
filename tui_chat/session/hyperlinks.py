"""Hyperlink detection in message text, with safe conversion to ASCII.

- Start: a scheme (`http`, `https`, `chat`, `chats`, `mailto`) or `www.`, not directly after an ASCII letter or digit.
- End: white space, quotation marks, closing brackets that were not opened inside the address, and sentence punctuation
  of any script. An apostrophe before a letter or a digit is part of the address.
- Host: an ASCII host ends at the first CJK character, dash, bullet or arrow. A path may contain these, but no second
  URL except after `/` or `=`.
- Trailing punctuation belongs to the sentence; `*`, `_` and `~` only if the same sign stands before the address.

`server/web/static/state/links.js` has the same rules; `tests/vectors/links.json` tests both.
"""

import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import cast
from urllib.parse import quote, unquote, urlsplit

from tui_chat.protocol.sanitize import sanitize_line
from tui_chat.session.disguised_hosts import suggests_other_host
from tui_chat.session.i18n import tr

_QUOTES = "\u00ab\u00bb\u2018-\u201f\u2039\u203a"
_BRACKETS = (
    "\u0f3a-\u0f3d\u169b\u169c\u2045\u2046\u207d\u207e\u208d\u208e\u2308-\u230b\u2329\u232a\u2768-\u2775\u27c5\u27c6"
    "\u27e6-\u27ef\u2983-\u2998\u29d8-\u29db\u29fc\u29fd\u2e02-\u2e0d\u2e1c\u2e1d\u2e20-\u2e29\u2e42\u2e55-\u2e5c\ufd3e\ufd3f"
)
_SENTENCE_PUNCTUATION = (  # Terminal_Punctuation (PropList.txt) of the scripts in use
    "\u0589\u05c3\u060c\u061b\u061d-\u061f\u06d4\u0700-\u070a\u070c\u07f8\u07f9\u0830-\u083e\u085e\u0964\u0965\u0e5a\u0e5b"
    "\u0f08\u0f0d-\u0f12\u104a\u104b\u1361-\u1368\u166e\u16eb-\u16ed\u1735\u1736\u17d4-\u17d6\u17da\u1802-\u1805\u1808\u1809"
    "\u1944\u1945\u1aa8-\u1aab\u1b5a\u1b5b\u1b5d-\u1b5f\u1b7d-\u1b7f\u1c3b-\u1c3f\u1c7e\u1c7f\u2024-\u2026\u203c\u203d"
    "\u2047-\u2049\u2cf9-\u2cfb\u2e2e\u2e3c\u2e41\u2e4c\u2e4e\u2e4f\u2e53\u2e54\ua4fe\ua4ff\ua60d-\ua60f\ua6f3-\ua6f7"
    "\ua876\ua877\ua8ce\ua8cf\ua92f\ua9c7-\ua9c9\uaa5d-\uaa5f\uaadf\uaaf0\uaaf1\uabeb"
)
_CJK_PUNCTUATION = (
    "\u3000-\u3004\u3008-\u303f\ufe10-\ufe19\ufe30-\ufe5e\uff00-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65"
)
_INVISIBLE = "\u061c\u200b\u200e\u200f\u2060-\u2064\ufeff"
_CJK = (
    "\u1100-\u11ff\u2e80-\u2fdf\u3005-\u3007\u3040-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\uff10-\uffdc"
    "\U00020000-\U0003ffff"
)
_TYPOGRAPHY = "\u2010-\u2015\u2020-\u2023\u2027\u2190-\u21ff"
_ASCII_CASE = re.ASCII | re.IGNORECASE  # without ASCII, `ſ` matches `s`
_SCHEME = re.compile(r"(?:https?|chats?)://|mailto:", _ASCII_CASE)
_START = re.compile(rf"(?<![0-9a-z])(?:{_SCHEME.pattern}|(?<![@./_-])www\.)", _ASCII_CASE)
_REMAINDER = re.compile(
    rf"(?:[^\s<>\"'`{{}}|\\^{_QUOTES}{_BRACKETS}{_SENTENCE_PUNCTUATION}{_CJK_PUNCTUATION}{_INVISIBLE}]|'(?=[^\W_]))*"
)
_ASCII_HOST = re.compile(rf"([!-.0->@-~]{{0,255}}[0-9A-Za-z])[{_CJK}{_TYPOGRAPHY}]([^/?#]{{0,255}})")
_PART = re.compile(r"[()\[\]?#]|https?://", _ASCII_CASE)
_COMPLETE_ADDRESS = re.compile(r"(?:https?|chats?)://[^/?#]|mailto:.|www\.[^./?#]+\.[^./?#]", _ASCII_CASE)
_HOST_IN_URL = re.compile(r"[a-z]+://(?:[^/?#]*@)?([^/?#:]*)", _ASCII_CASE)
_FORMATTING_BEFORE = re.compile(r"[*_~]*\Z")
_MAX_FORMATTING = 8  # signs before an address
_PRINTABLE_ASCII = "".join(map(chr, range(0x21, 0x7F)))


@dataclass(frozen=True, slots=True)
class Hyperlink:
    """Address within a text, from index `start` to `end` (exclusive).

    Attributes:
        url: Link target in printable ASCII, as OSC 8 requires.
        disguised_host: Real host if the text suggests another host, `?` if the URL is invalid; otherwise empty.
    """

    start: int
    end: int
    url: str
    disguised_host: str = ""


def find_hyperlinks(text: str) -> list[Hyperlink]:
    """Return the links of a sanitized text in text order: `http`, `https`, `chat`, `chats`, `mailto` and `www.`.

    An address that starts with `www.` gets the scheme `http`. An address without a host is no link; one with an invalid
    host is a link with a percent-encoded host.
    """
    links: list[Hyperlink] = []
    match, run_end = _START.search(text), 0
    while match:
        start = match.start()
        if match.end() > run_end:
            run_end = cast(re.Match[str], _REMAINDER.match(text, match.end())).end()
        end = _find_end(text, match.end(), run_end)
        formatting = cast(re.Match[str], _FORMATTING_BEFORE.search(text, max(0, start - _MAX_FORMATTING), start))
        address = text[start:end].rstrip(f".,;:!?'{formatting[0]}")
        if _COMPLETE_ADDRESS.match(address):
            url = address if _SCHEME.match(address) else f"http://{address}"  # as in GitHub Flavored Markdown
            url = _to_ascii_url(url)
            disguised_host = (parse_host(url)[0] or "?") if suggests_other_host(address) else ""
            links.append(Hyperlink(start, start + len(address), url, disguised_host))
        match = _SCHEME.match(text, end) or _START.search(text, end)
    return links


def host_labels(links: Iterable[Hyperlink]) -> list[str]:
    """Return a translated label, `(link to evil.example)`, for each different `disguised_host` in link order."""
    hosts = dict.fromkeys(link.disguised_host for link in links if link.disguised_host)
    return [tr("(link to {host})", host=host) for host in hosts]


def _find_end(text: str, start: int, end: int) -> int:
    """Return the end of an address, before the removal of trailing punctuation.

    `start` is the index after the scheme, `end` the index after the last character that an address can contain.
    """
    host = _ASCII_HOST.match(text, start, end)
    if host and ("." in host[1] or ":" in host[1] or "." not in host[2]):  # otherwise an internationalized host
        end = host.end(1)
    opened, is_path = {"(": 0, "[": 0}, True
    for part in _PART.finditer(text, start, end):
        match part[0]:
            case "(" | "[":
                opened[part[0]] += 1
            case ")" | "]":
                opening = "(" if part[0] == ")" else "["
                if not opened[opening]:
                    return part.start()
                opened[opening] -= 1
            case "?" | "#":
                is_path = False
            case _:
                if is_path and (part.start() == start or text[part.start() - 1] not in "/="):
                    return part.start()
    return end


def _to_ascii_url(url: str) -> str:
    """Return the URL in printable ASCII, with an internationalized host name in its IDNA form (RFC 3490).

    All other characters outside printable ASCII are percent-encoded, including those of an invalid host name and of the
    domain of a mail address. Existing percent escapes are preserved.
    """
    if parts := _HOST_IN_URL.match(url):
        with suppress(UnicodeError):  # an invalid host name cannot be resolved in any form
            url = f"{url[: parts.start(1)]}{parts[1].encode('idna').decode()}{url[parts.end(1) :]}"
    return quote(url, safe=_PRINTABLE_ASCII)


def parse_host(url: str) -> tuple[str, str]:
    """Return the host of the URL of a `Hyperlink` in ASCII and in Unicode.

    Returns:
        ASCII host (for a mail address, its domain), and the Unicode form or an empty string if both forms are equal.
        Both strings are empty for an invalid URL.
    """
    try:
        parts = urlsplit(url)
        host = parts.path.rpartition("@")[2] if parts.scheme == "mailto" else parts.hostname or ""
    except ValueError:
        return "", ""
    host = sanitize_line(unquote(host, errors="replace"))
    if not host.isascii():  # a mail address
        with suppress(UnicodeError):
            host = host.encode("idna").decode()
    unicode_host = host
    with suppress(UnicodeError):
        unicode_host = sanitize_line(host.encode("ascii").decode("idna"))
    return host, "" if unicode_host == host else unicode_host
