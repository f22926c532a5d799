"""Announcements of actions and files."""

from dataclasses import replace as replace_field

import pytest
from msgspec.structs import replace

from tests.support.fake_room import FakeRoom
from tui_chat.protocol.events import Attachment, Message
from tui_chat.protocol.search_query import SearchQuery
from tui_chat.screen_reader import speech
from tui_chat.session import i18n
from tui_chat.session.i18n import Language
from tui_chat.session.notification_batcher import NotifiableMessage
from tui_chat.session.room_view import RoomView
from tui_chat.session.search_state import build_hit


def view_with(*messages: Message) -> RoomView:
    """Return the view of a room with messages from `seq` 1 on."""
    room = FakeRoom("tea").join()
    for message in messages:
        room.log.apply_push(message)
    return RoomView(room)


def test_actions_are_announced_without_their_command_and_with_edit_mark_and_files() -> None:
    action = Message("tea", 1, 1, "ann", "g1", "/me waves", 0)
    edited_action = Message("tea", 1, 1, "ann", "g1", "/me waves", 0, edited=2)
    assert speech.message_text(action) == "ann waves"
    assert speech.message_text(edited_action) == "ann waves (edited)"
    file = Attachment(id="u1", name="a.txt", type="text/plain", size=5, path="")
    action_with_file = replace(action, attachments=[file])
    assert speech.message_text(action_with_file) == "ann waves\nWith the file a.txt, text/plain, 5 B"
    assert build_hit(action_with_file, SearchQuery("waves")).excerpt == "waves [file a.txt · text/plain · 5 B]"
    view = view_with(action, replace(action_with_file, seq=2))
    for is_mention in (False, True):
        notification = NotifiableMessage(view, "ann", "/me waves", is_mention, seq=1)
        assert speech.other_room_message_text(notification) == "In tea, ann waves"
        with_file = speech.other_room_message_text(replace_field(notification, seq=2))
        assert with_file == "In tea, ann waves\nWith the file a.txt, text/plain, 5 B"


def test_files_are_announced_as_sentences_that_no_text_imitates(request: pytest.FixtureRequest) -> None:
    image = Attachment(id="u1", name="plot.png", type="image/png", size=1024, path="", width=40, height=30)
    video = Attachment(id="u2", name="a.mp4", type="video/mp4", size=5, path="", poster="/p")
    message = Message("tea", 1, 1, "ann", "g1", "", 0, attachments=[image, video])
    files = "the image plot.png, 40 by 30 pixels, 1.0 KiB; the video a.mp4, video/mp4, 5 B, with cover"
    assert speech.message_text(message) == f"ann sends {files}"
    notification = NotifiableMessage(view_with(message), "ann", "", is_mention=False, seq=1)
    assert speech.other_room_message_text(notification) == f"In tea, ann sends {files}"
    assert (
        speech.other_room_message_text(replace_field(notification, seq=9, files=files)) == f"In tea, ann sends {files}"
    )
    with_text = replace(message, message="look\nWith the image", edited=2)
    assert speech.message_text(with_text) == f"ann says (edited): look\n    With the image\nWith {files}"
    request.addfinalizer(lambda: i18n.activate(Language.ENGLISH))
    i18n.activate(Language.CHINESE)
    chinese = "ann 发送了图片 plot.png，宽 40 高 30 像素，1.0 KiB；视频 a.mp4，video/mp4，5 B，有封面"
    assert speech.message_text(message) == chinese
