"""Base of the modal dialogs with a result."""

from typing import TypeVar

from textual.await_complete import AwaitComplete
from textual.screen import ModalScreen

ResultT = TypeVar("ResultT")


class Dialog(ModalScreen[ResultT]):
    """Modal screen that closes once, and closes no other screen.

    `Screen.dismiss` removes the top screen of the app, even if the dialog is already closed (a double click selects an
    option twice) or below another screen (the help).
    """

    _is_closed = False
    _deferred_result: tuple[ResultT | None] | None = None

    def dismiss(self, result: ResultT | None = None) -> AwaitComplete:
        """Close the dialog with a result; below another screen, as soon as that screen is closed.

        Only the first call has an effect.
        """
        if self._is_closed or self._deferred_result is not None:
            return AwaitComplete()
        if not self.is_active:
            self._deferred_result = (result,)
            return AwaitComplete()
        self._is_closed = True
        return super().dismiss(result)

    def on_screen_resume(self) -> None:
        """Close the dialog with the result of an earlier `dismiss` below another screen."""
        if self._deferred_result is not None:
            (result,), self._deferred_result = self._deferred_result, None
            self.dismiss(result)
