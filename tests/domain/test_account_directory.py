"""Names and member ids of the account directory."""

from msgspec.structs import replace

from server.domain import confusables
from server.domain.account_directory import Account, AccountDirectory, AccountIdentity
from tui_chat.protocol.events import MemberRef
from tui_chat.protocol.names import canonical_key

ANN = Account(id=1, name="ann", nick_name="Captain", member_id="m1")
BOB = Account(id=2, name="bob", nick_name="bob", member_id="m2")


def test_both_names_of_an_account_are_reserved_for_its_member_id() -> None:
    directory = AccountDirectory([ANN, BOB])
    assert [directory.find(key) for key in ("ann", "captain", "bob", "eve")] == [ANN, ANN, BOB, None]
    assert directory.is_available("captain", "m1")
    assert not directory.is_available("captain", "m2")
    assert directory.is_available("eve", "m2")


def test_a_changed_nickname_frees_the_former_one() -> None:
    directory = AccountDirectory([ANN, BOB])
    directory.put(replace(ANN, nick_name="Major"))
    assert directory.find("captain") is None
    assert directory.find("major") == directory.find("ann") == directory.get(1)


def test_a_deleted_account_reserves_its_member_id_only() -> None:
    directory = AccountDirectory([ANN, BOB])
    directory.put(replace(ANN, name="deleted-1", deleted=True))
    assert directory.find("ann") is directory.find("deleted-1") is None
    assert directory.is_claimed("m1")
    assert not directory.is_claimed("m3")
    assert not directory.is_confusable(["captain"], "m3")


def test_a_name_that_another_server_has_reassigned_stays_with_its_new_owner() -> None:
    directory = AccountDirectory([ANN])
    directory.put(replace(BOB, nick_name="Captain"))
    directory.put(replace(ANN, nick_name="Major"))
    owner = directory.find("captain")
    assert owner is not None
    assert owner.id == BOB.id
    directory.put(BOB)
    directory.put(replace(ANN, nick_name="Captain"))
    assert directory.find("captain") == directory.get(ANN.id)


def test_guests_are_compared_with_account_names_by_appearance() -> None:
    directory = AccountDirectory([ANN])
    look_alike = confusables.get_skeletons("C\u0430ptain", canonical_key("C\u0430ptain"))
    assert directory.is_confusable(look_alike, "guest")
    assert not directory.is_confusable(look_alike, "m1")
    assert not directory.is_confusable(["eve"], "guest")


def test_an_account_has_an_identity_per_device_and_a_reference() -> None:
    identity = AccountIdentity.from_account(ANN, 7)
    assert identity == AccountIdentity(id=1, name="ann", nick_name="Captain", member_id="m1", role="user", token_id=7)
    assert ANN.to_ref() == MemberRef(member_id="m1", nick_name="Captain", account="ann")


def test_an_account_is_active_unless_suspended_or_deleted() -> None:
    states = [ANN, replace(ANN, suspended=True), replace(ANN, deleted=True)]
    assert [account.is_active for account in states] == [True, False, False]


def test_accounts_and_bots_are_found_by_member_id() -> None:
    directory = AccountDirectory([ANN, replace(BOB, is_bot=True)])
    assert [directory.is_bot(member_id) for member_id in ("m1", "m2", "m3")] == [False, True, False]
    assert [directory.find_member(member_id) for member_id in ("m1", "m3")] == [ANN, None]


def test_an_older_state_of_an_account_has_no_effect() -> None:
    assert AccountDirectory().get_last_change_seq() == 0
    directory = AccountDirectory([replace(ANN, change_seq=3), replace(BOB, change_seq=2)])
    assert directory.get_last_change_seq() == 3
    assert not directory.put(replace(ANN, nick_name="Major", change_seq=2))
    assert directory.find("major") is None
    assert directory.put(replace(ANN, nick_name="Major", change_seq=4))
    assert directory.find("captain") is None
    assert directory.get_last_change_seq() == 4
