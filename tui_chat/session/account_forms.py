"""Forms of the account commands, independent of the front end.

- Secrecy: a front end hides the input of a secret field and stores the input nowhere.
"""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Literal, cast
from urllib.parse import urlsplit

from tui_chat.protocol.account_responses import AccountProfile, Device
from tui_chat.protocol.errors import ChatError
from tui_chat.session.account_manager import AccountManager
from tui_chat.session.i18n import mark, tr
from tui_chat.session.strings import accounts as account_strings, app as app_strings

# Names of the form fields.
ACCOUNT = "account"
NICK = "nick"
PASSWORD = "password"
NEW_PASSWORD = "new_password"
REPEATED = "repeated"
INVITE = "invite"
ABOUT = "about"
MESSAGES = "messages"

LOG_IN_TITLE = mark("Log in")
REGISTER_TITLE = mark("Create an account")
KEEP_MESSAGES, DELETE_MESSAGES = "keep", "delete"

_ACCOUNT_NAME = re.compile(r"\w[\w.-]*")  # docs/accounts.md, "Names"; the server validates
_FIELDS_BY_REASON = {
    "account_name_invalid": ACCOUNT,
    "account_name_in_use": ACCOUNT,
    "login_failed": PASSWORD,
    "password_too_short": PASSWORD,
    "password_too_long": PASSWORD,
    "password_character": PASSWORD,
    "password_is_name": PASSWORD,
    "invite_invalid": INVITE,
}


@dataclass(frozen=True, slots=True)
class FormInput:
    """Field of a form. An empty field has the value `default`; without one, only an optional field may be empty."""

    name: str
    label: str
    value: str = ""
    default: str = ""
    is_secret: bool = False
    is_optional: bool = False


@dataclass(frozen=True, slots=True)
class AccountForm:
    """Form of one command, with translated texts.

    Attributes:
        submit: Runs the action with the values by field name, without `validate`, and returns a message for the user.
            Raises the `ChatError` of a failed request.
        hint: Text above the fields, "" for none.
    """

    title: str
    inputs: tuple[FormInput, ...]
    submit_label: str
    submit: Callable[[Mapping[str, str]], Awaitable[str]]
    hint: str = ""

    def validate(self, values: Mapping[str, str]) -> None:
        """Check the values of all fields, by name and with the defaults of empty fields, without the server.

        Raises:
            InvalidField: For the first invalid field: a required one is empty, the repeated password differs, or
                `MESSAGES` is neither `keep` nor `delete`.
        """
        for form_input in self.inputs:
            if not (form_input.is_optional or values[form_input.name]):
                raise InvalidField(form_input.name, tr("Enter a value."))
        if values.get(REPEATED, "") != values.get(NEW_PASSWORD, values.get(PASSWORD, "")) and REPEATED in values:
            raise InvalidField(REPEATED, tr("The passwords differ."))
        if values.get(MESSAGES, KEEP_MESSAGES) not in (KEEP_MESSAGES, DELETE_MESSAGES):
            raise InvalidField(MESSAGES, tr("Enter “keep” or “delete”."))


