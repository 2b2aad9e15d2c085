from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubbub.encryption.sealing import KEY_BYTES, Passphrase, Sealer
from hubbub.errors import Invalid

KEY = bytes(range(KEY_BYTES))
QUICK = Passphrase(b"0" * 16, memory=8, iterations=1, lanes=1)


@given(st.binary(max_size=200), st.text(max_size=20))
def test_what_is_sealed_is_opened_at_its_place(value: bytes, place: str) -> None:
    sealer = Sealer(KEY)

    assert sealer.open(place, sealer.seal(place, value)) == value


def test_it_is_opened_nowhere_else() -> None:
    sealer = Sealer(KEY)

    with pytest.raises(Invalid, match="altered"):
        sealer.open("there", sealer.seal("here", b"value"))


def test_it_is_opened_with_no_other_key() -> None:
    with pytest.raises(Invalid):
        Sealer(bytes(KEY_BYTES)).open("here", Sealer(KEY).seal("here", b"value"))


@given(st.integers(0, 40))
def test_each_altered_byte_is_noticed(at: int) -> None:
    sealed = bytearray(Sealer(KEY).seal("here", b"thirteen bytes"))
    sealed[at % len(sealed)] ^= 1

    with pytest.raises(Invalid):
        Sealer(KEY).open("here", bytes(sealed))


@pytest.mark.parametrize("sealed", [b"", b"short", bytes(12), bytes(28)])
def test_what_was_never_sealed_is_refused(sealed: bytes) -> None:
    with pytest.raises(Invalid):
        Sealer(KEY).open("here", sealed)


def test_the_same_value_is_sealed_otherwise_each_time() -> None:
    sealer = Sealer(KEY)

    assert sealer.seal("here", b"value") != sealer.seal("here", b"value")


def test_a_passphrase_makes_the_same_key_each_time() -> None:
    assert QUICK.key("words") == QUICK.key("words")
    assert QUICK.key("words") != QUICK.key("other words")


def test_a_new_passphrase_is_dear_and_has_a_salt_of_its_own() -> None:
    first, second = Passphrase.new(), Passphrase.new()

    assert first.salt != second.salt
    assert (first.memory, first.iterations) == (64 * 1_024, 3)
