"""Settings file: tolerant reader and format-preserving writer.

- Errors: an invalid value is reported in one sentence with its line and replaced by the default; the other settings
  of the file apply.
- Protection: a file that is not valid TOML is never overwritten.
- Atomic writes: the file is replaced as a whole; comments, order and unknown keys are preserved.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import msgspec

from tui_chat.session.i18n import tr
from tui_chat.session.settings.schema import ClientSettings, convert, fields
from tui_chat.session.store.atomic_write import atomic_write
from tui_chat.session.strings import settings as settings_strings

FILE_NAME = "settings.toml"


class SettingsFile:
    """Current settings and their file.

    Attributes:
        path: Path of the file, which may be missing; None for settings in memory only.
        settings: Current settings.
        problems: Errors found while reading the file, one sentence each.
    """

    def __init__(self, path: Path | None = None) -> None:
        """Create the default settings without reading the file."""
        self.path = path
        self.settings = ClientSettings()
        self.problems: tuple[str, ...] = ()

    @classmethod
    def load(cls, path: Path | None) -> "SettingsFile":
        """Return the settings from a file; invalid parts are listed in `problems`.

        A missing file or None gives the defaults without a problem. A file that is not valid TOML gives only defaults.
        """
        loaded = cls(path)
        text = loaded._read_text()
        if text:
            loaded._apply_text(text)
        return loaded

    def change(self, name: str, value: object) -> str:
        """Change a setting and save the file.

        The new value applies even if the file cannot be saved. A missing file is created from the template. None
        removes the key from the file.

        Args:
            name: Name of a setting in `fields`.
            value: Validated value from `schema.parse` or `schema.convert`; None for the default.

        Returns:
            An error sentence if the file was not saved, otherwise "".
        """
        default = fields()[name].default
        self.settings = msgspec.structs.replace(self.settings, **{name: default if value is None else value})
        if self.path is None:
            return ""
        # An editor may have changed the file since the last read.
        try:
            text = self._read_file()
        except UnicodeDecodeError:
            return tr(settings_strings.SETTINGS_FILE_NOT_UTF8, path=str(self.path))
        except OSError as error:
            return tr(settings_strings.SETTINGS_FILE_UNREADABLE, path=str(self.path), reason=error.strerror or "")
        changed = _replace_value(text or render_template(), name, value)
        if changed is None:
            return tr(settings_strings.SETTINGS_FILE_NOT_TOML, path=str(self.path))
        return self._write(self.path, changed)

    def _read_text(self) -> str | None:
        """Return the content of the file, "" if missing. If unreadable, add an error to `problems` and return None."""
        try:
            return self._read_file()
        except UnicodeDecodeError:
            self.problems += (settings_strings.settings_file_damaged(str(self.path), 0, tr(settings_strings.NOT_UTF8)),)
        except OSError as error:
            self.problems += (tr(settings_strings.FILE_UNREADABLE, path=str(self.path), reason=error.strerror or ""),)
        return None

    def _read_file(self) -> str:
        try:
            return "" if self.path is None else self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return ""

    def _apply_text(self, text: str) -> None:
        import tomllib  # noqa: PLC0415 (15 ms, only with an existing file)

        path = str(self.path)
        try:
            document = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            line, reason = _error_location(str(error), text)
            self.problems = (settings_strings.settings_file_damaged(path, line, reason),)
            return
        values: dict[str, Any] = {}
        problems: list[str] = []
        for name, value in document.items():
            try:
                values[name] = convert(name, value)
            except ValueError as error:
                problems.append(settings_strings.settings_file_problem(path, _find_line(name, text), str(error)))
        self.settings = msgspec.structs.replace(self.settings, **values)
        self.problems = tuple(problems)

    @staticmethod
    def _write(path: Path, text: str) -> str:
        target = path.resolve() if path.is_symlink() else path  # preserve a symbolic link
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            mode = target.stat().st_mode & 0o777 if target.exists() else 0o600
            atomic_write(target, text.encode(), mode)
        except OSError as error:
            return tr(settings_strings.SETTINGS_FILE_UNWRITABLE, path=str(path), reason=error.strerror or "")
        return ""


def render_template() -> str:
    """Return a settings file with a description of every setting.

    Plain settings are commented out with their defaults; tables are empty.
    """
    lines = ["# " + tr("Settings of chat-tui. Commented lines show the default values."), ""]
    tables: list[str] = []
    for field in fields().values():
        if isinstance(field.default, Mapping):
            tables += [
                f"# {field.help}",
                *(
                    [f"# {tr(settings_strings.ALLOWED_ENTRY_VALUES, choices=', '.join(field.choices))}"]
                    if field.choices
                    else []
                ),
                f"[{field.name}]",
                "",
            ]
            continue
        lines += [f"# {field.help}"]
        if field.choices:
            lines += ["# " + tr("Allowed values: {choices}.", choices=", ".join(field.choices))]
        lines += [f"#{field.name} = {json.dumps(field.default)}", ""]
    return "\n".join(lines + tables)


def _replace_value(text: str, name: str, value: object) -> str | None:
    """Return the file content with a changed value, None if the content is not valid TOML.

    A commented line of the setting is uncommented; None deletes the key.
    """
    import tomlkit  # noqa: PLC0415 (60 ms, only for writes)
    from tomlkit.exceptions import TOMLKitError  # noqa: PLC0415

    try:
        document = tomlkit.parse(text)
        if name not in document and value is not None:
            # The commented default is activated, so that the new value appears below its description.
            text = re.sub(rf"^# ?({re.escape(name)} *=)", r"\1", text, count=1, flags=re.MULTILINE)
            document = tomlkit.parse(text)
        if value is None:
            if name in document:
                del document[name]
        elif isinstance(value, Mapping):
            _update_table(document, name, cast("Mapping[str, Any]", value))
        else:
            document[name] = _to_tomlkit_item(value)
        return tomlkit.dumps(document)
    except TOMLKitError:
        return None


def _update_table(document: Any, name: str, value: Mapping[str, Any]) -> None:
    import tomlkit  # noqa: PLC0415 (60 ms, only for writes)

    table = document.get(name)
    if table is None:
        table = document[name] = tomlkit.table()
    for key in [key for key in table if key not in value]:
        del table[key]
    for key, item in value.items():
        converted = _to_tomlkit_item(item)
        if key not in table or table[key] != converted:
            table[key] = converted


def _to_tomlkit_item(value: object) -> Any:
    return list(cast("tuple[str, ...]", value)) if isinstance(value, tuple) else value


def _error_location(message: str, text: str) -> tuple[int, str]:
    """Return the line number and the reason of a tomllib error."""
    reason, _, location = message.rpartition(" (at ")
    number = re.match(r"line (\d+)", location)
    if number is not None:
        return int(number[1]), reason
    return text.count("\n") + 1, reason or message


def _find_line(name: str, text: str) -> int:
    """Return the 1-based line of a setting or its table, 0 if not found."""
    matched = re.search(rf"^[ \t]*(?:\[+[ \t]*)?[\"']?{re.escape(name)}[\"']?[ \t]*[=.\]]", text, re.MULTILINE)
    return text.count("\n", 0, matched.start()) + 1 if matched is not None else 0
