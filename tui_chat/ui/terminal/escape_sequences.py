"""Escape sequences for notifications, clipboard and window title; they also work over SSH.

- Sanitizing: text from other people passes through `sanitize_text`. The result has no control characters, no invisible
  ones except the zero width joiner, no `;` (field separator of OSC 777, command separator of OSC 9) and a bounded
  length.
- Payload: a sequence contains only sanitized text or Base64.
- Multiplexers: inside tmux or screen, notifications and clipboard sequences are wrapped for passthrough. BEL follows a
  notification, because a multiplexer without passthrough discards the sequence silently.

Sources: OSC 9, iTerm2 "Proprietary Escape Codes"; OSC 99, kitty "Desktop notifications"; OSC 777, the notify
extension of rxvt-unicode, also supported by foot, WezTerm, Ghostty, Konsole and Contour; OSC 2 and the title stack
(XTWINOPS 22 and 23), xterm "Control Sequences"; tmux passthrough, tmux(1) `allow-passthrough`; screen passthrough,
screen(1) "Virtual Terminal".
"""

import re
import unicodedata
from base64 import b64encode
from collections.abc import Mapping
from enum import Enum

BELL = "\a"
ESC = "\x1b"
STRING_TERMINATOR = "\x1b\\"  # ST, the string terminator (ECMA-48)

# Length limits of notification title and body, in characters.
MAX_TITLE_CHARACTERS = 60
MAX_BODY_CHARACTERS = 160

# Payload limit of one GNU screen passthrough string, in bytes. The buffer of screen holds 256.
SCREEN_MAX_STRING_BYTES = 240

_INVISIBLE_CATEGORIES = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_ZERO_WIDTH_JOINER = "\u200d"


class NotificationChannel(Enum):
    """Notification protocol of a terminal. The value is the `notification_method` setting."""

    BELL = "bell"
    OSC9 = "osc9"
    OSC99 = "osc99"
    OSC777 = "osc777"


class Multiplexer(Enum):
    """Terminal multiplexer between the app and the terminal."""

    NONE = "none"
    TMUX = "tmux"
    SCREEN = "screen"


# Channels by `TERM_PROGRAM` or `LC_TERMINAL`. SSH often forwards the latter.
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

_CHANNEL_BY_TERM = (
    (re.compile("kitty"), NotificationChannel.OSC99),
    (re.compile("ghostty|wezterm|^foot|^rxvt-unicode|^contour|konsole"), NotificationChannel.OSC777),
    (re.compile("iterm"), NotificationChannel.OSC9),
)

# Channels by terminal-specific environment variables, which a multiplexer passes on to its children.
_CHANNEL_BY_VARIABLE = {
    "KITTY_WINDOW_ID": NotificationChannel.OSC99,
    "WEZTERM_PANE": NotificationChannel.OSC777,
    "GHOSTTY_RESOURCES_DIR": NotificationChannel.OSC777,
    "KONSOLE_VERSION": NotificationChannel.OSC777,
    "ITERM_SESSION_ID": NotificationChannel.OSC9,
}


def detect_channel(environ: Mapping[str, str]) -> NotificationChannel:
    """Return the notification channel of a terminal, `BELL` if unknown.

    The program name (`TERM_PROGRAM`, then `LC_TERMINAL`) has precedence over `TERM`, and `TERM` over the variables of
    single terminals. An unknown value has no effect on the result; case is ignored in the values.
    """
    detected = (
        *(_CHANNEL_BY_PROGRAM.get(environ.get(name, "").casefold()) for name in ("TERM_PROGRAM", "LC_TERMINAL")),
        *(channel for pattern, channel in _CHANNEL_BY_TERM if pattern.search(environ.get("TERM", "").casefold())),
        *(channel for name, channel in _CHANNEL_BY_VARIABLE.items() if environ.get(name)),
    )
    return next(filter(None, detected), NotificationChannel.BELL)


def detect_multiplexer(environ: Mapping[str, str]) -> Multiplexer:
    """Return the multiplexer by the variables `TMUX` and, after it, `STY`; `NONE` without both."""
    if environ.get("TMUX"):
        return Multiplexer.TMUX
    return Multiplexer.SCREEN if environ.get("STY") else Multiplexer.NONE


def has_title_support(environ: Mapping[str, str]) -> bool:
    """Return whether the terminal has a window title. The Linux console would print the sequence as text.

    False if `TERM` is missing, empty, `dumb` or `unknown`.
    """
    return environ.get("TERM", "") not in {"", "dumb", "linux", "unknown"}


