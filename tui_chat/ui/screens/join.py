"""Join form with room, nickname and server. Errors appear beside the field concerned.

- Waiting: from the submit until the result, the fields are disabled, and typed text waits in the input sequencer.
- Type-ahead: an error or a cancellation discards the waiting text, so that it enters neither the form nor a room.
"""

from collections.abc import Callable
from contextlib import suppress

from msgspec import Struct
from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.screen import Screen
from textual.widgets import Button, Input, Static

from tui_chat.client.net import address
from tui_chat.protocol.errors import ChatError
from tui_chat.session import error_text
from tui_chat.session.i18n import tr
from tui_chat.session.store import profile
from tui_chat.session.store.login_store import LoginStore
from tui_chat.session.strings import app as app_strings
from tui_chat.ui.app_services import app_services
from tui_chat.ui.input.keys import KeyScope, textual_bindings
from tui_chat.ui.screens.account_row import AccountRow
from tui_chat.ui.server_address import split_address
from tui_chat.ui.widgets.form_field import FormField
from tui_chat.ui.widgets.key_bar import KeyBar


class JoinDetails(Struct, frozen=True):
    """Validated input of the join form.

    Attributes:
        room: Room name.
        nick: Nickname.
        server: Base URL of the server.
        typed_server: Server address as typed, without an invite code, saved in the profile.
        invite: Invite code of the room, None without one.
    """

    room: str
    nick: str
    server: str
    typed_server: str
    invite: str | None = None


