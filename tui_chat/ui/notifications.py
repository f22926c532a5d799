"""Notifications and titles as the bytes that terminals take, which reach the person over SSH, too.

Rule 1  What a person wrote goes through `plain` and nothing else: no control character,
        nothing invisible, no `;` (which separates in OSC 777 and commands in OSC 9), bounded.
Rule 2  Between the brackets of a sequence stands only what `plain` gave, or its Base64.
Rule 3  Where a multiplexer stands between, the sequence is wrapped for it, and the bell rings
        as well: a multiplexer that does not let it through says nothing of that.

Sources: OSC 9, iTerm2 "Proprietary Escape Codes"; OSC 99, kitty "Desktop notifications";
OSC 777, the notify extension of rxvt-unicode, as foot, WezTerm, Ghostty, Konsole and
Contour take it; OSC 2 and the stack of titles (XTWINOPS 22, 23), xterm "Control Sequences";
DCS tmux, tmux(1) `allow-passthrough`; DCS, screen(1) "Virtual Terminal".
"""

import re
import unicodedata
from base64 import b64encode
from collections.abc import Mapping
from enum import Enum

BELL = "\a"
ESC = "\x1b"
END = "\x1b\\"
"""The string terminator."""

TITLE_MAX = 60
BODY_MAX = 160
"""Characters of a notification's title, and of its text."""

SCREEN_STRING = 240
"""Bytes that GNU screen takes in one string for the terminal outside (its buffer has 256)."""

_INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_JOINER = "\u200d"


class Channel(Enum):
    """How a terminal is told something; its value is the word of the setting."""

    BELL = "bell"
    OSC9 = "osc9"
    OSC99 = "osc99"
    OSC777 = "osc777"


class Multiplexer(Enum):
    """What stands between the program and the terminal."""

    NONE = "none"
    TMUX = "tmux"
    SCREEN = "screen"


_BY_PROGRAM = {
    "iterm.app": Channel.OSC9,
    "iterm2": Channel.OSC9,
    "kitty": Channel.OSC99,
    "wezterm": Channel.OSC777,
    "ghostty": Channel.OSC777,
    "warpterminal": Channel.OSC777,
    "contour": Channel.OSC777,
    "rio": Channel.OSC777,
}
"""By `TERM_PROGRAM`, or `LC_TERMINAL`, which SSH often carries."""

_BY_TERM = (
    (re.compile("kitty"), Channel.OSC99),
    (re.compile("ghostty|wezterm|^foot|^rxvt-unicode|^contour|konsole"), Channel.OSC777),
    (re.compile("iterm"), Channel.OSC9),
)

_BY_VARIABLE = {
    "KITTY_WINDOW_ID": Channel.OSC99,
    "WEZTERM_PANE": Channel.OSC777,
    "GHOSTTY_RESOURCES_DIR": Channel.OSC777,
    "KONSOLE_VERSION": Channel.OSC777,
    "ITERM_SESSION_ID": Channel.OSC9,
}
"""What terminals put into the environment, which a multiplexer started in them keeps."""


def channel_of(environ: Mapping[str, str]) -> Channel:
    """What the terminal of this environment understands, the bell when it is not known."""
    for name in ("TERM_PROGRAM", "LC_TERMINAL"):
        channel = _BY_PROGRAM.get(environ.get(name, "").casefold())
        if channel is not None:
            return channel
    term = environ.get("TERM", "").casefold()
    for pattern, channel in _BY_TERM:
        if pattern.search(term):
            return channel
    return next((channel for name, channel in _BY_VARIABLE.items() if environ.get(name)), Channel.BELL)


def multiplexer_of(environ: Mapping[str, str]) -> Multiplexer:
    """What stands between the program and the terminal of this environment."""
    if environ.get("TMUX"):
        return Multiplexer.TMUX
    return Multiplexer.SCREEN if environ.get("STY") else Multiplexer.NONE


def has_title(environ: Mapping[str, str]) -> bool:
    """Whether the terminal of this environment has a title; the console of Linux prints what it does not know."""
    return environ.get("TERM", "") not in {"", "dumb", "linux", "unknown"}


def plain(text: str, most: int) -> str:
    """A text as it may stand within a sequence: what can be seen of it, on one line, at most so many characters."""
    shown = "".join(_seen(character) for character in text[: most * 8])
    shown = " ".join(unicodedata.normalize("NFC", shown).split())
    return shown if len(shown) <= most else f"{shown[: most - 1].rstrip()}…"


def _seen(character: str) -> str:
    if character == ";":
        return ","
    if character == _JOINER:  # within an emoji
        return character
    category = unicodedata.category(character)
    if category in _INVISIBLE or category == "Zs":
        return " " if category in {"Cc", "Zl", "Zp", "Zs"} else ""
    return character


def sequence(channel: Channel, between: Multiplexer, title: str, body: str) -> str:
    """What tells the terminal something.

    Args:
        channel: What it understands.
        between: What stands in between.
        title: Anything; it is cleaned.
        body: Anything, may be empty.
    """
    title, body = plain(title, TITLE_MAX), plain(body, BODY_MAX)
    match channel:
        case Channel.BELL:
            return BELL
        case Channel.OSC9:
            # The name first: ConEmu and others read a number there as a command.
            said = [f"{ESC}]9;chat: {title}{f' – {body}' if body else ''}"]
        case Channel.OSC777:
            said = [f"{ESC}]777;notify;{title};{body}"]
        case Channel.OSC99:
            said = [f"{ESC}]99;i=chat:d={0 if body else 1}:e=1:p=title;{_base64(title)}"]
            said += [f"{ESC}]99;i=chat:d=1:e=1:p=body;{_base64(body)}"] if body else []
    return wrapped("".join(each + _end(between) for each in said), between) + (
        "" if between is Multiplexer.NONE else BELL
    )


def clipboard(text: str, between: Multiplexer) -> str:
    """What puts a text into the clipboard (OSC 52).

    tmux takes it itself when its `set-clipboard` is `on`, else it only passes it through.
    """
    said = f"{ESC}]52;c;{_base64(text)}{_end(between)}"
    return said + wrapped(said, between) if between is Multiplexer.TMUX else wrapped(said, between)


def window_title(title: str) -> str:
    """What gives the window a title (OSC 2)."""
    return f"{ESC}]2;{plain(title, TITLE_MAX)}{END}"


def wrapped(said: str, between: Multiplexer) -> str:
    """A sequence for the terminal outside."""
    match between:
        case Multiplexer.NONE:
            return said
        case Multiplexer.TMUX:
            return f"{ESC}Ptmux;{said.replace(ESC, ESC * 2)}{END}"
        case Multiplexer.SCREEN:
            return "".join(f"{ESC}P{piece}{END}" for piece in _pieces(said))


def _pieces(said: str) -> list[str]:
    pieces = [""]
    size = 0
    for character in said:
        size += len(character.encode())
        if size > SCREEN_STRING:
            pieces.append("")
            size = len(character.encode())
        pieces[-1] += character
    return pieces


def _end(between: Multiplexer) -> str:
    # Within screen's own string its terminator must not stand; every terminal takes the bell, too.
    return BELL if between is Multiplexer.SCREEN else END


def _base64(text: str) -> str:
    return b64encode(text.encode()).decode()
