"""Mention tokenizer, shared by the server and the terminal client.

- Syntax: `@name` anywhere, or `name:` at the start of the message. `@room` mentions all members, if the author is a
  moderator or an owner.
- Comparison: canonical form of names (case and width ignored, single spaces), so `＠` and `：` count too.
- Start: no mention directly after a letter, a digit, a combining mark, `_`, `@` or `/`, as in mail addresses and URL
  paths. Characters of scripts without spaces (`tui_chat.protocol.scripts`) may precede `@`.
- End: the name ends where the next character is not a letter, a digit, a combining mark or `_`. Scripts without spaces
  need no such boundary: `@小明你好` mentions 小明.
- Overlap: the longest name of a present member counts, so `@Ann Lee` mentions only `Ann Lee`. Without that member, the
  text mentions `Ann`.
- Code: no mentions inside code. Code is the text between two runs of equally many backticks (CommonMark 0.31,
  section 6.1), also over several lines. A run of three or more without a partner extends to the end of the message.

`server/web/static/state/mentions.js` has the same rules; `tests/vectors/mentions.json` tests both.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import pairwise

from tui_chat.protocol.names import canonical_key
from tui_chat.protocol.scripts import UNSPACED_SCRIPTS
from tui_chat.protocol.search_query import fold

_ROOM = "room"
_CODE = re.compile(r"(?<!`)(`+)(?!`).+?(?<!`)\1(?!`)|(?<!`)`{3,}.*", re.DOTALL)
_MARK = re.compile("[@\ufe6b\uff20:\u2a74\ufe13\ufe55\uff1a]")  # characters that fold to `@` or `:`
_UNSPACED = re.compile(f"[{UNSPACED_SCRIPTS}]")


def may_mention(text: str) -> bool:
    """Return whether a text contains an `@` or a colon of any width, as every mention does."""
    if text.isascii():
        return "@" in text or ":" in text
    return _MARK.search(text) is not None


class MentionTokens:
    """Mentions in a sanitized message text."""

    def __init__(self, text: str) -> None:
        self._start, self._tails = "", list[str]()
        if not may_mention(text):
            return
        folded = " ".join(fold(_CODE.sub("`", text) if "`" in text else text).split())
        self._start = folded if ":" in folded else ""  # may start with a name
        self._tails = [
            folded[match.end() :]
            for match in re.finditer("@", folded)
            if not prevents_mention(folded[match.start() - 1 : match.start()])
        ]

    @property
    def is_empty(self) -> bool:
        """True if the text outside of code has no `@` at the start of a mention, and no colon."""
        return not (self._tails or self._start)

    @property
    def includes_room(self) -> bool:
        """True if the text contains `@room`; the role of the author is not checked."""
        return any(_starts_with_name(tail, _ROOM) for tail in self._tails)

    def includes(self, name: str, member_names: Iterable[str] = ()) -> bool:
        """Return whether the text mentions a nickname or account name; the empty name is never mentioned.

        Args:
            member_names: Names of the members; a mention after `@` that matches a longer one of these is not counted.
        """
        if not name or self.is_empty:
            return False
        key = canonical_key(name)
        if self._start.startswith(f"{key}:"):
            return True
        tails = [tail for tail in self._tails if _starts_with_name(tail, key)]
        if not tails:
            return False
        longer_keys = [other for other in map(canonical_key, member_names) if other.startswith(key) and other != key]
        return any(not any(_starts_with_name(tail, other) for other in longer_keys) for tail in tails)

    def iterate_candidates(self, max_length: int) -> Iterator[list[str]]:
        """Yield the possible names of each mention in canonical form, longest first.

        The longest candidate that is a known name is the mentioned one. Without `member_names`, `includes` is True for
        the names among the candidates, and False for all other names of at most `max_length` code points. A candidate
        that is empty, or starts or ends with a space, is no name.
        """
        for match in re.finditer(":", self._start[: max_length + 1]):
            yield [self._start[: match.start()]]
        for tail in self._tails:
            in_word = [is_spaced_word_character(character) for character in tail[: max_length + 1]]
            ends = [end for end, pair in enumerate(pairwise((*in_word, False)), 1) if not all(pair)]
            yield [tail[:end] for end in reversed(ends) if end <= max_length]


def _starts_with_name(tail: str, key: str) -> bool:
    """Return whether the text after an `@` starts with a non-empty canonical key that ends at a word boundary."""
    return tail.startswith(key) and not (
        is_spaced_word_character(key[-1]) and is_spaced_word_character(tail[len(key) : len(key) + 1])
    )


def prevents_mention(preceding: str) -> bool:
    """Return whether an `@` after this character belongs to an address or path; False for an empty string."""
    return preceding in {"@", "/"} or is_spaced_word_character(preceding)


@lru_cache(4096)
def is_spaced_word_character(character: str) -> bool:
    """Return whether a character belongs to a word of a script with spaces; False for an empty string."""
    return (
        bool(character)
        and (character == "_" or unicodedata.category(character)[0] in "LMN")
        and _UNSPACED.match(character) is None
    )