class InvalidField(Exception):
    """Invalid value of the field with the name `field`; `problem` is a translated sentence."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(problem)
        self.field = field
        self.problem = problem


def find_field(form: AccountForm, error: ChatError) -> str:
    """Return the name of the field that caused an error of `submit`, "" for another cause or a field of another form.

    A failed login concerns the current password, a violated rule of passwords the new one, if the form has one.
    """
    field = NICK if error.code == "nick_invalid" else _FIELDS_BY_REASON.get(error.reason, "")
    names = [form_input.name for form_input in form.inputs]
    if field == PASSWORD and error.reason != "login_failed" and NEW_PASSWORD in names:
        field = NEW_PASSWORD
    return field if field in names else ""


def log_in_form(manager: AccountManager) -> AccountForm:
    """Return the form of `/login`: account, initially that of the current login, and password."""

    async def submit(values: Mapping[str, str]) -> str:
        await manager.log_in(values[ACCOUNT], values[PASSWORD])
        return _logged_in(manager)

    account = manager.login.account if manager.login is not None else ""
    return AccountForm(
        tr(LOG_IN_TITLE),
        (FormInput(ACCOUNT, tr(app_strings.LABEL_ACCOUNT), account), _password(tr(account_strings.PASSWORD))),
        tr("Log in"),
        submit,
        encryption_hint(manager.url),
    )


def register_form(manager: AccountManager, nick: str) -> AccountForm:
    """Return the form of `/register`: account, optional nickname, password twice, optional invite.

    The nickname of the guest is the initial account name if valid as one, otherwise the initial nickname.
    """

    async def submit(values: Mapping[str, str]) -> str:
        await manager.register(values[ACCOUNT], values[PASSWORD], nick=values[NICK], invite=values[INVITE])
        return _logged_in(manager)

    is_word = _ACCOUNT_NAME.fullmatch(nick) is not None
    return AccountForm(
        tr(REGISTER_TITLE),
        (
            FormInput(ACCOUNT, tr(app_strings.LABEL_ACCOUNT), nick if is_word else ""),
            FormInput(NICK, tr(app_strings.LABEL_NICK), "" if is_word else nick, is_optional=True),
            _password(tr(account_strings.PASSWORD)),
            _password(tr("Repeat"), REPEATED),
            FormInput(INVITE, tr("Invite"), is_optional=True),
        ),
        tr("Register"),
        submit,
        encryption_hint(manager.url),
    )


def password_form(manager: AccountManager) -> AccountForm:
    """Return the form of `/password`: current password, new password twice."""

    async def submit(values: Mapping[str, str]) -> str:
        await manager.change_password(values[PASSWORD], values[NEW_PASSWORD])
        return tr("Password changed. Your other devices are logged out.")

    return AccountForm(
        tr("Change the password"),
        (
            _password(tr("Current")),
            _password(tr("New"), NEW_PASSWORD),
            _password(tr("Repeat"), REPEATED),
        ),
        tr("Change"),
        submit,
        encryption_hint(manager.url),
    )


def profile_form(manager: AccountManager, profile: AccountProfile) -> AccountForm:
    """Return the form of `/account`, with nickname and text of the current profile."""

    async def submit(values: Mapping[str, str]) -> str:
        await manager.update_profile(values[NICK], values[ABOUT])
        return tr("Profile saved.")

    return AccountForm(
        tr("Account {account}", account=profile.account),
        (
            FormInput(NICK, tr(app_strings.LABEL_NICK), profile.nick_name),
            FormInput(ABOUT, tr("About"), profile.about, is_optional=True),
        ),
        tr("Save"),
        submit,
        tr("/password changes the password, /devices lists the devices, /delete-account deletes the account."),
    )


def deletion_form(manager: AccountManager) -> AccountForm:
    """Return the form of `/delete-account`: treatment of the messages, by default `KEEP_MESSAGES`, and password."""

    async def submit(values: Mapping[str, str]) -> str:
        await manager.delete_account(values[PASSWORD], cast(Literal["keep", "delete"], values[MESSAGES]))
        return tr("Account deleted. You continue as a guest.")

    return AccountForm(
        tr("Delete the account"),
        (
            FormInput(MESSAGES, tr("Messages"), default=KEEP_MESSAGES),
            _password(tr(account_strings.PASSWORD)),
        ),
        tr("Delete for good"),
        submit,
        tr("“keep” leaves your messages under a neutral name, “delete” removes their texts. Both are final."),
    )


def select_device(devices: Sequence[Device], number: str) -> Device:
    """Return the device with a number, counted from 1 in the list of `/devices`.

    Raises:
        InvalidField: The text is no number of a device; `field` is "".
    """
    if re.fullmatch("[1-9][0-9]{0,8}", number) and int(number) <= len(devices):
        return devices[int(number) - 1]
    raise InvalidField("", tr("No device with this number. /devices lists the devices."))


def _password(label: str, name: str = PASSWORD) -> FormInput:
    return FormInput(name, label, is_secret=True)


def _logged_in(manager: AccountManager) -> str:
    account = manager.login.account if manager.login is not None else ""
    return account_strings.logged_in(account, manager.problem)


def encryption_hint(url: str) -> str:
    """Return a warning for a URL without HTTPS, "" with HTTPS, for `localhost` and for a loopback address."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    try:
        is_loopback = ip_address(host).is_loopback
    except ValueError:
        is_loopback = host == "localhost"
    if parts.scheme == "https" or is_loopback:
        return ""
    return tr("This connection is not encrypted: others in the network can read the password.")
