"""Escape sequences of notifications, window titles and the clipboard."""

import re
from base64 import b64decode
from collections.abc import Mapping

import pytest
from hypothesis import given, strategies as st

from tui_chat.ui.terminal.escape_sequences import (
    MAX_BODY_CHARACTERS,
    MAX_TITLE_CHARACTERS,
    SCREEN_MAX_STRING_BYTES,
    Multiplexer,
    NotificationChannel,
    clipboard_sequence,
    detect_channel,
    detect_multiplexer,
    has_title_support,
    notification_sequence,
    sanitize_text,
    title_sequence,
)

HOSTILE = st.text(
    st.one_of(
        st.characters(),
        st.sampled_from("\x1b\x07\x9c\x9d\x90\\;]:\r\n\t\x00\x7f\u202e\u2066\u200b\u2028"),
    ),
    max_size=400,
)
CHANNELS = st.sampled_from(NotificationChannel)
MULTIPLEXERS = st.sampled_from(Multiplexer)

PATTERNS = {
    NotificationChannel.BELL: re.compile("\a"),
    NotificationChannel.OSC9: re.compile(r"\x1b\]9;chat: ([^\x00-\x1f\x7f-\x9f;]*)\x1b\\"),
    NotificationChannel.OSC777: re.compile(
        r"\x1b\]777;notify;([^\x00-\x1f\x7f-\x9f;]*);([^\x00-\x1f\x7f-\x9f;]*)\x1b\\"
    ),
    NotificationChannel.OSC99: re.compile(
        r"\x1b\]99;i=chat:d=[01]:e=1:p=title;[A-Za-z0-9+/=]*\x1b\\"
        r"(\x1b\]99;i=chat:d=1:e=1:p=body;[A-Za-z0-9+/=]*\x1b\\)?"
    ),
}


def unwrap(sequence: str, multiplexer: Multiplexer) -> str:
    """Return the sequence that a multiplexer passes to the outer terminal."""
    match multiplexer:
        case Multiplexer.NONE:
            return sequence
        case Multiplexer.TMUX:
            assert (sequence[:7], sequence[-2:]) == ("\x1bPtmux;", "\x1b\\")
            inner = sequence[7:-2]
            assert re.fullmatch(r"(?:[^\x1b]|\x1b\x1b)*", inner), "escapes inside tmux passthrough must be doubled"
            return inner.replace("\x1b\x1b", "\x1b")
        case Multiplexer.SCREEN:
            pieces = re.findall(r"\x1bP(.*?)\x1b\\", sequence, re.DOTALL)
            assert "".join(f"\x1bP{piece}\x1b\\" for piece in pieces) == sequence
            assert all(len(piece.encode()) <= SCREEN_MAX_STRING_BYTES for piece in pieces)
            return re.sub("\a", "\x1b\\\\", "".join(pieces))


@given(CHANNELS, MULTIPLEXERS, HOSTILE, HOSTILE)
def test_notification_text_cannot_add_escape_sequences(
    channel: NotificationChannel, multiplexer: Multiplexer, title: str, body: str
) -> None:
    sequence = notification_sequence(channel, multiplexer, title, body)
    if channel is NotificationChannel.BELL:
        assert sequence == "\a"
    else:
        bell = "" if multiplexer is Multiplexer.NONE else "\a"
        assert sequence.endswith(bell)
        assert PATTERNS[channel].fullmatch(unwrap(sequence.removesuffix(bell), multiplexer)), sequence
    sequence.encode()


@given(HOSTILE)
def test_a_title_is_exactly_one_sequence_for_any_room_name(title: str) -> None:
    assert re.fullmatch(r"\x1b\]2;[^\x00-\x1f\x7f-\x9f;]*\x1b\\", title_sequence(title))


