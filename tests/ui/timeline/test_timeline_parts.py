"""Parts of the timeline without a terminal: virtual list, cursor, selection, history requests and strip cache."""

from datetime import UTC

from rich.style import Style
from textual.geometry import Offset, Size
from textual.message import Message
from textual.selection import Selection

from tests.support.timeline_app import make_message, make_messages
from tui_chat.session.lines import GapLine, Line, NoticeLine, Splice, UnreadLine
from tui_chat.ui.timeline.decoration import Decoration
from tui_chat.ui.timeline.history_requests import HistoryRequests
from tui_chat.ui.timeline.layout import TimelineGeometry, layout_line
from tui_chat.ui.timeline.line_renderer import LineRenderer
from tui_chat.ui.timeline.message_cursor import MessageCursor
from tui_chat.ui.timeline.messages import GapRequested, OlderMessagesRequested
from tui_chat.ui.timeline.strip_cache import StripCache
from tui_chat.ui.timeline.styles import TimelineStyles
from tui_chat.ui.timeline.text_selection import SelectedRange, TextSelection
from tui_chat.ui.timeline.virtual_list import ScrollPosition, VirtualList


def make_list(lines: list[Line], width: int = 80, height: int = 10) -> VirtualList:
    virtual_list = VirtualList(UTC)
    virtual_list.set_lines(lines)
    virtual_list.resize(Size(width, height))
    virtual_list.viewport.update()
    return virtual_list


def test_a_saved_scroll_position_is_restored_by_key_and_else_by_time():
    virtual_list = make_list(make_messages(1, 100))
    virtual_list.viewport.scroll_by(-30)
    virtual_list.viewport.update()
    position = virtual_list.get_scroll_position()
    assert position.key == "m61"
    virtual_list.set_lines(make_messages(1, 200), position)
    virtual_list.viewport.update()
    assert virtual_list.get_scroll_position() == position
    virtual_list.set_lines([*make_messages(1, 60), *make_messages(70, 200)], position)
    virtual_list.viewport.update()
    assert virtual_list.get_scroll_position().key == "m70"
    lines = make_messages(1, 200)
    lines.insert(100, UnreadLine())
    virtual_list.set_lines(lines, ScrollPosition("unread"))
    virtual_list.viewport.update()
    position = virtual_list.get_scroll_position()
    assert position.key == "unread"
    virtual_list.set_lines(make_messages(1, 200), position)
    virtual_list.viewport.update()
    assert virtual_list.get_scroll_position().key == "m101"


def test_a_list_in_follow_mode_has_no_anchor_line():
    assert make_list(make_messages(1, 100)).get_scroll_position() == ScrollPosition(None)


def test_a_narrower_list_keeps_the_top_row_of_a_long_message():
    text = " ".join(f"word{number}" for number in range(500))
    virtual_list = make_list([make_message(1, text)])
    virtual_list.viewport.scroll_by(-20)
    virtual_list.viewport.update()
    _, row = virtual_list.viewport.visible_rows[0]
    start = virtual_list.layout(0).rows[row].start
    assert virtual_list.resize(Size(50, 10))
    virtual_list.viewport.update()
    _, row = virtual_list.viewport.visible_rows[0]
    assert virtual_list.layout(0).rows[row].start <= start < virtual_list.layout(0).rows[row].end


def test_rows_are_aligned_with_the_bottom_of_the_view():
    virtual_list = make_list(make_messages(1, 2))
    assert virtual_list.row_at(6) is None
    assert virtual_list.row_at(7) == (0, 0)
    assert virtual_list.row_at(9) == (1, 0)
    assert virtual_list.row_at(10) is None


def make_cursor(virtual_list: VirtualList) -> tuple[MessageCursor, list[str | None]]:
    moves: list[str | None] = []
    return MessageCursor(virtual_list.viewport, moves.append), moves


