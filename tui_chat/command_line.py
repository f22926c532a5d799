"""Shared parts of all `chat-tui` command lines: error output and the language.

- Startup: argparse is used because alternatives such as cyclopts import in 50 ms instead of 6 ms, and the first screen
  may take at most 1.5 times as long as a bare Textual program.
"""

import argparse
import gettext
import sys
from collections.abc import MutableMapping, Sequence
from typing import NoReturn

from tui_chat.argument_parser import ProgramParser
from tui_chat.session import i18n
from tui_chat.session.i18n import Language, mark, tr
from tui_chat.standard_streams import EXIT_USAGE_ERROR, write_error

_ARGPARSE_MESSAGES = (
    mark("usage: "),
    mark("options"),
    mark("positional arguments"),
    mark("show this help message and exit"),
    mark("unrecognized arguments: %s"),
    mark("expected one argument"),
    mark("argument %(argument_name)s: %(message)s"),
    mark("ignored explicit argument %r"),
    mark("invalid choice: %(value)r (choose from %(choices)s)"),
    mark("the following arguments are required: %s"),
)
"""Built-in messages of argparse, marked for translation; argparse uses the gettext domain that `set_language` binds."""


class CommandLineParser(ProgramParser):
    """Argument parser with one-line error messages."""

    def error(self, message: str) -> NoReturn:
        """Print `message` with a reference to `--help`, then exit with `EXIT_USAGE_ERROR`."""
        exit_with_error(tr("{problem} (see {program} --help)", problem=message, program=self.shell_command))


def print_error(message: str) -> None:
    """Print an error line with the prefix `chat-tui: ` to standard error. A failed write is ignored."""
    write_error(f"chat-tui: {message}")


def exit_with_error(message: str) -> NoReturn:
    """Print `message` as `print_error` does and exit with `EXIT_USAGE_ERROR`."""
    print_error(message)
    sys.exit(EXIT_USAGE_ERROR)


def set_language(arguments: Sequence[str], setting: str, environ: MutableMapping[str, str]) -> None:
    """Activate the language of the program and of argparse before the command line is parsed.

    An unsupported setting or `--lang` value is ignored; the parser later rejects the `--lang` value. A second call
    replaces the language, but argparse does not return to English.

    Args:
        arguments: Unparsed command line; `--lang` has priority over `setting`.
        setting: Value of the `language` setting, "" if not loaded yet.
        environ: Environment, whose locale applies without a flag and a setting. `LANGUAGE` is set for the gettext
            catalogue of argparse, unless the language is English.

    Raises:
        OSError: The catalogue file is missing or unreadable.
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--lang", nargs="?")
    flags, _ = parser.parse_known_args(arguments)
    selected = i18n.select_language(flags.lang or "", setting, environ)
    i18n.activate(selected)
    if selected is not Language.ENGLISH:
        environ["LANGUAGE"] = i18n.CATALOGUE_DIRS[selected]
        gettext.bindtextdomain(i18n.DOMAIN, i18n.LOCALE_DIR)
        gettext.textdomain(i18n.DOMAIN)


def parse_language(tag: str) -> Language:
    """Return the language of a tag or locale such as `zh_CN.UTF-8`, as an argparse type.

    An unsupported language raises `argparse.ArgumentTypeError`.
    """
    parsed = i18n.language_from_tag(tag)
    if parsed is None:
        raise argparse.ArgumentTypeError(tr("supported languages: en, zh"))
    return parsed
