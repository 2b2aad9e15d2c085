"""Signatures: whose devices are believed."""

from __future__ import annotations

import msgspec
import pytest
import vodozemac
from hypothesis import given
from hypothesis import strategies as st

from hubbub.encryption.encoding import to_base64
from hubbub.encryption.identity import (
    UserKey,
    believed_device,
    believed_key,
    canonical,
    fingerprint_of,
    one_time_message,
    verifies,
)
from hubbub.keys.events import DeviceKeys, SignedDevice, SignedKey

ACCOUNT = vodozemac.Account()
USER_KEY = UserKey(bytes(range(32)))
KEYS = DeviceKeys(
    "ann", "phone", "journal", ACCOUNT.ed25519_key.to_base64(), ACCOUNT.curve25519_key.to_base64()
)
SIGNED = USER_KEY.signed_device(KEYS, ACCOUNT)
# Points of small order on Curve25519 and Ed25519: anything "agrees" with them.
SMALL_ORDER = [bytes(32), bytes([1, *bytes(31)])]


def believed(signed: SignedDevice, user: str = "ann", device: str = "phone") -> DeviceKeys | None:
    return believed_device(signed, user, device, USER_KEY.public, "journal")


def test_a_device_that_its_user_has_signed_is_believed() -> None:
    assert believed(SIGNED) == KEYS


@pytest.mark.parametrize("field", ["user", "device", "journal", "ed25519", "curve25519"])
def test_keys_that_were_changed_are_not_believed(field: str) -> None:
    keys = msgspec.structs.replace(KEYS, **{field: "other"})

    assert believed(msgspec.structs.replace(SIGNED, keys=keys)) is None


def test_a_device_is_believed_as_nobody_elses() -> None:
    assert believed(SIGNED, user="bob") is None
    assert believed(SIGNED, device="laptop") is None


@pytest.mark.parametrize("field", ["by_user", "by_device"])
def test_both_signatures_count(field: str) -> None:
    other = UserKey().sign(canonical(KEYS))

    assert believed(msgspec.structs.replace(SIGNED, **{field: other})) is None


def test_a_key_comes_back_from_its_seed() -> None:
    assert UserKey(USER_KEY.seed).public == USER_KEY.public
    assert UserKey().public != UserKey().public


@given(st.text(max_size=60), st.text(max_size=90))
def test_junk_signs_nothing(key: str, signature: str) -> None:
    assert not verifies(key, b"message", signature)


@pytest.mark.parametrize("point", SMALL_ORDER)
def test_a_key_of_small_order_signs_nothing(point: bytes) -> None:
    zero = to_base64(bytes(64))

    assert not verifies(to_base64(point), b"message", zero)


def test_a_one_time_key_is_its_devices_own() -> None:
    key = vodozemac.Account().curve25519_key.to_base64()
    signature = ACCOUNT.sign(one_time_message(key, "phone")).to_base64()

    assert believed_key(SignedKey(key, signature), KEYS) is not None
    laptop = msgspec.structs.replace(KEYS, device="laptop")
    assert believed_key(SignedKey(key, signature), laptop) is None


def test_a_signed_key_that_is_no_point_is_not_taken() -> None:
    signature = ACCOUNT.sign(one_time_message("junk", "phone")).to_base64()

    assert believed_key(SignedKey("junk", signature), KEYS) is None


def test_the_order_of_fields_makes_no_difference() -> None:
    assert canonical({"b": 1, "a": 2}) == canonical({"a": 2, "b": 1}) == b'{"a":2,"b":1}'


def test_a_fingerprint_is_in_groups() -> None:
    groups = fingerprint_of(USER_KEY.public).split()

    assert len(groups) == 16
    assert {len(group) for group in groups} == {4}
