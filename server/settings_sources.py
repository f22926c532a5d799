"""Sources of the server settings: command line, environment and settings file.

- Precedence: command line, environment, settings file, default.
- Validation: the effective value of a setting is checked against the type and the limits of the field.
- Paths: `~` is expanded, and relative paths refer to the working directory.
"""

import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_args

import msgspec

from server.settings import SETTINGS, ConfigError, ServerSettings
from tui_chat.argument_parser import shown_command

_MAX_FILE_SIZE = 2**20  # bytes of a settings file
_INVALID_CHARACTER = re.compile(r"[\0\ud800-\udfff]")  # lone surrogates stand for undecodable bytes

# Kubernetes sets CHAT_PORT=tcp://10.0.0.1:8000 and further variables for a service named "chat" in the same namespace
# (Kubernetes documentation, "Service", section "Environment variables"); links of Docker have the same form.
_SERVICE_ADDRESS_PATTERN = re.compile(r"(tcp|udp|sctp)://.*")
_SERVICE_VARIABLE_PATTERN = re.compile(r"CHAT_(SERVICE_(HOST|PORT)(_.*)?|PORT_[0-9]+_(TCP|UDP|SCTP)(_.*)?)")


def suggest(name: str, valid_names: Iterable[str], command: str = "") -> str:
    """Return `did you mean NAME?` with the nearest valid name; without a similar one, a reference to the help.

    `command` is the command with the help, empty for that of the server.
    """
    matches = get_close_matches(name, valid_names, 1)
    return f"did you mean {matches[0]}?" if matches else f"see {command or shown_command('chat-server')} --help"


def resolve_settings(
    options: Mapping[str, Any], environ: Mapping[str, str], config_file: Path | None
) -> tuple[ServerSettings, dict[str, str]]:
    """Merge all sources into validated settings.

    A source replaces the whole value of a source with lower precedence, even for lists. Unknown environment variables,
    and the service address of Kubernetes in `CHAT_PORT`, are ignored without a warning (`find_ignored_variables`).

    Args:
        options: Present command line options, keyed by setting; text is converted to the type of the setting.
        environ: Environment; only variables with the prefix `CHAT_` are read. Commas separate list items.
        config_file: TOML file with one key per setting, or None; a missing file is an error.

    Returns:
        The effective settings, and the source of each value for the operator: `default`, the file path,
        `environment …` or `command line`.

    Raises:
        ConfigError: A source is unreadable, contains an unknown key or an invalid effective value, or only one TLS path
            is set; or the directory of `pages`, or its fallback page, does not exist.
    """
    values: dict[str, Any] = {}
    sources = dict.fromkeys(SETTINGS, "default")
    for source, source_values in (
        *([(str(config_file), _read_file(config_file))] if config_file is not None else []),
        *_read_environment(environ),
        ("command line", dict(options)),
    ):
        for name, value in source_values.items():
            if name not in SETTINGS:
                raise ConfigError(f"{source}: unknown setting {name!r}; {suggest(name, SETTINGS)}")
            values[name], sources[name] = value, source
    settings = ServerSettings(**{name: _convert_value(name, value, sources[name]) for name, value in values.items()})
    settings.parse_allowed_origins()
    settings.parse_trusted_networks()
    settings.load_time_zone()
    settings.resolve_pages_directory()
    settings.resolve_bus()
    if bool(settings.tls_cert) != bool(settings.tls_key):
        raise ConfigError("tls_cert and tls_key: set both or neither")
    return settings, sources


def _read_file(path: Path) -> dict[str, Any]:
    """Return the keys and values of a TOML file; raise `ConfigError` for an unreadable, invalid or too large file."""
    try:
        with path.expanduser().open("rb") as stream:
            content = stream.read(_MAX_FILE_SIZE + 1)
        if len(content) > _MAX_FILE_SIZE:
            raise ValueError("the file is larger than 1 MiB")
        return tomllib.loads(content.decode("utf-8-sig"))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}") from None
    except (ValueError, RuntimeError) as error:  # invalid TOML, encoding or path; too deep nesting; unknown user of ~
        raise ConfigError(f"{path}: {error}") from None


def _read_environment(environ: Mapping[str, str]) -> list[tuple[str, dict[str, Any]]]:
    """Return the source and the setting of each known variable; a service address in `CHAT_PORT` is skipped."""
    return [
        (f"environment {setting.variable}", {name: _split_list(value) if setting.is_list else value})
        for name, setting in SETTINGS.items()
        if (value := environ.get(setting.variable)) is not None
        and not (name == "port" and _SERVICE_ADDRESS_PATTERN.fullmatch(value))
    ]


def find_ignored_variables(environ: Mapping[str, str]) -> list[str]:
    """Return a warning for each environment variable with the prefix `CHAT_` that has no effect.

    These variables are unknown, or belong to a Kubernetes service named "chat"; such a service results in one
    warning for all its variables. Unknown names are sorted; without ignored variables, the list is empty.
    """
    variables = [setting.variable for setting in SETTINGS.values()]
    unknown = [name for name in sorted(environ) if name.startswith("CHAT_") and name not in variables]
    warnings: list[str] = []
    port = environ.get("CHAT_PORT", "")
    if _SERVICE_ADDRESS_PATTERN.fullmatch(port):
        unknown = [name for name in unknown if not _SERVICE_VARIABLE_PATTERN.fullmatch(name)]
        warnings.append(f"CHAT_PORT={port!r} is the address of a service, not a port; ignored, use --port")
    return warnings + [f"unknown environment variable {name}; {suggest(name, variables)}" for name in unknown]


def _split_list(value: str) -> list[str]:
    return [item.strip() for item in value.split(",") if item.strip()]


def _convert_value(name: str, value: Any, source: str) -> Any:
    """Return a value in the type of its setting; only text is converted, and paths become absolute.

    Raises:
        ConfigError: The value is invalid, such as an in-memory database; the message has the source, the value and the
            expected form.
    """
    setting = SETTINGS[name]
    try:
        converted = msgspec.convert(value, setting.type, strict=not isinstance(value, str))
        if isinstance(converted, str) and _INVALID_CHARACTER.search(converted):
            raise ValueError("expected text in UTF-8 without NUL")
        if name == "database" and converted.startswith((":memory:", "file:", "sqlite:")) and "://" not in converted:
            raise ValueError("expected a file or a URL of the form sqlite:///chat.db; a server always needs a file")
        return _resolve_path(converted) if setting.is_path else converted
    except msgspec.ValidationError as error:
        expected = re.split(r", got| [<>]=", str(error).replace("`", ""))[0].lower()
        if setting.limits is not None:
            expected = f"expected {get_args(setting.type)[0].__name__} from {{:.10g}} to {{:.10g}}".format(
                *setting.limits
            )
        raise ConfigError(f"{source}: invalid value {value!r} for {name} ({expected})") from None
    except (ValueError, RuntimeError) as error:  # RuntimeError: unknown user of ~
        raise ConfigError(f"{source}: invalid value {value!r} for {name} ({error})") from None


def _resolve_path(text: str) -> str:
    """Return an absolute path with `~` expanded; an empty text and a URL stay unchanged."""
    # Symbolic links stay, because a certificate renewal may replace their target.
    return text if not text or "://" in text else os.path.abspath(Path(text).expanduser())  # noqa: PTH100
