"""Dialog with the devices of the account."""

from collections.abc import Sequence

from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from tui_chat.protocol.account_responses import Device
from tui_chat.session.i18n import mark
from tui_chat.session.strings import accounts as account_strings
from tui_chat.ui.input.keys import KeyScope, textual_bindings
from tui_chat.ui.screens.list_dialog import ListDialog


class DevicesScreen(ListDialog[Device]):
    """Dialog with at least one device that returns the device to log out, None if cancelled."""

    CSS_PATH = "list_dialog.tcss"
    BINDINGS = textual_bindings(KeyScope.DEVICE_LIST)

    def __init__(self, devices: Sequence[Device]) -> None:
        super().__init__()
        self._devices = devices

    def compose(self) -> ComposeResult:
        """Yield a list; the rows of a device are its name and its times."""
        yield OptionList(*(Option(_device_row(device)) for device in self._devices), markup=False)

    def on_mount(self) -> None:
        """Set the titles and highlight the first device."""
        self.set_up(mark("Devices"), KeyScope.DEVICE_LIST)
        self.option_list.highlighted = 0

    @on(OptionList.OptionSelected)
    def action_log_out(self) -> None:
        """Close the dialog with the highlighted device as result."""
        self.dismiss(self._devices[self.highlighted_index])


def _device_row(device: Device) -> Content:
    return Content.assemble(
        (account_strings.device_name(device), "bold" if device.current else ""),
        "\n",
        (account_strings.device_times(device), "$text-muted"),
    )
