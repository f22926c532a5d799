"""Row of the join form with the account on the selected server."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Button, Static
from textual.worker import Worker

from tui_chat.session.i18n import tr
from tui_chat.session.store.login_store import LoginStore
from tui_chat.session.strings import app as app_strings
from tui_chat.ui.app_services import app_of, app_services, report_worker_error

if TYPE_CHECKING:
    from tui_chat.session.account_manager import AccountManager


class AccountRow(Horizontal):
    """Account name and buttons that open the login form and log out.

    Args:
        store: Storage of the logins.
        server: Returns the base URL of the selected server, "" for an invalid address.
        nick: Returns the nickname in the form, the suggestion for a new account.
        on_logged_in: Called with the account name after a login or registration.
    """

    def __init__(
        self,
        store: LoginStore,
        server: Callable[[], str],
        nick: Callable[[], str],
        on_logged_in: Callable[[str], None],
    ) -> None:
        super().__init__(id="account")
        self._store = store
        self._server = server
        self._nick = nick
        self._on_logged_in = on_logged_in

    def compose(self) -> ComposeResult:
        """Yield label, account name and buttons."""
        yield Static("", classes="label", markup=False)
        yield Static("", id="account-name", markup=False)
        yield Button("", id="log-in-button", compact=True)
        yield Button("", id="log-out-button", compact=True)

    def on_mount(self) -> None:
        """Show the account of the initial server."""
        self.update()

    def update(self) -> None:
        """Show the account on the selected server, or that the user is a guest, in the active language.

        An invalid address disables the login button; a guest has no logout button.
        """
        login, _ = self._store.find(self._server())
        self.query_one(".label", Static).update(tr(app_strings.LABEL_ACCOUNT))
        self.query_one("#account-name", Static).update(login.account if login is not None else tr("guest"))
        log_in_button, log_out_button = (
            self.query_one("#log-in-button", Button),
            self.query_one("#log-out-button", Button),
        )
        log_in_button.label, log_out_button.label = tr("Log in"), tr("Log out")
        log_in_button.disabled = not self._server()
        log_out_button.display = login is not None

    @on(Button.Pressed)
    def _handle_button_pressed(self, event: Button.Pressed) -> None:
        """Open the login form, or start to log out, on the selected server; errors appear as status of the form."""
        event.stop()
        # Imported here to keep startup fast.
        from tui_chat.session.account_manager import AccountManager  # noqa: PLC0415
        from tui_chat.ui.screens.account_dialogs import AccountDialogs  # noqa: PLC0415

        manager = AccountManager(self._server(), self._store)
        services = app_services(self)
        dialogs = AccountDialogs(
            manager,
            nick=self._nick,
            open_dialog=lambda dialog, on_closed: app_of(self).push_screen(dialog, on_closed),
            run_in_background=lambda work: self.run_worker(work, exit_on_error=False),
            show_status=services.show_status,
            show_error=services.show_status,
            on_changed=lambda: self._on_changed(manager),
        )
        if event.button.id == "log-in-button":
            dialogs.log_in()
        else:
            dialogs.log_out()
            self.query_one("#log-in-button", Button).focus()

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Log and show an unexpected error of a request."""
        report_worker_error(self, event)

    def _on_changed(self, manager: "AccountManager") -> None:
        """Show the current login, and call `on_logged_in` if the user is logged in."""
        self.update()
        if manager.login is not None:
            self._on_logged_in(manager.login.account)
