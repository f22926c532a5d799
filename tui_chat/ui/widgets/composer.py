"""Where a message is written: several lines, readline keys, history, completion; Enter sends.

Rule 1  Only Enter sends. A paste is cleaned and put in, whatever it ends with.
Rule 2  A key that is pressed here shows at once: this widget runs the actions of its keys,
        and those of the screen, itself, and not when they have bubbled up to the app.
Rule 3  Nothing typed is lost: what cannot be sent stays, and walking or searching
        through what was sent comes back to what was being written.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from textual import events
from textual.message import Message
from textual.screen import Screen
from textual.signal import Signal
from textual.widgets import TextArea
from textual.widgets.text_area import Selection

from tui_chat.protocol import sanitize as texts
from tui_chat.protocol.limits import PACKET_BYTES
from tui_chat.session.commands.completion import Completion
from tui_chat.session.history_search import HistorySearch
from tui_chat.session.i18n import tr
from tui_chat.session.input_history import InputHistory
from tui_chat.session.paste import Paste
from tui_chat.session.strings import chat as chat_strings
from tui_chat.ui.app_of import app_of
from tui_chat.ui.input.keymap import Keymap
from tui_chat.ui.input.keys import KeyScope

_DEFAULT_KEYMAP = Keymap()


class Composer(TextArea, inherit_bindings=False):
    """The line at the bottom, which grows to a third of the screen.

    Attributes:
        sent: What Up, Down and Ctrl+R go through.
        paste_lines: Lines of a paste that go in without asking; 0 for all.
    """

    class BottomRequested(Message):
        """End was pressed where the caret was at the end already."""

    @dataclass
    class HistorySearchChanged(Message):
        """What was sent is being searched, or no longer.

        Attributes:
            shown: One line on what is searched for; empty at the end.
        """

        description: str

    @dataclass
    class LargePaste(Message):
        """A long paste came, and nothing was done with it.

        Attributes:
            text: All of it, cleaned.
        """

        text: str

    @dataclass
    class InputRejected(Message):
        """Something could not be put in.

        Attributes:
            problem: One sentence for a person.
        """

        problem: str

    def __init__(
        self,
        complete: Callable[[str], Completion | None],
        submit: Callable[[str], None],
        recall_previous: Callable[[], bool],
        keymap: Callable[[], Keymap] = lambda: _DEFAULT_KEYMAP,
    ) -> None:
        """Make it.

        Args:
            complete: What the text before the caret may become.
            submit: Takes what was written when Enter is pressed; nothing stands there then.
            up: Asked first when Up is pressed on the first row; true when it did something.
            keymap: The keys in force.
        """
        super().__init__(
            soft_wrap=True,
            tab_behavior="focus",
            compact=True,
            highlight_cursor_line=False,
            placeholder=tr(chat_strings.PLACEHOLDER_MESSAGE),
        )
        self.cursor_blink = False
        self.sent_history = InputHistory()
        self.paste_lines = 0
        self._complete = complete
        self._submit = submit
        self._recall_previous = recall_previous
        self._keymap = keymap
        self._completion_state: tuple[Completion, str] | None = None
        self._kill_buffer = ""
        self._history_search: HistorySearch | None = None

    @property
    def is_searching(self) -> bool:
        """What was sent is being searched."""
        return self._history_search is not None

    @property
    def draft(self) -> str:
        """What is being written; while what was sent is searched, what that comes back to."""
        return self.text if self._history_search is None else self._history_search.original_text

    def on_mount(self) -> None:
        """The terminal's cursor follows when others make this move."""
        layout_refreshed = cast("Signal[Screen[object]]", self.screen.screen_layout_refresh_signal)  # pyright: ignore[reportUnknownMemberType]
        # Later: a new size has to be taken in first.
        layout_refreshed.subscribe(self, lambda screen: self.call_later(self._update_terminal_cursor))

    def _update_terminal_cursor(self) -> None:
        # The base class puts it there when the caret moves in the text, not when the
        # text moves on the screen; input methods open their window at it.
        if self.has_focus and self.screen.is_current:
            app_of(self).cursor_position = self.cursor_screen_offset
            self.refresh()  # the cursor goes along with what is drawn, and by itself stays

    def set_text(self, text: str) -> None:
        """Put this there instead of what stands there, the caret behind it."""
        self._end_search()
        self.load_text(text)
        self.move_cursor(self.document.end)

    def insert_text(self, text: str) -> None:
        """Put this in where the caret is."""
        self.replace(text, *self.selection)

    def is_local_key(self, key: events.Key) -> bool:
        """Whether the key leads nowhere else, so that others may follow it at once (`KeyOrder`)."""
        return key.key in self._keymap().local_keys

    async def _on_key(self, event: events.Key) -> None:
        keymap = self._keymap()
        if self._history_search is not None:
            if (
                search_action := keymap.actions(KeyScope.HISTORY_SEARCH).get(event.key)
            ) is not None or event.is_printable:
                event.stop()
                event.prevent_default()
                await self._continue_search(search_action, event.character or "")
                return
            if event.key in keymap.actions(KeyScope.CHAT):
                self.action_search_cancel()
            else:
                self.action_search_accept()
        action = keymap.actions(KeyScope.COMPOSER).get(event.key)
        screen_action = keymap.actions(KeyScope.CHAT).get(event.key)
        if action is not None or screen_action is not None:
            event.stop()
            event.prevent_default()
            if action is not None:
                await self.run_action(action)
            elif screen_action is not None:
                await self.screen.run_action(screen_action)
        elif not event.key.startswith("alt+"):  # whose letter the base class would put in
            await super()._on_key(event)

    async def _on_paste(self, event: events.Paste) -> None:
        event.stop()
        event.prevent_default()
        text = texts.sanitize_body(event.text).rstrip("\n")
        if self._history_search is not None:
            await self._continue_search(None, text)
            return
        if len(text) > PACKET_BYTES:
            self.post_message(self.InputRejected(chat_strings.paste_too_large(len(text))))
        elif Paste(text).needs_confirmation(self.paste_lines):
            self.post_message(self.LargePaste(text))
        elif text:
            self.insert_text(text)

    def action_submit(self) -> None:
        """Send, or do the command."""
        text = self.text
        self.set_text("")
        self._submit(text)

    def action_newline(self) -> None:
        """Begin a new line."""
        self.insert_text("\n")

    def action_up(self) -> None:
        """The line above, or what was sent before."""
        if self.navigator.is_first_wrapped_line(self.cursor_location):
            previous_text = self.text
            if self._recall_previous():
                return
            older = self.sent_history.older(self.text)
            if older == previous_text != self.text:
                older = self.sent_history.older(self.text) or older  # it was shown to be changed, and is not new
            self._show_history_entry(older)
        else:
            self.action_cursor_up()

    def action_down(self) -> None:
        """The line below, or what was sent after."""
        if self.navigator.is_last_wrapped_line(self.cursor_location):
            self._show_history_entry(self.sent_history.newer())
        else:
            self.action_cursor_down()

    def action_search_history(self) -> None:
        """Search what was sent."""
        self._history_search = HistorySearch(self.sent_history.texts, self.text)
        self._show_search()

    def action_search_older(self) -> None:
        """The match before."""
        if self._history_search is not None:
            self._history_search.older()

    def action_search_newer(self) -> None:
        """The match after."""
        if self._history_search is not None:
            self._history_search.newer()

    def action_search_erase(self) -> None:
        """Take the last letter of the query back."""
        if self._history_search is not None:
            self._history_search.backspace()

    def action_search_accept(self) -> None:
        """What was found stands in the composer; Down leads back to what was being written."""
        search = self._history_search
        if search is not None:
            self._end_search()
            self.sent_history.set_position(search.steps_back, search.original_text)
            self.move_cursor(self.document.end)

    def action_search_cancel(self) -> None:
        """Back to what was being written."""
        if self._history_search is not None:
            self.set_text(self._history_search.original_text)

    async def _continue_search(self, action: str | None, text: str) -> None:
        search = self._history_search
        if action is not None:
            await self.run_action(action)
        elif search is not None:
            search.append(text)
        if self._history_search is not None:
            self._show_search()

    def _show_search(self) -> None:
        search = self._history_search
        if search is None:
            return
        if self.text != search.text:
            self.load_text(search.text)
        span = search.match_span or (len(search.text),) * 2
        start, end = (_location_at(search.text, index) for index in span)
        self.selection = Selection(start, end)
        self.post_message(self.HistorySearchChanged(chat_strings.history_search_prompt(search.query, search.failed)))

    def _end_search(self) -> None:
        if self._history_search is not None:
            self._history_search = None
            self.post_message(self.HistorySearchChanged(""))

    def action_line_end(self) -> None:
        """The end of the line; from there, the newest message."""
        if self.cursor_at_end_of_line:
            self.post_message(self.BottomRequested())
        else:
            self.action_cursor_line_end()

    def action_kill_word_left(self) -> None:
        """Cut the word before the caret (back to a space, as readline does)."""
        row, column = self.cursor_location
        before = self.document[row][:column]
        if not before and row:
            self._cut_range((row - 1, len(self.document[row - 1])), (row, column))
            return
        stripped = before.rstrip()
        self._cut_range((row, max(stripped.rfind(" "), stripped.rfind("\t")) + 1), (row, column))

    def action_kill_word_right(self) -> None:
        """Cut the word after the caret."""
        self._cut_range(self.cursor_location, self.get_cursor_word_right_location())

    def action_kill_to_start(self) -> None:
        """Cut to the start of the line; there, the line break."""
        row, column = self.cursor_location
        start = (row, 0) if column or not row else (row - 1, len(self.document[row - 1]))
        self._cut_range(start, (row, column))

    async def action_kill_to_end(self) -> None:
        """Cut to the end of the line; there, the line break; at the very end, choose another room."""
        row, column = self.cursor_location
        if (row, column) == self.document.end:
            await self.screen.run_action("switch")
            return
        length = len(self.document[row])
        last = row == self.document.line_count - 1
        self._cut_range((row, column), (row, length) if column < length or last else (row + 1, 0))

    def action_yank(self) -> None:
        """Put back what was cut last."""
        if self._kill_buffer:
            self.insert_text(self._kill_buffer)

    def action_complete(self, step: int) -> None:
        """Complete what stands before the caret, or turn to another candidate."""
        caret = self.cursor_location
        text_before_caret = self.get_text_range((0, 0), caret)
        if (active := self.active_completion) is not None:
            completion = active.cycle(step)
        else:
            first = self._complete(text_before_caret)
            if first is None:
                return
            completion = first if step > 0 else first.cycle(step - 1)
        start = _location_at(text_before_caret, completion.start)
        self.replace(completion.current_text, start, caret, maintain_selection_offset=False)
        self._completion_state = (completion, self.get_text_range((0, 0), self.cursor_location))

    @property
    def active_completion(self) -> Completion | None:
        """What the text before the caret was completed from, until something else is typed."""
        if self._completion_state is None or self._completion_state[1] != self.get_text_range(
            (0, 0), self.cursor_location
        ):
            return None
        return self._completion_state[0]

    def _show_history_entry(self, text: str | None) -> None:
        if text is not None:
            self.set_text(text)

    def _cut_range(self, start: tuple[int, int], end: tuple[int, int]) -> None:
        if start != end:
            self._kill_buffer = self.get_text_range(start, end)
            self.delete(start, end, maintain_selection_offset=False)


def _location_at(text: str, index: int) -> tuple[int, int]:
    """Row and column of a character in a text."""
    return text.count("\n", 0, index), index - text.rfind("\n", 0, index) - 1