def test_the_cursor_reports_each_new_key_once():
    cursor, moves = make_cursor(make_list([make_message(1), NoticeLine("n", 0, "bob joined"), make_message(2)]))
    assert not cursor.move(-1)
    cursor.show()
    assert cursor.move(-1)
    assert cursor.move(-1)
    cursor.hide()
    cursor.hide()
    assert moves == ["m2", "m1", None]


def test_the_cursor_follows_its_line_through_replacements_and_insertions():
    virtual_list = make_list(make_messages(1, 20))
    cursor, moves = make_cursor(virtual_list)
    cursor.move_to(4)
    for change, replaced_keys in (
        (Splice(0, 0, (make_message(100),)), []),
        (Splice(4, 2, (make_message(101), make_message(5, "changed"), make_message(102))), ["m4", "m5"]),
    ):
        virtual_list.viewport.splice(change)
        cursor.apply_splice(change, replaced_keys)
    cursor.update_key()
    assert (cursor.index, cursor.key) == (5, "m5")
    assert moves == ["m5"]


def test_the_cursor_is_hidden_when_a_notice_takes_the_place_of_its_line():
    virtual_list = make_list(make_messages(1, 3))
    cursor, moves = make_cursor(virtual_list)
    cursor.move_to(2)
    change = Splice(2, 1, (NoticeLine("n", 0, "bob left"),))
    virtual_list.viewport.splice(change)
    cursor.apply_splice(change, ["m3"])
    cursor.update_key()
    assert cursor.index is None
    assert moves == ["m3", None]


def test_selected_lines_keep_their_numbers_after_changes_above():
    selection, selected = TextSelection(), Selection(Offset(0, 5), Offset(7, 5))
    assert not selection.apply_splice(Splice(0, 2, ()), selected, 0)
    assert selection.line_number(3) == 5
    assert selection.selected_range(selected, 3) == SelectedRange(0, 7)
    assert selection.selected_range(selected, 4) is None
    assert selection.copy(make_messages(3, 20), selected, lambda ts: "") == "message"


def test_an_insertion_between_selected_lines_invalidates_the_selection():
    selection, selected = TextSelection(), Selection(Offset(0, 5), Offset(7, 8))
    assert not selection.apply_splice(Splice(7, 1, (make_message(99),)), selected, 0)
    assert selection.apply_splice(Splice(7, 0, (make_message(100),)), selected, 0)


def test_visible_gaps_and_older_history_are_requested_once():
    posted: list[Message] = []
    virtual_list = make_list([make_message(9), GapLine("gap", 9, 12), make_message(12)])
    requests = HistoryRequests(virtual_list.viewport, posted.append)
    requests.request_visible()
    requests.request_visible()
    assert [type(message) for message in posted] == [OlderMessagesRequested, GapRequested]
    requests.reset()
    requests.request_visible()
    assert len(posted) == 4


def test_a_row_is_rendered_again_only_after_a_change_of_its_layout_or_renderer():
    created: list[LineRenderer] = []
    geometry = TimelineGeometry.for_width(80)
    style = Style(color="white", bgcolor="black")
    parts = {name: style for name in TimelineStyles.__slots__ if name != "nick_style"}

    def create_renderer() -> LineRenderer:
        created.append(LineRenderer(geometry, TimelineStyles(**parts, nick_style=lambda nick: style)))
        return created[-1]

    strips = StripCache(create_renderer)
    layout, changed_layout = (
        layout_line(make_message(1, text), Decoration(time="09:01"), geometry) for text in ("first", "changed")
    )
    strip = strips.render_row(layout, 0, 0, False, None)
    assert strips.render_row(layout, 0, 0, False, None) is strip
    assert strips.render_row(layout, 0, 0, True, None).text.startswith("▌")
    assert strips.render_row(layout, 0, 0, False, SelectedRange(0, 3)) is not strip
    assert "changed" in strips.render_row(changed_layout, 0, 0, False, None).text
    strips.invalidate()
    assert strips.render_row(layout, 0, 0, False, None).text == strip.text
    assert len(created) == 2
