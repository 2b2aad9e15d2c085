"""Megolm sessions: what a key reads, from where on, and what is refused."""

from __future__ import annotations

from datetime import datetime

import pytest
import vodozemac
from hypothesis import given
from hypothesis import strategies as st

from hubbub import Event
from hubbub.chat.events import Edited, Said, SealedChange, SealedMessage
from hubbub.encryption.encoding import to_base64
from hubbub.encryption.megolm import Inbound, MessageRefused, Outbound, session_name
from hubbub.testing import EPOCH

ROOM, JOURNAL = "room/1", "journal"
OWNER = ("ann", "phone")
AT: datetime = EPOCH


def pair(room: str = ROOM, journal: str = JOURNAL) -> tuple[Outbound, Inbound]:
    outbound = Outbound(room, journal, AT)
    return outbound, reader(outbound, room)


def reader(outbound: Outbound, room: str = ROOM, signer: str = "signer") -> Inbound:
    return Inbound.of_key(outbound.key, OWNER, room, signer, exported=False)


def sealed(session: str, body: str, *, by: str = "ann", device: str = "phone") -> Event:
    return Event(ROOM, 5, AT, by, None, SealedMessage(device, session, body))


def refusal(inbound: Inbound, event: Event) -> str:
    with pytest.raises(MessageRefused) as refused:
        inbound.read(event, JOURNAL)
    return refused.value.reason


def test_what_was_encrypted_is_read() -> None:
    outbound, inbound = pair()
    for index in range(3):
        read = inbound.read(sealed(outbound.id, outbound.encrypt(Said("words"))), JOURNAL)

        assert (read.data, read.position) == (Said("words"), index)
    assert outbound.count == 3


def test_a_key_reads_from_its_index_on() -> None:
    outbound = Outbound(ROOM, JOURNAL, AT)
    before = outbound.encrypt(Said("before"))
    inbound = reader(outbound)
    after = outbound.encrypt(Said("after"))

    assert refusal(inbound, sealed(outbound.id, before)) == "no_key"
    assert inbound.read(sealed(outbound.id, after), JOURNAL).data == Said("after")


@pytest.mark.parametrize(
    ("room", "journal"), [("room/2", JOURNAL), (ROOM, "another"), ("room/2", "another")]
)
def test_a_message_of_another_room_or_server_is_readdressed(room: str, journal: str) -> None:
    outbound, _ = pair(room, journal)
    # The key is given out for this room.
    inbound = reader(outbound)

    assert refusal(inbound, sealed(outbound.id, outbound.encrypt(Said("words")))) == "readdressed"


def test_a_key_of_another_room_reads_nothing_here() -> None:
    outbound, _ = pair()
    inbound = reader(outbound, "room/2")

    assert refusal(inbound, sealed(outbound.id, outbound.encrypt(Said("words")))) == "readdressed"


@pytest.mark.parametrize(("by", "device"), [("bob", "phone"), ("ann", "laptop")])
def test_a_message_of_somebody_else_is_forged(by: str, device: str) -> None:
    outbound, inbound = pair()
    event = sealed(outbound.id, outbound.encrypt(Said("words")), by=by, device=device)

    assert refusal(inbound, event) == "forged"


def test_an_edit_that_was_made_a_message_is_altered() -> None:
    outbound, inbound = pair()

    assert refusal(inbound, sealed(outbound.id, outbound.encrypt(Edited("words")))) == "altered"


def test_a_message_that_was_made_an_edit_is_altered() -> None:
    outbound, inbound = pair()
    body = outbound.encrypt(Said("words"), 3)
    event = Event(ROOM, 5, AT, "ann", 3, SealedChange("phone", outbound.id, body))

    assert refusal(inbound, event) == "altered"


def test_an_edit_of_another_message_is_readdressed() -> None:
    outbound, inbound = pair()
    body = outbound.encrypt(Edited("words"), 3)
    event = Event(ROOM, 5, AT, "ann", 4, SealedChange("phone", outbound.id, body))

    assert refusal(inbound, event) == "readdressed"


@given(st.text(max_size=60) | st.binary(max_size=200).map(to_base64))
def test_junk_is_altered_and_no_error(body: str) -> None:
    outbound, inbound = pair()

    assert refusal(inbound, sealed(outbound.id, body)) in ("altered", "no_key")


@pytest.mark.parametrize("plaintext", [b'{"room": 5}', b'{"x":' + b"[" * 5_000, b'{"room":"\xff"}'])
def test_what_is_no_payload_is_altered(plaintext: bytes) -> None:
    group = vodozemac.GroupSession()
    inbound = Inbound.of_key(group.session_key.to_base64(), OWNER, ROOM, "", exported=False)
    body = group.encrypt(plaintext).to_base64()

    assert refusal(inbound, sealed(group.session_id, body)) == "altered"


@pytest.mark.parametrize("exported", [True, False])
@pytest.mark.parametrize("key", ["", "junk", "AAAA", "ä", "A" * 400])
def test_what_is_no_key_makes_no_session(key: str, exported: bool) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  (vodozemac has its own words)
        Inbound.of_key(key, OWNER, ROOM, "", exported=exported)


def test_an_exported_key_reads_from_an_index_on() -> None:
    outbound, inbound = pair()
    bodies = [outbound.encrypt(Said(f"{number}")) for number in range(4)]
    later = Inbound.of_key(inbound.exported(2), OWNER, ROOM, "signer", exported=True)

    assert later.id == inbound.id
    assert refusal(later, sealed(outbound.id, bodies[1])) == "no_key"
    assert later.read(sealed(outbound.id, bodies[3]), JOURNAL).data == Said("3")
    # What is not there cannot be handed on.
    assert later.exported(0) == later.exported(2)


def test_what_was_written_down_reads_on() -> None:
    outbound, inbound = pair()
    body = outbound.encrypt(Said("words"))
    again = Inbound.of_kept(inbound.kept())

    assert (again.owner, again.room, again.signer) == (OWNER, ROOM, "signer")
    assert again.read(sealed(outbound.id, body), JOURNAL).data == Said("words")


def test_an_earlier_key_improves_a_later_one_and_never_the_other_way() -> None:
    outbound, first = pair()
    outbound.encrypt(Said("words"))
    later = reader(outbound)

    assert first.improves(None)
    assert first.improves(later)
    assert not later.improves(first)
    assert not first.improves(first)


def test_a_signed_key_improves_one_that_nobody_has_signed() -> None:
    outbound, signed = pair()
    unsigned = reader(outbound, signer="")

    assert signed.improves(unsigned)
    assert not unsigned.improves(signed)


def test_a_key_for_another_room_or_of_another_owner_takes_no_place() -> None:
    outbound = Outbound(ROOM, JOURNAL, AT)
    earlier = reader(outbound, "room/2")
    outbound.encrypt(Said("words"))
    standing = reader(outbound)

    assert not earlier.improves(standing)
    assert session_name(outbound.id, ("bob", "phone")) != standing.name
