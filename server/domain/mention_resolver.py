"""Accounts that a message text mentions (docs/protocol.md, "Mentions").

- Names: an account is mentioned by its account name, its nickname, and its present nickname in the room.
- Precedence: the longest name counts. A present guest with this name is mentioned instead of all accounts with shorter
  names.
- Bound: mentions above `MENTIONS_PER_MESSAGE` and names above `_MAX_KEY_LENGTH` code points mention nobody.
"""

from collections.abc import Hashable, Iterable, Iterator
from itertools import islice
from typing import TypeVar

from server.domain.account_directory import AccountDirectory
from server.domain.live_room import LiveRoom, Participant
from server.domain.log_commands import MentionTargets
from server.domain.permissions import Action, is_permitted
from tui_chat.protocol.limits import MENTIONS_PER_MESSAGE, NICKNAME_GRAPHEMES
from tui_chat.protocol.mentions import MentionTokens, may_mention

ConnectionT = TypeVar("ConnectionT", bound=Hashable)

_NO_MENTIONS = MentionTargets()
_MAX_KEY_LENGTH = 2 * NICKNAME_GRAPHEMES


def resolve_mentions(
    text: str,
    accounts: AccountDirectory,
    room: LiveRoom[ConnectionT] | None = None,
    author: Participant[ConnectionT] | None = None,
) -> MentionTargets:
    """Return the accounts that a text mentions, members of the room or not.

    Args:
        text: Sanitized message text.
        accounts: Directory of all accounts.
        room: Room of a present author, otherwise None.
        author: Present author, None for an author who cannot mention all members with `@room`.
    """
    if not may_mention(text):
        return _NO_MENTIONS  # most messages
    tokens = MentionTokens(text)
    if tokens.is_empty:
        return _NO_MENTIONS
    if tokens.includes_room and room is not None and author is not None and _may_mention_all(room, author):
        return MentionTargets(all_members=True)
    mentions = islice(tokens.iterate_candidates(_MAX_KEY_LENGTH), MENTIONS_PER_MESSAGE)
    candidates = (tuple(_find_member_ids(keys, accounts, room)) for keys in mentions)
    return MentionTargets(candidates=tuple(dict.fromkeys(filter(None, candidates))))


def _may_mention_all(room: LiveRoom[ConnectionT], author: Participant[ConnectionT]) -> bool:
    return room.access is not None and is_permitted(Action.MENTION_ROOM, room.access.policy, author.standing)


def _find_member_ids(
    keys: Iterable[str], accounts: AccountDirectory, room: LiveRoom[ConnectionT] | None
) -> Iterator[str]:
    """Yield the member ids of the accounts with one of the names, up to the first name of a present member."""
    for key in keys:
        present = None if room is None else room.find_by_nick(key)
        if present is not None:
            if present.member.account is not None:
                yield present.member.member_id
            return
        account = accounts.find(key)
        if account is not None:
            yield account.member_id
