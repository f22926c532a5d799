"""Framing and decoding of terminal input on a virtual clock."""

import asyncio
from dataclasses import dataclass

import pytest
from hypothesis import given, settings, strategies as st
from textual.events import Key, MouseEvent, Paste
from textual.message import Message

from tests.support.composer_app import ComposerApp
from tui_chat.ui.terminal import alt_keys
from tui_chat.ui.terminal.input_decoder import InputDecoder
from tui_chat.ui.terminal.input_framer import PASTE_TIMEOUT, SEQUENCE_TIMEOUT, InputFrame, InputFramer

START, END = b"\x1b[200~", b"\x1b[201~"
ESCAPE_DELAY = 0.1
KEY_PREFIXES = (b"\x1b", b"\x1bO", b"\x1bP", b"\x1bX", b"\x1b]", b"\x1b^", b"\x1b_")
MAX_PREFIX_PAUSE = ESCAPE_DELAY * 0.9  # does not make a key of a prefix
MAX_PAUSE = min(SEQUENCE_TIMEOUT, PASTE_TIMEOUT) * 0.9  # ends neither a sequence nor a paste
SILENCE = max(SEQUENCE_TIMEOUT, PASTE_TIMEOUT) * 1.1

Action = tuple[object, ...]


def action_of(message: Message) -> Action:
    """Return a comparable form of a message."""
    match message:
        case Key():
            return ("key", message.key, message.character)
        case Paste():
            return ("paste", message.text)
        case MouseEvent():
            return (type(message).__name__, message.x, message.y)
        case _:
            return (type(message).__name__,)


def messages_of(*steps: bytes | float) -> list[Message]:
    """Return the messages after reads and pauses, and a final silence."""
    alt_keys.register_alt_keys()
    framer, decoder, now = InputFramer(ESCAPE_DELAY), InputDecoder(), 0.0
    messages: list[Message] = []
    for step in (*steps, SILENCE):
        if isinstance(step, bytes):
            frames = framer.feed(step, now)
        else:
            end = now + step
            frames: list[InputFrame] = []
            while framer.deadline is not None and framer.deadline <= end:
                frames += framer.expire(framer.deadline)
            now = end
        messages += [message for frame in frames for message in decoder.decode(frame)]
    return messages


def actions_of(*steps: bytes | float) -> list[Action]:
    """Return the actions after reads and pauses, and a final silence."""
    return [action_of(message) for message in messages_of(*steps)]


def key_names(*steps: bytes | float) -> list[object]:
    """Return the names of the keys after reads and pauses."""
    return [action[1] for action in actions_of(*steps) if action[0] == "key"]


def text_of(*steps: bytes | float) -> str:
    """Return the typed and pasted text after reads and pauses."""
    inserted = [str(action[-1] or "") for action in actions_of(*steps)]
    return "".join(text for text in inserted if text.isprintable() or len(text) > 1)


@dataclass(frozen=True)
class InputItem:
    """Part of a generated input.

    Attributes:
        data: Bytes from the terminal.
        actions: Expected actions.
        silence: Seconds without input after the bytes.
    """

    data: bytes
    actions: tuple[Action, ...] = ()
    silence: float = 0.0


