"""The keys of users, as one device believes them."""

from __future__ import annotations

from pathlib import Path

import pytest
import vodozemac
from anyio import to_thread

from hubbub.encryption import trust
from hubbub.encryption.disk import Disk
from hubbub.encryption.identity import UserKey
from hubbub.encryption.store import KeyStore
from hubbub.encryption.trust import CHECKED_MAX, Trust
from hubbub.errors import Untrusted
from hubbub.keys.device import UserKeys
from hubbub.keys.events import DeviceKeys, SignedDevice
from tests.encryption.kit import PASSPHRASE, make_quick


async def opened(tmp_path: Path) -> Trust:
    path = tmp_path / "keys"
    await to_thread.run_sync(make_quick, path)
    store = await to_thread.run_sync(KeyStore, path, PASSPHRASE)
    return await to_thread.run_sync(Trust, "first_use", "ann", "journal", Disk(store))


def device_of(key: UserKey, name: str = "phone") -> SignedDevice:
    account = vodozemac.Account()
    ed25519, curve25519 = account.ed25519_key.to_base64(), account.curve25519_key.to_base64()
    return key.signed_device(DeviceKeys("bob", name, "journal", ed25519, curve25519), account)


async def test_a_signature_that_was_checked_is_not_taken_for_another(tmp_path: Path) -> None:
    believed, key = await opened(tmp_path), UserKey()
    real, forged = device_of(key), device_of(UserKey())
    await believed.see({"bob": UserKeys(key.public, {"phone": real})})

    assert believed.believes(real, "bob", "phone") == real.keys
    assert believed.believes(forged, "bob", "phone") is None
    assert believed.believes(real, "bob", "phone") == real.keys


async def test_a_changed_key_changes_what_is_believed(tmp_path: Path) -> None:
    believed, old, new = await opened(tmp_path), UserKey(), UserKey()
    first, second = device_of(old), device_of(new)
    await believed.see({"bob": UserKeys(old.public, {"phone": first})})
    await believed.see({"bob": UserKeys(new.public, {"phone": second})})

    assert believed.believes(second, "bob", "phone") is None
    with pytest.raises(Untrusted):
        believed.check_sending(["bob"])
    await believed.accept("bob")
    assert believed.believes(second, "bob", "phone") == second.keys
    assert believed.believes(first, "bob", "phone") is None


async def test_only_so_many_checked_devices_are_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert CHECKED_MAX == 20_000
    monkeypatch.setattr(trust, "CHECKED_MAX", 3)
    believed, key = await opened(tmp_path), UserKey()
    devices = {f"phone-{number}": device_of(key, f"phone-{number}") for number in range(10)}
    found = await believed.see({"bob": UserKeys(key.public, devices)})

    assert len(found) == 10
    assert len(believed._checked) <= 3
