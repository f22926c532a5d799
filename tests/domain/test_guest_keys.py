"""Guest keys and member ids."""

import re

from hypothesis import given, strategies as st

from server.domain.guest_keys import GuestKeys
from tui_chat.protocol.limits import SECRET_CHARACTERS


def test_a_guest_key_is_valid_only_for_its_member_and_server() -> None:
    guest_keys = GuestKeys(b"s" * 32)
    other_server_keys = GuestKeys(b"t" * 32)
    member_id = guest_keys.generate_member_id()
    assert guest_keys.verify(guest_keys.issue(member_id)) == member_id
    assert other_server_keys.verify(guest_keys.issue(member_id)) is None
    assert len(guest_keys.issue(member_id)) <= SECRET_CHARACTERS
    assert guest_keys.generate_member_id() != member_id


def test_a_derived_member_id_depends_on_the_value_and_the_server() -> None:
    guest_keys, other_server_keys = GuestKeys(b"s" * 32), GuestKeys(b"t" * 32)
    derived = guest_keys.derive_member_id("request")
    assert re.fullmatch(r"g[\w-]{12}", derived)
    assert len(guest_keys.generate_member_id()) == len(derived)
    assert guest_keys.derive_member_id("request") == derived
    assert derived not in {guest_keys.derive_member_id("other"), other_server_keys.derive_member_id("request")}


@given(st.text(min_size=1, max_size=60))
def test_a_forged_guest_key_is_rejected(key: str) -> None:
    guest_keys = GuestKeys(b"s" * 32)
    assert guest_keys.verify(key) is None
    assert guest_keys.verify(key + guest_keys.issue("gabc")) is None
    assert guest_keys.verify(guest_keys.issue("gabc") + "x" + key) is None
