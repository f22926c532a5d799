"""Typed text and grapheme clusters in the composer and in single-line inputs."""

import pytest
from hypothesis import given, settings, strategies as st
from textual import events
from textual.app import App, ComposeResult

from tests.support.wait import wait_until
from tui_chat.ui.input.inserted_text import pasted_text, typed_text
from tui_chat.ui.widgets.composer import Composer
from tui_chat.ui.widgets.line_input import LineInput

FAMILY = "👨\u200d👩\u200d👧"
HEART = "❤\ufe0f"
ACCENT = "e\u0301"  # not composed
FLAG = "🇩🇪"
PERSIAN = "می\u200cخواهم"


class TextInputApp(App[None]):
    """App with a composer and a single-line input."""

    CSS = "Composer { height: 5; }"

    def compose(self) -> ComposeResult:
        """Create the fields."""
        yield Composer(lambda text: None, lambda text: None, lambda: False)
        yield LineInput("", "")

    def type_text(self, text: str) -> None:
        """Post the key events of a text."""
        for character in text:
            self.post_message(events.Key(f"key_{ord(character)}", character))

    @property
    def text(self) -> str:
        """Text of the focused field."""
        return self.focused.text if isinstance(self.focused, Composer) else self.query_one(LineInput).value

    def focus_empty(self, field: type[Composer | LineInput]) -> None:
        """Focus a field and clear its text."""
        widget = self.query_one(field).focus()
        if isinstance(widget, Composer):
            widget.set_text("")
        else:
            widget.value = ""


FIELDS = pytest.mark.parametrize("field", [Composer, LineInput])


@FIELDS
async def test_unprintable_characters_are_inserted_and_keys_apply_to_grapheme_clusters(
    field: type[Composer | LineInput],
) -> None:
    # Python counts these characters as not printable.
    unprintable = (FAMILY, PERSIAN, "\u3000小\u3000明", "a\u00a0b\u202fc\u00adb", "\ue000\U000f0000", HEART)
    cases: list[tuple[str, tuple[str, ...], str]] = [
        *((text, (), f"{text}|") for text in unprintable),
        (f"a{FAMILY}b", ("left", "backspace"), "a|b"),
        (f"a{FAMILY}", ("home", "right", "delete"), "a|"),
        (f"{HEART}{FLAG}{ACCENT}", ("left", "left"), f"{HEART}|{FLAG}{ACCENT}"),
        (f"{HEART}{FLAG}{ACCENT}", ("home", "right", "right"), f"{HEART}{FLAG}|{ACCENT}"),
        (f"a{FAMILY}b", ("left", "shift+left", "delete"), "a|b"),
        (f"a{FAMILY}b", ("home", "right", "shift+right", "backspace"), "a|b"),
        (f"{PERSIAN} x", ("home", "ctrl+right"), "می\u200c|خواهم x"),
        (f"x {ACCENT}", ("ctrl+left", "ctrl+w"), f"|{ACCENT}"),
        ("🇦🇧🇨", ("home", "right", "backspace"), "|🇨"),
    ]
    app = TextInputApp()
    async with app.run_test() as pilot:
        for text, keys, expected in cases:
            app.focus_empty(field)
            app.type_text(text)
            await pilot.press(*keys, "|")
            await wait_until(lambda: "|" in app.text)
            assert (text, keys, app.text) == (text, keys, expected)


@FIELDS
async def test_alt_with_a_letter_inserts_nothing_and_characters_join_typed_neighbors(
    field: type[Composer | LineInput],
) -> None:
    app = TextInputApp()
    async with app.run_test() as pilot:
        app.query_one(field).focus()
        app.post_message(events.Key("alt+x", "x"))
        app.type_text("a")
        await wait_until(lambda: "a" in app.text)
        assert app.text == "a"
        app.focus_empty(field)
        app.type_text("👨👩")
        await pilot.press("left")
        app.type_text("\u200d👧")
        await wait_until(lambda: "👧" in app.text)
        assert app.text == "👨\u200d👧👩"


@FIELDS
async def test_a_click_never_places_the_cursor_inside_a_cluster(field: type[Composer | LineInput]) -> None:
    app = TextInputApp()
    async with app.run_test() as pilot:
        for column in range(6):
            app.focus_empty(field)
            clusters = [ACCENT, FAMILY, HEART]
            app.type_text("".join(clusters))
            await wait_until(lambda clusters=clusters: app.text == "".join(clusters))
            await pilot.click(field, offset=(column, 0))
            await pilot.press("|")
            await wait_until(lambda: "|" in app.text)
            assert app.text in {"".join((*clusters[:index], "|", *clusters[index:])) for index in range(4)}


async def test_up_and_down_never_place_the_cursor_inside_a_cluster() -> None:
    app = TextInputApp()
    async with app.run_test() as pilot:
        composer = app.query_one(Composer).focus()
        for column in range(6):
            composer.set_text(f"abcdef\n{ACCENT}{FAMILY}{HEART}")
            composer.move_cursor((0, column))
            await pilot.press("down")
            await wait_until(lambda: composer.cursor_location[0] == 1)
            assert composer.cursor_location[1] in (0, 2, 7, 9)


async def test_a_line_input_replaces_line_breaks_and_removes_escape_sequences_of_a_paste() -> None:
    app = TextInputApp()
    async with app.run_test():
        field = app.query_one(LineInput).focus()
        field.post_message(events.Paste("two\r\nlines \x1b[31mred\x1b[0m\u202e\n"))
        await wait_until(lambda: field.value)
        assert field.value == "two lines red"


@settings(max_examples=300)
@given(st.characters(exclude_categories=["Cc", "Cs"]))
def test_a_typed_character_equals_a_pasted_one(character: str) -> None:
    assert typed_text(events.Key("key", character)) == pasted_text(events.Paste(character))


@pytest.mark.parametrize(
    "key",
    [
        events.Key("alt+x", "x"),
        events.Key("ctrl+a", "\x01"),
        events.Key("enter", "\r"),
        events.Key("tab", "\t"),
        events.Key("up", None),
        events.Key("surrogate", "\ud800"),
        events.Key("right-to-left override", "\u202e"),
    ],
    ids=lambda key: key.key,
)
def test_keys_without_text_insert_nothing(key: events.Key) -> None:
    assert typed_text(key) == ""
