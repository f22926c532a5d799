"""Guest identities of a profile, found by server and nickname.

- A nickname matches in any spelling with the same `canonical_key`, a server only exactly.
- Separate from the profile file: the import of name profiles would delay the first screen.
"""

import msgspec

from tui_chat.protocol.names import canonical_key
from tui_chat.session.store.profile import Identity, Profile

MAX_IDENTITIES = 100
"""Maximum number of saved identities; the oldest are dropped."""


def find_guest_key(profile: Profile, server: str, nick: str) -> str | None:
    """Return the saved guest key for a nickname on a server, None if there is none."""
    key = _identity_key(server, nick)
    return next(
        (known.guest_key for known in profile.identities if _identity_key(known.server, known.nick) == key), None
    )


def add_identity(profile: Profile, identity: Identity) -> Profile:
    """Return a copy of a profile with this identity first, in place of an entry of the same server and nickname."""
    key = _identity_key(identity.server, identity.nick)
    others = (known for known in profile.identities if _identity_key(known.server, known.nick) != key)
    return msgspec.structs.replace(profile, identities=(identity, *others)[:MAX_IDENTITIES])


def _identity_key(server: str, nick: str) -> tuple[str, str]:
    return server, canonical_key(nick)
