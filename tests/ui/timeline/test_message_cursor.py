"""Message cursor and mouse clicks, and the events that they emit."""

from msgspec.structs import replace
from textual.pilot import Pilot

from tests.support.timeline_app import TimelineApp, make_message, make_messages
from tests.support.wait import wait_until
from tui_chat.session.lines import DeliveryState, GapLine, NoticeLine, Splice
from tui_chat.ui.timeline.messages import (
    CursorMoved,
    GapRequested,
    LinkClicked,
    MessageActivated,
)
from tui_chat.ui.timeline.widget import Timeline

SIZE = (80, 21)


def cursor_rows(app: TimelineApp) -> list[str]:
    """Return the rows with the cursor mark, without the mark."""
    return [row[1:] for row in app.rendered_rows() if row.startswith("▌")]


async def click(pilot: Pilot[None], app: TimelineApp, text: str) -> None:
    """Click the second character of the first row with a text."""
    await pilot.pause()
    y = next(row for row, row_text in enumerate(app.rendered_rows()) if text in row_text)
    await pilot.click(Timeline, offset=(app.rendered_rows()[y].index(text) + 1, y))
    await pilot.pause()


async def test_the_cursor_starts_at_the_last_message_and_skips_notices():
    app = TimelineApp(
        [make_message(1), NoticeLine("n", make_message(1).ts, "bob joined"), make_message(2), make_message(3)]
    )
    async with app.run_test(size=SIZE) as pilot:
        app.timeline.action_show_cursor()
        assert app.timeline.cursor_key == "m3"
        await pilot.press("k", "up")
        assert app.timeline.cursor_key == "m1"
        await pilot.press("up", "j")
        assert app.timeline.cursor_key == "m2"
        assert len(cursor_rows(app)) == 1
        assert cursor_rows(app)[0].endswith("message 2")
        await wait_until(lambda: [event.key for event in app.messages_of_type(CursorMoved)] == ["m3", "m2", "m1", "m2"])


async def test_the_view_scrolls_with_the_cursor():
    app = TimelineApp(make_messages(1, 100))
    async with app.run_test(size=SIZE) as pilot:
        app.timeline.action_show_cursor()
        await pilot.press(*["k"] * 30)
        assert app.timeline.cursor_key == "m70"
        assert app.rendered_rows()[0].endswith("message 70")
        await pilot.press(*["j"] * 25)
        assert app.rendered_rows()[-1].endswith("message 95")


async def test_escape_hides_the_cursor_and_then_scrolls_to_the_bottom():
    app = TimelineApp(make_messages(1, 100))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("pageup", "pageup")
        app.timeline.action_show_cursor()
        await pilot.press("escape")
        assert app.timeline.cursor_key is None
        assert not app.timeline.is_at_bottom
        await pilot.press("escape")
        assert app.timeline.is_at_bottom


async def test_the_cursor_stays_on_its_message_while_the_list_changes():
    app = TimelineApp(make_messages(101, 200))
    async with app.run_test(size=SIZE) as pilot:
        app.timeline.set_cursor("m150")
        app.timeline.splice_many(
            [
                Splice(0, 0, tuple(make_messages(1, 100))),
                Splice(200, 0, (make_message(201),)),
                Splice(149, 1, (replace(make_message(150), text="changed"),)),
            ]
        )
        await pilot.pause()
        assert app.timeline.cursor_key == "m150"
        assert cursor_rows(app)[0].endswith("changed")
        await pilot.press("j")
        assert app.timeline.cursor_key == "m151"


async def test_the_cursor_moves_to_the_next_message_when_its_message_is_removed():
    app = TimelineApp(make_messages(1, 100))
    async with app.run_test(size=SIZE) as pilot:
        app.timeline.set_cursor("m90")
        app.splice(Splice(89, 1, ()))
        await pilot.pause()
        assert app.timeline.cursor_key == "m91"
        app.timeline.set_lines(())
        await pilot.pause()
        assert app.timeline.cursor_key is None


async def test_enter_activates_a_message_and_requests_a_gap():
    app = TimelineApp([make_message(1), GapLine("gap", 1, 5), make_message(5)])
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        request_count = len(app.messages_of_type(GapRequested))
        app.timeline.action_show_cursor()
        await pilot.press("enter", "k", "enter")
        await wait_until(lambda: len(app.messages_of_type(GapRequested)) == request_count + 1)
        assert [event.key for event in app.messages_of_type(MessageActivated)] == ["m5"]


async def test_the_cursor_ignores_an_unknown_line_key():
    app = TimelineApp(make_messages(1, 3))
    async with app.run_test(size=SIZE):
        app.timeline.set_cursor("m9")
        assert app.timeline.cursor_key is None


async def test_clicks_on_links_gaps_and_failed_messages_emit_events():
    failed = replace(make_message(6, own=True), delivery=DeliveryState.FAILED, problem="the room is closed")
    app = TimelineApp([make_message(1, "see https://example.org/x now"), GapLine("gap", 1, 5), make_message(5), failed])
    async with app.run_test(size=SIZE) as pilot:
        await click(pilot, app, "example.org")
        await wait_until(
            lambda: [event.url for event in app.messages_of_type(LinkClicked)] == ["https://example.org/x"]
        )
        request_count = len(app.messages_of_type(GapRequested))
        await click(pilot, app, "not loaded")
        await wait_until(lambda: len(app.messages_of_type(GapRequested)) == request_count + 1)
        await click(pilot, app, "not sent: the room is closed")
        await wait_until(lambda: [event.key for event in app.messages_of_type(MessageActivated)] == ["m6"])
        await click(pilot, app, "message 5")
        assert app.timeline.cursor_key is None


async def test_a_click_moves_a_visible_cursor():
    app = TimelineApp(make_messages(1, 30))
    async with app.run_test(size=SIZE) as pilot:
        app.timeline.action_show_cursor()
        await click(pilot, app, "message 20")
        assert app.timeline.cursor_key == "m20"


async def test_a_click_does_not_change_the_keyboard_focus():
    app = TimelineApp(make_messages(1, 30))
    async with app.run_test(size=SIZE) as pilot:
        app.set_focus(None)
        await click(pilot, app, "message 20")
        assert app.focused is None


async def test_own_messages_show_their_delivery_state_without_color():
    lines = [
        replace(make_message(number, own=True, nick="me"), delivery=delivery)
        for number, delivery in enumerate((DeliveryState.SENT, DeliveryState.PENDING, DeliveryState.FAILED), 1)
    ]
    app = TimelineApp(lines)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        message_rows = [row for row in app.rendered_rows() if "message" in row]
        assert [mark for row, mark in zip(message_rows, "✓…✗", strict=True) if f" {mark} message" in row] == list("✓…✗")
        assert any("not sent — retry" in row for row in app.rendered_rows())
