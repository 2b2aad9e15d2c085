"""Sizes and forms of what devices publish; the server knows no more of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubbub.errors import Conflict, Invalid
from hubbub.journal.decide.cache_entries import StreamEntry
from hubbub.keys import checks
from hubbub.keys.checks import BODY_CHARS_MAX, DELIVER_DEVICES_MAX
from hubbub.keys.commands import BACKUP_ENTRIES_MAX, back_up
from hubbub.keys.events import SignedKey
from hubbub.keys.state import BackupState
from tests.games.board_kit import NOON, states_of


@given(st.from_regex(r"\A[A-Za-z0-9_-]{1,64}\Z"))
def test_a_device_id_is_short_and_plain(device: str) -> None:
    assert checks.check_device_id(device) == device


@pytest.mark.parametrize("device", ["", "a/b", "a b", "ä", "x" * 65, "a\n", None, 1, True])
def test_other_things_are_no_device_ids(device: object) -> None:
    with pytest.raises(Invalid):
        checks.check_device_id(device)


@pytest.mark.parametrize("text", ["", "a", "a=", "ä", "a b", "A" * 17, None, 3, b"AA"])
def test_other_texts_are_no_base64(text: object) -> None:
    with pytest.raises(Invalid):
        checks.check_base64(text, "It", 16)


@pytest.mark.parametrize("key", ["A" * 42, "A" * 44, "-" * 43])
def test_a_public_key_has_32_bytes(key: str) -> None:
    with pytest.raises(Invalid):
        checks.check_public_key(key, "A key")


def test_a_signature_has_64_bytes() -> None:
    with pytest.raises(Invalid, match="64 bytes"):
        checks.check_signed_key(SignedKey("A" * 43, "A" * 43))


@pytest.mark.parametrize("key_id", ["", "-1", "01", "1.0", "x", "1" * 16, 1, None])
def test_a_key_id_is_a_number(key_id: object) -> None:
    with pytest.raises(Invalid):
        checks.check_key_id(key_id)


@pytest.mark.parametrize("kind", [2, -1, True, "0", None])
def test_a_message_to_a_device_is_of_two_kinds(kind: object) -> None:
    with pytest.raises(Invalid):
        checks.check_sealed(kind, "AAAA")


def test_a_message_to_a_device_has_a_most() -> None:
    checks.check_sealed(0, "A" * BODY_CHARS_MAX)

    with pytest.raises(Invalid):
        checks.check_sealed(0, "A" * (BODY_CHARS_MAX + 4))


@pytest.mark.parametrize("bodies", [[], ["A"] * (DELIVER_DEVICES_MAX + 1)])
def test_a_call_has_some_and_not_too_many(bodies: list[str]) -> None:
    with pytest.raises(Invalid):
        checks.check_call(bodies, DELIVER_DEVICES_MAX, "devices")


@pytest.mark.parametrize("address", ["", "ann", "/phone", "ann/", "ann/a/b", None, 4])
def test_an_address_is_a_user_and_a_device(address: object) -> None:
    with pytest.raises(Invalid):
        checks.parse_device_address(address)


def test_an_address_is_parsed() -> None:
    assert checks.parse_device_address("ann/phone") == ("ann", "phone")


@pytest.mark.parametrize("entries", [{}, {"a b": "AAAA"}, {"s": ""}, {"s" * 65: "AAAA"}])
def test_a_backup_entry_has_a_form(entries: dict[str, str]) -> None:
    with pytest.raises(Invalid):
        checks.check_backup_entries(entries, 100)


def test_a_backup_takes_no_more_than_its_most() -> None:
    backup = BackupState()
    backup.stands, backup.entries = "one", BACKUP_ENTRIES_MAX - 1
    states = states_of(NOON, StreamEntry("backup/ann", backup))

    assert back_up(states, "ann", "one", {"a": "AAAA"})
    with pytest.raises(Conflict, match="at most 100000 entries"):
        back_up(states, "ann", "one", {"a": "AAAA", "b": "AAAA"})
