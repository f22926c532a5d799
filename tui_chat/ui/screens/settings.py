"""The settings, each explained, changed at once by keys or clicks."""

from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from tui_chat.session import setting_words, settings
from tui_chat.session.language import tr
from tui_chat.session.settings import SettingField, ValueKind
from tui_chat.ui import keys
from tui_chat.ui.app_of import app_of
from tui_chat.ui.settings_app import settings_app

LOW = 26
"""Rows below which the list takes all that the explanation leaves."""


class SettingsScreen(ModalScreen[None]):
    """Over whatever is shown; what is changed acts behind it."""

    CSS_PATH = "settings.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings(keys.Place.SETTINGS)]
    AUTO_FOCUS = ""

    def __init__(self, path: str) -> None:
        """Make it.

        Args:
            path: The file where the settings are kept, empty when they are not.
        """
        super().__init__()
        self._path = path
        self._fields = list(settings.fields().values())
        self._problem = ""

    def compose(self) -> ComposeResult:
        """The settings, and what the marked one does under them."""
        with Vertical(id="settings"):
            yield OptionList(markup=False, compact=True)
            yield Static("", id="explained", markup=False)

    def on_mount(self) -> None:
        """The first one is marked."""
        self.query_one(OptionList).can_focus = False
        settings_app(self).settings_changed.subscribe(self, self._changed)
        self.query_one(OptionList).highlighted = 0
        self._update()

    def on_resize(self) -> None:
        """The rows take the new width."""
        self.set_class(app_of(self).size.height < LOW, "-low")
        self.call_after_refresh(self._update)

    def action_move(self, by: int) -> None:
        """Mark the setting that many rows below, around the end."""
        shown = self.query_one(OptionList)
        self._problem = ""
        shown.highlighted = ((shown.highlighted or 0) + by) % len(self._fields)

    def action_turn(self, by: int) -> None:
        """The next value of the marked setting, or the one before."""
        field = self._marked()
        self._set(field, turned(field, self._value(field), by))

    def action_digit(self, digit: str) -> None:
        """Put a digit behind the number that is marked, or begin anew with it when that is too much."""
        field = self._marked()
        if field.kind is ValueKind.NUMBER:
            number = int(f"{self._value(field)}{digit}")
            self._set(field, number if number <= field.maximum else min(int(digit), field.maximum))

    def action_erase(self) -> None:
        """Take the last digit away, or give the usual value back."""
        field = self._marked()
        self._set(field, self._value(field) // 10 if field.kind is ValueKind.NUMBER else None)

    def action_usual(self) -> None:
        """Give the marked setting its usual value back."""
        self._set(self._marked(), None)

    def action_close(self) -> None:
        """Back to where you were."""
        self.dismiss(None)

    @on(OptionList.OptionHighlighted)
    def _highlighted(self) -> None:
        self._explain()

    @on(OptionList.OptionSelected)
    def _clicked(self) -> None:
        self.action_turn(1)

    def _set(self, field: SettingField, value: Any) -> None:
        if field.kind in {ValueKind.LIST, ValueKind.TABLE} and value is not None:
            return
        usual = field.default if value is None else value
        if usual != self._value(field):
            self._problem = settings_app(self).change_setting(field.name, value)
            self._explain()

    def _changed(self, _: settings.ClientSettings) -> None:
        self._update()

    def _marked(self) -> SettingField:
        return self._fields[self.query_one(OptionList).highlighted or 0]

    def _value(self, field: SettingField) -> Any:
        return getattr(settings_app(self).settings, field.name)

    def _update(self) -> None:
        frame, shown = self.query_one("#settings"), self.query_one(OptionList)
        frame.border_title = Content(tr(setting_words.SETTINGS_TITLE))
        frame.border_subtitle = Content(tr(setting_words.SETTINGS_FOOTER))
        width = max(24, shown.scrollable_content_region.width or 60)
        at = shown.highlighted or 0
        scrolled = shown.scroll_y
        shown.set_options(Option(_row(field, self._value(field), width)) for field in self._fields)
        shown.highlighted = at
        shown.scroll_to(y=scrolled, animate=False)
        self._explain()

    def _explain(self) -> None:
        field = self._marked()
        in_file = field.kind in {ValueKind.LIST, ValueKind.TABLE}
        more = (
            setting_words.edited_in(self._path)
            if in_file and self._path
            else setting_words.allowed_values(field.allowed_values)
        )
        self.query_one("#explained", Static).update(
            Content.assemble(field.help, "\n", (self._problem or more, "$error" if self._problem else "$text-muted"))
        )


def turned(field: SettingField, value: Any, by: int) -> Any:
    """The value of a setting that follows this one, or comes before it; the same where there is no order."""
    match field.kind:
        case ValueKind.CHOICE:
            return field.choices[(field.choices.index(value) + by) % len(field.choices)]
        case ValueKind.BOOLEAN:
            return not value
        case ValueKind.NUMBER:
            return min(field.maximum, max(field.minimum, value + by))
        case _:
            return value


def _row(field: SettingField, value: Any, width: int) -> Content:
    """A setting and its value; a star marks what is not as usual."""
    star = " " if value == field.default else "*"
    said = settings.format_value(value) or "–"
    match field.kind:
        case ValueKind.CHOICE | ValueKind.NUMBER:
            shown = Content(f"‹ {said} ›")
        case ValueKind.BOOLEAN:
            shown = Content(f"{said} [{'x' if value else ' '}]")
        case _:
            shown = Content(said)
    title = tr(field.title)
    name = Content(field.name)
    if title != field.title.text:  # the name is English, and stays what is typed after /set
        name = Content.assemble(title, ("  " + field.name, "$text-muted")).truncate(max(6, width - 16), ellipsis=True)
    shown = shown.truncate(max(6, width - name.cell_length - 6), ellipsis=True)
    gap = " " * max(1, width - name.cell_length - shown.cell_length - 4)
    return Content.assemble((f"{star} ", "bold $accent"), name, gap, shown, " ")
