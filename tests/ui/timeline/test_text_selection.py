"""Selecting with the mouse, and what is copied."""

from rich.cells import cell_len
from textual.geometry import Offset
from textual.pilot import Pilot
from textual.selection import SELECT_ALL, Selection

from tests.support.timeline_app import TimelineApp, make_append, make_message, make_messages
from tui_chat.session.lines import GapLine, NoticeLine, Splice, UnreadLine
from tui_chat.ui.timeline.widget import Timeline

SIZE = (80, 21)


def where(app: TimelineApp, text: str, after: bool = False) -> tuple[int, int]:
    y = next(row for row, drawn in enumerate(app.rendered_rows()) if text in drawn)
    row = app.rendered_rows()[y]
    return cell_len(row[: row.index(text)]) + (cell_len(text) - 1 if after else 0), y


async def drag(pilot: Pilot[None], start: tuple[int, int], end: tuple[int, int]) -> None:
    await pilot.mouse_down(Timeline, offset=start)
    await pilot.hover(Timeline, offset=end)
    await pilot.mouse_up(Timeline, offset=end)
    await pilot.pause()


async def test_part_of_a_message_is_copied_without_wrapping():
    text = "the quick brown fox jumps over the lazy dog and then it goes on for a good while longer than one row"
    app = TimelineApp([make_message(1), make_message(2, text), make_message(3)])
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        await drag(pilot, where(app, "quick"), where(app, "while", after=True))
        assert app.screen.get_selected_text() == text[text.index("quick") : text.index("while") + 5]


async def test_a_selection_over_messages_takes_the_time_and_nickname_of_whole_ones():
    app = TimelineApp(make_messages(1, 5))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        await drag(pilot, where(app, "ssage 2"), where(app, "message 4", after=True))
        assert app.screen.get_selected_text() == "ssage 2\n09:03 alice: message 3\n09:04 bob: message 4"


async def test_a_selection_from_the_gutter_takes_the_line_whole():
    app = TimelineApp(make_messages(1, 5))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        await drag(pilot, where(app, "09:03"), where(app, "message 3", after=True))
        assert app.screen.get_selected_text() == "09:03 alice: message 3"


async def test_everything_selected_is_the_talk_without_rules():
    app = TimelineApp(
        [
            make_message(1),
            UnreadLine(),
            GapLine("g", 1, 3),
            NoticeLine("n", make_message(3).ts, "bob left"),
            make_message(3, "a\nb"),
        ]
    )
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        app.screen.selections = {app.timeline: SELECT_ALL}
        assert app.screen.get_selected_text() == "09:01 bob: message 1\n09:03 bob left\n09:03 alice: a\nb"


async def test_what_was_drawn_otherwise_is_copied_as_it_was_written():
    app = TimelineApp([make_message(1, "x 👩\u200d💻 🇨🇳 ❤\ufe0f\tzz")])
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        await drag(pilot, where(app, "x 👩"), where(app, "zz", after=True))
        assert app.screen.get_selected_text() == "x 👩\u200d💻 🇨🇳 ❤\ufe0f\tzz"


async def test_what_is_seen_as_one_character_is_copied_whole():
    app = TimelineApp([make_message(1, "x 👩\u200d💻 e\u0323\u0301 z")])
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        x, y = where(app, "👩")
        await drag(pilot, (x, y), (x + 1, y))
        assert app.screen.get_selected_text() == "👩\u200d💻"


async def test_words_of_the_program_are_not_copied():
    app = TimelineApp([make_message(1)])
    async with app.run_test(size=SIZE) as pilot:
        line = make_message(2, "text")
        app.timeline.splice(
            make_append(app.timeline, type(line)("m2", 2, line.ts, "bob", "bob", False, "text", edited=True))
        )
        await pilot.pause()
        await drag(pilot, where(app, "text"), where(app, "(edited)", after=True))
        assert app.screen.get_selected_text() == "text"


async def test_a_selection_stays_on_its_text_while_lines_come_and_go_elsewhere():
    app = TimelineApp(make_messages(101, 200))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("pageup")
        await drag(pilot, where(app, "message 170"), where(app, "message 170", after=True))
        app.timeline.splice_many(
            [
                Splice(0, 0, tuple(make_messages(1, 100))),
                Splice(5, 3, ()),
                Splice(197, 0, tuple(make_messages(201, 205))),
            ]
        )
        await pilot.pause()
        assert app.screen.get_selected_text() == "message 170"


async def test_a_change_within_a_selection_drops_it():
    app = TimelineApp(make_messages(1, 100))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        await drag(pilot, where(app, "message 90"), where(app, "message 95"))
        app.timeline.splice(Splice(92, 1, ()))
        await pilot.pause()
        assert app.screen.get_selected_text() is None


async def test_two_clicks_select_a_word_and_three_the_message():
    app = TimelineApp([make_message(1, "one two-three https://example.org/x four")])
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        x, y = where(app, "two")
        await pilot.click(Timeline, offset=(x + 1, y), times=2)
        await pilot.pause()
        assert app.screen.get_selected_text() == "two"
        x, y = where(app, "example")
        await pilot.click(Timeline, offset=(x, y), times=2)
        await pilot.pause()
        assert app.screen.get_selected_text() == "https://example.org/x"
        await pilot.click(Timeline, offset=(x, y), times=3)
        await pilot.pause()
        assert app.screen.get_selected_text() == "one two-three https://example.org/x four"


async def test_selected_cells_are_seen():
    app = TimelineApp(make_messages(1, 5))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        y = where(app, "message 3")[1]
        before = app.timeline.render_line(y)
        app.screen.selections = {app.timeline: Selection(Offset(0, 2), Offset(7, 2))}
        await pilot.pause()
        after = app.timeline.render_line(y)
        assert before.text == after.text
        styles = {segment.text: segment.style.bgcolor for segment in after if segment.style is not None}
        assert styles["message"] != styles[" 3"]
