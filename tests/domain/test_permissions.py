"""Permission table: every action for every role, policy and relation, compared with a table written by hand."""

from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import get_args

import pytest

from server.domain.permissions import (
    RULES,
    Action,
    Policy,
    Role,
    Standing,
    is_permitted,
    is_visible,
    require,
    require_role_change,
)
from tools.generated_docs import permissions_table
from tui_chat.protocol import errors
from tui_chat.protocol.policies import Audience, ManagerRole, Visibility

PERSONS = ("guest", "invited", "account", "member", "moderator", "owner", "admin")

# Cells: `+` permitted, `-` forbidden; letters name the policies that must admit the person:
# s speak, g guestPost, r react, u upload, t topic (in owned rooms), i invite; o rooms without an owner.
# Columns after the persons: while muted, only on lower roles, in direct rooms, in the audit log.
EXPECTED_ACTIONS = """
action          guest invited account member moderator owner admin | muted lower direct audit
READ            +     +       +       +      +         +     +     | +     -     +      +
LIST_MEMBERS    +     +       +       +      +         +     +     | +     -     +      +
SEND            sg    sg      s       s      s         s     s     | -     -     +      -
EDIT_OWN        sg    sg      s       s      s         s     s     | -     -     +      -
DELETE_OWN      +     +       +       +      +         +     +     | +     -     +      -
DELETE_OTHER    -     -       -       -      +         +     +     | +     +     -      -
REACT           r     r       r       r      r         r     r     | -     -     +      -
UPLOAD          sgu   sgu     su      su     su        su    su    | -     -     +      -
SET_TOPIC       tg    tg      t       t      t         t     t     | -     -     +      -
MENTION_ROOM    -     -       -       -      s         s     s     | -     -     -      -
INVITE          i     i       i       i      i         i     i     | +     -     -      -
MANAGE_INVITES  -     -       -       -      +         +     +     | +     -     -      -
CREATE_HOOK     -     o       -       o      +         +     +     | -     -     -      -
MANAGE_HOOKS    -     -       -       -      +         +     +     | +     -     -      -
KICK            -     -       -       -      +         +     +     | +     +     -      -
BAN             -     -       -       -      +         +     +     | +     +     -      -
MUTE            -     -       -       -      +         +     +     | +     +     -      -
SET_ROLE        -     -       -       -      -         +     +     | +     +     -      -
RESIGN          -     -       -       -      +         +     +     | +     -     -      -
SEE_AUDIT       -     -       -       -      +         +     +     | +     -     -      +
CHANGE_POLICY   -     -       -       -      -         +     +     | +     -     -      -
RENAME          -     -       -       -      -         +     +     | +     -     -      -
DELETE_ROOM     -     -       -       -      -         +     +     | +     -     -      -
"""

EXPECTED_GROUPS = """
group           guest invited account member moderator owner admin
everyone        +     +       +       +      +         +     +
members         -     +       -       +      +         +     +
moderators      -     -       -       -      +         +     +
owner           -     -       -       -      -         +     +
"""

POLICY_FIELDS = {"s": "speak", "r": "react", "u": "upload", "t": "topic", "i": "invite"}


def parse_table(table: str) -> dict[str, dict[str, str]]:
    """Return the cells of a table by the first cell of their row and by column."""
    header, *rows = [line.replace("|", "").split() for line in table.strip().splitlines()]
    return {row[0]: dict(zip(header[1:], row[1:], strict=True)) for row in rows}


ACTIONS, GROUPS = parse_table(EXPECTED_ACTIONS), parse_table(EXPECTED_GROUPS)


def name_person(standing: Standing) -> str:
    match standing.role, standing.is_member:
        case Role.GUEST, True:
            return "invited"
        case Role.MEMBER, False:
            return "account"
        case role, _:
            return role.name.lower()


def expect_permission(action: Action, policy: Policy, standing: Standing, target: Standing | None) -> bool:
    """Return the expected permission, from the tables above."""
    row, person = ACTIONS[action.name], name_person(standing)
    members_only = policy.visibility in ("private", "direct")
    if (members_only and not standing.is_member) or (policy.visibility == "admins" and person != "admin"):
        return False
    if standing.banned or (standing.muted and row["muted"] == "-"):
        return False
    if (policy.visibility, "-") in (("direct", row["direct"]), ("admins", row["audit"])):
        return False
    if row["lower"] == "+" and (target is None or PERSONS.index(target.role.name.lower()) >= PERSONS.index(person)):
        return False
    return all(_expect_condition(letter, policy, person) for letter in row[person])


def _expect_condition(letter: str, policy: Policy, person: str) -> bool:
    match letter:
        case "+" | "-":
            return letter == "+"
        case "g":
            return policy.guest_post
        case "o":
            return not policy.owned
        case "t" if not policy.owned:
            return True
        case _:
            return GROUPS[getattr(policy, POLICY_FIELDS[letter])][person] == "+"


def all_standings() -> Iterator[Standing]:
    flags = (False, True)
    for role, is_member, muted, banned in product(Role, flags, flags, flags):
        yield Standing(role=role, is_member=is_member, muted=muted, banned=banned)


def all_policies() -> Iterator[Policy]:
    """Yield each value of each policy, and all combinations of the policies of one action."""
    flags, audiences, manager_roles = (False, True), get_args(Audience), get_args(ManagerRole)
    for visibility, owned in product((*get_args(Visibility), "admins"), flags):
        for speak, upload, guest_post in product(audiences, audiences, flags):
            yield Policy(visibility=visibility, owned=owned, speak=speak, upload=upload, guest_post=guest_post)
        for topic, guest_post in product(manager_roles, flags):
            yield Policy(visibility=visibility, owned=owned, topic=topic, guest_post=guest_post)
        for react, invite in zip(audiences, manager_roles, strict=True):
            yield Policy(visibility=visibility, owned=owned, react=react, invite=invite)


