"""Multi-line message input with readline keys, history and completion.

- Send: only the key of `submit` sends, by default Enter. A paste is sanitized, loses its trailing line breaks, and
  never sends by itself.
- Echo: key actions of the composer and the chat screen run inside this widget without bubbling through the app, so
  each key shows immediately.
- Submission: the text is cleared before `submit` runs; the owner restores rejected text with `set_text`.
- Cursor: movement and deletion work on grapheme clusters. Typed text may join the clusters around the cursor.
- Drafts: returning from the input history or cancelling a search restores the draft.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from textual import events
from textual.message import Message
from textual.screen import Screen
from textual.signal import Signal
from textual.widgets import TextArea
from textual.widgets.text_area import Location, Selection
from wcwidth import grapheme_boundary_before

from tui_chat.session.commands.completion import Completion
from tui_chat.session.history_search import HistorySearch
from tui_chat.session.i18n import tr
from tui_chat.session.input_history import InputHistory
from tui_chat.session.local_paths import find_dropped_files
from tui_chat.session.paste import Paste
from tui_chat.session.strings import chat as chat_strings
from tui_chat.ui.app_services import app_of
from tui_chat.ui.input.grapheme_boundaries import cluster_end, cluster_start, next_boundary
from tui_chat.ui.input.inserted_text import pasted_text, typed_text
from tui_chat.ui.input.keymap import Keymap
from tui_chat.ui.input.keys import KeyScope

_DEFAULT_KEYMAP = Keymap()


class Composer(TextArea, inherit_bindings=False):
    """Text area at the bottom of the chat screen; grows up to a third of the screen height.

    Args:
        complete: Returns the completion of the text before the cursor, None if there is none.
        submit: Called with submitted text, after the composer was emptied.
        edit_last_message: Starts an edit of the user's last message if possible; returns False if Up recalls an older
            text instead.
        keymap: Returns the effective key bindings.

    Attributes:
        sent_history: History of sent texts for Up, Down and Ctrl+R.
        paste_lines: Maximum number of pasted lines without confirmation; 0 for no limit.
        confirm_paste: Called with the sanitized text of a paste above `paste_lines` or the length limit of a message,
            in place of its insertion.
        confirm_files: Called with the paths of dropped files and the pasted text, in place of the insertion of the
            text. Paths in a command are inserted.
        show_status: Called with a hint.
    """

    ALLOW_SELECT = False  # a text area has its own selection

    @dataclass
    class HistorySearchChanged(Message):
        """Start, change or end of a history search; the prompt is empty at its end."""

        prompt: str

    def __init__(
        self,
        complete: Callable[[str], Completion | None],
        submit: Callable[[str], None],
        edit_last_message: Callable[[], bool],
        keymap: Callable[[], Keymap] = lambda: _DEFAULT_KEYMAP,
    ) -> None:
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
        self.confirm_paste: Callable[[str], None] = lambda text: None
        self.confirm_files: Callable[[Sequence[Path], str], None] = lambda paths, text: self.insert_text(text)
        self.show_status: Callable[[str], None] = lambda text: None
        self._complete = complete
        self._submit = submit
        self._edit_last_message = edit_last_message
        self._keymap = keymap
        self._completion_state: tuple[Completion, str] | None = None
        self._kill_buffer = ""
        self._history_search: HistorySearch | None = None

    @property
    def is_searching(self) -> bool:
        """True during a history search."""
        return self._history_search is not None

    @property
    def draft(self) -> str:
        """Unsent text. During a history search, the text from before the search."""
        return self.text if self._history_search is None else self._history_search.original_text

    def on_mount(self) -> None:
        """Subscribe to layout changes, to update the position of the terminal cursor."""
        layout_refreshed = cast("Signal[Screen[object]]", self.screen.screen_layout_refresh_signal)  # pyright: ignore[reportUnknownMemberType]
        # Deferred until the new size has been applied.
        layout_refreshed.subscribe(self, lambda screen: self.call_later(self._update_terminal_cursor))

    def _update_terminal_cursor(self) -> None:
        """Move the terminal cursor, the position of input method windows, to the text cursor."""
        # TextArea updates the position only when its cursor moves.
        if self.has_focus and self.screen.is_active:
            app_of(self).cursor_position = self.cursor_screen_offset
            self.refresh()  # the driver moves the cursor only together with output

    def set_text(self, text: str) -> None:
        """Replace the whole text, with the cursor at its end. Ends a history search and clears the undo history."""
        self._end_search()
        self.load_text(text)
        self.move_cursor(self.document.end)

    def insert_text(self, text: str) -> None:
        """Insert text at the cursor or in place of the selection."""
        self.replace(text, *self.selection, maintain_selection_offset=False)

    def move_cursor(
        self, location: Location, select: bool = False, center: bool = False, record_width: bool = True
    ) -> None:
        """Move the cursor to `location`, or to the start of the grapheme cluster around `location`."""
        super().move_cursor(self._rounded(location, cluster_start), select, center, record_width)

    def get_target_document_location(self, event: events.MouseEvent) -> Location:
        """Return the location under the mouse pointer, at the start of a grapheme cluster."""
        return self._rounded(super().get_target_document_location(event), cluster_start)

    def get_cursor_left_location(self) -> Location:
        """Return the location one grapheme cluster to the left."""
        row, column = self.cursor_location
        if column:
            return row, grapheme_boundary_before(self.document[row], column)
        return super().get_cursor_left_location()

    def get_cursor_right_location(self) -> Location:
        """Return the location one grapheme cluster to the right."""
        row, column = self.cursor_location
        line = self.document[row]
        return (row, next_boundary(line, column)) if column < len(line) else super().get_cursor_right_location()

    def get_cursor_word_right_location(self) -> Location:
        """Return the location one word to the right, or the next line at the end of a line; never inside a cluster."""
        return self._rounded(super().get_cursor_word_right_location(), cluster_end)

    def _rounded(self, location: Location, round_index: Callable[[str, int], int]) -> Location:
        row, column = self.clamp_visitable(location)
        return row, round_index(self.document[row], column)

    def is_local_key(self, key: events.Key) -> bool:
        """Return whether later keys need not wait for `key`, because its action is local (`keys.LOCAL_ACTIONS`)."""
        return key.key in self._keymap().local_keys

    async def _on_key(self, event: events.Key) -> None:
        """Run the action of a key of the search, the composer or the chat screen, or insert its text.

        During a history search, a chat key first cancels the search; any other key that is neither text nor bound in
        the search accepts the match first. Alt with an unbound letter inserts nothing. Any other key bubbles.
        """
        keymap, text = self._keymap(), typed_text(event)
        if self._history_search is not None:
            search_action = keymap.actions[KeyScope.HISTORY_SEARCH].get(event.key)
            if search_action is not None or text:
                event.stop().prevent_default()
                await self._continue_search(search_action, text)
                return
            if event.key in keymap.actions[KeyScope.CHAT]:
                self.action_search_cancel()
            else:
                self.action_search_accept()
        action = keymap.actions[KeyScope.COMPOSER].get(event.key)
        screen_action = keymap.actions[KeyScope.CHAT].get(event.key)
        if action is not None:
            event.stop().prevent_default()
            await self.run_action(action)
        elif screen_action is not None:
            event.stop().prevent_default()
            await self.screen.run_action(screen_action)
        elif text:
            event.stop().prevent_default()
            self.insert_text(text)
        elif event.key.startswith("alt+"):
            event.prevent_default()  # TextArea would insert the letter

    async def _on_paste(self, event: events.Paste) -> None:
        """Insert a paste without trailing line breaks, extend the search query, or ask about files or a large paste.

        If the composer starts with `/`, paths of dropped files are inserted as text.
        """
        event.stop().prevent_default()
        text = pasted_text(event).rstrip("\n")
        if self._history_search is not None:
            await self._continue_search(None, text)
            return
        is_command = self.text.startswith("/")  # a path is the argument
        if not is_command and (paths := find_dropped_files(text)):
            self.confirm_files(paths, text)
        elif Paste(text).needs_confirmation(self.paste_lines):
            self.confirm_paste(text)
        elif text:
            self.insert_text(text)

    def action_submit(self) -> None:
        """Clear the composer, then pass its text to `submit`, even if empty."""
        text = self.text
        self.set_text("")
        self._submit(text)

    def action_newline(self) -> None:
        """Insert a line break."""
        self.insert_text("\n")

    def action_up(self) -> None:
        """Move the cursor up; on the first row, recall an older text unless `edit_last_message` returns True.

        If that call ended an edit, a history entry with the edited text is skipped. The oldest text stays.
        """
        if self.navigator.is_first_wrapped_line(self.cursor_location):
            previous_text = self.text
            if self._edit_last_message():
                return
            older = self.sent_history.step_back(self.text)
            if older == previous_text != self.text:  # text of the message that was being edited
                older = self.sent_history.step_back(self.text) or older
            self._show_history_entry(older)
        else:
            self.action_cursor_up()

    def action_down(self) -> None:
        """Move the cursor down; on the last row, recall a newer text."""
        if self.navigator.is_last_wrapped_line(self.cursor_location):
            self._show_history_entry(self.sent_history.step_forward())
        else:
            self.action_cursor_down()

    def action_search_history(self) -> None:
        """Start a history search with an empty query. The current text becomes the draft."""
        self._history_search = HistorySearch(self.sent_history.texts, self.text)
        self._show_search()

    def action_search_older(self) -> None:
        """Select the next older match, which the caller displays; no effect without a search."""
        if self._history_search is not None:
            self._history_search.find_older()

    def action_search_newer(self) -> None:
        """Select the next newer match, which the caller displays; no effect without a search."""
        if self._history_search is not None:
            self._history_search.find_newer()

    def action_search_erase(self) -> None:
        """Delete the last character of the search query, and search from the newest text; the caller displays."""
        if self._history_search is not None:
            self._history_search.backspace()

    def action_search_accept(self) -> None:
        """End the search with its match, or the draft without one; Down then recalls newer texts and the draft."""
        if (search := self._history_search) is not None:
            self._end_search()
            self.sent_history.set_position(search.steps_back, search.original_text)
            self.move_cursor(self.document.end)

    def action_search_cancel(self) -> None:
        """End the search and restore the draft. No effect without a search."""
        if self._history_search is not None:
            self.set_text(self._history_search.original_text)

    async def _continue_search(self, action: str | None, text: str) -> None:
        """Run an action of the history search, or extend its query with a text; then show the result."""
        if action is not None:
            await self.run_action(action)
        elif self._history_search is not None:
            self._history_search.append(text)
        self._show_search()

    def _show_search(self) -> None:
        """Show the match with the matched part selected, and post the prompt. No effect without a search."""
        if (search := self._history_search) is None:
            return
        if self.text != search.text:
            self.load_text(search.text)
        span = search.match_span or (len(search.text),) * 2
        self.selection = Selection(*(_location_at(search.text, index) for index in span))
        self.post_message(self.HistorySearchChanged(chat_strings.history_search_prompt(search.query, search.failed)))

    def _end_search(self) -> None:
        if self._history_search is not None:
            self._history_search = None
            self.post_message(self.HistorySearchChanged(""))

    async def action_line_end(self) -> None:
        """Move the cursor to the end of the line; with the cursor at the end, scroll to the newest message."""
        if self.cursor_at_end_of_line:
            await self.screen.run_action("bottom")
        else:
            self.action_cursor_line_end()

    def action_kill_word_left(self) -> None:
        """Kill backwards to the previous space (readline `unix-word-rubout`), at the start of a line the line break."""
        row, column = self.cursor_location
        before = self.document[row][:column]
        if not before and row:
            self._kill_range((row - 1, len(self.document[row - 1])), (row, column))
            return
        stripped = before.rstrip()
        self._kill_range((row, max(stripped.rfind(" "), stripped.rfind("\t")) + 1), (row, column))

    def action_kill_word_right(self) -> None:
        """Kill forwards to the end of the word, at the end of a line the line break."""
        self._kill_range(self.cursor_location, self.get_cursor_word_right_location())

    def action_kill_to_start(self) -> None:
        """Kill to the start of the line; with the cursor at the start, kill the preceding line break."""
        row, column = self.cursor_location
        self._kill_range((row, 0) if column or not row else (row - 1, len(self.document[row - 1])), (row, column))

    async def action_kill_to_end(self) -> None:
        """Kill to the end of the line; with the cursor at the end, kill the line break.

        With the cursor at the end of the text, open the room switcher.
        """
        row, column = self.cursor_location
        if (row, column) == self.document.end:
            await self.screen.run_action("switch_room")
            return
        length = len(self.document[row])
        last = row == self.document.line_count - 1
        self._kill_range((row, column), (row, length) if column < length or last else (row + 1, 0))

    def action_cut(self) -> None:
        """Cut the selection. No effect without one, because `TextArea` would delete the line."""
        if self.selected_text:
            super().action_cut()

    def action_yank(self) -> None:
        """Insert the text of the last kill alone: kills do not accumulate."""
        if self._kill_buffer:
            self.insert_text(self._kill_buffer)

    def action_complete(self, step: int) -> None:
        """Insert a completion, or cycle to the next (1) or previous (-1) candidate; without candidates, show a hint.

        A new completion starts at the first candidate for step 1 and at the last for step -1.
        """
        cursor = self.cursor_location
        text_before_cursor = self.get_text_range((0, 0), cursor)
        if (active := self.active_completion) is not None:
            completion = active.cycle(step)
        else:
            first = self._complete(text_before_cursor)
            if first is None:
                word = text_before_cursor.split()[-1] if text_before_cursor[-1:].strip() else ""
                hint = tr("No completion for {word}.", word=word[-40:])
                self.show_status(hint if word else tr("Type the start of a name, then press Tab."))
                return
            completion = first if step > 0 else first.cycle(step - 1)
        start = _location_at(text_before_cursor, completion.start)
        self.replace(completion.current_text, start, cursor, maintain_selection_offset=False)
        self._completion_state = (completion, self.get_text_range((0, 0), self.cursor_location))

    @property
    def active_completion(self) -> Completion | None:
        """Completion at the cursor; None once the text before the cursor has changed."""
        completion, text = self._completion_state or (None, "")
        return completion if text == self.get_text_range((0, 0), self.cursor_location) else None

    def _show_history_entry(self, text: str | None) -> None:
        """Show a text of the history; no effect for None, the end of the history."""
        if text is not None:
            self.set_text(text)

    def _kill_range(self, start: tuple[int, int], end: tuple[int, int]) -> None:
        """Delete a range, extended to the start of its first cluster, and store its text, unless empty."""
        start = self._rounded(start, cluster_start)
        if start != end:
            self._kill_buffer = self.get_text_range(start, end)
            self.delete(start, end, maintain_selection_offset=False)


def _location_at(text: str, index: int) -> tuple[int, int]:
    """Return row and column of the character at `index`."""
    return text.count("\n", 0, index), index - text.rfind("\n", 0, index) - 1
