"""Where a message is written: several lines, readline keys, history, completion; Enter sends.

Rule 1  Only Enter sends. A paste is cleaned and put in, whatever it ends with.
Rule 2  Keys take effect in the order they were pressed, however fast they come (a
        slow line delivers several at once). Textual runs bindings only after a key
        has bubbled up to the app, when the characters behind it stand there already;
        so this widget runs the actions of its keys, and those of the screen, itself.
Rule 3  Nothing typed is lost: what cannot be sent stays, and walking through what
        was sent comes back to what was being written.
"""

from collections.abc import Callable
from dataclasses import dataclass

from textual import events
from textual.message import Message
from textual.widgets import TextArea

from server.protocol import text as texts
from server.protocol.limits import PACKET_BYTES
from tui_chat.session import words
from tui_chat.session.completion import Completion
from tui_chat.session.input_history import InputHistory
from tui_chat.ui import keys

_OWN = keys.actions(keys.Place.COMPOSER)
_SCREEN = keys.actions(keys.Place.CHAT)


class Composer(TextArea, inherit_bindings=False):
    """The line at the bottom, which grows to a third of the screen."""

    class BottomWanted(Message):
        """End was pressed where the caret was at the end already."""

    @dataclass
    class Refused(Message):
        """Something could not be put in.

        Attributes:
            problem: One sentence for a person.
        """

        problem: str

    def __init__(
        self, complete: Callable[[str], Completion | None], submit: Callable[[str], None], up: Callable[[], bool]
    ) -> None:
        """Make it.

        Args:
            complete: What the text before the caret may become.
            submit: Takes what was written when Enter is pressed; nothing stands there then.
            up: Asked first when Up is pressed on the first row; true when it did something.
        """
        super().__init__(
            soft_wrap=True,
            tab_behavior="focus",
            compact=True,
            highlight_cursor_line=False,
            placeholder=words.PLACEHOLDER_MESSAGE,
        )
        self.cursor_blink = False
        self.sent = InputHistory()
        self._complete = complete
        self._submit = submit
        self._up = up
        self._completing: tuple[Completion, str] | None = None
        self._killed = ""

    def write(self, text: str) -> None:
        """Put this there instead of what stands there, the caret behind it."""
        self.load_text(text)
        self.move_cursor(self.document.end)

    def add(self, text: str) -> None:
        """Put this in where the caret is."""
        self.replace(text, *self.selection)

    async def _on_key(self, event: events.Key) -> None:
        action, screen_action = _OWN.get(event.key), _SCREEN.get(event.key)
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
        text = texts.clean_body(event.text).rstrip("\n")
        if len(text) > PACKET_BYTES:
            self.post_message(self.Refused(words.paste_too_large(len(text))))
        elif text:
            self.add(text)

    def action_submit(self) -> None:
        """Send, or do the command."""
        text = self.text
        self.write("")
        self._submit(text)

    def action_newline(self) -> None:
        """Begin a new line."""
        self.add("\n")

    def action_up(self) -> None:
        """The line above, or what was sent before."""
        if self.navigator.is_first_wrapped_line(self.cursor_location):
            shown = self.text
            if self._up():
                return
            older = self.sent.older(self.text)
            if older == shown != self.text:
                older = self.sent.older(self.text) or older  # it was shown to be changed, and is not new
            self._walk(older)
        else:
            self.action_cursor_up()

    def action_down(self) -> None:
        """The line below, or what was sent after."""
        if self.navigator.is_last_wrapped_line(self.cursor_location):
            self._walk(self.sent.newer())
        else:
            self.action_cursor_down()

    def action_line_end(self) -> None:
        """The end of the line; from there, the newest message."""
        if self.cursor_at_end_of_line:
            self.post_message(self.BottomWanted())
        else:
            self.action_cursor_line_end()

    def action_kill_word_left(self) -> None:
        """Cut the word before the caret (back to a space, as readline does)."""
        row, column = self.cursor_location
        before = self.document[row][:column]
        if not before and row:
            self._kill((row - 1, len(self.document[row - 1])), (row, column))
            return
        stripped = before.rstrip()
        self._kill((row, max(stripped.rfind(" "), stripped.rfind("\t")) + 1), (row, column))

    def action_kill_word_right(self) -> None:
        """Cut the word after the caret."""
        self._kill(self.cursor_location, self.get_cursor_word_right_location())

    def action_kill_to_start(self) -> None:
        """Cut to the start of the line; there, the line break."""
        row, column = self.cursor_location
        start = (row, 0) if column or not row else (row - 1, len(self.document[row - 1]))
        self._kill(start, (row, column))

    def action_kill_to_end(self) -> None:
        """Cut to the end of the line; there, the line break."""
        row, column = self.cursor_location
        length = len(self.document[row])
        last = row == self.document.line_count - 1
        self._kill((row, column), (row, length) if column < length or last else (row + 1, 0))

    def action_yank(self) -> None:
        """Put back what was cut last."""
        if self._killed:
            self.add(self._killed)

    def action_complete(self, step: int) -> None:
        """Complete what stands before the caret, or turn to another candidate."""
        caret = self.cursor_location
        before = self.get_text_range((0, 0), caret)
        if self._completing is not None and self._completing[1] == before:
            completion = self._completing[0].turned(step)
        else:
            found = self._complete(before)
            if found is None:
                return
            completion = found if step > 0 else found.turned(step - 1)
        row = before.count("\n", 0, completion.start)
        start = (row, completion.start - before.rfind("\n", 0, completion.start) - 1)
        self.replace(completion.shown, start, caret, maintain_selection_offset=False)
        self._completing = (completion, self.get_text_range((0, 0), self.cursor_location))

    def _walk(self, text: str | None) -> None:
        if text is not None:
            self.write(text)

    def _kill(self, start: tuple[int, int], end: tuple[int, int]) -> None:
        if start != end:
            self._killed = self.get_text_range(start, end)
            self.delete(start, end, maintain_selection_offset=False)
