"""What goes to the terminal for a notification, a title and the clipboard, byte by byte."""

import re
from base64 import b64decode
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
BETWEEN = st.sampled_from(Multiplexer)

SHAPES = {
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


def unwrapped(said: str, between: Multiplexer) -> str:
    """What the terminal outside gets, as the multiplexer would give it."""
    match between:
        case Multiplexer.NONE:
            return said
        case Multiplexer.TMUX:
            assert said.endswith("\x1b\\\a")
            inner = said[len("\x1bPtmux;") : -len("\x1b\\\a")]
            assert re.fullmatch(r"(?:[^\x1b]|\x1b\x1b)*", inner), "every escape in it is doubled"
            return inner.replace("\x1b\x1b", "\x1b")
        case Multiplexer.SCREEN:
            pieces = re.findall(r"\x1bP(.*?)\x1b\\", said.removesuffix("\a"), re.DOTALL)
            assert "".join(f"\x1bP{piece}\x1b\\" for piece in pieces) + "\a" == said
            assert all(len(piece.encode()) <= SCREEN_MAX_STRING_BYTES for piece in pieces)
            return re.sub("\a", "\x1b\\\\", "".join(pieces))


@given(CHANNELS, BETWEEN, HOSTILE, HOSTILE)
def test_whatever_is_said_only_the_sequence_itself_reaches_the_terminal(
    channel: NotificationChannel, between: Multiplexer, title: str, body: str
) -> None:
    said = notification_sequence(channel, between, title, body)
    if channel is NotificationChannel.BELL:
        assert said == "\a"
    else:
        assert SHAPES[channel].fullmatch(unwrapped(said, between)), said
    said.encode()


@given(HOSTILE)
def test_a_title_is_one_sequence_whatever_the_room_is_called(title: str) -> None:
    assert re.fullmatch(r"\x1b\]2;[^\x00-\x1f\x7f-\x9f;]*\x1b\\", title_sequence(title))


@given(HOSTILE, BETWEEN)
def test_the_clipboard_gets_the_text_as_it_is_and_nothing_else(text: str, between: Multiplexer) -> None:
    text = text.encode("utf-8", "replace").decode()
    said = clipboard_sequence(text, between)
    if between is Multiplexer.NONE:
        found = re.fullmatch(r"\x1b\]52;c;([A-Za-z0-9+/=]*)\x1b\\", said)
        assert found is not None
        assert b64decode(found[1]).decode() == text
    assert re.fullmatch(r"[A-Za-z0-9+/=\]\x1b;\\\aPtmuxc]*", said)


@given(HOSTILE, st.integers(1, 200))
def test_a_plain_text_is_bounded_visible_and_cleaning_it_again_changes_nothing(text: str, most: int) -> None:
    shown = sanitize_text(text, most)
    assert len(shown) <= most
    assert sanitize_text(shown, most) == shown
    assert not re.search(r"[\x00-\x1f\x7f-\x9f;\u202a-\u202e\u2066-\u2069\ud800-\udfff]", shown)


def test_a_long_text_is_cut_with_an_ellipsis() -> None:
    said = notification_sequence(NotificationChannel.OSC777, Multiplexer.NONE, "t" * 500, "长" * 500)
    assert said == f"\x1b]777;notify;{'t' * (MAX_TITLE_CHARACTERS - 1)}…;{'长' * (MAX_BODY_CHARACTERS - 1)}…\x1b\\"


def test_what_everybody_sees_stays_readable() -> None:
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
def test_each_terminal_is_told_in_the_way_it_takes(environ: Mapping[str, str], channel: NotificationChannel) -> None:
    assert detect_channel(environ) is channel


def test_what_stands_between_is_known_by_its_variable() -> None:
    assert detect_multiplexer({"TMUX": "/tmp/tmux-0/default,1,0"}) is Multiplexer.TMUX
    assert detect_multiplexer({"STY": "1.pts-0"}) is Multiplexer.SCREEN
    assert detect_multiplexer({"TERM": "screen-256color"}) is Multiplexer.NONE
    assert not has_title_support({"TERM": "linux"})
    assert has_title_support({"TERM": "xterm"})
