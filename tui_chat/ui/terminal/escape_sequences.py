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
STRING_TERMINATOR = "\x1b\\"
"""The string terminator."""

MAX_TITLE_CHARACTERS = 60
MAX_BODY_CHARACTERS = 160
"""Characters of a notification's title, and of its text."""

SCREEN_MAX_STRING_BYTES = 240
"""Bytes that GNU screen takes in one string for the terminal outside (its buffer has 256)."""

_INVISIBLE_CATEGORIES = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_ZERO_WIDTH_JOINER = "\u200d"


class NotificationChannel(Enum):
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


_CHANNEL_BY_PROGRAM = {
    "iterm.app": NotificationChannel.OSC9,
    "iterm2": NotificationChannel.OSC9,
    "kitty": NotificationChannel.OSC99,
    "wezterm": NotificationChannel.OSC777,
    "ghostty": NotificationChannel.OSC777,
    "warpterminal": NotificationChannel.OSC777,
    "contour": NotificationChannel.OSC777,
    "rio": NotificationChannel.OSC777,
}
"""By `TERM_PROGRAM`, or `LC_TERMINAL`, which SSH often carries."""

_CHANNEL_BY_TERM = (
    (re.compile("kitty"), NotificationChannel.OSC99),
    (re.compile("ghostty|wezterm|^foot|^rxvt-unicode|^contour|konsole"), NotificationChannel.OSC777),
    (re.compile("iterm"), NotificationChannel.OSC9),
)

_CHANNEL_BY_VARIABLE = {
    "KITTY_WINDOW_ID": NotificationChannel.OSC99,
    "WEZTERM_PANE": NotificationChannel.OSC777,
    "GHOSTTY_RESOURCES_DIR": NotificationChannel.OSC777,
    "KONSOLE_VERSION": NotificationChannel.OSC777,
    "ITERM_SESSION_ID": NotificationChannel.OSC9,
}
"""What terminals put into the environment, which a multiplexer started in them keeps."""


def detect_channel(environ: Mapping[str, str]) -> NotificationChannel:
    """What the terminal of this environment understands, the bell when it is not known."""
    for name in ("TERM_PROGRAM", "LC_TERMINAL"):
        channel = _CHANNEL_BY_PROGRAM.get(environ.get(name, "").casefold())
        if channel is not None:
            return channel
    term = environ.get("TERM", "").casefold()
    for pattern, channel in _CHANNEL_BY_TERM:
        if pattern.search(term):
            return channel
    return next(
        (channel for name, channel in _CHANNEL_BY_VARIABLE.items() if environ.get(name)), NotificationChannel.BELL
    )


def detect_multiplexer(environ: Mapping[str, str]) -> Multiplexer:
    """What stands between the program and the terminal of this environment."""
    if environ.get("TMUX"):
        return Multiplexer.TMUX
    return Multiplexer.SCREEN if environ.get("STY") else Multiplexer.NONE


def has_title_support(environ: Mapping[str, str]) -> bool:
    """Whether the terminal of this environment has a title; the console of Linux prints what it does not know."""
    return environ.get("TERM", "") not in {"", "dumb", "linux", "unknown"}


def sanitize_text(text: str, max_characters: int) -> str:
    """A text as it may stand within a sequence: what can be seen of it, on one line, at most so many characters."""
    visible = "".join(_visible_character(character) for character in text[: max_characters * 8])
    visible = " ".join(unicodedata.normalize("NFC", visible).split())
    return visible if len(visible) <= max_characters else f"{visible[: max_characters - 1].rstrip()}…"


def _visible_character(character: str) -> str:
    if character == ";":
        return ","
    if character == _ZERO_WIDTH_JOINER:  # within an emoji
        return character
    category = unicodedata.category(character)
    if category in _INVISIBLE_CATEGORIES or category == "Zs":
        return " " if category in {"Cc", "Zl", "Zp", "Zs"} else ""
    return character


def notification_sequence(channel: NotificationChannel, multiplexer: Multiplexer, title: str, body: str) -> str:
    """What tells the terminal something.

    Args:
        channel: What it understands.
        between: What stands in between.
        title: Anything; it is cleaned.
        body: Anything, may be empty.
    """
    title, body = sanitize_text(title, MAX_TITLE_CHARACTERS), sanitize_text(body, MAX_BODY_CHARACTERS)
    match channel:
        case NotificationChannel.BELL:
            return BELL
        case NotificationChannel.OSC9:
            # The name first: ConEmu and others read a number there as a command.
            parts = [f"{ESC}]9;chat: {title}{f' – {body}' if body else ''}"]
        case NotificationChannel.OSC777:
            parts = [f"{ESC}]777;notify;{title};{body}"]
        case NotificationChannel.OSC99:
            parts = [f"{ESC}]99;i=chat:d={0 if body else 1}:e=1:p=title;{_base64(title)}"]
            parts += [f"{ESC}]99;i=chat:d=1:e=1:p=body;{_base64(body)}"] if body else []
    return wrap_for_multiplexer("".join(each + _terminator_for(multiplexer) for each in parts), multiplexer) + (
        "" if multiplexer is Multiplexer.NONE else BELL
    )


def clipboard_sequence(text: str, multiplexer: Multiplexer) -> str:
    """What puts a text into the clipboard (OSC 52).

    tmux takes it itself when its `set-clipboard` is `on`, else it only passes it through.
    """
    osc52 = f"{ESC}]52;c;{_base64(text)}{_terminator_for(multiplexer)}"
    return (
        osc52 + wrap_for_multiplexer(osc52, multiplexer)
        if multiplexer is Multiplexer.TMUX
        else wrap_for_multiplexer(osc52, multiplexer)
    )


def title_sequence(title: str) -> str:
    """What gives the window a title (OSC 2)."""
    return f"{ESC}]2;{sanitize_text(title, MAX_TITLE_CHARACTERS)}{STRING_TERMINATOR}"


def wrap_for_multiplexer(sequence: str, multiplexer: Multiplexer) -> str:
    """A sequence for the terminal outside."""
    match multiplexer:
        case Multiplexer.NONE:
            return sequence
        case Multiplexer.TMUX:
            return f"{ESC}Ptmux;{sequence.replace(ESC, ESC * 2)}{STRING_TERMINATOR}"
        case Multiplexer.SCREEN:
            return "".join(f"{ESC}P{piece}{STRING_TERMINATOR}" for piece in _split_for_screen(sequence))


def _split_for_screen(sequence: str) -> list[str]:
    pieces = [""]
    size = 0
    for character in sequence:
        size += len(character.encode())
        if size > SCREEN_MAX_STRING_BYTES:
            pieces.append("")
            size = len(character.encode())
        pieces[-1] += character
    return pieces


def _terminator_for(multiplexer: Multiplexer) -> str:
    # Within screen's own string its terminator must not stand; every terminal takes the bell, too.
    return BELL if multiplexer is Multiplexer.SCREEN else STRING_TERMINATOR


def _base64(text: str) -> str:
    return b64encode(text.encode()).decode()
