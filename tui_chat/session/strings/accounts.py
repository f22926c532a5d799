"""Texts of accounts, logins and devices."""

from datetime import datetime
from typing import TYPE_CHECKING

from tui_chat.protocol.errors import ChatError
from tui_chat.session import error_text
from tui_chat.session.i18n import mark, plural, tr

if TYPE_CHECKING:
    from tui_chat.protocol.account_responses import Device

NOT_LOGGED_IN = mark("You are not logged in. /login logs in, /register creates an account.")
PASSWORD = mark("Password")


def logged_in(account: str, problem: str) -> str:
    """Return the confirmation of a login, followed by a problem with the stored login, if any."""
    return " ".join(filter(None, (tr("Logged in as {account}.", account=account), problem)))


def logged_out_by_user(problem: str) -> str:
    """Return the confirmation of `/logout`, followed by a problem with the stored login, if any."""
    return " ".join(filter(None, (tr("Logged out. You continue as a guest."), problem)))


def logged_out(error: ChatError) -> str:
    """Return the notice of a rejected token, with its reason and the commands that connect again."""
    return tr(
        "You are logged out: {reason}. /login logs in again, /logout continues as a guest.",
        reason=error_text.phrase(error),
    )


def request_problem(error: ChatError) -> str:
    """Return the sentence of a failed account request, with the seconds until the next attempt if known, at least 1."""
    problem = error_text.describe(error)
    if error.retry_after is None:
        return problem
    seconds = max(1, round(error.retry_after))
    return " ".join((problem, plural("Try again in {count:,} second.", "Try again in {count:,} seconds.", seconds)))


def device_name(device: "Device") -> str:
    """Return the name of a device, with a mark for the current one."""
    name = device.label or tr("unnamed device")
    return tr("{device} (this device)", device=name) if device.current else name


def device_times(device: "Device") -> str:
    """Return the day of the login and the hour of the last use of a device in local time."""
    return tr(
        "login {created}, last used {used}",
        created=f"{datetime.fromtimestamp(device.created_at / 1000):%Y-%m-%d}",
        used=f"{datetime.fromtimestamp(device.last_used_at / 1000):%Y-%m-%d %H:00}",
    )


def device_logged_out(device: "Device") -> str:
    """Return the confirmation of a revoked device."""
    return tr("Logged out {device}.", device=device.label or tr("unnamed device"))
