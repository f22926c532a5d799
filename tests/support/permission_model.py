"""Model of the permissions in a room, independent of `server.domain.permissions`."""

from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from tests.support.persons import Kind

KINDS: dict[str, tuple[Kind, str]] = {
    "admin": ("admin", "native"),
    "owner": ("account", "native"),
    "ann": ("account", "native"),
    "ben": ("account", "native"),
    "guest": ("guest", "native"),
    "object": ("guest", "object_join"),
    "string": ("guest", "string_join"),
    "msg": ("guest", "server_msg"),
}
"""Kind and dialect of each person by name."""

MENTIONED = ("ann", "owner")
"""Accounts that every text mentions."""

NAMES = st.sampled_from(sorted(KINDS))
NATIVE_NAMES = st.sampled_from([name for name, (_, dialect) in KINDS.items() if dialect == "native"])
ACCOUNT_NAMES = st.sampled_from([name for name, (kind, _) in KINDS.items() if kind != "guest"])
ROOMS = st.sampled_from(["open", "owned", "vault", "direct"])
POSITIONS = st.integers(0, 9)
POLICIES = st.one_of(
    st.tuples(st.just("speak"), st.sampled_from(["everyone", "members", "moderators"])),
    st.tuples(st.just("guestPost"), st.booleans()),
    st.tuples(st.just("react"), st.sampled_from(["everyone", "members", "moderators"])),
    st.tuples(st.just("upload"), st.sampled_from(["everyone", "members", "moderators"])),
    st.tuples(st.just("topic"), st.sampled_from(["members", "moderators", "owner"])),
    st.tuples(st.just("invite"), st.sampled_from(["members", "moderators", "owner"])),
    st.tuples(st.just("visibility"), st.sampled_from(["public", "unlisted"])),
)


@dataclass
class ExpectedMessage:
    """Message of the model.

    Attributes:
        seq: Position in the log.
        author: Author in the model.
        text: Unique text.
        is_deleted: The message is deleted.
        file_path: Path of its file, empty without one.
        mentioned: Mentioned members.
    """

    seq: int
    author: str
    text: str
    is_deleted: bool = False
    file_path: str = ""
    mentioned: set[str] = field(default_factory=set[str])


@dataclass
class ExpectedRoom:
    """Expected state of a room.

    Attributes:
        name: Name or address on the server.
        visibility: Policy `visibility`.
        owned: The room has an owner.
        policy: Other policies by wire name.
        roles: Roles of the durable members by person.
        banned: Banned persons.
        muted: Muted persons.
        present: Persons in the room.
        observers: Persons that observe the room.
        messages: Messages in order.
        invite_ids: Ids of the valid invites.
        hooks: Creators and paths of the webhooks.
        group_id: Id of the private room as a group of the conversation dialect.
    """

    name: str
    visibility: str = "public"
    owned: bool = False
    policy: dict[str, Any] = field(default_factory=dict[str, Any])
    roles: dict[str, str] = field(default_factory=dict[str, str])
    banned: set[str] = field(default_factory=set[str])
    muted: set[str] = field(default_factory=set[str])
    present: set[str] = field(default_factory=set[str])
    observers: set[str] = field(default_factory=set[str])
    messages: list[ExpectedMessage] = field(default_factory=list[ExpectedMessage])
    invite_ids: set[str] = field(default_factory=set[str])
    hooks: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    group_id: int = 0

    def rank(self, person: str) -> int:
        if person not in KINDS:  # a webhook
            return 0
        if person == "admin":
            return 4
        room_rank = {"owner": 3, "moderator": 2, "member": 1}.get(self.roles.get(person, ""), 0)
        return max(room_rank, 1 if KINDS[person][0] == "account" else 0)

    def sees(self, person: str) -> bool:
        return self.visibility not in ("private", "direct") or person in self.roles

    def reads(self, person: str) -> bool:
        return self.sees(person) and person not in self.banned

    def belongs(self, person: str, policy: str, default: str) -> bool:
        group = self.policy.get(policy, default)
        if group == "members":
            return person in self.roles or self.rank(person) >= 2
        return self.rank(person) >= {"everyone": 0, "moderators": 2, "owner": 3}[group]

    def writes(self, person: str) -> bool:
        may_post = KINDS[person][0] != "guest" or self.policy.get("guestPost", True)
        return (
            self.reads(person) and person not in self.muted and may_post and self.belongs(person, "speak", "everyone")
        )

    def uploads(self, person: str) -> bool:
        return self.writes(person) and self.belongs(person, "upload", "everyone")

    def reacts(self, person: str) -> bool:
        return self.reads(person) and person not in self.muted and self.belongs(person, "react", "everyone")

    def invites(self, person: str) -> bool:
        return self.visibility != "direct" and self.reads(person) and self.belongs(person, "invite", "members")

    def creates_hooks(self, person: str) -> bool:
        is_in_group = self.rank(person) >= 2 or (person in self.roles and not self.owned)
        is_accepted = self.visibility != "direct" and self.reads(person) and person not in self.muted
        return KINDS[person][0] != "guest" and is_accepted and is_in_group

    def sets_topic(self, person: str) -> bool:
        may_post = KINDS[person][0] != "guest" or self.policy.get("guestPost", True)
        is_in_group = not self.owned or self.belongs(person, "topic", "members")
        return self.reads(person) and person not in self.muted and may_post and is_in_group

    def get_message(self, position: int) -> ExpectedMessage | None:
        """Return one of the ten newest messages, or None without messages; any position is valid."""
        newest = self.messages[:-11:-1]
        return newest[position % len(newest)] if newest else None

    def find_mentioned(self, author: str) -> set[str]:
        """Return the durable members that a new or edited message mentions."""
        return {name for name in MENTIONED if name in self.roles and name != author}

    def list_mentions(self, name: str) -> list[ExpectedMessage]:
        """Return the messages that mention a person, without deleted ones."""
        return [message for message in self.messages if name in message.mentioned and not message.is_deleted]

    def expect_entries(self, entries: list[dict[str, Any]]) -> None:
        """Compare the messages in a page of the log with the newest expected ones."""
        found = [(entry["seq"], entry["message"]) for entry in entries if entry["kind"] == "message"]
        expected = [(message.seq, "" if message.is_deleted else message.text) for message in self.messages]
        assert found == expected[-len(found) :] if found else not expected or len(entries) >= 200

    def knows(self, person: str) -> bool:
        authors = {message.author for message in self.messages}
        return person in self.present | self.roles.keys() | self.banned | self.muted | authors

    def moderates(self, actor: str, target: str) -> bool:
        return self.manages(actor, 2) and self.rank(actor) > self.rank(target)

    def manages(self, actor: str, rank: int) -> bool:
        return self.visibility != "direct" and self.reads(actor) and self.rank(actor) >= rank

    def assigns(self, actor: str, target: str, role: str) -> bool:
        rank = {"member": 1, "moderator": 2, "owner": 3}[role]
        if actor == target:
            may_assign = self.rank(actor) >= 2 and rank < self.rank(actor)
        else:
            may_assign = self.rank(actor) >= 3 and self.rank(actor) > self.rank(target)
        is_last_owner = self.roles.get(target) == "owner" and list(self.roles.values()).count("owner") == 1
        has_account = role == "member" or KINDS[target][0] != "guest"
        return (
            self.manages(actor, 2)
            and may_assign
            and (self.owned or role != "owner")
            and target in self.roles
            and has_account
            and not (is_last_owner and role != "owner")
        )
