"""Completion of the text before the cursor of the composer, with unlisted members of large rooms."""

from collections.abc import Callable, Sequence

from tui_chat.session.commands.completion import Completion, complete, nick_query
from tui_chat.session.room_view import RoomView
from tui_chat.session.server_link import ServerLink
from tui_chat.session.upload_permission import unavailable_commands
from tui_chat.ui.screens.chat_view import ChatView


class ComposerCompletion:
    """Completion in the current room."""

    def __init__(self, view: ChatView, server_link: ServerLink, known_rooms: Callable[[], Sequence[str]]) -> None:
        self._view = view
        self._server_link = server_link
        self._known_rooms = known_rooms

    def complete(self, text_before_cursor: str) -> Completion | None:
        """Return the completion of known members, rooms and commands, None without one.

        For None after a part of a nickname in a room with unlisted members, members with this part are loaded. After
        their arrival, the composer inserts the first completion if room and text before the cursor are unchanged.
        """
        room = self._view.session.current_room
        completion = self._complete_known(text_before_cursor)
        query = nick_query(text_before_cursor) if completion is None else ""
        if query and room is not None and room.member_count > len(room.members):
            self._server_link.load_members(
                room.name, query, lambda: self._complete_after_load(room, text_before_cursor)
            )
        return completion

    def _complete_known(self, text_before_cursor: str) -> Completion | None:
        """Return the completion of known members, rooms and commands, without a request."""
        room = self._view.session.current_room
        return complete(
            text_before_cursor,
            room.other_nicks if room is not None else (),
            self._known_rooms(),
            hidden_commands=unavailable_commands(room.room) if room is not None else (),
        )

    def _complete_after_load(self, room: RoomView, text_before_cursor: str) -> None:
        """Insert the first completion, if any, unless room or text before the cursor have changed."""
        composer = self._view.composer
        is_unchanged = composer.get_text_range((0, 0), composer.cursor_location) == text_before_cursor
        if (
            is_unchanged
            and room is self._view.session.current_room
            and self._complete_known(text_before_cursor) is not None
        ):
            composer.action_complete(1)
