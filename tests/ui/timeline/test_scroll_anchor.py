"""Scroll position: anchored to a line when scrolled up, otherwise following the bottom."""

from datetime import UTC, datetime

from msgspec.structs import replace
from textual.events import MouseEvent, MouseScrollDown, MouseScrollUp
from textual.scrollbar import ScrollTo

from tests.support.timeline_app import START_TS, TimelineApp, make_append, make_message, make_messages
from tui_chat.client.sanitize import MAX_TIMESTAMP
from tui_chat.session.lines import DeliveryState, GapLine, Splice, UnreadLine
from tui_chat.ui.timeline.messages import FollowChanged, GapRequested, OlderMessagesRequested
from tui_chat.ui.timeline.virtual_list import ScrollPosition
from tui_chat.ui.timeline.widget import Timeline

SIZE = (80, 21)  # 20 rows of timeline


def row_of(app: TimelineApp, text: str) -> int:
    return next(row for row, row_text in enumerate(app.rendered_rows()) if row_text.endswith(text))


async def test_a_new_room_starts_at_the_bottom():
    app = TimelineApp(make_messages(1, 100))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        assert app.rendered_rows()[-1].endswith("message 100")
        assert app.timeline.is_at_bottom


async def test_a_short_timeline_is_aligned_to_the_bottom():
    app = TimelineApp(make_messages(1, 3))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        assert [row for row in app.rendered_rows() if row][-1].endswith("message 3")
        assert app.rendered_rows()[0] == ""


async def test_the_view_follows_new_lines_at_the_bottom():
    app = TimelineApp(make_messages(1, 100))
    async with app.run_test(size=SIZE) as pilot:
        app.splice(make_append(app.timeline, *make_messages(101, 105)))
        await pilot.pause()
        assert app.rendered_rows()[-1].endswith("message 105")
        assert app.timeline.new_message_count == 0


async def test_new_lines_are_counted_and_do_not_move_a_scrolled_view():
    app = TimelineApp(make_messages(1, 100))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("pageup", "pageup")
        before = app.rendered_rows()
        app.timeline.splice_many(
            [
                make_append(app.timeline, make_message(101), make_message(102)),
                Splice(102, 0, (make_message(103, own=True), make_message(104))),
            ]
        )
        await pilot.pause()
        assert app.rendered_rows() == before
        assert app.timeline.new_message_count == 3
        await pilot.press("end")
        assert app.rendered_rows()[-1].endswith("message 104")
        assert app.timeline.new_message_count == 0


async def test_new_messages_are_not_counted_after_they_scroll_into_view():
    app = TimelineApp(make_messages(1, 100))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("up", "up", "up", "up", "up")
        app.splice(make_append(app.timeline, *make_messages(101, 110)))
        assert app.timeline.new_message_count == 10
        await pilot.press(*["down"] * 9)
        assert app.timeline.new_message_count == 6


async def test_a_changed_message_is_not_counted_as_new():
    app = TimelineApp(make_messages(1, 100))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("pageup")
        app.splice(make_append(app.timeline, make_message(101)))
        app.splice(Splice(100, 1, (make_message(101, "changed"),)))
        await pilot.pause()
        assert app.timeline.new_message_count == 1


async def test_prepended_history_does_not_move_the_view():
    app = TimelineApp(make_messages(101, 200))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press(*["pageup"] * 4, "up", "up")
        before = app.rendered_rows()
        long_text = "word " * 40
        app.splice(Splice(0, 0, tuple(make_message(number, long_text) for number in range(1, 101))))
        await pilot.pause()
        assert app.rendered_rows() == before


async def test_prepended_history_of_the_same_day_removes_the_date_row_without_moving_the_text():
    app = TimelineApp(make_messages(101, 200))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("home")
        row = row_of(app, "message 105")
        assert "November" in app.rendered_rows()[0]
        app.splice(Splice(0, 0, tuple(make_messages(1, 100))))
        await pilot.pause()
        assert row_of(app, "message 105") == row
        assert app.rendered_rows()[0].endswith("message 100")


async def test_a_growing_line_above_does_not_move_the_view():
    app = TimelineApp(make_messages(1, 100))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("pageup", "pageup")
        before = app.rendered_rows()
        app.splice(Splice(10, 1, (make_message(11, "grown\n" * 9),)))
        await pilot.pause()
        assert app.rendered_rows() == before


