"""
The vectors of this version, which all later ones read: ``python -m tests.encryption.vectors``.

It prints a new set of vectors. ``vectors.json`` never changes; add another file beside it
for another format.
"""

from __future__ import annotations

import sys
import tempfile
import zlib
from pathlib import Path

import msgspec
import vodozemac

from hubbub.chat.events import Edited, Reacted, Said, Unreacted
from hubbub.encryption.backup import RecoveryKey
from hubbub.encryption.encoding import from_base64, to_base64
from hubbub.encryption.identity import UserKey, fingerprint_of
from hubbub.encryption.megolm import Inbound, Outbound
from hubbub.encryption.olm import PICKLE_KEY, Olm
from hubbub.encryption.payloads import (
    AskAgain,
    Content,
    DevicePayload,
    RoomContent,
    RoomKey,
    RoomPayload,
    VerifyAccept,
    VerifyCancel,
    VerifyKey,
    VerifyMac,
    VerifyStart,
)
from hubbub.encryption.sealing import Passphrase
from hubbub.encryption.store import KeyStore, MessageRow, RowChange
from hubbub.encryption.verify import commitment_to
from hubbub.keys.device import OneTimeKey
from hubbub.keys.events import DeviceKeys

__all__ = [
    "CHANGES",
    "CONTENTS",
    "JOURNAL",
    "MESSAGE",
    "ROOM",
    "ROOM_CONTENTS",
    "SEEN",
    "WORDS",
    "Vectors",
]

ROOM, JOURNAL, WORDS = "room/1", "journal", "the words of a message"
CONTENTS: list[Content] = [
    RoomKey(ROOM, "key"),
    RoomKey(ROOM, "key", exported=True),
    AskAgain(),
    VerifyStart("one"),
    VerifyAccept("one", "commitment"),
    VerifyKey("one", "key"),
    VerifyMac("one", "mac"),
    VerifyCancel("one", "why"),
]
ROOM_CONTENTS: list[RoomContent] = [
    Said(WORDS, 3),
    Edited(WORDS),
    Reacted("👍"),
    Unreacted("👍"),
]
CHANGES = [RowChange("meta", "device", b"phone"), RowChange("user", "bob", b"a key")]
MESSAGE = MessageRow(ROOM, 5, 5, "", WORDS.encode())
SEEN = ("session", 3, 5)


class Vectors(msgspec.Struct):
    """Stored values, and their contents."""

    account: str
    identity: str
    # A message that begins a session, one that goes on with it, and the session that reads on.
    first: tuple[int, str]
    session: str
    second: tuple[int, str]
    sender_key: str
    # A session that reads, what it was made of, and what it reads.
    inbound: str
    session_key: str
    exported_key: str
    session_id: str
    session_name: str
    said: str
    edited: str
    device_payloads: list[str]
    room_payloads: list[str]
    user_key_seed: str
    user_key: str
    fingerprint: str
    recovery_key: str
    backup_check: str
    backup_user_key: str
    backup_session: str
    commitment: str
    # A key store, compressed.
    store: str
    passphrase: str


class NoStore:
    """A store in which nothing was kept."""

    def get(self, kind: str, name: str) -> None:
        return None

    def all(self, kind: str) -> dict[str, bytes]:
        return {}


def new_vectors() -> Vectors:
    """Write one of each."""
    ann, bob = Olm(NoStore()), Olm(NoStore())  # type: ignore[arg-type]
    key_id, key = next(iter(bob.new_keys("phone", 0).items()))
    bob.account.mark_keys_as_published()
    account = bob.account.pickle(PICKLE_KEY)
    address = ("bob", "phone")
    bob_keys = DeviceKeys(*address, JOURNAL, bob.ed25519, bob.curve25519)
    ann.begin(address, bob_keys, OneTimeKey(key_id, key, False))
    first = ann.encrypt(address, b"first")
    second = ann.encrypt(address, b"second")
    reads = vodozemac.AnyOlmMessage.from_parts(first.kind, from_base64(first.body)).to_pre_key()
    assert reads is not None
    identity = vodozemac.Curve25519PublicKey.from_base64(ann.curve25519)
    session, _ = bob.account.create_inbound_session(identity, reads)
    outbound = Outbound(ROOM, JOURNAL, None)  # type: ignore[arg-type]
    session_key = outbound.key
    inbound = Inbound.of_key(session_key, ("ann", "phone"), ROOM, "signer", exported=False)
    user_key, recovery_key = UserKey(), RecoveryKey()
    sealer = recovery_key.sealer("ann", JOURNAL, "one", b"salt")
    ann_keys = DeviceKeys("ann", "phone", JOURNAL, ann.ed25519, ann.curve25519)
    signed = user_key.signed_device(ann_keys, ann.account)
    return Vectors(
        account=account,
        identity=bob.curve25519,
        first=(first.kind, first.body),
        session=session.pickle(PICKLE_KEY),
        second=(second.kind, second.body),
        sender_key=ann.curve25519,
        inbound=inbound.kept().decode(),
        session_key=session_key,
        exported_key=inbound.exported(),
        session_id=inbound.id,
        session_name=inbound.name,
        said=outbound.encrypt(Said(WORDS)),
        edited=outbound.encrypt(Edited(WORDS), 4),
        device_payloads=[
            msgspec.json.encode(
                DevicePayload(signed, *address, bob.ed25519, JOURNAL, content)
            ).decode()
            for content in CONTENTS
        ],
        room_payloads=[
            msgspec.json.encode(RoomPayload(ROOM, JOURNAL, content, 4)).decode()
            for content in ROOM_CONTENTS
        ],
        user_key_seed=to_base64(user_key.seed),
        user_key=user_key.public,
        fingerprint=fingerprint_of(user_key.public),
        recovery_key=str(recovery_key),
        backup_check=sealer.check(),
        backup_user_key=sealer.user_key(user_key.seed),
        backup_session=sealer.session(inbound.name, inbound),
        commitment=commitment_to("key", "one"),
        store=new_store(),
        passphrase="correct horse",
    )


def new_store() -> str:
    """Return a key store's file."""
    how = Passphrase(b"0" * 16, memory=64, iterations=1, lanes=1)
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "keys"
        with KeyStore(path, "correct horse", how) as store:
            store.write(CHANGES, [MESSAGE], [SEEN])
        return to_base64(zlib.compress(path.read_bytes(), 9))


if __name__ == "__main__":
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(new_vectors())).decode() + "\n")
