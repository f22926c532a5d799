from tui_chat.protocol.events import Message
from tui_chat.screen_reader import speech


def test_actions_are_announced_without_their_command() -> None:
    action = Message("tea", 1, 1, "ann", "g1", "/me waves", 0)
    edited_action = Message("tea", 1, 1, "ann", "g1", "/me waves", 0, edited=2)
    assert speech.message_text(action) == "ann waves"
    assert speech.message_text(edited_action) == "ann waves (edited)"
    for is_mention in (False, True):
        assert speech.other_room_message_text("tea", "ann", "/me waves", is_mention) == "In tea, ann waves"