async def test_the_first_visible_line_stays_at_the_top_after_a_resize():
    text = "start " + "word " * 18
    app = TimelineApp([make_message(number, f"{number} {text}") for number in range(1, 200)])
    async with app.run_test(size=(140, 21)) as pilot:
        await pilot.press(*["pageup"] * 3)
        top = next(row for row in app.rendered_rows() if " start" in row).split("start")[0].split()[-1]
        for width in (70, 45, 140):
            await pilot.resize_terminal(width, 21)
            await pilot.pause()
            assert any(f" {top} start" in row for row in app.rendered_rows()[:3])


async def test_a_message_taller_than_the_view_keeps_its_first_row_after_a_resize():
    text = " ".join(f"word{number}" for number in range(1000))
    failed = replace(make_message(2, text), delivery=DeliveryState.FAILED)
    app = TimelineApp([make_message(1), failed, make_message(3)])
    async with app.run_test(size=(140, 21)) as pilot:
        await pilot.press("pageup", "pageup")
        word = app.rendered_rows()[0].split()[0]
        for width in (70, 45, 140):
            await pilot.resize_terminal(width, 21)
            await pilot.pause()
            assert word in app.rendered_rows()[0].split()


async def test_the_view_stays_at_the_bottom_after_a_resize():
    app = TimelineApp([make_message(number, f"{number} " + "words " * 30) for number in range(1, 200)])
    async with app.run_test(size=(140, 21)) as pilot:
        for size in ((60, 30), (45, 10), (140, 40)):
            await pilot.resize_terminal(*size)
            await pilot.pause()
            assert app.timeline.is_at_bottom
            assert app.rendered_rows()[-1].endswith("words")


async def test_pages_overlap_by_one_row():
    app = TimelineApp(make_messages(1, 200))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        first = app.rendered_rows()
        await pilot.press("pageup")
        assert app.rendered_rows()[-1] == first[0]
        await pilot.press("pagedown")
        assert app.rendered_rows() == first


async def test_scrolling_up_through_unmeasured_lines_shows_every_message():
    texts = [f"{number} " + "word " * (number * 7 % 60) for number in range(1, 120)]
    app = TimelineApp([make_message(number, text) for number, text in enumerate(texts, 1)])
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        top_rows: list[str] = []
        timeline = app.timeline
        while True:
            timeline.action_cursor_up()
            top = app.rendered_rows()[0]
            if timeline.scroll_y == 0:
                break
            top_rows.append(top)
        numbers = [int(row.split()[2]) for row in top_rows if row[1:3].isdigit()]
        assert numbers == sorted(numbers, reverse=True)
        assert set(numbers) >= set(range(2, 100))


async def test_the_mouse_wheel_and_the_scrollbar_move_the_view():
    app = TimelineApp(make_messages(1, 1000))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        timeline = app.timeline
        bottom = app.rendered_rows()
        timeline.post_message(wheel_event(MouseScrollUp, timeline))
        await pilot.pause()
        assert app.rendered_rows()[3:] == bottom[:-3]
        timeline.post_message(wheel_event(MouseScrollDown, timeline))
        await pilot.pause()
        assert app.rendered_rows() == bottom
        timeline.vertical_scrollbar.post_message(ScrollTo(y=500))
        await pilot.pause()
        assert app.rendered_rows()[0].endswith("message 501")
        timeline.vertical_scrollbar.post_message(ScrollTo(y=timeline.max_scroll_y))
        await pilot.pause()
        assert timeline.is_at_bottom


def wheel_event(event_type: type[MouseEvent], timeline: Timeline) -> MouseEvent:
    return event_type(timeline, 5, 5, 0, 0, 0, False, False, False)


async def test_scroll_to_key_shows_the_line_and_returns_false_for_unknown_keys():
    app = TimelineApp(make_messages(1, 1000))
    async with app.run_test(size=SIZE) as pilot:
        assert app.timeline.scroll_to_key("m400")
        await pilot.pause()
        assert row_of(app, "message 400") == 6
        assert not app.timeline.scroll_to_key("m5000")


async def test_a_saved_scroll_position_is_restored():
    app = TimelineApp(make_messages(1, 100))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("pageup", "up")
        before, position = app.rendered_rows(), app.timeline.get_scroll_position()
        app.timeline.set_lines(make_messages(500, 600))
        app.timeline.set_lines([*make_messages(1, 100), make_message(101)], position=position)
        await pilot.pause()
        assert app.rendered_rows() == before
        app.splice(Splice(101, 0, (make_message(102),)))
        assert app.timeline.new_message_count == 1