KEYS = [
    InputItem(data, (("key", name, character),))
    for data, name, character in (
        (b"\r", "enter", "\r"),
        (b"\x7f", "backspace", "\x7f"),
        (b"\x11", "ctrl+q", "\x11"),
        (b"\x1b[A", "up", None),
        (b"\x1b[1;5C", "ctrl+right", None),
        (b"\x1b[3~", "delete", None),
        (b"\x1b[3$", "shift+delete", None),
        (b"\x1b[[A", "f1", None),
        (b"\x1bOP", "f1", None),
        (b"\x1bs", "alt+s", None),
        (b"\x1b\r", "alt+enter", None),
        (b"\x1b[97;;97u", "a", "a"),
    )
]
ESCAPE_KEY = InputItem(b"\x1b", (("key", "escape", "\x1b"),), silence=ESCAPE_DELAY)
MOUSE_AND_FOCUS = [
    InputItem(b"\x1b[<0;11;6M", (("MouseDown", 10.0, 5.0),)),
    InputItem(b"\x1b[<35;81;1M", (("MouseMove", 80.0, 0.0),)),
    InputItem(b"\x1b[I", (("AppFocus",),)),
    InputItem(b"\x1b[O", (("AppBlur",),)),
    InputItem(b"\x1b[M !\xc3\xa9"),  # X10 encoding, not supported
]
ANSWERS = [
    b"\x1b]11;rgb:1111/2222/3333\x1b\\",
    b"\x1b]52;c;aGVsbG8=\x07",
    b"\x1b[?62;22c",
    b"\x1b[>41;354;0c",
    b"\x1bP>|XTerm(379)\x1b\\",
    b"\x1bP1+r524742=38\x1b\\",
    b"\x1b_Gi=31;OK\x1b\\",
    b"\x1b[?1;2$y",
    b"\x1b[99~",
    b"\x1b[?12;3;4z",
    END,
]
PASTED_DATA = (
    st.lists(
        st.sampled_from([b"\x1b", b"\x1b[", b"\x1b[20", b"\x1b[201", b"~", b"\x1b[31m", b"\x1b]0;x\x07", START])
        | st.sampled_from([b"a", b"\n", b"\r", b"\x11", b"\xff", "你".encode(), b"x" * 5000])
    )
    .map(b"".join)
    .filter(lambda data: END not in data + END[:-1])
)


def paste_item(data: bytes) -> InputItem:
    text = data.decode(errors="replace")
    return InputItem(START + data + END, (("paste", text),) if text else ())


def text_item(text: str) -> InputItem:
    # Directly after Escape, text in the form of a sequence is ambiguous: start with a letter.
    actions = [action for character in f"x{text}" for action in actions_of(character.encode())]
    assert [action[2] for action in actions] == list(f"x{text}")
    return InputItem(f"x{text}".encode(), tuple(actions))


INPUT_ITEMS = (
    st.sampled_from([*KEYS, ESCAPE_KEY, *MOUSE_AND_FOCUS, *map(InputItem, ANSWERS)])
    | st.text(st.characters(exclude_categories=["Cc", "Cs"]) | st.sampled_from("[]O<2~e\u0301👨\u200d")).map(text_item)
    | PASTED_DATA.map(paste_item)
)


def split(draw: st.DrawFn, data: bytes, max_first_pause: float = MAX_PREFIX_PAUSE) -> list[bytes | float]:
    """Return `data` in reads with pauses between the reads."""
    cuts = sorted(draw(st.sets(st.integers(1, len(data) - 1), max_size=8))) if len(data) > 1 else []
    steps: list[bytes | float] = []
    for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True):
        max_pause = MAX_PREFIX_PAUSE if data[:end] in KEY_PREFIXES else MAX_PAUSE
        steps += [data[start:end], draw(st.floats(0, max_first_pause if end == 1 else max_pause))]
    return steps


@st.composite
def split_inputs(draw: st.DrawFn) -> tuple[list[bytes | float], list[InputItem]]:
    """Return reads and pauses, and the parts of the input."""
    items = draw(st.lists(INPUT_ITEMS, max_size=8))
    return [step for item in items for step in (*split(draw, item.data), item.silence)], items


@settings(max_examples=400)
@given(split_inputs())
def test_actions_do_not_depend_on_the_boundaries_and_pauses_of_reads(
    split_input: tuple[list[bytes | float], list[InputItem]],
) -> None:
    steps, items = split_input
    assert actions_of(*steps) == [action for item in items for action in item.actions]


async def test_the_composer_does_not_depend_on_the_boundaries_and_pauses_of_reads() -> None:
    app = ComposerApp()
    async with app.run_test() as pilot:
        loop = asyncio.get_running_loop()

        async def enter(messages: list[Message]) -> tuple[str, list[str]]:
            """Return the text of an empty composer and the submitted texts after the messages of a terminal."""
            await app.replace_composer()
            for message in messages:
                if isinstance(message, Key | Paste):
                    app.post_message(message)
            await pilot.pause()  # the app has passed all messages to the composer
            await pilot.pause()
            return app.composer.text, list(app.submitted)

        @settings(max_examples=15)
        @given(split_inputs())
        def check(split_input: tuple[list[bytes | float], list[InputItem]]) -> None:
            steps, items = split_input
            unsplit = [message for item in items for message in messages_of(item.data)]
            expected, result = (
                asyncio.run_coroutine_threadsafe(enter(messages), loop).result()
                for messages in (unsplit, messages_of(*steps))
            )
            assert result == expected

        await asyncio.to_thread(check)


