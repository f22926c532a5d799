"""Account commands of the join form and the chat screen, each in its dialog."""

from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from typing import Any

from textual.screen import Screen

from tui_chat.protocol.account_responses import Device
from tui_chat.protocol.errors import ChatError
from tui_chat.session import account_forms
from tui_chat.session.account_forms import AccountForm, InvalidField
from tui_chat.session.account_manager import AccountManager
from tui_chat.session.controller import SessionController
from tui_chat.session.i18n import tr
from tui_chat.session.session_events import RequestCompleted
from tui_chat.session.strings import accounts as account_strings
from tui_chat.ui.screens.account_form import AccountFormScreen
from tui_chat.ui.screens.chat_view import ChatView
from tui_chat.ui.screens.confirm import Answer, ConfirmScreen
from tui_chat.ui.screens.devices import DevicesScreen


class AccountDialogs:
    """Dialogs of one server.

    Args:
        manager: Login on the server.
        nick: Returns the current nickname, the suggestion for a new account.
        open_dialog: Opens a dialog, and calls a function with its result at its end.
        run_in_background: Runs a coroutine in the background.
        show_status: Shows a message to the user.
        show_error: Shows an error to the user.
        on_changed: Called after each successful action, after its message.

    Attributes:
        commands: Handlers of the slash commands by name, called with the argument. A handler returns an error message,
            or None or "" once the action has started.
    """

    def __init__(
        self,
        manager: AccountManager,
        *,
        nick: Callable[[], str],
        open_dialog: Callable[[Screen[Any], Callable[[Any], None]], object],
        run_in_background: Callable[[Coroutine[Any, Any, None]], object],
        show_status: Callable[[str], None],
        show_error: Callable[[str], None],
        on_changed: Callable[[], None] = lambda: None,
    ) -> None:
        self._manager = manager
        self._nick = nick
        self._open_dialog = open_dialog
        self._run_in_background = run_in_background
        self._show_status = show_status
        self._show_error = show_error
        self._on_changed = on_changed
        self.commands: dict[str, Callable[[str], str | None]] = {
            "login": lambda _: self.log_in(),
            "register": lambda _: self.register(),
            "logout": lambda _: self.log_out(),
            "devices": lambda argument: self._with_login(lambda: self._list_devices(argument)),
            "password": lambda _: self._with_login(self._change_password),
            "account": lambda _: self._with_login(self._edit_profile),
            "delete-account": lambda _: self._with_login(self._delete_account),
        }

    def log_in(self) -> None:
        """Open the login form, with a button for the registration."""
        self._open_form(account_forms.log_in_form(self._manager), tr(account_forms.REGISTER_TITLE), self.register)

    def register(self) -> None:
        """Open the registration form, with a button for the login."""
        self._open_form(
            account_forms.register_form(self._manager, self._nick()), tr(account_forms.LOG_IN_TITLE), self.log_in
        )

    def log_out(self) -> None:
        """Start to log out, and show the result; the user continues as a guest. A guest gets the same message."""
        self._run(self._log_out())

    def _with_login(self, request: Callable[[], Coroutine[Any, Any, str]]) -> str:
        """Start a request of a logged-in user in the background (`_run`); return an error for a guest, otherwise ""."""
        if self._manager.login is None:
            return tr(account_strings.NOT_LOGGED_IN)
        self._run(request())
        return ""

    def _open_form(self, form: AccountForm, other_label: str = "", on_other: Callable[[], None] = lambda: None) -> None:
        """Open a form; after its action, show the message and call `on_changed`.

        The second button calls `on_other` instead, and a cancelled form has no effect.
        """

        def on_closed(message: str | None) -> None:
            if message:
                self._show_result(message)
            elif message is not None:
                on_other()

        self._open_dialog(AccountFormScreen(form, other_label), on_closed)

    def _show_result(self, message: str) -> None:
        self._show_status(message)
        self._on_changed()

    def _run(self, request: Coroutine[Any, Any, str]) -> None:
        """Run a request in the background; show its message and call `on_changed`, or show its error.

        An empty message has neither effect. Only `ChatError` and `InvalidField` are shown; other exceptions end the
        background task.
        """

        async def show_result() -> None:
            try:
                message = await request
            except ChatError as error:
                self._show_error(account_strings.request_problem(error))
                return
            except InvalidField as error:
                self._show_error(error.problem)
                return
            if message:
                self._show_result(message)

        self._run_in_background(show_result())

    async def _log_out(self) -> str:
        await self._manager.log_out()
        return account_strings.logged_out_by_user(self._manager.problem)

    async def _edit_profile(self) -> str:
        """Load the profile and open its form; `ChatError` if the request failed."""
        self._open_form(account_forms.profile_form(self._manager, await self._manager.get_profile()))
        return ""

    async def _change_password(self) -> str:
        self._open_form(account_forms.password_form(self._manager))
        return ""

    async def _delete_account(self) -> str:
        self._open_form(account_forms.deletion_form(self._manager))
        return ""

    async def _list_devices(self, number: str) -> str:
        """Open the list, or for a number the question before the logout of that device.

        Raises:
            InvalidField: No device has this number.
            ChatError: The request failed.
        """
        devices = await self._manager.list_devices()
        if number:
            self._confirm_revocation(account_forms.select_device(devices, number))
        else:
            self._open_dialog(DevicesScreen(devices), self._confirm_revocation)
        return ""

    def _confirm_revocation(self, device: Device | None) -> None:
        """Ask before the logout of a device, and start the logout after the confirmation; no effect for None."""
        if device is None:
            return

        def on_answered(answer: Answer | None) -> None:
            if answer is not None and answer.is_confirmed:
                self._run(self._revoke(device))

        question = ConfirmScreen(tr("Log out this device?"), account_strings.device_name(device), tr("log out"))
        self._open_dialog(question, on_answered)

    async def _revoke(self, device: Device) -> str:
        await self._manager.revoke_device(device)
        return account_strings.device_logged_out(device)


def create_account_commands(controller: SessionController, view: ChatView) -> Mapping[str, Callable[[str], str | None]]:
    """Return the handlers of the account commands of a chat screen.

    Results appear as notices of the current room, errors in the status line. A notice follows the events in the queue,
    so that a command after a login finds the connection of the account.
    """

    def show_notice(text: str) -> None:
        controller.server_link.event_queue.put(RequestCompleted(partial(controller.session.add_notice, text)))

    def current_nick() -> str:
        room = controller.session.current_room
        return room.nick if room is not None else ""

    return AccountDialogs(
        controller.accounts,
        nick=current_nick,
        open_dialog=view.open_dialog,
        run_in_background=controller.server_link.start,
        show_status=show_notice,
        show_error=view.show_error,
    ).commands
