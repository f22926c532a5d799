"""The cursor, clicks, and what they ask for."""

from msgspec.structs import replace
from textual.pilot import Pilot

from tests.support.timeline_app import TimelineApp, said, talk
from tui_chat.session.lines import DeliveryState, GapLine, NoticeLine, Splice
from tui_chat.ui.widgets.timeline.messages import Chosen, GapWanted, LinkClicked, Picked, RetryWanted
from tui_chat.ui.widgets.timeline.widget import Timeline

SIZE = (80, 21)


def marked(app: TimelineApp) -> list[str]:
    return [row[1:] for row in app.rows() if row.startswith("▌")]


async def click(pilot: Pilot[None], app: TimelineApp, text: str, times: int = 1) -> None:
    await pilot.pause()
    y = next(row for row, drawn in enumerate(app.rows()) if text in drawn)
    await pilot.click(Timeline, offset=(app.rows()[y].index(text) + 1, y), times=times)
    await pilot.pause()


async def test_the_cursor_begins_on_the_last_message_and_moves_over_notices():
    app = TimelineApp([said(1), NoticeLine("n", said(1).ts, "bob joined"), said(2), said(3)])
    async with app.run_test(size=SIZE) as pilot:
        app.timeline.action_pick()
        assert app.timeline.picked == "m3"
        await pilot.press("k", "up")
        assert app.timeline.picked == "m1"
        await pilot.press("up", "j")
        assert app.timeline.picked == "m2"
        assert len(marked(app)) == 1
        assert marked(app)[0].endswith("message 2")
        assert [told.key for told in app.said(Picked) if isinstance(told, Picked)] == ["m3", "m2", "m1", "m2"]


async def test_the_cursor_pulls_the_view_along():
    app = TimelineApp(talk(1, 100))
    async with app.run_test(size=SIZE) as pilot:
        app.timeline.action_pick()
        await pilot.press(*["k"] * 30)
        assert app.timeline.picked == "m70"
        assert app.rows()[0].endswith("message 70")
        await pilot.press(*["j"] * 25)
        assert app.rows()[-1].endswith("message 95")


async def test_escape_takes_the_cursor_away_and_then_goes_to_the_bottom():
    app = TimelineApp(talk(1, 100))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("pageup", "pageup")
        app.timeline.action_pick()
        await pilot.press("escape")
        assert app.timeline.picked is None
        assert not app.timeline.at_bottom
        await pilot.press("escape")
        assert app.timeline.at_bottom


async def test_the_cursor_stays_on_its_message_while_the_list_changes():
    app = TimelineApp(talk(101, 200))
    async with app.run_test(size=SIZE) as pilot:
        app.timeline.pick("m150")
        app.timeline.splice_many(
            [
                Splice(0, 0, tuple(talk(1, 100))),
                Splice(200, 0, (said(201),)),
                Splice(149, 1, (replace(said(150), text="changed"),)),
            ]
        )
        await pilot.pause()
        assert app.timeline.picked == "m150"
        assert marked(app)[0].endswith("changed")
        await pilot.press("j")
        assert app.timeline.picked == "m151"


async def test_when_the_picked_message_goes_the_next_one_is_picked():
    app = TimelineApp(talk(1, 100))
    async with app.run_test(size=SIZE) as pilot:
        app.timeline.pick("m90")
        app.timeline.splice(Splice(89, 1, ()))
        await pilot.pause()
        assert app.timeline.picked == "m91"
        app.timeline.show(())
        await pilot.pause()
        assert app.timeline.picked is None


async def test_enter_chooses_a_message_and_loads_a_gap():
    app = TimelineApp([said(1), GapLine("gap", 1, 5), said(5)])
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        asked = len(app.said(GapWanted))
        app.timeline.action_pick()
        await pilot.press("enter", "k", "enter")
        assert [told.key for told in app.said(Chosen) if isinstance(told, Chosen)] == ["m5"]
        assert len(app.said(GapWanted)) == asked + 1


async def test_a_key_that_does_not_exist_is_not_picked():
    app = TimelineApp(talk(1, 3))
    async with app.run_test(size=SIZE):
        assert not app.timeline.pick("m9")
        assert app.timeline.picked is None


async def test_clicks_on_an_address_a_gap_and_a_failed_message():
    failed = replace(said(6, own=True), delivery=DeliveryState.FAILED, problem="the room is closed")
    app = TimelineApp([said(1, "see https://example.org/x now"), GapLine("gap", 1, 5), said(5), failed])
    async with app.run_test(size=SIZE) as pilot:
        await click(pilot, app, "example.org")
        assert [told.url for told in app.said(LinkClicked) if isinstance(told, LinkClicked)] == [
            "https://example.org/x"
        ]
        asked = len(app.said(GapWanted))
        await click(pilot, app, "not loaded")
        assert len(app.said(GapWanted)) == asked + 1
        await click(pilot, app, "not sent: the room is closed")
        assert [told.key for told in app.said(RetryWanted) if isinstance(told, RetryWanted)] == ["m6"]
        await click(pilot, app, "message 5")
        assert app.timeline.picked is None


async def test_a_click_moves_the_cursor_while_picking():
    app = TimelineApp(talk(1, 30))
    async with app.run_test(size=SIZE) as pilot:
        app.timeline.action_pick()
        await click(pilot, app, "message 20")
        assert app.timeline.picked == "m20"


async def test_a_click_leaves_the_keyboard_where_it_was():
    app = TimelineApp(talk(1, 30))
    async with app.run_test(size=SIZE) as pilot:
        app.set_focus(None)
        await click(pilot, app, "message 20")
        assert app.focused is None


async def test_own_messages_show_how_far_they_came_without_colour():
    states = [
        replace(said(number, own=True, nick="me"), delivery=delivery)
        for number, delivery in enumerate((DeliveryState.SENT, DeliveryState.PENDING, DeliveryState.FAILED), 1)
    ]
    app = TimelineApp(states)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        shown = [row for row in app.rows() if "message" in row]
        assert [mark for row, mark in zip(shown, "✓…✗", strict=True) if f" {mark} message" in row] == list("✓…✗")
        assert any("not sent — retry" in row for row in app.rows())