@st.composite
def paused_sequences(draw: st.DrawFn) -> tuple[list[bytes | float], str]:
    """Return reads of a paste or answer and a letter with a pause after ESC, and the expected text."""
    data, text = draw(
        st.sampled_from([(answer, "") for answer in ANSWERS]) | st.just((START + b"a\rb\x1b[31m" + END, "a\rb\x1b[31m"))
    )
    return [*split(draw, data, MAX_PAUSE), b"x"], f"{text}x"


@given(paused_sequences())
def test_a_pause_after_the_first_byte_does_not_change_the_text(split_input: tuple[list[bytes | float], str]) -> None:
    steps, text = split_input
    assert text_of(*steps) == text


@settings(max_examples=300)
@given(
    st.lists(
        st.binary(max_size=20) | st.text("\x1b[]P_OM<>?0123456789;:~$ux\x07\\").map(str.encode) | st.floats(0, 2.0)
    )
)
def test_no_input_disables_the_keyboard(steps: list[bytes | float]) -> None:
    keys = key_names(*steps, SILENCE, b"\x11", SILENCE, b"\x03", b"\r", b"a")
    assert keys[-4:] == ["ctrl+q", "ctrl+c", "enter", "a"]


@pytest.mark.parametrize("partial", [b"", b"\x1b", b"\x1b[", b"\x1b[2", b"\x1b[20", b"\x1b[201"])
def test_a_paste_without_an_end_closes_after_a_silence(partial: bytes) -> None:
    assert actions_of(START, b"one\r", b"two", partial, SILENCE, b"\r") == [
        ("paste", "one\rtwo"),
        ("key", "enter", "\r"),
    ]


def test_the_rest_of_an_end_marker_after_the_silence_is_not_typed() -> None:
    assert text_of(START, b"text\x1b[20", SILENCE, b"1~", b"x") == "textx"


def test_a_start_marker_is_recognized_after_any_pause() -> None:
    assert actions_of(b"\x1b[20", 5.0, b"0~one\rtwo", END) == [("paste", "one\rtwo")]
    assert actions_of(b"\x1b", 5.0, b"[200~one\rtwo", END) == [("key", "escape", "\x1b"), ("paste", "one\rtwo")]


@pytest.mark.parametrize("text", ["[x] done", "[1] note", "[3D model]", "[<3", "]", "Please", "OK", "P1 first", "_G"])
def test_text_after_the_escape_key_is_typed(text: str) -> None:
    keystrokes = [step for character in text for step in (character.encode(), 0.05)]
    assert text_of(b"\x1b", 0.2, *keystrokes) == text


@pytest.mark.parametrize(
    ("data", "keys"),
    [
        (b"\x1b", ["escape"]),
        (b"\x1b\x1b[A", ["escape", "up"]),
        (b"\x1bO", ["alt+shift+o"]),
        (b"\x1b]", ["alt+right_square_bracket"]),
        (b"\x1b\xc3\xa9", ["alt+é"]),
        (b"\x1b\x7f", ["ctrl+w"]),
        (b"\x1bsred\x1b.x", ["alt+s", "r", "e", "d", "full_stop", "x"]),
        (b"\x1b[;\r", ["enter"]),
        (b"\x1b]0;title\x11", ["ctrl+q"]),
        (b"a\xffb", ["a", "replacement_character", "b"]),
        (b"\x1b[9999999999u\x1b[97:65;5:3ua", ["a"]),  # Textual's parser raises
        (b"\x1b[0;;20320:22909:19990:30028:20320:22909:8205u", [*"你好世界你好", "zero_width_joiner"]),
    ],
)
def test_sequences_are_decoded_to_key_names(data: bytes, keys: list[str]) -> None:
    assert key_names(data) == keys


def test_an_escape_prefix_becomes_a_key_after_the_escape_delay() -> None:
    framer = InputFramer(ESCAPE_DELAY)
    assert framer.feed(b"\x1b", 10.0) == []
    assert framer.deadline == pytest.approx(10.0 + ESCAPE_DELAY)
    assert framer.expire(10.0 + ESCAPE_DELAY / 2) == []
    assert [frame.text for frame in framer.expire(10.2)] == ["\x1b"]
    assert framer.deadline is None
