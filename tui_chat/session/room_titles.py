"""Display names of rooms that a search or a list of messages mentions."""

from tui_chat.protocol import names
from tui_chat.session.chat_session import ChatSession
from tui_chat.session.strings import chat as chat_strings


def find_room_title(session: ChatSession, name: str) -> str:
    """Return the title of an open room or of a closed room of the account, otherwise the result of `room_label`."""
    key = names.canonical_key(name)
    closed_rooms = (room for room in session.closed_rooms if names.canonical_key(room.name) == key)
    room = session.find_room(name) or next(closed_rooms, None)
    return room.title if room is not None else chat_strings.room_label(name)
