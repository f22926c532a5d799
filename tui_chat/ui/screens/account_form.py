"""Dialog with one form of the account commands."""

from functools import partial

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Button, Input, Static
from textual.worker import Worker, WorkerState

from tui_chat.protocol.errors import ChatError
from tui_chat.session.account_forms import AccountForm, FormInput, InvalidField, find_field
from tui_chat.session.i18n import tr
from tui_chat.session.strings import accounts as account_strings, app as app_strings
from tui_chat.ui.app_services import app_services, report_worker_error
from tui_chat.ui.input.keys import KeyScope, textual_bindings
from tui_chat.ui.screens.dialog import Dialog
from tui_chat.ui.widgets.form_field import FormField


class AccountFormScreen(Dialog[str]):
    """Form that returns the message of its action, "" for the second button, None if cancelled.

    An empty `other_label` omits the second button. Errors appear beside their field, those without a field below the
    form. The form stays open after an error.
    """

    CSS_PATH = "account_form.tcss"
    BINDINGS = textual_bindings(KeyScope.ACCOUNT_FORM)
    AUTO_FOCUS = ""

    def __init__(self, form: AccountForm, other_label: str = "") -> None:
        super().__init__()
        self._form = form
        self._other_label = other_label
        self._form_fields = {form_input.name: _create_field(form_input) for form_input in form.inputs}
        self._worker: Worker[None] | None = None

    def compose(self) -> ComposeResult:
        """Yield a frame with hint, fields, buttons and status."""
        with VerticalScroll(id="account-form", can_focus=False), Vertical(id="account-fields"):
            if self._form.hint:
                yield Static(self._form.hint, id="form-hint", markup=False)
            yield from self._form_fields.values()
            with Horizontal(id="form-buttons"):
                yield Button(self._form.submit_label, id="form-submit", compact=True, variant="primary")
                if self._other_label:
                    yield Button(self._other_label, id="form-other", compact=True)
            yield Static("", id="form-status", markup=False)

    def on_mount(self) -> None:
        """Set the titles of the frame, and focus the first required field without an initial value, else the first."""
        frame = self.query_one("#account-form")
        frame.border_title = Content(self._form.title)
        frame.border_subtitle = Content(app_services(self).keymap.dialog_footer(KeyScope.ACCOUNT_FORM))
        required = [form_input for form_input in self._form.inputs if not (form_input.is_optional or form_input.value)]
        first = required[0] if required else self._form.inputs[0]
        self._form_fields[first.name].input.focus()

    @on(Input.Changed)
    def _handle_input_changed(self) -> None:
        for field in self._form_fields.values():
            field.show_error("")

    @on(Input.Submitted)
    def _handle_input_submitted(self, event: Input.Submitted) -> None:
        """Continue with the next field; submit the form in the last one."""
        inputs = [field.input for field in self._form_fields.values()]
        if event.input is inputs[-1]:
            self._submit()
        else:
            self.focus_next(Input)

    @on(Button.Pressed)
    def _handle_button_pressed(self, event: Button.Pressed) -> None:
        """Close the form for the second button, or submit the form."""
        if event.button.id == "form-other":
            self.dismiss("")
        else:
            self._submit()

    def _submit(self) -> None:
        """Disable the form and run the action in the background, or show an invalid field.

        No effect while the action runs.
        """
        if self._worker is not None:
            return
        values = {name: field.value for name, field in self._form_fields.items()}
        try:
            self._form.validate(values)
        except InvalidField as error:
            self._show_error(error.field, error.problem)
            return
        self.query_one("#form-status", Static).update(tr("Please wait…"))
        self.query_one("#account-fields").disabled = True
        self._worker = self.run_worker(partial(self._run, values), exit_on_error=False)

    async def _run(self, values: dict[str, str]) -> None:
        """Run the action, and close the form with its message, or show its `ChatError`; other exceptions propagate."""
        try:
            message = await self._form.submit(values)
        except ChatError as error:
            self._worker = None
            self._show_error(find_field(self._form, error), account_strings.request_problem(error))
        else:
            self.dismiss(message)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """After an unexpected error, report the error, enable the form and show an internal error below."""
        report_worker_error(self, event)
        if event.state is WorkerState.ERROR:
            self._worker = None
            self._show_error("", tr(app_strings.INTERNAL_ERROR))

    def _show_error(self, field: str, problem: str) -> None:
        """Enable the form, and show a problem beside a field and focus this field.

        For "", the problem appears below the form, and the last field has the focus.
        """
        self.query_one("#account-fields").disabled = False
        status = self.query_one("#form-status", Static)
        status.update("" if field else problem)
        status.set_class(not field, "-error")
        target = self._form_fields.get(field) or list(self._form_fields.values())[-1]
        if field:
            target.show_error(problem)
        target.input.focus()


def _create_field(form_input: FormInput) -> FormField:
    """Return the field of a form input, with the id `form-NAME`."""
    return FormField(
        form_input.label,
        form_input.value,
        form_input.default,
        placeholder=tr("optional") if form_input.is_optional else "",
        id=f"form-{form_input.name.replace('_', '-')}",
        is_secret=form_input.is_secret,
    )