TARGETS = (None, *(Standing(role=role) for role in Role))


def test_the_tables_have_a_row_for_each_action_and_group() -> None:
    assert set(ACTIONS) == {action.name for action in Action} == {action.name for action in RULES}
    assert set(GROUPS) == {*get_args(Audience), *get_args(ManagerRole)}


@pytest.mark.parametrize("action", Action, ids=lambda action: action.name)
def test_each_role_has_the_permissions_of_the_table(action: Action) -> None:
    targets = TARGETS if ACTIONS[action.name]["lower"] == "+" else TARGETS[:1]
    standings = list(all_standings())
    for policy in all_policies():
        for standing, target in product(standings, targets):
            expected = expect_permission(action, policy, standing, target)
            assert is_permitted(action, policy, standing, target) is expected, (action, policy, standing, target)


def test_actions_without_a_target_ignore_the_target() -> None:
    for action, row in ACTIONS.items():
        if row["lower"] == "-":
            for standing, target in product(all_standings(), TARGETS):
                arguments = (Action[action], Policy(owned=True), standing)
                assert is_permitted(*arguments, target) is is_permitted(*arguments)


def test_an_invisible_room_has_the_same_error_for_each_action() -> None:
    outsiders = [standing for standing in all_standings() if not standing.is_member]
    for visibility in ("private", "direct"):
        policy = Policy(visibility=visibility, owned=True)
        for action, standing in product(Action, outsiders):
            assert not is_visible(policy, standing)
            with pytest.raises(errors.NotFound) as caught:
                require(action, policy, standing, TARGETS[1])
            assert (caught.value.reason, caught.value.params) == ("room_not_found", {})


@pytest.mark.parametrize(
    ("action", "policy", "standing", "reason"),
    [
        (Action.READ, Policy(), Standing(banned=True), "member_banned"),
        (Action.SEND, Policy(), Standing(muted=True), "member_muted"),
        (Action.SEND, Policy(), Standing(muted=True, banned=True), "member_banned"),
        (Action.SEND, Policy(guest_post=False), Standing(), "guests_read_only"),
        (Action.SEND, Policy(speak="members"), Standing(), "members_only"),
        (Action.SEND, Policy(speak="moderators"), Standing(role=Role.MEMBER), "moderators_only"),
        (Action.RENAME, Policy(), Standing(role=Role.MODERATOR), "owner_only"),
        (Action.KICK, Policy(), Standing(role=Role.MODERATOR), "rank_too_low"),
        (Action.KICK, Policy(visibility="direct"), Standing(role=Role.ADMIN, is_member=True), "not_in_direct_room"),
        (Action.SEND, Policy(visibility="admins"), Standing(role=Role.ADMIN), "room_read_only"),
    ],
)
def test_a_rejected_action_has_a_reason(action: Action, policy: Policy, standing: Standing, reason: str) -> None:
    with pytest.raises(errors.Forbidden) as caught:
        require(action, policy, standing)
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("action", "standing"), [(Action.READ, Standing(banned=True)), (Action.SEND, Standing(muted=True))]
)
def test_the_rejection_of_a_ban_or_mute_contains_its_end(action: Action, standing: Standing) -> None:
    for until, params in ((None, {}), (1_700_000_000_000, {"until": 1_700_000_000_000})):
        with pytest.raises(errors.Forbidden) as caught:
            require(
                action,
                Policy(),
                Standing(role=standing.role, muted=standing.muted, banned=standing.banned, until=until),
            )
        assert caught.value.params == params


# Greatest role that each person may assign, by the role of the target; `-` for none.
EXPECTED_GRANTS = """
actor           guest     member    moderator owner     admin
guest           -         -         -         -         -
member          -         -         -         -         -
moderator       -         -         -         -         -
owner           owner     owner     owner     -         -
admin           owner     owner     owner     owner     -
"""


@pytest.mark.parametrize(("actor", "target"), list(product(Role, Role)), ids=lambda role: role.name)
def test_roles_are_assigned_to_persons_of_lower_role(actor: Role, target: Role) -> None:
    cell = parse_table(EXPECTED_GRANTS)[actor.name.lower()][target.name.lower()]
    standings = (Standing(role=actor, is_member=True), Standing(role=target, is_member=True))
    for owned, role in product((False, True), (Role.MEMBER, Role.MODERATOR, Role.OWNER)):
        expected = cell != "-" and role <= Role[cell.upper()] and (owned or role is not Role.OWNER)
        assert may_change_role(Policy(owned=owned), *standings, role, is_self=False) is expected


def test_a_role_above_member_can_be_given_up_for_a_lower_one() -> None:
    for actor, role in product(Role, (Role.MEMBER, Role.MODERATOR, Role.OWNER)):
        standing = Standing(role=actor, is_member=True)
        assert may_change_role(Policy(owned=True), standing, standing, role, is_self=True) is (role < actor)
        assert not may_change_role(Policy(visibility="direct"), standing, standing, role, is_self=True)


def test_docs_moderation_md_contains_the_generated_table() -> None:
    page = (Path(__file__).parents[2] / "docs" / "moderation.md").read_text(encoding="utf-8")
    assert permissions_table() in page, "make docs"


def may_change_role(policy: Policy, standing: Standing, target: Standing, role: Role, *, is_self: bool) -> bool:
    try:
        require_role_change(policy, standing, target, role, is_self=is_self)
    except errors.Forbidden:
        return False
    return True
