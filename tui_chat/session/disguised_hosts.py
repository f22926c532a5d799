"""Detection of addresses whose text suggests another host than their target.

- User information: `https://paypal.com@evil.example/` leads to `evil.example`. Permitted after `mailto:`.
- Mapped characters: compatibility forms and invisible characters, which name resolution replaces or removes.
- Percent escapes: `%` in an ASCII host, which browsers decode.
- Symbols: non-ASCII characters other than letters, marks and digits, such as the fraction slash (RFC 5892).
- Mixed scripts: letters of several scripts in one label, outside of the combinations of UTS #39, section 5.2.
- Lookalikes: labels under an ASCII domain that consist of letters in the shape of ASCII letters (UTS #39, section 4).

`server/web/static/state/disguised_hosts.js` has the same rules; `tests/vectors/disguised_hosts.json` tests both.
"""

import re
from collections.abc import Callable
from typing import cast
from unicodedata import category, normalize

_AUTHORITY = re.compile(r"(?:[a-z]+:(?://)?)?([^/?#]*)", re.ASCII | re.IGNORECASE)
_PORT = re.compile(r":[0-9]*\Z")
_SCRIPTS = {  # recommended scripts, UAX #31, table 5
    *("ARABIC", "ARMENIAN", "BENGALI", "CYRILLIC", "DEVANAGARI", "ETHIOPIC", "GEORGIAN", "GREEK", "GUJARATI"),
    *("GURMUKHI", "HEBREW", "KANNADA", "KHMER", "LAO", "LATIN", "MALAYALAM", "MYANMAR", "ORIYA", "SINHALA", "TAMIL"),
    *("TELUGU", "THAANA", "THAI", "TIBETAN"),
}
_SCRIPT_COMBINATIONS = (
    {"LATIN", "HAN", "HIRAGANA", "KATAKANA"},
    {"LATIN", "HAN", "BOPOMOFO"},
    {"LATIN", "HAN", "HANGUL"},
)
_LABEL_PUNCTUATION = "\u00b7\u0375\u05f3\u05f4\u30fb"  # valid in labels, RFC 5892, appendix A
_IGNORABLE = re.compile("[\u00ad\u034f\u180b-\u180f\u200c\u200d\ufe00-\ufe0f]")
_LATIN_LOOKALIKES = re.compile("[\u0131\u0237\u0250-\u02af\u1d00-\u1dbf\ua720-\ua7ff\uab30-\uab6f]")
_LOOKALIKE_LABEL = re.compile(
    "[-0-9"
    "\u0430\u0441\u0501\u0435\u04bb\u0456\u0458\u04cf\u043e\u0440\u0517\u051b\u0455\u051d\u0445\u0443\u044a\u044c\u04bd\u043f\u0433\u0475\u0461"
    "\u03b1\u03b9\u03ba\u03bd\u03c1\u03c5\u03c9\u03b7\u03bf\u03c4"
    "\u0561\u0563\u0566\u0567\u056c\u0570\u0575\u0578\u057d\u0582\u0585"
    "\u10d8\u10dd\u10e7\u10eb\u10ee\u10fd\u10ff"
    "\u05d3\u05d5\u05d7\u05d9\u05df\u05e1"
    "\u1200\u1220\u1230\u1235\u1260\u1290\u1270\u12c8\u12d0\u12d8\u1320\u1350"
    "]+"
)


def suggests_other_host(address: str) -> bool:
    """Return whether the displayed text of an address suggests another host than its target."""
    authority = cast(re.Match[str], _AUTHORITY.match(address))[1]
    user, _, host_and_port = authority.rpartition("@")
    host = _PORT.sub("", host_and_port).lower()
    if user and address[:7].lower() != "mailto:":
        return True
    if host.isascii():
        return "%" in host
    labels = host.split(".")
    return (
        normalize("NFKC", host) != host
        or _IGNORABLE.search(host) is not None
        or _LATIN_LOOKALIKES.search(host) is not None
        or any(map(_is_symbol, host))
        or any(map(_has_mixed_scripts, labels))
        or (labels[-1].isascii() and any(not label.isascii() and _LOOKALIKE_LABEL.fullmatch(label) for label in labels))
    )


def _is_symbol(character: str) -> bool:
    return not character.isascii() and category(character)[0] not in "LMN" and character not in _LABEL_PUNCTUATION


def _has_mixed_scripts(label: str) -> bool:
    """Return whether a label has letters of several scripts outside `_SCRIPT_COMBINATIONS`, or of a rare script."""
    if label.isascii():
        return False
    # Deferred import: the module reads its table, and few messages contain such hosts.
    from confusable_homoglyphs import categories  # noqa: PLC0415

    get_script = cast(Callable[[str], str], categories.alias)  # pyright: ignore[reportUnknownMemberType]
    scripts = set(map(get_script, label)) - {"COMMON", "INHERITED"}
    is_single = len(scripts) <= 1 and scripts <= _SCRIPTS
    return not is_single and not any(scripts <= combination for combination in _SCRIPT_COMBINATIONS)
