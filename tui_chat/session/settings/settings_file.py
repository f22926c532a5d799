"""Settings file: tolerant reader and format-preserving writer.

- Errors: an invalid value is reported in one sentence with its line and replaced by the default; the other settings
  of the file apply.
- Protection: an unreadable file, and one that is not UTF-8 or not valid TOML, is never overwritten.
- Atomic writes: the file is replaced as a whole; comments, order and unknown keys are preserved.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import msgspec

from tui_chat.session.i18n import tr
from tui_chat.session.settings.schema import ClientSettings, ValueKind, convert, fields
from tui_chat.session.store.atomic_write import atomic_write
from tui_chat.session.strings import settings as settings_strings

FILE_NAME = "settings.toml"


class SettingsFile:
    """Current settings and their file.

    Attributes:
        path: Path of the file, which may be missing; None for settings in memory only.
        problems: Errors found while reading the file, one sentence each.
    """

    def __init__(self, path: Path | None = None) -> None:
        """Create the default settings without reading the file."""
        self.path = path
        self.settings = ClientSettings()
        self.problems: tuple[str, ...] = ()

    @classmethod
    def load(cls, path: Path | None) -> "SettingsFile":
        """Return the settings from a file; unknown and invalid settings are listed in `problems`.

        A missing file or None gives the defaults without a problem. An unreadable file, or one that is not UTF-8 or not
        valid TOML, gives only defaults and one problem.
        """
        loaded = cls(path)
        try:
            if text := loaded._read_file():
                loaded._apply_text(text)
        except UnicodeDecodeError:
            loaded.problems = (settings_strings.settings_file_damaged(str(path), tr("not UTF-8")),)
        except OSError as error:
            loaded.problems = (tr(settings_strings.FILE_UNREADABLE, path=str(path), reason=error.strerror or ""),)
        return loaded

    def change(self, name: str, value: object) -> str:
        """Change a setting without validation, and save the file. Return an error sentence of the save, "" on success.

        None restores the default and removes the key. The new value applies even if the file cannot be saved. A missing
        or empty file is written from the template; other changes of the file since `load` stay in the file, without
        effect.
        """
        self.settings = msgspec.structs.replace(
            self.settings, **{name: fields()[name].default if value is None else value}
        )
        if self.path is None:
            return ""
        path = str(self.path)
        # An editor may have changed the file since the last read.
        try:
            text = self._read_file()
        except UnicodeDecodeError:
            return tr("{path} is not UTF-8 and was not changed. The setting applies until you quit.", path=path)
        except OSError as error:
            reason = error.strerror or ""
            return tr("{path} cannot be read: {reason}. The setting applies until you quit.", path=path, reason=reason)
        changed = _replace_value(text or render_template(), name, value)
        if changed is None:
            return tr("{path} is not valid TOML and was not changed. The setting applies until you quit.", path=path)
        try:
            _write(self.path, changed)
        except OSError as error:
            reason = error.strerror or ""
            return tr(
                "{path} cannot be written: {reason}. The setting applies until you quit.", path=path, reason=reason
            )
        return ""

    def _read_file(self) -> str:
        try:
            return "" if self.path is None else self.path.read_text(encoding="utf-8-sig")
        except FileNotFoundError:
            return ""

    def _apply_text(self, text: str) -> None:
        """Apply the valid settings of a file content, and add the problems of the others.

        Nothing is applied from a content that is not valid TOML, which gives one problem.
        """
        import tomllib  # noqa: PLC0415 (15 ms, only with an existing file)

        path = str(self.path)
        try:
            document = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            reason, _, position = str(error).rpartition(" (at ")
            matched = re.match(r"line (\d+)", position)
            line = int(matched[1]) if matched is not None else text.count("\n") + 1
            location = tr(settings_strings.FILE_LINE, path=path, line=line)
            self.problems = (settings_strings.settings_file_damaged(location, reason or str(error)),)
            return
        except (ValueError, RecursionError):
            reason = tr("a number is too long, or values are nested too deeply")
            self.problems = (settings_strings.settings_file_damaged(path, reason),)
            return
        values: dict[str, Any] = {}
        for name, value in document.items():
            try:
                values[name] = convert(name, value)
            except ValueError as error:
                line = _find_line(name, text)
                location = tr(settings_strings.FILE_LINE, path=path, line=line) if line else path
                self.problems += (tr("{location}: {problem}", location=location, problem=str(error)),)
        self.settings = msgspec.structs.replace(self.settings, **values)


def _write(path: Path, text: str) -> None:
    """Replace the file, or the target of a symbolic link; directories are created, and the permissions preserved.

    A new file has the mode 0600. Raises `OSError` if the file cannot be written.
    """
    target = path.resolve() if path.is_symlink() else path
    target.parent.mkdir(parents=True, exist_ok=True)
    atomic_write(target, text.encode(), target.stat().st_mode & 0o777 if target.exists() else 0o600)


def render_template() -> str:
    """Return a settings file with a description of every setting.

    Plain settings are commented out with their defaults; tables are empty.
    """
    lines = ["# " + tr("Settings of chat-tui. Commented lines show the default values."), ""]
    for field in sorted(fields().values(), key=lambda field: field.kind is ValueKind.TABLE):
        is_table, choices = field.kind is ValueKind.TABLE, ", ".join(field.choices)
        choices_help = (
            tr("Allowed values of each entry: {choices}.", choices=choices)
            if is_table
            else tr("Allowed values: {choices}.", choices=choices)
        )
        lines += [
            f"# {tr(field.description)}",
            *([f"# {choices_help}"] if choices else []),
            f"[{field.name}]" if is_table else f"#{field.name} = {json.dumps(field.default)}",
            "",
        ]
    return "\n".join(lines)


def _replace_value(text: str, name: str, value: object) -> str | None:
    """Return the file content with a changed value, None if the content is not valid TOML.

    A commented line of the setting is uncommented; None deletes the key.
    """
    import tomlkit  # noqa: PLC0415 (60 ms, only for writes)

    document = _parse(text)
    if document is None:
        return None
    if name not in document and value is not None:
        document = _activate_default(text, name) or document
    if value is None:
        document.pop(name, None)
    elif isinstance(value, Mapping):
        _update_table(document, name, cast("Mapping[str, Any]", value))
    else:
        document[name] = _to_tomlkit_item(value)
    return tomlkit.dumps(document)


def _parse(text: str) -> Any:
    """Return the TOML document, None if the text is not valid TOML."""
    import tomlkit.exceptions  # noqa: PLC0415 (60 ms, only for writes)

    try:
        return tomlkit.parse(text)
    except (tomlkit.exceptions.TOMLKitError, ValueError, RecursionError):
        return None


def _activate_default(text: str, name: str) -> Any:
    """Return the document with the commented line of a setting uncommented, so that its value follows its description.

    Only the part before the first table is searched. Returns None without such a line, or if the line is prose.
    """
    table = re.search(r"^[ \t]*\[", text, re.MULTILINE)
    end = table.start() if table is not None else len(text)
    root = re.sub(rf"^# ?({re.escape(name)} *=)", r"\1", text[:end], count=1, flags=re.MULTILINE)
    document = _parse(root + text[end:])
    return document if document is not None and name in document else None


def _update_table(document: Any, name: str, value: Mapping[str, Any]) -> None:
    """Set the entries of a table to those of `value`; unchanged entries keep their position and comments.

    Other entries are deleted. A missing table is appended, and a value that is no table is replaced. New entries
    precede comments at the end of the table, which describe the next table.
    """
    import tomlkit.items  # noqa: PLC0415 (60 ms, only for writes)

    if not isinstance(document.get(name), tomlkit.items.AbstractTable):
        document.pop(name, None)  # an invalid value, such as a table with parts between other tables
        document[name] = tomlkit.table()
    table = document[name]
    for key in table.keys() - value.keys():
        del table[key]
    body = table.value.body  # pairs of key and item; the key of comments and blank lines is None
    size = next((n for n in range(len(body), 0, -1) if body[n - 1][0] is not None), 0)
    trailing_comments, body[size:] = body[size:], []
    for key, item in value.items():
        converted = _to_tomlkit_item(item)
        if key not in table or table[key] != converted:
            table[key] = converted
    body.extend(trailing_comments)


def _to_tomlkit_item(value: object) -> Any:
    return list(cast("tuple[str, ...]", value)) if isinstance(value, tuple) else value


def _find_line(name: str, text: str) -> int:
    """Return the 1-based line of a setting or its table, 0 if not found."""
    matched = re.search(rf"^[ \t]*(?:\[+[ \t]*)?[\"']?{re.escape(name)}[\"']?[ \t]*[=.\]]", text, re.MULTILINE)
    return text.count("\n", 0, matched.start()) + 1 if matched is not None else 0
