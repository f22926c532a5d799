"""Hashed addresses of guests."""

import pytest

from server.domain import guest_addresses
from server.domain.guest_addresses import GuestAddresses


def build_addresses(secret: bytes = b"s" * 32) -> GuestAddresses:
    return GuestAddresses(secret, is_trusted_proxy=lambda address: address.startswith("10."))


def test_a_hash_depends_on_the_address_and_the_secret() -> None:
    address_hash = build_addresses().hash_address("192.0.2.7")
    assert address_hash is not None
    assert b"192.0.2.7" not in address_hash
    assert build_addresses().hash_address("192.0.2.7") == address_hash
    assert build_addresses().hash_address("192.0.2.8") != address_hash
    assert build_addresses(b"t" * 32).hash_address("192.0.2.7") != address_hash


def test_addresses_of_one_network_have_one_hash() -> None:
    addresses = build_addresses()
    assert addresses.hash_address("2001:db8::1") == addresses.hash_address("2001:db8:0:0:ffff::2")
    assert addresses.hash_address("2001:db8::1") != addresses.hash_address("2001:db8:0:1::1")
    assert addresses.hash_address("::ffff:192.0.2.7") == addresses.hash_address("192.0.2.7")


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1", "10.0.0.1", "unknown", ""])
def test_a_shared_or_invalid_address_has_no_hash(address: str) -> None:
    addresses = build_addresses()
    addresses.record("g1", address)
    assert addresses.hash_address(address) is None
    assert addresses.hash_of_guest("g1") is None


def test_the_latest_address_of_a_guest_is_known() -> None:
    addresses = build_addresses()
    assert addresses.hash_of_guest("g1") is None
    addresses.record("g1", "192.0.2.7")
    addresses.record("g1", "192.0.2.8")
    assert addresses.hash_of_guest("g1") == addresses.hash_address("192.0.2.8")


def test_the_guest_recorded_least_recently_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guest_addresses, "_RECENT_GUESTS", 2)
    addresses = build_addresses()
    for member_id in ("g1", "g2", "g1", "g3"):
        addresses.record(member_id, "192.0.2.7")
    assert [addresses.hash_of_guest(member_id) is None for member_id in ("g1", "g2", "g3")] == [False, True, False]


def test_the_hash_of_another_node_applies_to_a_guest_without_a_known_address() -> None:
    addresses = build_addresses()
    addresses.record_hash("g1", b"remote")
    assert addresses.hash_of_guest("g1") == b"remote"
    assert not addresses.is_known("g1")
    addresses.record("g1", "192.0.2.7")
    assert addresses.is_known("g1")
    assert addresses.hash_of_guest("g1") == addresses.hash_address("192.0.2.7")
