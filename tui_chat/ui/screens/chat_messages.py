"""The chat screen, as far as it is about one message: pick it, answer, change, take back, react, send again.

Rule 1  What is written about a message stays with its room, and says so above the composer.
Rule 2  What was being written before comes back when that is done or left.
"""

from collections.abc import Callable
from dataclasses import replace

from textual import on

from server.protocol.errors import ChatError
from tui_chat.client.events import OutboxItemChanged
from tui_chat.client.posting import OutboxItem
from tui_chat.session import refusals, setting_words, words
from tui_chat.session.language import tr
from tui_chat.session.lines import DeliveryState, MessageLine
from tui_chat.session.room_view import MAX_QUOTE_LENGTH, RoomView
from tui_chat.session.session import ChatSession
from tui_chat.session.writing import ComposeKind, ComposeMode, resolve_emoji
from tui_chat.ui.app_of import app_of
from tui_chat.ui.connection import Connection
from tui_chat.ui.keys import Place
from tui_chat.ui.links import open_link
from tui_chat.ui.screens.chat_view import WRITING, ChatView
from tui_chat.ui.screens.link import LinkScreen
from tui_chat.ui.widgets.timeline.links import find_hyperlinks
from tui_chat.ui.widgets.timeline.messages import CursorMoved, MessageActivated, RetryRequested


