"""Hypothesis drives the targets of fuzzing in every run; atheris drives them for long."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubbub.server.websocket.frames import Frames
from tests.fuzzing.framing import check_frames
from tests.fuzzing.seeds import SEEDS, words
from tests.fuzzing.targets import TARGETS, cut

# Where something is changed, how many bytes go, and what comes in their place.
changes = st.tuples(st.integers(0, 4_096), st.integers(0, 4), st.binary(max_size=4))


def changed(data: bytes, edits: Sequence[tuple[int, int, bytes]]) -> bytes:
    for place, gone, new in edits:
        at = place % (len(data) + 1)
        data = data[:at] + new + data[at + gone :]
    return data


def test_every_target_begins_with_something() -> None:
    assert SEEDS.keys() == TARGETS.keys()
    assert all(SEEDS.values())


@pytest.mark.parametrize("target", TARGETS)
def test_what_is_valid_is_read(target: str) -> None:
    for seed in SEEDS[target]:
        TARGETS[target](seed)


@pytest.mark.parametrize("target", TARGETS)
@given(data=st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(target: str, data: bytes) -> None:
    TARGETS[target](data)


@pytest.mark.parametrize("target", TARGETS)
@given(data=st.data())
def test_what_is_nearly_valid_is_read_or_refused(target: str, data: st.DataObject) -> None:
    seeds, known = st.sampled_from(SEEDS[target]), st.sampled_from(sorted(words(target)) or [""])
    edits = data.draw(st.lists(changes, max_size=3))
    if data.draw(st.booleans()):
        edits.append((data.draw(st.integers(0, 4_096)), 0, data.draw(known).encode()))
    begun = changed(data.draw(seeds), edits)

    TARGETS[target](begun + data.draw(st.just(b"") | seeds))


@given(st.binary(max_size=600))
def test_the_first_byte_says_how_the_others_are_cut(data: bytes) -> None:
    assert b"".join(cut(data)) == data[1:]


def test_a_reader_that_differs_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    feed = Frames.feed
    monkeypatch.setattr(Frames, "feed", lambda self, data: feed(self, data.replace(b"a", b"b")))

    with pytest.raises(AssertionError):
        check_frames([b"\x82\x81" + bytes(4) + b"a"])
