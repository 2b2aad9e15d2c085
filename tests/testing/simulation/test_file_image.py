from __future__ import annotations

from itertools import pairwise
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from hubbub.testing.simulation.file_image import SECTOR_BYTES, FileImage, OpenFile

writes = st.lists(st.tuples(st.binary(min_size=1, max_size=1_500), st.integers(0, 2_000)))


def content(image: FileImage, kept: float = 0.0, seed: int = 0) -> bytes:
    return image.after_power_loss(Random(seed), kept)[0]


@given(writes=writes, cut=st.integers(0, 3_000))
def test_synced_it_is_what_a_file_would_be(writes: list[tuple[bytes, int]], cut: int) -> None:
    image, model = FileImage(), bytearray()
    for data, offset in writes:
        image.write(data, offset)
        model.extend(bytes(max(0, offset + len(data) - len(model))))
        model[offset : offset + len(data)] = data
    image.truncate(cut)
    image.sync()

    assert content(image) == model[:cut]
    assert image.size == len(model[:cut])


def test_what_was_not_synced_can_be_gone() -> None:
    image = FileImage(b"before")
    image.write(b"after!", 0)
    image.truncate(3)

    assert content(image, kept=0.0) == b"before"
    assert image.after_power_loss(Random(0), 0.0)[1] == 2


@given(seed=st.integers())
def test_a_write_is_torn_at_a_sector(seed: int) -> None:
    image = FileImage(bytes(3_000))
    image.write(b"x" * 2_000, 100)
    after = content(image, 1.0, seed)
    edges = [100, *range(512, 2_100, 512), 2_100]

    assert all(len(set(after[start:end])) == 1 for start, end in pairwise(edges))
    assert set(after[:100] + after[2_100:]) == {0}


@given(seed=st.integers())
def test_torn_by_hand_the_first_sectors_are_there(seed: int) -> None:
    image = FileImage()
    image.write(b"safe", 0)
    image.write(b"x" * SECTOR_BYTES * 3, SECTOR_BYTES)
    image.tear(Random(seed))
    after = content(image)

    assert after[:4] == b"safe"
    assert (len(after) - SECTOR_BYTES) // SECTOR_BYTES in (-1, 1, 2)


def test_a_failed_sync_loses_writes_for_good() -> None:
    image = FileImage()
    for at in range(100):
        image.write(b"x", at)
    image.fail_to_sync(Random(0))
    image.sync()

    assert 20 < content(image).count(b"x") < 80
    assert image.size == 100


def test_an_open_file_knows_its_contents() -> None:
    image = FileImage(b"content")

    assert OpenFile("a.db", image, 0).image.size == 7