@given(HOSTILE, MULTIPLEXERS)
def test_the_clipboard_sequence_contains_exactly_the_text(text: str, multiplexer: Multiplexer) -> None:
    text = text.encode("utf-8", "replace").decode()
    plain, separator, wrapped = clipboard_sequence(text, multiplexer).rpartition("\x1bPtmux;")
    sequences = [unwrap(separator + wrapped, multiplexer)]
    if multiplexer is Multiplexer.TMUX:
        sequences.append(plain)
    for sequence in sequences:
        match = re.fullmatch(r"\x1b\]52;c;([A-Za-z0-9+/=]*)\x1b\\", sequence)
        assert match is not None
        assert b64decode(match[1]).decode() == text


@given(HOSTILE, st.integers(1, 200))
def test_sanitizing_is_bounded_idempotent_and_removes_control_characters(text: str, max_characters: int) -> None:
    cleaned = sanitize_text(text, max_characters)
    assert len(cleaned) <= max_characters
    assert sanitize_text(cleaned, max_characters) == cleaned
    assert not re.search(r"[\x00-\x1f\x7f-\x9f;\u202a-\u202e\u2066-\u2069\ud800-\udfff]", cleaned)


def test_a_long_text_is_truncated_with_an_ellipsis() -> None:
    sequence = notification_sequence(NotificationChannel.OSC777, Multiplexer.NONE, "t" * 500, "长" * 500)
    assert sequence == f"\x1b]777;notify;{'t' * (MAX_TITLE_CHARACTERS - 1)}…;{'长' * (MAX_BODY_CHARACTERS - 1)}…\x1b\\"


def test_sanitizing_preserves_readable_text() -> None:
    assert sanitize_text("  小明:\n你好 👩\u200d💻; ok\t? ", 60) == "小明: 你好 👩\u200d💻, ok ?"


@pytest.mark.parametrize(
    ("environ", "channel"),
    [
        ({"TERM": "xterm-kitty"}, NotificationChannel.OSC99),
        ({"TERM": "xterm-256color", "KITTY_WINDOW_ID": "1"}, NotificationChannel.OSC99),
        ({"TERM": "xterm-ghostty", "TERM_PROGRAM": "ghostty"}, NotificationChannel.OSC777),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "WezTerm"}, NotificationChannel.OSC777),
        ({"TERM": "foot"}, NotificationChannel.OSC777),
        ({"TERM": "foot-extra"}, NotificationChannel.OSC777),
        ({"TERM": "rxvt-unicode-256color"}, NotificationChannel.OSC777),
        ({"TERM": "xterm-256color", "KONSOLE_VERSION": "230804"}, NotificationChannel.OSC777),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "iTerm.app"}, NotificationChannel.OSC9),
        ({"TERM": "xterm-256color", "LC_TERMINAL": "iTerm2", "SSH_CONNECTION": "…"}, NotificationChannel.OSC9),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "Apple_Terminal"}, NotificationChannel.BELL),
        ({"TERM": "xterm-256color", "VTE_VERSION": "7600"}, NotificationChannel.BELL),
        ({"TERM": "tmux-256color", "TERM_PROGRAM": "tmux", "KITTY_WINDOW_ID": "1"}, NotificationChannel.OSC99),
        ({"TERM": "alacritty"}, NotificationChannel.BELL),
        ({"TERM": "linux"}, NotificationChannel.BELL),
        ({}, NotificationChannel.BELL),
    ],
)
def test_the_notification_channel_is_detected_from_the_environment(
    environ: Mapping[str, str], channel: NotificationChannel
) -> None:
    assert detect_channel(environ) is channel


def test_multiplexer_and_title_support_are_detected_from_the_environment() -> None:
    assert detect_multiplexer({"TMUX": "/tmp/tmux-0/default,1,0"}) is Multiplexer.TMUX
    assert detect_multiplexer({"STY": "1.pts-0"}) is Multiplexer.SCREEN
    assert detect_multiplexer({"TERM": "screen-256color"}) is Multiplexer.NONE
    assert not has_title_support({"TERM": "linux"})
    assert has_title_support({"TERM": "xterm"})
