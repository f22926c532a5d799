"""Mouse selection and the text that it copies."""

from rich.cells import cell_len
from textual.geometry import Offset
from textual.pilot import Pilot
from textual.selection import SELECT_ALL, Selection

from tests.support.timeline_app import TimelineApp, make_append, make_message, make_messages
from tui_chat.session.lines import GapLine, NoticeLine, Splice, UnreadLine
from tui_chat.ui.timeline.widget import Timeline

SIZE = (80, 21)


def cell_of(app: TimelineApp, text: str, at_end: bool = False) -> tuple[int, int]:
    y = next(row for row, row_text in enumerate(app.rendered_rows()) if text in row_text)
    row = app.rendered_rows()[y]
    return cell_len(row[: row.index(text)]) + (cell_len(text) - 1 if at_end else 0), y


async def drag(pilot: Pilot[None], start: tuple[int, int], end: tuple[int, int]) -> None:
    await pilot.mouse_down(Timeline, offset=start)
    await pilot.hover(Timeline, offset=end)
    await pilot.mouse_up(Timeline, offset=end)
    await pilot.pause()


async def test_part_of_a_message_is_copied_without_line_breaks():
    text = "the quick brown fox jumps over the lazy dog and then it goes on for a good while longer than one row"
    app = TimelineApp([make_message(1), make_message(2, text), make_message(3)])
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        await drag(pilot, cell_of(app, "quick"), cell_of(app, "while", at_end=True))
        assert app.screen.get_selected_text() == text[text.index("quick") : text.index("while") + 5]


async def test_a_selection_includes_time_and_nickname_of_complete_messages():
    app = TimelineApp(make_messages(1, 5))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        await drag(pilot, cell_of(app, "ssage 2"), cell_of(app, "message 4", at_end=True))
        assert app.screen.get_selected_text() == "ssage 2\n[09:03] alice: message 3\n[09:04] bob: message 4"


async def test_a_selection_from_the_gutter_includes_the_complete_line():
    app = TimelineApp(make_messages(1, 5))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        await drag(pilot, cell_of(app, "09:03"), cell_of(app, "message 3", at_end=True))
        assert app.screen.get_selected_text() == "[09:03] alice: message 3"


async def test_select_all_omits_separator_lines():
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
        assert app.screen.get_selected_text() == "[09:01] bob: message 1\n[09:03] bob left\n[09:03] alice: a\nb"


async def test_copied_text_is_the_original_and_not_the_rendered_form():
    app = TimelineApp([make_message(1, "x 👩\u200d💻 🇨🇳 ❤\ufe0f\tzz")])
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        await drag(pilot, cell_of(app, "x 👩"), cell_of(app, "zz", at_end=True))
        assert app.screen.get_selected_text() == "x 👩\u200d💻 🇨🇳 ❤\ufe0f\tzz"


async def test_a_grapheme_cluster_is_copied_as_a_whole():
    app = TimelineApp([make_message(1, "x 👩\u200d💻 e\u0323\u0301 z")])
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        x, y = cell_of(app, "👩")
        await drag(pilot, (x, y), (x + 1, y))
        assert app.screen.get_selected_text() == "👩\u200d💻"


async def test_labels_of_the_client_are_not_copied():
    app = TimelineApp([make_message(1)])
    async with app.run_test(size=SIZE) as pilot:
        line = make_message(2, "text")
        app.splice(make_append(app.timeline, type(line)("m2", 2, line.ts, "bob", "bob", False, "text", edited=True)))
        await pilot.pause()
        await drag(pilot, cell_of(app, "text"), cell_of(app, "(edited)", at_end=True))
        assert app.screen.get_selected_text() == "text"


async def test_a_selection_stays_on_its_text_while_other_lines_change():
    app = TimelineApp(make_messages(101, 200))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("pageup")
        await drag(pilot, cell_of(app, "message 170"), cell_of(app, "message 170", at_end=True))
        app.timeline.splice_many(
            [
                Splice(0, 0, tuple(make_messages(1, 100))),
                Splice(5, 3, ()),
                Splice(197, 0, tuple(make_messages(201, 205))),
            ]
        )
        await pilot.pause()
        assert app.screen.get_selected_text() == "message 170"


async def test_a_change_inside_a_selection_clears_the_selection():
    app = TimelineApp(make_messages(1, 100))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        await drag(pilot, cell_of(app, "message 90"), cell_of(app, "message 95"))
        app.splice(Splice(92, 1, ()))
        await pilot.pause()
        assert app.screen.get_selected_text() is None


async def test_a_double_click_selects_a_word_and_a_triple_click_the_message():
    app = TimelineApp([make_message(1, "one two-three https://example.org/x four")])
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        x, y = cell_of(app, "two")
        await pilot.click(Timeline, offset=(x + 1, y), times=2)
        await pilot.pause()
        assert app.screen.get_selected_text() == "two"
        x, y = cell_of(app, "example")
        await pilot.click(Timeline, offset=(x, y), times=2)
        await pilot.pause()
        assert app.screen.get_selected_text() == "https://example.org/x"
        await pilot.click(Timeline, offset=(x, y), times=3)
        await pilot.pause()
        assert app.screen.get_selected_text() == "one two-three https://example.org/x four"


async def test_selected_cells_are_highlighted():
    app = TimelineApp(make_messages(1, 5))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        y = cell_of(app, "message 3")[1]
        before = app.timeline.render_line(y)
        app.screen.selections = {app.timeline: Selection(Offset(0, 2), Offset(7, 2))}
        await pilot.pause()
        after = app.timeline.render_line(y)
        assert before.text == after.text
        styles = {segment.text: segment.style.bgcolor for segment in after if segment.style is not None}
        assert styles["message"] != styles[" 3"]
