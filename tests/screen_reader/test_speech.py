"""Announcements of action messages."""

from msgspec.structs import replace

from tui_chat.protocol.events import Attachment, Message
from tui_chat.protocol.search_query import SearchQuery
from tui_chat.screen_reader import speech
from tui_chat.session.search_state import build_hit


def test_actions_are_announced_without_their_command_and_with_edit_mark_and_files() -> None:
    action = Message("tea", 1, 1, "ann", "g1", "/me waves", 0)
    edited_action = Message("tea", 1, 1, "ann", "g1", "/me waves", 0, edited=2)
    assert speech.message_text(action) == "ann waves"
    assert speech.message_text(edited_action) == "ann waves (edited)"
    file = Attachment(id="u1", name="a.txt", type="text/plain", size=5, path="")
    action_with_file = replace(action, attachments=[file])
    assert speech.message_text(action_with_file) == "ann waves\n    [file a.txt · text/plain · 5 B]"
    assert build_hit(action_with_file, SearchQuery("waves")).excerpt == "waves [file a.txt · text/plain · 5 B]"
    for is_mention in (False, True):
        assert speech.other_room_message_text("tea", "ann", "/me waves", is_mention) == "In tea, ann waves"
