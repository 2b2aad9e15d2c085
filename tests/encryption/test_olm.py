"""Olm sessions between devices: they hand over keys, and no junk disturbs them."""

from __future__ import annotations

from pathlib import Path

import pytest
import vodozemac
from hypothesis import given
from hypothesis import strategies as st

from hubbub.encryption.encoding import from_base64, to_base64
from hubbub.encryption.identity import one_time_message
from hubbub.encryption.olm import ONE_TIME_KEYS, SESSIONS_MAX, Olm
from hubbub.encryption.store import KeyStore
from hubbub.keys.device import OneTimeKey, SealedBody
from hubbub.keys.events import DeviceKeys, SealedKey, SignedKey
from tests.encryption.test_identity import SMALL_ORDER
from tests.encryption.test_store import opened


class Side:
    """
    One device.

    Args:
        store: where it keeps its sessions.
        user: whose it is.
    """

    def __init__(self, store: KeyStore, user: str) -> None:
        self.store = store
        self.address = (user, "phone")
        self.olm = Olm(store)
        self.stock = list(self.olm.new_keys("phone", 0).items())
        self.olm.account.mark_keys_as_published()

    @property
    def keys(self) -> DeviceKeys:
        return DeviceKeys(*self.address, "journal", self.olm.ed25519, self.olm.curve25519)

    def claimed(self) -> OneTimeKey:
        return OneTimeKey(*self.stock.pop(0), False)

    def begin(self, other: Side) -> bool:
        return self.olm.begin(other.address, other.keys, other.claimed())

    def encrypt(self, other: Side, words: bytes = b"words") -> SealedKey:
        sealed = self.olm.encrypt(other.address, words)
        return SealedKey("phone", self.olm.curve25519, sealed.kind, sealed.body)

    def decrypt(self, other: Side, sealed: SealedKey) -> bytes | None:
        return self.olm.decrypt(other.address, sealed)


@pytest.fixture
def sides(tmp_path: Path) -> tuple[Side, Side]:
    return Side(opened(tmp_path / "ann"), "ann"), Side(opened(tmp_path / "bob"), "bob")


def test_a_device_reads_what_another_has_encrypted_for_it(sides: tuple[Side, Side]) -> None:
    ann, bob = sides

    assert ann.begin(bob)
    assert bob.decrypt(ann, ann.encrypt(bob)) == b"words"
    assert ann.decrypt(bob, bob.encrypt(ann, b"an answer")) == b"an answer"


def test_both_may_begin_at_once(sides: tuple[Side, Side]) -> None:
    ann, bob = sides
    assert ann.begin(bob)
    assert bob.begin(ann)
    crossing = ann.encrypt(bob), bob.encrypt(ann)

    assert bob.decrypt(ann, crossing[0]) == b"words"
    assert ann.decrypt(bob, crossing[1]) == b"words"
    for number in range(10):
        words = f"{number}".encode()
        assert bob.decrypt(ann, ann.encrypt(bob, words)) == words
        assert ann.decrypt(bob, bob.encrypt(ann, words)) == words


def test_messages_that_arrive_late_are_read(sides: tuple[Side, Side]) -> None:
    ann, bob = sides
    ann.begin(bob)
    first, second, third = [ann.encrypt(bob, f"{number}".encode()) for number in range(3)]

    assert bob.decrypt(ann, third) == b"2"
    assert bob.decrypt(ann, first) == b"0"
    assert bob.decrypt(ann, second) == b"1"


def test_a_message_is_read_once(sides: tuple[Side, Side]) -> None:
    ann, bob = sides
    ann.begin(bob)
    sealed = ann.encrypt(bob)
    bob.decrypt(ann, sealed)

    assert bob.decrypt(ann, sealed) is None


def test_only_the_newest_sessions_with_a_device_are_kept(sides: tuple[Side, Side]) -> None:
    ann, bob = sides
    first = []
    for number in range(SESSIONS_MAX + 1):
        ann.begin(bob)
        first.append(ann.encrypt(bob, f"{number}".encode()))
    for number, sealed in enumerate(first):
        assert bob.decrypt(ann, sealed) == f"{number}".encode()

    assert len(bob.olm._sessions[ann.address]) == SESSIONS_MAX
    # The other side goes on with the one that has received last.
    assert ann.decrypt(bob, bob.encrypt(ann)) == b"words"


