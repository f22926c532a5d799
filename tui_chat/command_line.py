"""What every command line of chat-tui has: one way to say what is wrong, and the language it is said in.

Parsed with argparse: it costs 6 ms where cyclopts costs 50, and the first
screen has to stand within half as much again of a bare Textual program.
"""

import argparse
import gettext
import sys
from collections.abc import MutableMapping, Sequence
from typing import NoReturn

from tui_chat.session import i18n
from tui_chat.session.i18n import Language, mark, tr

EXIT_USAGE_ERROR = 2
"""Exit code for whatever the person can mend."""

_ARGPARSE_MESSAGES = (
    mark("usage: "),
    mark("options"),
    mark("positional arguments"),
    mark("show this help message and exit"),
    mark("unrecognized arguments: %s"),
    mark("expected one argument"),
    mark("argument %(argument_name)s: %(message)s"),
    mark("ignored explicit argument %r"),
    mark("the following arguments are required: %s"),
)
"""What argparse says by itself; it looks its words up in the catalogue of the process (`speak`)."""


class CommandLineParser(argparse.ArgumentParser):
    """A parser that says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        """Say it, and end."""
        exit_with_error(tr("{problem} ({program} --help shows how)", problem=message, program=self.prog))


class VersionAction(argparse.Action):
    """`--version`."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        """Print it, and end."""
        from importlib.metadata import version  # noqa: PLC0415 (20 ms, only for this)

        print(f"chat-tui {version('tui-chat')}")
        parser.exit()


def exit_with_error(message: str) -> NoReturn:
    """Say in one line why nothing is done, and end."""
    print(f"chat-tui: {message}", file=sys.stderr)
    sys.exit(EXIT_USAGE_ERROR)


def set_language(arguments: Sequence[str], setting: str, environ: MutableMapping[str, str]) -> None:
    """Speak the language that is wanted, already in what is said of the command line itself.

    Args:
        arguments: The command line, not parsed yet.
        settings: The language of the settings, empty for none.
        environ: The environment; the `gettext` of the process, which argparse asks, reads it.
    """
    flag = ""
    for index, argument in enumerate(arguments):
        if argument == "--lang":
            flag = arguments[index + 1] if index + 1 < len(arguments) else ""
        elif argument.startswith("--lang="):
            flag = argument.removeprefix("--lang=")
    selected = i18n.select_language(flag, setting, environ)
    i18n.activate(selected)
    if selected is not Language.ENGLISH:
        environ["LANGUAGE"] = i18n.catalogue_dir(selected)
        gettext.bindtextdomain(i18n.DOMAIN, i18n.LOCALE_DIR)
        gettext.textdomain(i18n.DOMAIN)


def parse_language(tag: str) -> Language:
    """The language that a flag names, for argparse."""
    parsed = i18n.language_from_tag(tag)
    if parsed is None:
        raise argparse.ArgumentTypeError(tr("the languages are en and zh"))
    return parsed