class JoinScreen(Screen[None]):
    """Initial screen with the join form.

    Args:
        room: Initial room name.
        nick: Initial nickname.
        server: Initial server address in user notation.
        notice: Message below the form, empty for none.
        login_store: Storage of the logins.
        on_join: Joins with a complete form.
        on_serve: Starts a local server at the form's address, then joins.
        on_cancel: Cancels the connection attempt or the start of a server.

    Attributes:
        is_waiting: True until the first paint, and from `begin_waiting` until `end_waiting` or
            `end_waiting_behind_chat`.
    """

    BINDINGS = textual_bindings(KeyScope.JOIN_FORM)
    AUTO_FOCUS = ""

    def __init__(
        self,
        room: str,
        nick: str,
        server: str,
        notice: str,
        *,
        login_store: LoginStore,
        on_join: Callable[[JoinDetails], None],
        on_serve: Callable[[JoinDetails], None],
        on_cancel: Callable[[], None],
    ) -> None:
        super().__init__()
        self._initial_values = (room, nick, server)
        self._form_fields: dict[str, FormField] = {}
        self._notice = notice
        self._account_row = AccountRow(
            login_store,
            self._server_url,
            lambda: self._form_fields["nick"].value,
            self.set_nick,
        )
        self._on_join = on_join
        self._on_serve = on_serve
        self._on_cancel = on_cancel
        self.is_waiting = True

    def compose(self) -> ComposeResult:
        """Yield the form and the footer."""
        room, nick, server = self._initial_values
        self._form_fields = {
            "room": FormField(tr(app_strings.LABEL_ROOM), room, profile.DEFAULT_ROOM, id="room"),
            "nick": FormField(tr(app_strings.LABEL_NICK), nick, profile.login_name(), id="nick"),
            "server": FormField(tr(app_strings.LABEL_SERVER), server, address.DEFAULT_SERVER, id="server"),
        }
        with VerticalScroll(id="page", can_focus=False), Vertical(id="card"):
            yield Static(app_strings.TITLE, id="title", markup=False)
            yield Static(tr(app_strings.JOIN_HINT), id="hint", markup=False)
            yield from self._form_fields.values()
            yield self._account_row
            with Horizontal(id="buttons"):
                yield Button(tr(app_strings.BUTTON_JOIN), id="join", compact=True, variant="primary")
                yield Button(tr(app_strings.BUTTON_START_SERVER), id="start-server", compact=True)
            yield Static(self._notice, id="progress", markup=False)
        yield KeyBar(KeyScope.JOIN_FORM, KeyScope.GLOBAL)

    def on_resize(self, event: events.Resize) -> None:
        """Remove the margins on screens with fewer than 18 rows."""
        self.set_class(event.size.height < 18, "-short")

    def on_mount(self) -> None:
        """Hide the button for a local server, and focus the first empty field, or the room if all have a value.

        The labels follow later changes of the language.
        """
        self.query_one("#start-server").display = False
        app_services(self).settings_changed.subscribe(self, lambda _: self._update_labels())
        empty = (field for field in self._form_fields.values() if field.is_empty)
        next(empty, self._form_fields["room"]).input.focus()

    def _update_labels(self) -> None:
        """Show hint, labels, buttons and account row in the active language."""
        self._account_row.update()
        self.query_one("#hint", Static).update(tr(app_strings.JOIN_HINT))
        self._form_fields["room"].set_label(tr(app_strings.LABEL_ROOM))
        self._form_fields["nick"].set_label(tr(app_strings.LABEL_NICK))
        self._form_fields["server"].set_label(tr(app_strings.LABEL_SERVER))
        self.query_one("#join", Button).label = tr(app_strings.BUTTON_JOIN)
        self.query_one("#start-server", Button).label = tr(app_strings.BUTTON_START_SERVER)

    def action_cancel(self) -> None:
        """Cancel a pending connection attempt or start of a server, and discard the waiting input.

        No effect unless the form is waiting.
        """
        if self.is_waiting:
            app_services(self).input_sequencer.drain_pending()
            self._on_cancel()

    @on(Input.Changed)
    def _handle_input_changed(self, event: Input.Changed) -> None:
        """Hide all errors and the button for a local server; update the account of a changed server."""
        for field in self._form_fields.values():
            field.show_error("")
        self.query_one("#start-server").display = False
        if event.input is self._form_fields["server"].input:
            self._account_row.update()

    @on(Button.Pressed)
    def _handle_button_pressed(self, event: Button.Pressed) -> None:
        self._submit_to(self._on_serve if event.button.id == "start-server" else self._on_join)

    @on(Input.Submitted)
    def _handle_input_submitted(self, event: Input.Submitted) -> None:
        """Continue with the empty nickname after the room; otherwise request a join."""
        nick = self._form_fields["nick"]
        if event.input is self._form_fields["room"].input and nick.is_empty and not self.is_waiting:
            nick.input.focus()
        else:
            self.action_submit()

    def action_submit(self) -> None:
        """Request a join with the defaults of empty fields, or show all errors and focus the first invalid field.

        A room in the server address fills an empty room field. No effect while the form is waiting.
        """
        self._submit_to(self._on_join)

    def join_server(self, server: str, room: str) -> None:
        """Request a join on another server after the next refresh; an empty room means the room in the form."""
        self.set_server(server)
        if room:
            self._form_fields["room"].set_value(room)
        # Submit through the normal validation, which reports missing or invalid fields.
        self.call_after_refresh(self.action_submit)

    def set_server(self, server: str) -> None:
        """Replace the server address, and hide the button for a local server. The errors of the form stay."""
        self._form_fields["server"].set_value(server)
        self._account_row.update()
        self.query_one("#start-server").display = False

    def is_immediate(self, item: events.Key | events.Paste) -> bool:
        """Return whether an input is dispatched before the input that waits for the chat.

        True for input of a dialog above the waiting form, for global keys and for the key that cancels the wait. False
        while the form does not wait.
        """
        if not self.is_waiting or not self.is_active:
            return self.is_waiting
        actions = app_services(self).keymap.actions
        return isinstance(item, events.Key) and (
            item.key in actions[KeyScope.GLOBAL] or actions[KeyScope.JOIN_FORM].get(item.key) == "cancel"
        )

    def begin_waiting(self, text: str) -> None:
        """Show a progress message and disable the form until `end_waiting`."""
        self.show_progress(text)
        self.is_waiting = True
        self.query_one("#card").disabled = True

    def show_progress(self, text: str) -> None:
        """Show a message below the form; an empty text hides the message."""
        self.query_one("#progress", Static).update(text)

    def end_waiting(self, text: str) -> None:
        """Show a message as `show_progress`, and enable the form again.

        A waiting or disabled form focuses the room field.
        """
        self.show_progress(text)
        card = self.query_one("#card")
        if self.is_waiting or card.disabled:
            self.is_waiting = False
            card.disabled = False
            self._form_fields["room"].input.focus()

    def end_waiting_behind_chat(self) -> None:
        """Hide the progress message. The form stays disabled until `end_waiting`, because enabling it takes time."""
        self.show_progress("")
        self.is_waiting = False

    def show_field_error(self, field: str, problem: str) -> None:
        """Show an error beside a field (`room`, `nick` or `server`), enable the form and focus the field.

        The waiting input is discarded, and the progress message hidden.
        """
        app_services(self).input_sequencer.drain_pending()
        self.end_waiting("")
        self._form_fields[field].show_error(problem)
        self._form_fields[field].input.focus()

    def offer_server(self) -> None:
        """Show and focus the button that starts a local server. Any change of an input hides the button again."""
        button = self.query_one("#start-server", Button)
        button.display = True
        button.focus()

    def set_nick(self, nick: str) -> None:
        """Replace the nickname, the default of the next join."""
        self._form_fields["nick"].set_value(nick)

    def _server_url(self) -> str:
        """Return the base URL of the typed server, "" if invalid."""
        with suppress(ChatError):
            return address.parse_address(self._form_fields["server"].value).base_url
        return ""

    def _submit_to(self, on_valid: Callable[[JoinDetails], None]) -> None:
        """Call `on_valid` with the validated input, unless the form is waiting or invalid."""
        if not self.is_waiting and (details := self._validate()) is not None:
            on_valid(details)

    def _validate(self) -> JoinDetails | None:
        """Return the validated input, None after the display of errors. A room of the address fills an empty field."""
        # Imported here to keep startup fast: the patterns of names take 10 ms.
        from tui_chat.protocol import names  # noqa: PLC0415

        for field in self._form_fields.values():
            field.show_error("")
        values = {name: field.value for name, field in self._form_fields.items()}
        typed_server, base_url = values["server"], ""
        values["room"], invite = address.split_invite(values["room"])
        problems: dict[str, str] = {}
        try:
            parsed = address.parse_address(typed_server)
            base_url = parsed.base_url
            if parsed.room and self._form_fields["room"].is_empty:
                values["room"], invite = parsed.room, parsed.invite
                self._form_fields["room"].set_value(split_address(typed_server)[1])  # with the invite, for a retry
        except ChatError as error:
            problems["server"] = error_text.describe(error)
        for name, validate in (("nick", names.validate_nickname), ("room", names.validate_room_name)):
            try:
                values[name] = validate(values[name])
            except ChatError as error:
                problems[name] = error_text.describe(error)
        for name, problem in problems.items():  # the first invalid field is last and keeps the focus
            self.show_field_error(name, problem)
        return (
            None
            if problems
            else JoinDetails(values["room"], values["nick"], base_url, address.split_invite(typed_server)[0], invite)
        )