def test_sessions_go_on_after_a_restart(sides: tuple[Side, Side]) -> None:
    ann, bob = sides
    ann.begin(bob)
    bob.decrypt(ann, ann.encrypt(bob))
    for side, other in ((ann, bob), (bob, ann)):
        side.store.write([side.olm.kept(other.address), side.olm.kept_account()])
        side.olm = Olm(side.store)

    assert bob.decrypt(ann, ann.encrypt(bob)) == b"words"
    assert ann.decrypt(bob, bob.encrypt(ann)) == b"words"


def test_a_failed_decryption_uses_no_one_time_key_up(sides: tuple[Side, Side]) -> None:
    ann, bob = sides
    ann.begin(bob)
    good = ann.encrypt(bob)
    body = bytearray(from_base64(good.body))
    body[-1] ^= 1
    bad = SealedKey(good.from_device, good.sender_key, good.kind, to_base64(bytes(body)))

    assert bob.decrypt(ann, bad) is None
    assert bob.decrypt(ann, good) == b"words"


@given(
    st.sampled_from([0, 1]),
    st.text(max_size=80) | st.binary(max_size=300).map(to_base64),
    st.text(max_size=50) | st.sampled_from([to_base64(point) for point in SMALL_ORDER]),
)
def test_junk_is_not_read_and_no_error(kind: int, body: str, sender_key: str) -> None:
    bob = BOB

    assert bob.olm.decrypt(("ann", "phone"), SealedKey("phone", sender_key, kind, body)) is None
    assert not bob.olm.has_session(("ann", "phone"))


class NoStore:
    """A store in which nothing was kept."""

    def get(self, kind: str, name: str) -> None:
        return None

    def all(self, kind: str) -> dict[str, bytes]:
        return {}


BOB = Side(NoStore(), "bob")  # type: ignore[arg-type]


@pytest.mark.parametrize("point", SMALL_ORDER)
@pytest.mark.parametrize("which", ["identity", "one-time"])
def test_no_session_begins_with_a_key_of_small_order(
    sides: tuple[Side, Side], point: bytes, which: str
) -> None:
    ann, bob = sides
    text = to_base64(point)
    if which == "identity":
        keys = DeviceKeys(*bob.address, "journal", bob.olm.ed25519, text)
        claimed = bob.claimed()
    else:
        # The device has signed it itself.
        signature = bob.olm.account.sign(one_time_message(text, "phone")).to_base64()
        keys, claimed = bob.keys, OneTimeKey("1", SignedKey(text, signature), False)

    assert not ann.olm.begin(bob.address, keys, claimed)
    assert not ann.olm.has_session(bob.address)


def test_a_key_that_another_device_has_signed_begins_nothing(sides: tuple[Side, Side]) -> None:
    ann, bob = sides

    assert not ann.olm.begin(bob.address, bob.keys, ann.claimed())


def test_the_stock_is_filled_up_with_keys_of_new_numbers(sides: tuple[Side, Side]) -> None:
    ann, _ = sides
    first = {number for number, _ in ann.stock}
    more = ann.olm.new_keys("phone", ONE_TIME_KEYS - 3)

    assert len(first) == ONE_TIME_KEYS
    assert len(more) == 3
    assert max(map(int, first)) < min(map(int, more))
    for signed in more.values():
        signature = vodozemac.Ed25519Signature.from_base64(signed.signature)
        ann.olm.account.ed25519_key.verify_signature(
            one_time_message(signed.key, "phone"), signature
        )


def test_the_fallback_key_before_the_last_is_good_for_whoever_has_it(
    sides: tuple[Side, Side],
) -> None:
    ann, bob = sides
    claimed = OneTimeKey(*bob.olm.new_fallback("phone"), True)
    bob.olm.account.mark_keys_as_published()
    later = bob.olm.new_fallback("phone")
    assert later != (claimed.id, claimed.key)

    assert ann.olm.begin(bob.address, bob.keys, claimed)
    assert bob.decrypt(ann, ann.encrypt(bob)) == b"words"


def test_what_is_sealed_has_a_kind_and_a_body(sides: tuple[Side, Side]) -> None:
    ann, bob = sides
    ann.begin(bob)

    assert isinstance(ann.olm.encrypt(bob.address, b"words"), SealedBody)