def sanitize_text(text: str, max_characters: int) -> str:
    """Return the visible characters of `text` on one line in form NFC, with `,` in place of `;`.

    Whitespace and control characters become single spaces between words; other invisible characters are removed, except
    the zero width joiner of emoji sequences. Text above `max_characters` is truncated with `…`. Only the first
    `max_characters` * 8 characters are read.
    """
    visible = "".join(_visible_character(character) for character in text[: max_characters * 8])
    visible = " ".join(unicodedata.normalize("NFC", visible).split())
    return visible if len(visible) <= max_characters else f"{visible[: max_characters - 1].rstrip()}…"


def _visible_character(character: str) -> str:
    """Return the replacement of a character in `sanitize_text`."""
    if character == ";":
        return ","
    if character == _ZERO_WIDTH_JOINER:
        return character
    category = unicodedata.category(character)
    if category in _INVISIBLE_CATEGORIES or category == "Zs":
        return " " if category in {"Cc", "Zl", "Zp", "Zs"} else ""
    return character


def notification_sequence(channel: NotificationChannel, multiplexer: Multiplexer, title: str, body: str) -> str:
    """Return the escape sequence of a notification.

    `BELL` ignores the texts. OSC 9 has one text, `chat: TITLE – BODY`. In a multiplexer, a bell follows the sequence of
    any channel except `BELL`. The untrusted texts are sanitized here; the body may be empty.
    """
    title, body = sanitize_text(title, MAX_TITLE_CHARACTERS), sanitize_text(body, MAX_BODY_CHARACTERS)
    match channel:
        case NotificationChannel.BELL:
            return BELL
        case NotificationChannel.OSC9:
            # ConEmu and others interpret a leading number as a command, so start with the app name.
            parts = [f"{ESC}]9;chat: {title}{f' – {body}' if body else ''}"]
        case NotificationChannel.OSC777:
            parts = [f"{ESC}]777;notify;{title};{body}"]
        case NotificationChannel.OSC99:
            parts = [f"{ESC}]99;i=chat:d={0 if body else 1}:e=1:p=title;{_base64(title)}"]
            parts += [f"{ESC}]99;i=chat:d=1:e=1:p=body;{_base64(body)}"] if body else []
    return wrap_for_multiplexer("".join(part + _terminator_for(multiplexer) for part in parts), multiplexer) + (
        "" if multiplexer is Multiplexer.NONE else BELL
    )


def clipboard_sequence(text: str, multiplexer: Multiplexer) -> str:
    """Return the sequence that copies `text` to the clipboard (OSC 52).

    In tmux the plain and the wrapped form are both sent: tmux interprets the first with `set-clipboard on`, and passes
    the second through otherwise.
    """
    osc52 = f"{ESC}]52;c;{_base64(text)}{_terminator_for(multiplexer)}"
    return (osc52 if multiplexer is Multiplexer.TMUX else "") + wrap_for_multiplexer(osc52, multiplexer)


def title_sequence(title: str) -> str:
    """Return the sequence that sets the window title (OSC 2). `title` is sanitized and shortened here."""
    return f"{ESC}]2;{sanitize_text(title, MAX_TITLE_CHARACTERS)}{STRING_TERMINATOR}"


def wrap_for_multiplexer(sequence: str, multiplexer: Multiplexer) -> str:
    """Return `sequence` wrapped for passthrough to the outer terminal, unchanged for `NONE`.

    For screen, `sequence` must not contain ST, and is split into strings of at most `SCREEN_MAX_STRING_BYTES`.
    """
    match multiplexer:
        case Multiplexer.NONE:
            return sequence
        case Multiplexer.TMUX:
            return f"{ESC}Ptmux;{sequence.replace(ESC, ESC * 2)}{STRING_TERMINATOR}"
        case Multiplexer.SCREEN:
            return "".join(f"{ESC}P{piece}{STRING_TERMINATOR}" for piece in _split_for_screen(sequence))


def _split_for_screen(sequence: str) -> list[str]:
    """Split a sequence into pieces of at most `SCREEN_MAX_STRING_BYTES` bytes in UTF-8."""
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
    # ST would end the enclosing string of screen. All terminals accept BEL as well.
    return BELL if multiplexer is Multiplexer.SCREEN else STRING_TERMINATOR


def _base64(text: str) -> str:
    return b64encode(text.encode()).decode()
