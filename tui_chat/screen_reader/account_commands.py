"""Account commands of the screen-reader mode: each field of a form is a prompt."""

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Protocol

from tui_chat.protocol.account_responses import Device
from tui_chat.protocol.errors import ChatError
from tui_chat.session import account_forms
from tui_chat.session.account_forms import AccountForm, InvalidField
from tui_chat.session.account_manager import AccountManager
from tui_chat.session.i18n import tr
from tui_chat.session.strings import accounts as account_strings


class Prompt(Protocol):
    """Function that reads one line of input."""

    async def __call__(self, text: str, *, is_secret: bool) -> str:
        """Write a prompt and return the next line, hidden if secret.

        Raises:
            EOFError: The input has ended or cannot be read, or a secret cannot be hidden.
        """
        ...


class ReaderAccountCommands:
    """Account commands of one session.

    `nick` returns the nickname to suggest for a new account. `start` runs a request in the background, while the input
    waits.

    Attributes:
        handlers: Handlers of the slash commands by name, called with the argument.
    """

    def __init__(
        self,
        manager: AccountManager,
        *,
        nick: Callable[[], str],
        prompt: Prompt,
        announce: Callable[[str], None],
        start: Callable[[Coroutine[Any, Any, None]], object],
    ) -> None:
        self._manager = manager
        self._nick = nick
        self._prompt = prompt
        self._announce = announce
        self._start = start
        self.handlers: dict[str, Callable[[str], str | None]] = {
            "login": lambda _: self._run(self._fill_in(account_forms.log_in_form(self._manager))),
            "register": lambda _: self._run(self._fill_in(account_forms.register_form(self._manager, self._nick()))),
            "logout": lambda _: self._run(self._log_out()),
            "devices": lambda argument: self._with_login(lambda: self._list_or_revoke(argument)),
            "password": lambda _: self._with_login(self._change_password),
            "account": lambda _: self._with_login(self._edit_profile),
            "delete-account": lambda _: self._with_login(self._delete_account),
        }

    def _with_login(self, request: Callable[[], Awaitable[str]]) -> str:
        """Start a request as `_run` and return "", for a guest an error."""
        if self._manager.login is None:
            return tr(account_strings.NOT_LOGGED_IN)
        return self._run(request())

    def _run(self, request: Awaitable[str]) -> str:
        """Run a request in the background, and announce its result, error or cancelled input. Return ""."""

        async def announce_result() -> None:
            try:
                self._announce(await request)
            except ChatError as error:
                self._announce(account_strings.request_problem(error))
            except InvalidField as error:
                self._announce(error.problem)
            except EOFError:
                self._announce(tr("Cancelled."))

        self._start(announce_result())
        return ""

    async def _fill_in(self, form: AccountForm) -> str:
        """Prompt for all fields of a form, then validate them, and return the result of the action.

        An empty line selects the value in brackets, except for a secret. Values other than secrets lose their
        surrounding space.

        Raises:
            InvalidField: A value is invalid; the action did not run.
            EOFError: As for `Prompt`.
            ChatError: The action failed.
        """
        heading = "".join(f"{line}\n" for line in (form.title, form.hint) if line)
        values: dict[str, str] = {}
        for form_input in form.inputs:
            default = form_input.value or form_input.default
            text = f"{form_input.label} [{default}]: " if default else f"{form_input.label}: "
            line = await self._prompt(heading + text, is_secret=form_input.is_secret)
            heading = ""
            values[form_input.name] = line if form_input.is_secret else line.strip() or default
        form.validate(values)
        return await form.submit(values)

    async def _log_out(self) -> str:
        await self._manager.log_out()
        return account_strings.logged_out_by_user(self._manager.problem)

    async def _change_password(self) -> str:
        return await self._fill_in(account_forms.password_form(self._manager))

    async def _edit_profile(self) -> str:
        return await self._fill_in(account_forms.profile_form(self._manager, await self._manager.get_profile()))

    async def _delete_account(self) -> str:
        return await self._fill_in(account_forms.deletion_form(self._manager))

    async def _list_or_revoke(self, argument: str) -> str:
        """Return the devices, numbered from 1; with an argument, revoke the login of the device with this number.

        Raises:
            InvalidField: The argument is no number of a device.
            ChatError: A request failed.
        """
        devices = await self._manager.list_devices()
        if argument:
            device = account_forms.select_device(devices, argument)
            await self._manager.revoke_device(device)
            return account_strings.device_logged_out(device)
        return "\n".join(_describe_device(number, device) for number, device in enumerate(devices, 1))


def _describe_device(number: int, device: Device) -> str:
    return f"{number}. {account_strings.device_name(device)}: {account_strings.device_times(device)}"