async def test_a_saved_bottom_position_is_restored_at_the_new_bottom():
    app = TimelineApp(make_messages(1, 100))
    async with app.run_test(size=SIZE) as pilot:
        position = app.timeline.get_scroll_position()
        app.timeline.set_lines(make_messages(1, 150), position=position)
        await pilot.pause()
        assert app.rendered_rows()[-1].endswith("message 150")


async def test_a_position_whose_line_was_removed_is_restored_by_timestamp():
    app = TimelineApp()
    async with app.run_test(size=SIZE) as pilot:
        app.timeline.set_lines(make_messages(1, 100), position=ScrollPosition("gone", 0, make_message(50).ts))
        await pilot.pause()
        assert app.rendered_rows()[0].endswith("message 50")


async def test_older_history_is_requested_once_until_the_top_changes():
    app = TimelineApp(make_messages(101, 200))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("pageup")
        assert not app.messages_of_type(OlderMessagesRequested)
        await pilot.press("home", "down", "home", "pagedown", "pageup", "end", "home")
        assert len(app.messages_of_type(OlderMessagesRequested)) == 1
        app.splice(Splice(0, 0, tuple(make_messages(51, 100))))
        await pilot.press("home")
        assert len(app.messages_of_type(OlderMessagesRequested)) == 2


async def test_older_history_is_requested_again_after_a_reset():
    app = TimelineApp(make_messages(101, 200))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("home")
        app.timeline.reset_requests()
        await pilot.press("down")
        assert len(app.messages_of_type(OlderMessagesRequested)) == 2


async def test_a_visible_gap_is_requested_exactly_once():
    app = TimelineApp([*make_messages(1, 50), GapLine("gap", 50, 151), *make_messages(151, 250)])
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        assert not app.messages_of_type(GapRequested)
        app.timeline.scroll_to_key("gap")
        await pilot.press("down", "up")
        assert [gap.after for gap in app.messages_of_type(GapRequested)] == [50]
        assert any("100 messages not loaded" in row for row in app.rendered_rows())


async def test_filling_a_gap_does_not_move_the_lines_above():
    app = TimelineApp([*make_messages(1, 50), GapLine("gap", 50, 151), *make_messages(151, 250)])
    async with app.run_test(size=SIZE) as pilot:
        app.timeline.scroll_to_key("gap")
        await pilot.pause()
        row = row_of(app, "message 50")
        app.splice(Splice(50, 1, tuple(make_messages(51, 150))))
        await pilot.pause()
        assert row_of(app, "message 50") == row
        assert app.rendered_rows()[row + 1].endswith("message 51")
        assert app.timeline.new_message_count == 0


async def test_leaving_and_reaching_the_bottom_emits_follow_changed():
    app = TimelineApp(make_messages(1, 100))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("pageup", "pageup", "end")
        assert [event.is_following for event in app.messages_of_type(FollowChanged)] == [
            False,
            True,
        ]


async def test_a_cleared_timeline_accepts_new_lines():
    app = TimelineApp(make_messages(1, 100))
    async with app.run_test(size=SIZE) as pilot:
        app.timeline.set_lines(())
        await pilot.press("pageup", "home", "end")
        assert not any(app.rendered_rows())
        app.splice(Splice(0, 0, (make_message(1), UnreadLine())))
        await pilot.pause()
        assert "new" in app.rendered_rows()[-1]


async def test_messages_with_extreme_timestamps_are_rendered():
    app = TimelineApp([make_message(1, ts=0), make_message(2, ts=MAX_TIMESTAMP)])
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        assert app.rendered_rows()[-1].endswith("message 2")


async def test_date_rows_use_the_time_zone_of_the_timeline():
    midnight = int(datetime(2026, 11, 20, 23, 59, 30, tzinfo=UTC).timestamp() * 1000)
    app = TimelineApp(
        [make_message(1, ts=START_TS), make_message(2, ts=midnight), make_message(3, ts=midnight + 60_000)]
    )
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        dates = [row.strip() for row in app.rendered_rows() if "2026" in row]
        assert dates == ["── Friday, 20 November 2026 ──", "── Saturday, 21 November 2026 ──"]
