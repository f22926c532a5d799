"""Requests and output of the commands `account …`.

Secrets: passwords are read from the terminal without echo, or from standard input, never from the command line. Tokens
and invite codes are printed once, on standard output.
"""

import argparse
import sys
from collections.abc import Sequence
from datetime import datetime
from getpass import getpass
from typing import Any

from wcwidth import wcswidth

from server.control_socket import ControlError

_REQUEST_FIELDS: dict[str, tuple[str, ...]] = {
    "account add": ("name", "nick", "role"),
    "account list": (),
    "account show": ("name",),
    "account passwd": ("name",),
    "account token": ("name",),
    "account role": ("name", "role"),
    "account suspend": ("name", "reason"),
    "account resume": ("name",),
    "account delete": ("name", "messages"),
    "account invite": ("uses", "expiresIn"),
}
"""Command line arguments in the request of each command, without the password."""

_RESULTS = {
    "account add": "added the account {name}",
    "account passwd": "changed the password of {name}; all devices are logged out",
    "account token": "replaced the token of {name}",
    "account role": "{name} has the role {role}",
    "account suspend": "suspended {name}",
    "account resume": "resumed {name}",
    "account delete": "deleted {name}",
}


def build_request(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the request of a command; `account passwd`, and `account add` without `--bot`, read the password.

    Args:
        arguments: Command line with one of the commands.

    Raises:
        ControlError: The password is unreadable or empty, the two passwords differ, the entry is cancelled, or standard
            input is not a terminal and `--password-stdin` is missing.
    """
    request = {name: getattr(arguments, name) for name in _REQUEST_FIELDS[arguments.command]}
    if arguments.command == "account passwd" or (arguments.command == "account add" and not arguments.bot):
        request["password"] = _read_password(from_stdin=arguments.password_stdin)
    return request


def _read_password(*, from_stdin: bool) -> str:
    """Return the first line of standard input, or the password after two equal entries in the terminal.

    Raises:
        ControlError: As `build_request`.
    """
    password = ""
    try:
        if from_stdin:
            password = sys.stdin.buffer.readline().decode().rstrip("\r\n")
        elif not sys.stdin.isatty():
            raise ControlError("standard input is not a terminal; pass the password with --password-stdin")
        else:
            password = getpass("Password: ")
            if password and getpass("Repeat the password: ") != password:
                raise ControlError("the passwords differ")
    except UnicodeDecodeError as error:  # its message contains a byte of the password
        raise ControlError(f"cannot read the password: the input is not valid {error.encoding.upper()}") from None
    except OSError as error:
        raise ControlError(f"cannot read the password: {error}") from None
    except EOFError:
        raise ControlError("the password entry was cancelled") from None
    if not password:
        raise ControlError("the password is empty")
    return password


def format_response(command: str, response: dict[str, Any]) -> str:
    """Return the output of a command as one or more lines, without a final line break.

    `account list` gives a table with a header, even without accounts, `account show` one line per field and device, and
    `account invite` the code and its limits. Other commands give one line, and a second one for a token.
    """
    match command:
        case "account list":
            return _format_table(response["accounts"])
        case "account show":
            return _format_account(response)
        case "account invite":
            return (
                f"invite code: {response['code']}\n"
                f"registrations: {response['uses']}, until {_format_time(response['expiresAt'])}"
            )
        case _:
            token = f"\ntoken: {response['token']}" if "token" in response else ""
            return _RESULTS[command].format_map(response) + token


def _format_table(accounts: Sequence[dict[str, Any]]) -> str:
    """Return accounts as a table with a header and aligned columns.

    The state of a suspended bot is `suspended`, not `bot`.
    """
    rows = [("NAME", "NICKNAME", "ROLE", "STATE", "CREATED")]
    for account in accounts:
        state = "suspended" if account["suspended"] else "bot" if account["bot"] else "active"
        created = _format_time(account["createdAt"])[:10]
        rows.append((account["name"], account["nickName"], account["role"], state, created))
    widths = [max(map(wcswidth, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell + " " * (width - wcswidth(cell)) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def _format_account(account: dict[str, Any]) -> str:
    """Return the name of an account, and one indented line per field and per device."""
    fields = {
        "nickname": account["nickName"],
        "role": account["role"],
        "kind": "bot" if account["bot"] else "person",
        "state": "suspended" if account["suspended"] else "active",
        "created": _format_time(account["createdAt"]),
        "member id": account["memberId"],
        "e-mail": account["email"] or "none",
        "devices": len(account["devices"]),
    }
    lines = [f"  {name:12} {value}" for name, value in fields.items()]
    lines += [f"    {_format_time(device['lastUsedAt'])}  {device['label']}" for device in account["devices"]]
    return "\n".join((account["name"], *lines))


def _format_time(milliseconds: int) -> str:
    """Return a Unix time as date, hour and minute in the time zone of the system."""
    return f"{datetime.fromtimestamp(milliseconds / 1000).astimezone():%Y-%m-%d %H:%M}"
