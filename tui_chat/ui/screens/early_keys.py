"""Keys that were pressed for a screen before its field was there: what is typed ahead is not lost, nor sent."""

from typing import TypeVar

from textual import events
from textual.screen import ModalScreen
from textual.widgets import Input

ResultT = TypeVar("ResultT")


class EarlyKeys(ModalScreen[ResultT]):
    """A screen with one field, which gets whatever is typed from the moment the screen was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self._early: list[events.Key] = []

    def take(self, key: events.Key) -> None:
        """A key that was meant for this screen and went elsewhere."""
        again = events.Key(key.key, key.character)  # the old one has stopped bubbling
        field = self.query(Input)
        if field and self.focused is not None:
            field.first().post_message(again)
        else:
            self._early.append(again)

    def on_key(self, event: events.Key) -> None:
        """A key that came before there was a field for it."""
        if self.focused is None:
            event.stop()
            self.take(event)

    def hand_over(self) -> None:
        """The field is there: it gets the focus, and what was typed meanwhile."""
        field = self.query_one(Input)
        field.focus()
        early, self._early = self._early, []
        for key in early:
            field.post_message(key)
