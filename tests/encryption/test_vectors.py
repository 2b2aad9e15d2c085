"""This version reads everything that earlier versions have written."""

from __future__ import annotations

import zlib
from pathlib import Path

import msgspec
import pytest
import vodozemac

from hubbub import Event
from hubbub.chat.events import Edited, Said, SealedChange, SealedMessage
from hubbub.encryption.backup import RecoveryKey
from hubbub.encryption.encoding import from_base64
from hubbub.encryption.identity import UserKey, believed_device, fingerprint_of
from hubbub.encryption.megolm import Inbound, session_name
from hubbub.encryption.olm import PICKLE_KEY
from hubbub.encryption.payloads import DevicePayload, RoomPayload
from hubbub.encryption.store import KeyStore
from hubbub.encryption.verify import commitment_to
from hubbub.testing import EPOCH
from tests.encryption.vectors import (
    CHANGES,
    CONTENTS,
    JOURNAL,
    MESSAGE,
    ROOM,
    ROOM_CONTENTS,
    SEEN,
    WORDS,
    Vectors,
    new_vectors,
)

FILE = Path(__file__).with_name("vectors.json")
WRITTEN = msgspec.json.decode(FILE.read_bytes(), type=Vectors)


@pytest.fixture(params=["frozen", "new"])
def vectors(request: pytest.FixtureRequest) -> Vectors:
    """Return what was written once, and what is written now."""
    return WRITTEN if request.param == "frozen" else new_vectors()


def test_an_account_begins_the_session_that_it_was_asked_for(vectors: Vectors) -> None:
    account = vodozemac.Account.from_pickle(vectors.account, PICKLE_KEY)
    kind, body = vectors.first
    message = vodozemac.AnyOlmMessage.from_parts(kind, from_base64(body)).to_pre_key()
    sender = vodozemac.Curve25519PublicKey.from_base64(vectors.sender_key)
    assert message is not None
    _, plaintext = account.create_inbound_session(sender, message)

    assert account.curve25519_key.to_base64() == vectors.identity
    assert plaintext == b"first"


def test_an_olm_session_reads_on(vectors: Vectors) -> None:
    session = vodozemac.Session.from_pickle(vectors.session, PICKLE_KEY)
    kind, body = vectors.second

    message = vodozemac.AnyOlmMessage.from_parts(kind, from_base64(body))
    assert session.decrypt(message) == b"second"


@pytest.mark.parametrize("source", ["kept", "key", "exported"])
def test_a_megolm_session_reads_messages_and_edits(vectors: Vectors, source: str) -> None:
    owner = ("ann", "phone")
    inbound = {
        "kept": lambda: Inbound.of_kept(vectors.inbound.encode()),
        "key": lambda: Inbound.of_key(vectors.session_key, owner, ROOM, "signer", exported=False),
        "exported": lambda: Inbound.of_key(
            vectors.exported_key, owner, ROOM, "signer", exported=True
        ),
    }[source]()
    said = SealedMessage("phone", vectors.session_id, vectors.said)
    edited = SealedChange("phone", vectors.session_id, vectors.edited)

    assert (inbound.id, inbound.owner, inbound.signer) == (vectors.session_id, owner, "signer")
    assert inbound.name == session_name(vectors.session_id, owner) == vectors.session_name
    read = inbound.read(Event(ROOM, 4, EPOCH, "ann", None, said), JOURNAL)
    assert (read.data, read.position) == (Said(WORDS), 0)
    read = inbound.read(Event(ROOM, 5, EPOCH, "ann", 4, edited), JOURNAL)
    assert (read.data, read.position) == (Edited(WORDS), 1)


def test_what_devices_say_is_understood(vectors: Vectors) -> None:
    found = [msgspec.json.decode(one, type=DevicePayload) for one in vectors.device_payloads]

    assert [payload.content for payload in found] == CONTENTS
    for payload in found:
        assert (payload.user, payload.device, payload.journal) == ("bob", "phone", JOURNAL)
        signed = payload.sender
        assert believed_device(signed, "ann", "phone", vectors.user_key, JOURNAL) == signed.keys


def test_what_is_said_in_rooms_is_understood(vectors: Vectors) -> None:
    found = [msgspec.json.decode(one, type=RoomPayload) for one in vectors.room_payloads]

    assert found == [RoomPayload(ROOM, JOURNAL, content, 4) for content in ROOM_CONTENTS]


def test_a_user_key_and_its_fingerprint_stay_the_same(vectors: Vectors) -> None:
    assert UserKey(from_base64(vectors.user_key_seed)).public == vectors.user_key
    assert fingerprint_of(vectors.user_key) == vectors.fingerprint


def test_a_backup_opens(vectors: Vectors) -> None:
    sealer = RecoveryKey(vectors.recovery_key).sealer("ann", JOURNAL, "one", b"salt")
    inbound = sealer.opened_session(vectors.session_name, vectors.backup_session)

    assert sealer.opens(vectors.backup_check)
    assert sealer.opened_user_key(vectors.backup_user_key) == from_base64(vectors.user_key_seed)
    assert (inbound.id, inbound.room, inbound.owner) == (
        vectors.session_id,
        ROOM,
        ("ann", "phone"),
    )


def test_a_key_store_opens(vectors: Vectors, tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_bytes(zlib.decompress(from_base64(vectors.store)))
    session, position, seq = SEEN
    with KeyStore(path, vectors.passphrase) as store:
        assert [store.get(kind, name) for kind, name, _ in CHANGES] == [
            value for _, _, value in CHANGES
        ]
        assert store.messages(ROOM, [MESSAGE.seq]) == [MESSAGE]
        assert store.seen(session, position) == seq


def test_a_promise_of_a_key_stays_the_same(vectors: Vectors) -> None:
    assert commitment_to("key", "one") == vectors.commitment
