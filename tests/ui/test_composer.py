from collections.abc import Sequence
from pathlib import Path

from textual import events

from tests.support.composer_app import ComposerApp


async def test_readline_keys_edit_the_text_and_move_the_cursor() -> None:
    cases: list[tuple[str, tuple[str, ...], str, tuple[int, int]]] = [
        ("one two", ("ctrl+a",), "one two", (0, 0)),
        ("one two", ("ctrl+a", "ctrl+e"), "one two", (0, 7)),
        ("one two", ("ctrl+b", "ctrl+b"), "one two", (0, 5)),
        ("one two", ("ctrl+a", "ctrl+f"), "one two", (0, 1)),
        ("one two", ("alt+b",), "one two", (0, 4)),
        ("one two", ("ctrl+a", "alt+f"), "one two", (0, 3)),
        ("one two", ("ctrl+w",), "one ", (0, 4)),
        ("one two ", ("ctrl+w",), "one ", (0, 4)),
        ("one two", ("ctrl+u",), "", (0, 0)),
        ("one two", ("ctrl+a", "ctrl+k"), "", (0, 0)),
        ("one two", ("ctrl+a", "alt+d"), " two", (0, 0)),
        ("one two", ("ctrl+w", "ctrl+a", "ctrl+y"), "twoone ", (0, 3)),
        ("one two", ("ctrl+w", "ctrl+underscore"), "one two", (0, 7)),
        ("a\nb", ("ctrl+a", "ctrl+u"), "ab", (0, 1)),
        ("a\nb", ("up", "ctrl+e", "ctrl+k"), "ab", (0, 1)),
        ("one", ("ctrl+d", "ctrl+h"), "on", (0, 2)),
        ("a", ("alt+enter", "b"), "a\nb", (1, 1)),
        ("a", ("ctrl+j", "b"), "a\nb", (1, 1)),
        ("a", ("shift+enter", "b"), "a\nb", (1, 1)),
        ("a", ("alt+x",), "a", (0, 1)),
        ("one", ("ctrl+x",), "one", (0, 3)),
        ("one", ("shift+left", "ctrl+x"), "on", (0, 2)),
    ]
    app = ComposerApp()
    async with app.run_test() as pilot:
        for start, keys, text, cursor in cases:
            app.composer.set_text(start)
            await pilot.press(*keys)
            await pilot.pause()
            assert (start, keys, app.composer.text, app.composer.cursor_location) == (start, keys, text, cursor)


async def test_enter_submits_and_clears_the_text_and_a_burst_of_keys_is_handled_in_order() -> None:
    app = ComposerApp()
    async with app.run_test() as pilot:
        await pilot.press("h", "i", "enter")
        assert app.submitted == ["hi"]
        assert app.composer.text == ""
        app.submitted.clear()
        for key, character in (("a", "a"), ("enter", "\r"), ("b", "b"), ("ctrl+j", "\n"), ("c", "c"), ("ctrl+u", "")):
            app.post_message(events.Key(key, character))
        app.post_message(events.Key("d", "d"))
        await pilot.pause()  # the app has passed all keys to the composer
        await pilot.pause()
        assert app.submitted == ["a"]
        assert app.composer.text == "b\nd"


async def test_a_paste_is_sanitized_and_never_submitted_and_a_huge_paste_is_rejected() -> None:
    app = ComposerApp()
    async with app.run_test() as pilot:
        app.composer.set_text("say: ")
        app.composer.post_message(events.Paste("two\r\nlines\x1b]52;c;aGk=\x07\u202e\n"))
        await pilot.pause()
        assert app.submitted == []
        assert app.composer.text == "say: two\nlines"
        app.composer.set_text("")
        app.composer.post_message(events.Paste("x" * 100_000))
        await pilot.pause()
        assert app.composer.text == ""


