"""Settings screen with an explanation of each setting. Changes apply and are saved immediately."""

from typing import Any

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from tui_chat.session.i18n import mark, tr
from tui_chat.session.settings import schema as settings_schema
from tui_chat.session.settings.schema import SettingField, ValueKind
from tui_chat.session.strings import settings as settings_strings
from tui_chat.ui.app_services import app_of, app_services
from tui_chat.ui.input.keys import KeyScope, textual_bindings
from tui_chat.ui.screens.list_dialog import ListDialog

LOW_HEIGHT = 26  # screen height in rows below which the list fills all space above the explanation


class SettingsScreen(ListDialog[None]):
    """Modal list of all settings.

    Args:
        path: Settings file, empty if changes are not saved.
    """

    CSS_PATH = "settings.tcss"
    BINDINGS = textual_bindings(KeyScope.SETTINGS)

    def __init__(self, path: str) -> None:
        super().__init__()
        self._path = path
        self._setting_fields = list(settings_schema.fields().values())
        self._save_error = ""

    def compose(self) -> ComposeResult:
        """Yield a frame with the settings list above the explanation of the highlighted setting."""
        with Vertical(id="settings"):
            yield OptionList(markup=False, compact=True)
            yield Static("", id="explanation", markup=False)

    def on_mount(self) -> None:
        """List the settings with the first one highlighted, and rebuild the list after each change of a setting."""
        app_services(self).settings_changed.subscribe(self, lambda _: self._update_list())
        self._update_list()

    def on_resize(self) -> None:
        """Rebuild the rows for the new width."""
        self.set_class(app_of(self).size.height < LOW_HEIGHT, "-low")
        self.call_after_refresh(self._update_list)

    def action_move(self, offset: int) -> None:
        """Move the highlight by `offset` rows, with wrap-around, and hide the error of a failed save."""
        self._save_error = ""
        super().action_move(offset)

    def action_cycle_value(self, step: int) -> None:
        """Set the next value (`step` 1) or the previous one (`step` -1) of the highlighted setting.

        Choices wrap around, numbers stop at their limits. No effect on lists and tables.
        """
        field = self._highlighted_field()
        self._set_value(field, next_value(field, self._value(field), step))

    def action_append_digit(self, digit: str) -> None:
        """Append a digit to a number. Above the maximum, the digit alone is the number, limited to the maximum.

        No effect on other settings.
        """
        field = self._highlighted_field()
        if field.kind is ValueKind.NUMBER:
            number = int(f"{self._value(field)}{digit}")
            self._set_value(field, number if number <= field.maximum else min(int(digit), field.maximum))

    def action_erase_digit(self) -> None:
        """Remove the last digit of a number; a single digit becomes 0. Other settings return to their default."""
        field = self._highlighted_field()
        self._set_value(field, self._value(field) // 10 if field.kind is ValueKind.NUMBER else None)

    def action_reset_value(self) -> None:
        """Restore the default of the highlighted setting, including lists and tables."""
        self._set_value(self._highlighted_field(), None)

    @on(OptionList.OptionSelected)
    def _handle_option_selected(self) -> None:
        self.action_cycle_value(1)

    def _set_value(self, field: SettingField, value: Any) -> None:
        """Change a setting; None restores the default.

        Lists and tables only accept None, because the user edits them in the file. No effect without a change.
        """
        if field.kind in {ValueKind.LIST, ValueKind.TABLE} and value is not None:
            return
        if (field.default if value is None else value) != self._value(field):
            self._save_error = app_services(self).change_setting(field.name, value)
            self._update_explanation()

    def _highlighted_field(self) -> SettingField:
        return self._setting_fields[self.highlighted_index]

    def _value(self, field: SettingField) -> Any:
        return getattr(app_services(self).settings, field.name)

    def _update_list(self) -> None:
        """Rebuild titles and rows with the current values; highlight and scroll position stay."""
        self.set_up(mark("Settings"), KeyScope.SETTINGS, "#settings")
        option_list, highlighted, scroll_y = self.option_list, self.highlighted_index, self.option_list.scroll_y
        width = max(24, option_list.scrollable_content_region.width or 60)
        option_list.set_options(
            Option(_setting_row(field, self._value(field), width)) for field in self._setting_fields
        )
        option_list.highlighted = highlighted
        option_list.scroll_to(y=scroll_y, animate=False)
        self._update_explanation()

    @on(OptionList.OptionHighlighted)
    def _update_explanation(self) -> None:
        """Show the description of the highlighted setting, and a save error, the settings file or the allowed values.

        The path of the settings file, if known, is shown for lists and tables.
        """
        field = self._highlighted_field()
        hint = (
            tr("Edit in {path}", path=self._path)
            if self._path and field.kind in {ValueKind.LIST, ValueKind.TABLE}
            else tr(settings_strings.ALLOWED_VALUES, expected=field.allowed_values)
        )
        self.query_one("#explanation", Static).update(
            Content.assemble(
                tr(field.description), "\n", (self._save_error or hint, "$error" if self._save_error else "$text-muted")
            )
        )


def next_value(field: SettingField, value: Any, step: int) -> Any:
    """Return the value `step` positions after `value`.

    A choice wraps around, a switch toggles, a number stops at its limits; a list or table stays unchanged.
    """
    match field.kind:
        case ValueKind.CHOICE:
            return field.choices[(field.choices.index(value) + step) % len(field.choices)]
        case ValueKind.BOOLEAN:
            return not value
        case ValueKind.NUMBER:
            return min(field.maximum, max(field.minimum, value + step))
        case _:
            return value


def _setting_row(field: SettingField, value: Any, width: int) -> Content:
    """Return the row of a setting. A star marks a value other than the default."""
    value_text = settings_schema.format_value(value) or "–"
    match field.kind:
        case ValueKind.CHOICE | ValueKind.NUMBER:
            value_content = Content(f"‹ {value_text} ›")
        case ValueKind.BOOLEAN:
            value_content = Content(f"{value_text} [{'x' if value else ' '}]")
        case _:
            value_content = Content(value_text)
    title = tr(field.title)
    name = Content(field.name)
    if title != field.title.text:  # keep the name visible, because `/set` needs the untranslated form
        name = Content.assemble(title, ("  " + field.name, "$text-muted")).truncate(max(6, width - 16), ellipsis=True)
    value_content = value_content.truncate(max(6, width - name.cell_length - 6), ellipsis=True)
    return Content.assemble(
        ("  " if value == field.default else "* ", "bold $accent"),
        name,
        " " * max(1, width - name.cell_length - value_content.cell_length - 4),
        value_content,
        " ",
    )
