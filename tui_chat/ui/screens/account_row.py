"""Row of the join form with the account on the selected server."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Button, Static

from tui_chat.session.i18n import tr
from tui_chat.session.store.login_store import LoginStore
from tui_chat.session.strings import app as app_strings
from tui_chat.ui.app_services import app_of, app_services

if TYPE_CHECKING:
    from tui_chat.session.account_manager import AccountManager


class AccountRow(Horizontal):
    """Account name and a button that opens the login form, or logs out.

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
        self._account = ""

    def compose(self) -> ComposeResult:
        """Yield label, account name and button."""
        yield Static("", classes="label", markup=False)
        yield Static("", id="account-name", markup=False)
        yield Button("", id="account-button", compact=True)

    def on_mount(self) -> None:
        """Show the account of the initial server."""
        self.update()

    def update(self) -> None:
        """Show the account on the selected server, or that the user is a guest, in the active language."""
        login, _ = self._store.find(self._server())
        self._account = login.account if login is not None else ""
        self.query_one(".label", Static).update(tr(app_strings.LABEL_ACCOUNT))
        self.query_one("#account-name", Static).update(self._account or tr("guest"))
        self.query_one("#account-button", Button).label = tr("Log out") if self._account else tr("Log in")
        self.query_one("#account-button", Button).disabled = not self._server()

    @on(Button.Pressed)
    def _handle_button_pressed(self, event: Button.Pressed) -> None:
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
        if manager.login is None:
            dialogs.log_in()
        else:
            dialogs.log_out()

    def _on_changed(self, manager: "AccountManager") -> None:
        self.update()
        if manager.login is not None:
            self._on_logged_in(manager.login.account)
