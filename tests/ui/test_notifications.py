"""What goes to the terminal for a notification, a title and the clipboard, byte by byte."""

import re
from base64 import b64decode
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_chat.ui.notifications import (
    BODY_MAX,
    SCREEN_STRING,
    TITLE_MAX,
    Channel,
    Multiplexer,
    channel_of,
    clipboard,
    has_title,
    multiplexer_of,
    plain,
    sequence,
    window_title,
)

HOSTILE = st.text(
    st.one_of(
        st.characters(),
        st.sampled_from("\x1b\x07\x9c\x9d\x90\\;]:\r\n\t\x00\x7f\u202e\u2066\u200b\u2028"),
    ),
    max_size=400,
)
CHANNELS = st.sampled_from(Channel)
BETWEEN = st.sampled_from(Multiplexer)

SHAPES = {
    Channel.BELL: re.compile("\a"),
    Channel.OSC9: re.compile(r"\x1b\]9;chat: ([^\x00-\x1f\x7f-\x9f;]*)\x1b\\"),
    Channel.OSC777: re.compile(r"\x1b\]777;notify;([^\x00-\x1f\x7f-\x9f;]*);([^\x00-\x1f\x7f-\x9f;]*)\x1b\\"),
    Channel.OSC99: re.compile(
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
            assert all(len(piece.encode()) <= SCREEN_STRING for piece in pieces)
            return re.sub("\a", "\x1b\\\\", "".join(pieces))


@given(CHANNELS, BETWEEN, HOSTILE, HOSTILE)
def test_whatever_is_said_only_the_sequence_itself_reaches_the_terminal(
    channel: Channel, between: Multiplexer, title: str, body: str
) -> None:
    said = sequence(channel, between, title, body)
    if channel is Channel.BELL:
        assert said == "\a"
    else:
        assert SHAPES[channel].fullmatch(unwrapped(said, between)), said
    said.encode()


@given(HOSTILE)
def test_a_title_is_one_sequence_whatever_the_room_is_called(title: str) -> None:
    assert re.fullmatch(r"\x1b\]2;[^\x00-\x1f\x7f-\x9f;]*\x1b\\", window_title(title))


@given(HOSTILE, BETWEEN)
def test_the_clipboard_gets_the_text_as_it_is_and_nothing_else(text: str, between: Multiplexer) -> None:
    text = text.encode("utf-8", "replace").decode()
    said = clipboard(text, between)
    if between is Multiplexer.NONE:
        found = re.fullmatch(r"\x1b\]52;c;([A-Za-z0-9+/=]*)\x1b\\", said)
        assert found is not None
        assert b64decode(found[1]).decode() == text
    assert re.fullmatch(r"[A-Za-z0-9+/=\]\x1b;\\\aPtmuxc]*", said)


@given(HOSTILE, st.integers(1, 200))
def test_a_plain_text_is_bounded_visible_and_cleaning_it_again_changes_nothing(text: str, most: int) -> None:
    shown = plain(text, most)
    assert len(shown) <= most
    assert plain(shown, most) == shown
    assert not re.search(r"[\x00-\x1f\x7f-\x9f;\u202a-\u202e\u2066-\u2069\ud800-\udfff]", shown)


def test_a_long_text_is_cut_with_an_ellipsis() -> None:
    said = sequence(Channel.OSC777, Multiplexer.NONE, "t" * 500, "长" * 500)
    assert said == f"\x1b]777;notify;{'t' * (TITLE_MAX - 1)}…;{'长' * (BODY_MAX - 1)}…\x1b\\"


def test_what_everybody_sees_stays_readable() -> None:
    assert plain("  小明:\n你好 👩\u200d💻; ok\t? ", 60) == "小明: 你好 👩\u200d💻, ok ?"


@pytest.mark.parametrize(
    ("environ", "channel"),
    [
        ({"TERM": "xterm-kitty"}, Channel.OSC99),
        ({"TERM": "xterm-256color", "KITTY_WINDOW_ID": "1"}, Channel.OSC99),
        ({"TERM": "xterm-ghostty", "TERM_PROGRAM": "ghostty"}, Channel.OSC777),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "WezTerm"}, Channel.OSC777),
        ({"TERM": "foot"}, Channel.OSC777),
        ({"TERM": "foot-extra"}, Channel.OSC777),
        ({"TERM": "rxvt-unicode-256color"}, Channel.OSC777),
        ({"TERM": "xterm-256color", "KONSOLE_VERSION": "230804"}, Channel.OSC777),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "iTerm.app"}, Channel.OSC9),
        ({"TERM": "xterm-256color", "LC_TERMINAL": "iTerm2", "SSH_CONNECTION": "…"}, Channel.OSC9),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "Apple_Terminal"}, Channel.BELL),
        ({"TERM": "xterm-256color", "VTE_VERSION": "7600"}, Channel.BELL),
        ({"TERM": "tmux-256color", "TERM_PROGRAM": "tmux", "KITTY_WINDOW_ID": "1"}, Channel.OSC99),
        ({"TERM": "alacritty"}, Channel.BELL),
        ({"TERM": "linux"}, Channel.BELL),
        ({}, Channel.BELL),
    ],
)
def test_each_terminal_is_told_in_the_way_it_takes(environ: Mapping[str, str], channel: Channel) -> None:
    assert channel_of(environ) is channel


def test_what_stands_between_is_known_by_its_variable() -> None:
    assert multiplexer_of({"TMUX": "/tmp/tmux-0/default,1,0"}) is Multiplexer.TMUX
    assert multiplexer_of({"STY": "1.pts-0"}) is Multiplexer.SCREEN
    assert multiplexer_of({"TERM": "screen-256color"}) is Multiplexer.NONE
    assert not has_title({"TERM": "linux"})
    assert has_title({"TERM": "xterm"})