class MessageActions(ChatView):
    """What the chat screen shows, and what one can do with one message of it.

    Attributes:
        connection: The server.
    """

    def __init__(self, session: ChatSession, connection: Connection) -> None:
        """Make it.

        Args:
            session: What there is to show.
            connection: The server.
        """
        super().__init__(session)
        self.connection = connection
        self._delete_asked: str | None = None

    def problem(self, problem: str) -> None:
        """Say what is wrong, until something is typed."""
        self.status.show_problem(problem)

    def told(self, word: str) -> None:
        """Say what was done or is going on, until something is typed."""
        self.status.show_told(word)

    def action_pick(self) -> None:
        """Put the cursor on the last message in view."""
        self.timeline.action_show_cursor()
        if self.timeline.cursor_key is not None:
            self.set_focus(self.timeline)  # at once: the next key may be here already

    @on(CursorMoved)
    def _picked(self, event: CursorMoved) -> None:
        if event.key != self._delete_asked:
            self._delete_asked = None
        self.key_bar.show(*(WRITING if event.key is None else (Place.PICKING,)))
        if event.key is None:
            self.composer.focus()

    @on(MessageActivated)
    def _chosen(self, event: MessageActivated) -> None:
        view = self.session.current_room
        line = self.timeline.lines.get(event.key)
        if view is not None and isinstance(line, MessageLine) and line.seq is not None:
            if line.reply_to is not None:
                self.go_to_answered(view, line.reply_to)
        else:
            self._send_again(event.key)

    @on(RetryRequested)
    def _retry(self, event: RetryRequested) -> None:
        self._send_again(event.key)

    def go_to_answered(self, view: RoomView, seq: int) -> None:
        """Show the message that one in this room answers."""
        raise NotImplementedError

    def _send_again(self, key: str) -> None:
        unsent = self.session.find_unsent_line(key)
        if unsent is not None:
            try:
                self.connection.retry(unsent[0].name, unsent[1])
            except ChatError as refusal:
                self.problem(refusals.describe(refusal))

    def action_copy_picked(self) -> None:
        """Copy the picked message."""
        line = self._picked_line()
        if line is not None:
            self.told(tr(words.COPIED))
            app_of(self).copy_to_clipboard(line.text)  # which may say more
            self.timeline.set_cursor(None)

    def action_mention_picked(self) -> None:
        """Write to who said the picked message."""
        line = self._picked_line()
        if line is not None:
            self.timeline.set_cursor(None)
            self.composer.add(f"{line.nick}: " if not self.composer.text else f"{line.nick} ")

    def action_reply_picked(self) -> None:
        """Answer the picked message; send it again when it was not sent."""
        line = self._picked_line()
        if line is not None and line.delivery in (DeliveryState.FAILED, DeliveryState.UNCONFIRMED):
            self._send_again(line.key)
        elif line is not None:
            self._say_problem(self.reply(line, ""))

    def action_edit_picked(self) -> None:
        """Change the picked message; write it anew when it was not sent."""
        line = self._picked_line()
        if line is not None and line.seq is None:
            if self._drop(line):
                self.composer.add(line.text)
        elif line is not None:
            self._say_problem(self.edit(line, ""))

    def action_delete_picked(self) -> None:
        """Take the picked message back, when asked twice; at once when it was not sent."""
        line = self._picked_line()
        if line is None or line.deleted:
            return
        if line.seq is None:
            self._drop(line)
        elif not line.is_own:
            self.problem(tr(words.NOT_OWN_MESSAGE))
        elif self._delete_asked != line.key:
            self._delete_asked = line.key
            self.told(tr(words.CONFIRM_DELETE))
        else:
            seq = line.seq
            self.timeline.set_cursor(None)
            self._say_problem(self.post(lambda room: self.connection.delete(room, seq)))
            self.draw()

    def action_react_picked(self) -> None:
        """Put an emoji under the picked message."""
        line = self._picked_line()
        if line is not None:
            self._say_problem(self.react(line, ""))

    def action_open_picked(self) -> None:
        """Show where the addresses in the picked message lead, to open one."""
        line = self._picked_line()
        urls = [] if line is None or line.deleted else [link.url for link in find_hyperlinks(line.text)]
        if urls:
            self.timeline.set_cursor(None)
            self.show_links(list(dict.fromkeys(urls)))
        elif line is not None:
            self.problem(tr(setting_words.NO_LINK))

    def show_links(self, urls: list[str]) -> None:
        """Show where these addresses lead; one of them can be opened then."""
        app_of(self).push_screen(LinkScreen(urls), self._link_chosen)

    def _link_chosen(self, url: str | None) -> None:
        if url is not None:
            self.told(open_link(url, app_of(self)))

    # What is written about a message.

    def reply(self, line: MessageLine | None, text: str) -> str:
        """Answer a message, with this text or what is written next; why not, empty when that can be."""
        if line is None or line.seq is None:
            return tr(words.NO_SUCH_MESSAGE)
        if text:
            return self.written(ComposeMode(ComposeKind.REPLY, line.seq, ""), text)
        about = words.quote_line(line, MAX_QUOTE_LENGTH)
        self._begin(ComposeMode(ComposeKind.REPLY, line.seq, about), None)
        return ""

    def edit(self, line: MessageLine | None, text: str) -> str:
        """Change a message of yours, to this text or what is written next; why not, empty when that can be."""
        if line is None or line.seq is None or line.deleted:
            return tr(words.NO_SUCH_MESSAGE)
        if not line.is_own:
            return tr(words.NOT_OWN_MESSAGE)
        if text:
            return self.written(ComposeMode(ComposeKind.EDIT, line.seq, ""), text)
        shown = _as_typed(line)
        self._begin(ComposeMode(ComposeKind.EDIT, line.seq, "", shown), shown)
        return ""

    def react(self, line: MessageLine | None, text: str) -> str:
        """Put an emoji under a message: this one, or what is written next; why not, empty when that can be."""
        if line is None or line.seq is None or line.deleted:
            return tr(words.NO_SUCH_MESSAGE)
        if text:
            return self.written(ComposeMode(ComposeKind.REACT, line.seq, ""), text)
        self._begin(ComposeMode(ComposeKind.REACT, line.seq, ""), "")
        return ""

    def _begin(self, writing: ComposeMode, text: str | None) -> None:
        view = self.session.current_room
        if view is None:
            return
        self.stop_writing()
        view.compose_mode = replace(writing, put_aside=self.composer.text if text is not None else "")
        if text is not None:
            self.composer.write(text)
        self.timeline.set_cursor(None)
        self.composer.focus()
        self.status.show_problem("")
        self.show_writing()
        self.keep_draft()

    def stop_writing(self) -> bool:
        """What is written is a plain message again; False when it was one."""
        view = self.session.current_room
        if view is None or view.compose_mode is None:
            return False
        writing, view.compose_mode = view.compose_mode, None
        if writing.kind is not ComposeKind.REPLY:
            self.composer.write(writing.put_aside)
        self.show_writing()
        self.keep_draft()
        return True

    def written(self, writing: ComposeMode, text: str) -> str:
        """Do with a text what it was written for; why not, empty when it is on its way."""
        match writing.kind:
            case ComposeKind.REPLY:
                refused = self.post(lambda room: self.connection.post(room, text, writing.seq))
            case ComposeKind.EDIT:
                refused = self.post(lambda room: self.connection.edit(room, writing.seq, text))
            case ComposeKind.REACT:
                refused = self._react(writing.seq, resolve_emoji(text))
        if not refused:
            self.stop_writing()
        self.draw()
        return refused

    def _react(self, seq: int, emoji: str) -> str:
        view = self.session.current_room
        line = view.transcript.find_message(seq) if view is not None else None
        chosen = line is not None and any(each.is_own and each.emoji == emoji for each in line.reactions)
        return self.post(lambda room: self.connection.react(room, seq, emoji, not chosen))

    def up(self) -> bool:
        """In an empty composer, change your last message; once more, go on to what you sent before."""
        view = self.session.current_room
        if view is None:
            return False
        if view.compose_mode is not None and view.compose_mode.kind is not ComposeKind.REPLY:
            if self.composer.text == view.compose_mode.began:
                self.stop_writing()
                return False
            return True
        last = view.last_message(is_own=True)
        if (
            self.composer.text
            or view.compose_mode is not None
            or last is None
            or not view.input_history.ends_with(_as_typed(last))
        ):
            return False
        return not self.edit(last, "")

    def _say_problem(self, problem: str) -> None:
        if problem:
            self.problem(problem)

    def _drop(self, line: MessageLine) -> bool:
        """Take away what was not sent; False when it was, or is on its way right now."""
        unsent = self.session.find_unsent_line(line.key)
        dropped = self.connection.drop(unsent[0].name, unsent[1]) if unsent is not None else None
        if dropped is None:
            return False
        self.timeline.set_cursor(None)
        self.session.apply(OutboxItemChanged(dropped))
        self.draw()
        return True

    def _picked_line(self) -> MessageLine | None:
        key = self.timeline.cursor_key
        line = self.timeline.lines.get(key)
        return line if isinstance(line, MessageLine) else None

    def post(self, post: Callable[[str], OutboxItem]) -> str:
        """Post something into the shown room; why that cannot be, empty when it is on its way."""
        view = self.session.current_room
        if view is None:
            return tr(words.NOT_IN_A_ROOM)
        try:
            self.session.apply(OutboxItemChanged(post(view.name)))
        except ChatError as refusal:
            return refusals.describe(refusal)
        return ""


def _as_typed(line: MessageLine) -> str:
    return f"/{line.text}" if line.text.startswith("/") and not line.is_action else line.text
