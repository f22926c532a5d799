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
from server.domain.live_room import LiveRoom
from server.domain.log_commands import MentionTargets
from server.domain.permissions import Action, Policy, Standing, is_permitted
from tui_chat.protocol.limits import MENTIONS_PER_MESSAGE, NICKNAME_GRAPHEMES
from tui_chat.protocol.mentions import MentionTokens, may_mention

ConnectionT = TypeVar("ConnectionT", bound=Hashable)

_NO_MENTIONS = MentionTargets()
_MAX_KEY_LENGTH = 2 * NICKNAME_GRAPHEMES


def resolve_mentions(
    text: str,
    accounts: AccountDirectory,
    room: LiveRoom[ConnectionT] | None = None,
    policy: Policy | None = None,
    standing: Standing | None = None,
) -> MentionTargets:
    """Return the accounts that a text mentions, members of the room or not.

    A permitted `@room` yields `all_members` without candidates; any other `@room` counts as a name. Only the first
    `MENTIONS_PER_MESSAGE` mentions of the text are examined, with those of unknown names. Equal results appear once.

    Args:
        text: Sanitized message text.
        accounts: Directory of all accounts.
        room: Live room of the message, None for a room without members.
        policy: Policy of the room, None for a message that cannot mention all members with `@room`.
        standing: Standing of the author, None as for `policy`.
    """
    if not may_mention(text):
        return _NO_MENTIONS  # most messages
    tokens = MentionTokens(text)
    if tokens.is_empty:
        return _NO_MENTIONS
    if tokens.includes_room and _may_mention_all(policy, standing):
        return MentionTargets(all_members=True)
    mentions = islice(tokens.iterate_candidates(_MAX_KEY_LENGTH), MENTIONS_PER_MESSAGE)
    candidates = (tuple(_find_member_ids(keys, accounts, room)) for keys in mentions)
    return MentionTargets(candidates=tuple(dict.fromkeys(filter(None, candidates))))


def _may_mention_all(policy: Policy | None, standing: Standing | None) -> bool:
    """Return whether the author may mention all members; False without a policy or a standing."""
    return policy is not None and standing is not None and is_permitted(Action.MENTION_ROOM, policy, standing)


def _find_member_ids(
    keys: Iterable[str], accounts: AccountDirectory, room: LiveRoom[ConnectionT] | None
) -> Iterator[str]:
    """Yield the member ids of the accounts with one of the names, up to the first name of a present member.

    The name of a present guest ends the sequence without a member id.
    """
    for key in keys:
        present = None if room is None else room.find_by_nick(key)
        if present is not None:
            if present.member.account is not None:
                yield present.member.member_id
            return
        account = accounts.find(key)
        if account is not None:
            yield account.member_id
