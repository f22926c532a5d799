"""Subcommands `login` and `logout`: the account of later sessions and commands on a server.

- Secrecy: the password comes from a hidden prompt or from standard input, never from the command line.
"""

import sys
from pathlib import Path

from tui_chat.argument_parser import shown_command
from tui_chat.cli_commands.room_connection import UsageError
from tui_chat.client.errors import InvalidAddress
from tui_chat.client.net import address
from tui_chat.command_line import print_error
from tui_chat.secret_input import read_secret
from tui_chat.session import account_forms, error_text
from tui_chat.session.account_manager import AccountManager
from tui_chat.session.i18n import tr
from tui_chat.session.store import profile as profile_store
from tui_chat.session.store.login_store import LoginStore
from tui_chat.session.strings import accounts as account_strings, app as app_strings
from tui_chat.standard_streams import EXIT_IO_ERROR, write_output


async def log_in(server: str, account: str, state_dir: Path) -> int:
    """Log in on a server, store the token for later sessions, and print the result.

    A former login on the server is replaced and its token revoked. A warning about an unencrypted connection to another
    machine precedes the password prompt.

    Args:
        server: Server address, "" for the last used or else the local one.
        account: Account name, "" to prompt for the name on a terminal.
        state_dir: State directory of the logins.

    Returns:
        0; `EXIT_IO_ERROR` without a password, if the login was not stored, or if the previous token was not revoked.

    Raises:
        UsageError: The address is invalid, or the account name is missing without a terminal.
        ChatError: The login failed; the stored login is unchanged.
        OutputError: A prompt or the result cannot be written.
    """
    manager = _create_manager(server, state_dir)
    if not account and not sys.stdin.isatty():
        raise UsageError(tr("no account given (see {program} --help)", program=shown_command("chat-tui") + " login"))
    if warning := account_forms.encryption_hint(manager.url):
        print_error(warning)
    try:
        account, password = _read_credentials(account)
    except EOFError:
        print_error(tr("no password given"))
        return EXIT_IO_ERROR
    await manager.log_in(account, password)
    write_output(account_strings.logged_in(account, manager.problem))
    return EXIT_IO_ERROR if manager.problem else 0


async def log_out(server: str, state_dir: Path) -> int:
    """Remove the stored login of a server, revoke its token, and print the result.

    An unreachable server does not prevent the removal.

    Args:
        server: Server address, "" for the last used or else the local one.
        state_dir: State directory of the logins.

    Returns:
        0, or `EXIT_IO_ERROR` if the token may still be valid or the login is still stored.

    Raises:
        UsageError: The address is invalid, or there is no login.
        OutputError: The result cannot be written.
    """
    manager = _create_manager(server, state_dir)
    if manager.login is None:
        raise UsageError(tr("not logged in on {server}", server=manager.url))
    await manager.log_out()
    write_output(account_strings.logged_out_by_user(manager.problem))
    return EXIT_IO_ERROR if manager.problem else 0


def _read_credentials(account: str) -> tuple[str, str]:
    """Return account name and password, read in the calling thread, so that an interrupt restores the terminal.

    On a terminal, prompts ask for the password and, without `account`, for the name. Other input is the password alone.

    Raises:
        EOFError: The input has ended or cannot be read.
        OutputError: Standard output cannot be written.
    """
    if not sys.stdin.isatty():
        return account, read_secret("")
    if not account:
        write_output(f"{tr(app_strings.LABEL_ACCOUNT)}: ", end="")
        try:
            account = input().strip()
        except OSError:
            raise EOFError from None
    return account, read_secret(f"{tr(account_strings.PASSWORD)}: ")


def _create_manager(server: str, state_dir: Path) -> AccountManager:
    """Return the account manager of a server; without an address, of the last used server, otherwise the local one.

    Raises:
        UsageError: The address is invalid.
    """
    saved_profile, _ = profile_store.load(state_dir)
    try:
        url = address.parse_address(server or saved_profile.server or address.DEFAULT_SERVER).base_url
    except InvalidAddress as error:
        raise UsageError(error_text.describe(error)) from None
    return AccountManager(url, LoginStore(state_dir))
