"""The backup: only the recovery key opens it, and the server can put nothing in."""

from __future__ import annotations

import pytest
import vodozemac

from hubbub.encryption.backup import BackupSealer, RecoveryKey, calls_of, new_salt, new_version
from hubbub.encryption.megolm import Inbound
from hubbub.errors import Invalid

GROUP = vodozemac.GroupSession()
INBOUND = Inbound.of_key(
    GROUP.session_key.to_base64(), ("bob", "phone"), "room/1", "signer", exported=False
)


def sealer(key: RecoveryKey, user: str = "ann", version: str = "one") -> BackupSealer:
    return key.sealer(user, "journal", version, b"salt")


def test_a_recovery_key_is_52_characters_that_read_back() -> None:
    key = RecoveryKey()
    text = str(key)

    assert len(text.replace(" ", "")) == 52
    assert str(RecoveryKey(text)) == text
    assert str(RecoveryKey(text.upper().replace(" ", "-"))) == text


@pytest.mark.parametrize("text", ["", "short", "a" * 51, "a" * 60, "1" * 52, "ä" * 52])
def test_other_texts_are_no_recovery_key(text: str) -> None:
    with pytest.raises(Invalid, match="52"):
        RecoveryKey(text)


def test_a_recovery_key_is_not_shown_by_repr() -> None:
    key = RecoveryKey()

    assert str(key)[:4] not in repr(key)


def test_a_session_comes_back() -> None:
    key = RecoveryKey()
    sealed = sealer(key).session(INBOUND.name, INBOUND)
    found = sealer(key).opened_session(INBOUND.name, sealed)

    assert (found.owner, found.room, found.signer) == (("bob", "phone"), "room/1", "signer")
    assert found.session.session_id == GROUP.session_id


def test_another_key_opens_nothing() -> None:
    sealed = sealer(RecoveryKey()).session(INBOUND.name, INBOUND)

    with pytest.raises(Invalid):
        sealer(RecoveryKey()).opened_session(INBOUND.name, sealed)


@pytest.mark.parametrize(("user", "version"), [("bob", "one"), ("ann", "two")])
def test_an_entry_of_another_user_or_backup_is_refused(user: str, version: str) -> None:
    key = RecoveryKey()
    sealed = sealer(key).session(INBOUND.name, INBOUND)

    with pytest.raises(Invalid):
        sealer(key, user, version).opened_session(INBOUND.name, sealed)


def test_an_entry_under_another_name_is_refused() -> None:
    key = RecoveryKey()
    sealed = sealer(key).session(INBOUND.name, INBOUND)

    with pytest.raises(Invalid):
        sealer(key).opened_session("another", sealed)


@pytest.mark.parametrize("sealed", ["", "A", "ä", "AAAA", "A" * 100])
def test_junk_is_no_entry(sealed: str) -> None:
    with pytest.raises(Invalid):
        sealer(RecoveryKey()).opened_session("session", sealed)


def test_a_check_tells_the_right_key() -> None:
    key = RecoveryKey()
    check = sealer(key).check()

    assert sealer(key).opens(check)
    assert not sealer(RecoveryKey()).opens(check)
    assert not sealer(key).opens("junk!")


def test_the_users_key_comes_back() -> None:
    key = RecoveryKey()

    assert sealer(key).opened_user_key(sealer(key).user_key(b"seed")) == b"seed"


def test_entries_are_split_into_calls() -> None:
    entries = {str(number): "A" * 300 for number in range(250)}
    calls = list(calls_of(entries, count_max=100, chars_max=20_000))

    assert {name: one for call in calls for name, one in call.items()} == entries
    assert max(map(len, calls)) <= 100
    assert max(sum(map(len, call.values())) for call in calls) <= 20_000


def test_versions_and_salts_are_new() -> None:
    assert new_version() != new_version()
    assert new_salt() != new_salt()
