"""The cursor, clicks, and what they ask for."""

from msgspec.structs import replace
from textual.pilot import Pilot

from tests.support.timeline_app import TimelineApp, make_message, make_messages
from tui_chat.session.lines import DeliveryState, GapLine, NoticeLine, Splice
from tui_chat.ui.timeline.messages import (
    CursorMoved,
    GapRequested,
    LinkClicked,
    MessageActivated,
    RetryRequested,
)
from tui_chat.ui.timeline.widget import Timeline

SIZE = (80, 21)


def marked(app: TimelineApp) -> list[str]:
    return [row[1:] for row in app.rendered_rows() if row.startswith("▌")]


async def click(pilot: Pilot[None], app: TimelineApp, text: str, times: int = 1) -> None:
    await pilot.pause()
    y = next(row for row, drawn in enumerate(app.rendered_rows()) if text in drawn)
    await pilot.click(Timeline, offset=(app.rendered_rows()[y].index(text) + 1, y), times=times)
    await pilot.pause()


async def test_the_cursor_begins_on_the_last_message_and_moves_over_notices():
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
        assert len(marked(app)) == 1
        assert marked(app)[0].endswith("message 2")
        assert [told.key for told in app.received_of(CursorMoved) if isinstance(told, CursorMoved)] == [
            "m3",
            "m2",
            "m1",
            "m2",
        ]


async def test_the_cursor_pulls_the_view_along():
    app = TimelineApp(make_messages(1, 100))
    async with app.run_test(size=SIZE) as pilot:
        app.timeline.action_show_cursor()
        await pilot.press(*["k"] * 30)
        assert app.timeline.cursor_key == "m70"
        assert app.rendered_rows()[0].endswith("message 70")
        await pilot.press(*["j"] * 25)
        assert app.rendered_rows()[-1].endswith("message 95")


async def test_escape_takes_the_cursor_away_and_then_goes_to_the_bottom():
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
        assert marked(app)[0].endswith("changed")
        await pilot.press("j")
        assert app.timeline.cursor_key == "m151"


async def test_when_the_picked_message_goes_the_next_one_is_picked():
    app = TimelineApp(make_messages(1, 100))
    async with app.run_test(size=SIZE) as pilot:
        app.timeline.set_cursor("m90")
        app.timeline.splice(Splice(89, 1, ()))
        await pilot.pause()
        assert app.timeline.cursor_key == "m91"
        app.timeline.set_lines(())
        await pilot.pause()
        assert app.timeline.cursor_key is None


async def test_enter_chooses_a_message_and_loads_a_gap():
    app = TimelineApp([make_message(1), GapLine("gap", 1, 5), make_message(5)])
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        asked = len(app.received_of(GapRequested))
        app.timeline.action_show_cursor()
        await pilot.press("enter", "k", "enter")
        assert [told.key for told in app.received_of(MessageActivated) if isinstance(told, MessageActivated)] == ["m5"]
        assert len(app.received_of(GapRequested)) == asked + 1


async def test_a_key_that_does_not_exist_is_not_picked():
    app = TimelineApp(make_messages(1, 3))
    async with app.run_test(size=SIZE):
        assert not app.timeline.set_cursor("m9")
        assert app.timeline.cursor_key is None


async def test_clicks_on_an_address_a_gap_and_a_failed_message():
    failed = replace(make_message(6, own=True), delivery=DeliveryState.FAILED, problem="the room is closed")
    app = TimelineApp([make_message(1, "see https://example.org/x now"), GapLine("gap", 1, 5), make_message(5), failed])
    async with app.run_test(size=SIZE) as pilot:
        await click(pilot, app, "example.org")
        assert [told.url for told in app.received_of(LinkClicked) if isinstance(told, LinkClicked)] == [
            "https://example.org/x"
        ]
        asked = len(app.received_of(GapRequested))
        await click(pilot, app, "not loaded")
        assert len(app.received_of(GapRequested)) == asked + 1
        await click(pilot, app, "not sent: the room is closed")
        assert [told.key for told in app.received_of(RetryRequested) if isinstance(told, RetryRequested)] == ["m6"]
        await click(pilot, app, "message 5")
        assert app.timeline.cursor_key is None


async def test_a_click_moves_the_cursor_while_picking():
    app = TimelineApp(make_messages(1, 30))
    async with app.run_test(size=SIZE) as pilot:
        app.timeline.action_show_cursor()
        await click(pilot, app, "message 20")
        assert app.timeline.cursor_key == "m20"


async def test_a_click_leaves_the_keyboard_where_it_was():
    app = TimelineApp(make_messages(1, 30))
    async with app.run_test(size=SIZE) as pilot:
        app.set_focus(None)
        await click(pilot, app, "message 20")
        assert app.focused is None


async def test_own_messages_show_how_far_they_came_without_colour():
    states = [
        replace(make_message(number, own=True, nick="me"), delivery=delivery)
        for number, delivery in enumerate((DeliveryState.SENT, DeliveryState.PENDING, DeliveryState.FAILED), 1)
    ]
    app = TimelineApp(states)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        shown = [row for row in app.rendered_rows() if "message" in row]
        assert [mark for row, mark in zip(shown, "✓…✗", strict=True) if f" {mark} message" in row] == list("✓…✗")
        assert any("not sent — retry" in row for row in app.rendered_rows())
