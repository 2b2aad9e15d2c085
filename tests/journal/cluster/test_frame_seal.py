from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hubbub.journal.cluster.frame_seal import SEAL_BYTES, FrameSeal


@given(st.binary(max_size=100))
def test_a_frame_comes_out_as_it_went_in(frame: bytes) -> None:
    sealed = FrameSeal("secret").close(frame)

    assert len(sealed) == len(frame) + SEAL_BYTES
    assert FrameSeal("secret").open(sealed) == frame


@given(st.binary(max_size=100))
def test_what_no_node_has_sent_is_refused(data: bytes) -> None:
    assert FrameSeal("secret").open(data) is None
    assert FrameSeal("secret").open(FrameSeal("another").close(data)) is None


@given(st.binary(min_size=1, max_size=50), st.data())
def test_a_frame_that_was_changed_is_refused(frame: bytes, data: st.DataObject) -> None:
    sealed = bytearray(FrameSeal("secret").close(frame))
    place = data.draw(st.integers(0, len(sealed) - 1))
    sealed[place] ^= data.draw(st.integers(1, 255))

    assert FrameSeal("secret").open(bytes(sealed)) is None