async def test_a_pasted_path_is_confirmed_except_in_a_command(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.touch()
    app = ComposerApp()
    confirmed: list[tuple[Sequence[Path], str]] = []
    async with app.run_test() as pilot:
        app.composer.confirm_files = lambda paths, text: confirmed.append((paths, text))
        for draft, text in (("see ", "see "), ("/upload ", f"/upload {file}")):
            app.composer.set_text(draft)
            app.composer.post_message(events.Paste(str(file)))
            await pilot.pause()
            assert app.composer.text == text
    assert confirmed == [([file], str(file))]


async def test_up_and_down_traverse_sent_texts_and_return_to_the_draft() -> None:
    app = ComposerApp()
    async with app.run_test() as pilot:
        for text in ("one", "two\nlines"):
            app.composer.sent_history.add(text)
        app.composer.set_text("draft")
        await pilot.press("up")
        assert app.composer.text == "two\nlines"
        await pilot.press("up")
        assert app.composer.text == "two\nlines"
        await pilot.press("up")
        assert app.composer.text == "one"
        await pilot.press("down", "down", "down")
        assert app.composer.text == "draft"


async def test_ctrl_r_searches_sent_texts() -> None:
    cases = [
        (("ctrl+r", "t", "e", "a", "enter"), "tea or coffee"),
        (("ctrl+r", "t", "e", "a", "ctrl+r", "enter"), "more tea"),
        (("ctrl+r", "t", "e", "a", "ctrl+r", "ctrl+s", "enter"), "tea or coffee"),
        (("ctrl+r", "t", "e", "a", "up", "down", "enter"), "tea or coffee"),
        (("ctrl+r", "m", "x", "backspace", "enter"), "more tea"),
        (("ctrl+r", "t", "escape"), "draft"),
        (("ctrl+r", "t", "ctrl+g"), "draft"),
        (("ctrl+r", "t", "enter", "down"), "draft"),
        (("ctrl+r", "m", "enter", "down", "down"), "draft"),
        (("ctrl+r", "m", "ctrl+a", "n", "o", "space"), "no more tea"),
        (("ctrl+r", "q", "q", "enter"), "draft"),
    ]
    app = ComposerApp()
    async with app.run_test() as pilot:
        for sent in ("more tea", "tea or coffee"):
            app.composer.sent_history.add(sent)
        for keys, text in cases:
            app.composer.set_text("draft")
            await pilot.press(*keys)
            await pilot.pause()
            assert (keys, app.composer.text) == (keys, text)
            assert app.submitted == []


async def test_the_history_search_selects_the_match_and_preserves_the_draft() -> None:
    app = ComposerApp()
    async with app.run_test() as pilot:
        app.composer.sent_history.add("one\ntwo three")
        app.composer.set_text("draft")
        await pilot.press("ctrl+r", "t", "h")
        assert app.composer.selected_text == "th"
        assert app.composer.cursor_location == (1, 6)
        assert app.composer.draft == "draft"


async def test_tab_completes_words_and_cycles_through_the_candidates() -> None:
    app = ComposerApp()
    async with app.run_test() as pilot:
        await pilot.press("a", "n", "tab")
        assert app.composer.text == "annabel: "
        await pilot.press("tab")
        assert app.composer.text == "anton: "
        await pilot.press("shift+tab")
        assert app.composer.text == "annabel: "
        await pilot.press("x", "tab")
        assert app.composer.text == "annabel: x"
        app.composer.set_text("one\ntwo ")
        await pilot.press("a", "n", "tab")
        assert (app.composer.text, app.composer.cursor_location) == ("one\ntwo annabel ", (1, 12))


async def test_end_at_the_end_of_the_text_requests_the_newest_message() -> None:
    app = ComposerApp()
    async with app.run_test() as pilot:
        await pilot.press("end")
        await pilot.pause()
        assert app.composer_screen.bottom_requests == 1


async def test_the_composer_grows_with_its_text_up_to_a_third_of_the_screen() -> None:
    app = ComposerApp()
    async with app.run_test(size=(80, 24)) as pilot:
        assert app.composer.size.height == 1
        app.composer.set_text("one\ntwo\nthree")
        await pilot.pause()
        assert app.composer.size.height == 3
        app.composer.set_text("\n" * 40)
        await pilot.pause()
        assert app.composer.size.height == 7
