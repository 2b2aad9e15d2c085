from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from hubbub.ids import ID_CHARS, Ids, is_id, time_of

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
NOW = datetime(2026, 11, 23, 9, 0, 0, 123456, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LAST = datetime.max.replace(tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)

moments = st.timedeltas(timedelta(0), LAST - EPOCH).map(lambda since: EPOCH + since)
seeds = st.integers(0, 2**32)
# In microseconds: within a millisecond, on to the next ones, and back.
steps = st.lists(st.one_of(st.integers(0, 400), st.integers(-(10**7), 10**7)), max_size=50)


class SetClock:
    """A clock that shows what it was set to."""

    def __init__(self, time: datetime = NOW) -> None:
        self.time = time

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return self.time.timestamp()


class Unlucky(Random):
    """A source of zeros."""

    def getrandbits(self, _bits: int, /) -> int:
        return 0


def uuid_of(id_: str) -> int:
    """Return the 128 bits of an id."""
    number = 0
    for char in id_:
        number = number * 32 + ALPHABET.index(char)
    return number


@given(moments, seeds)
def test_an_id_is_a_uuid_of_version_7(now: datetime, seed: int) -> None:
    id_ = Ids(SetClock(now), Random(seed)).new()
    uuid = uuid_of(id_)

    assert len(id_) == ID_CHARS == 26
    assert uuid < 2**128
    assert uuid >> 76 & 0xF == 7
    assert uuid >> 62 & 0b11 == 0b10
    assert uuid >> 80 == (now - EPOCH) // MILLISECOND


@given(moments, seeds)
def test_an_id_tells_when_it_was_made(now: datetime, seed: int) -> None:
    id_ = Ids(SetClock(now), Random(seed)).new()

    assert is_id(id_)
    assert time_of(id_) == now - now.microsecond % 1000 * timedelta(microseconds=1)


@given(steps, seeds)
def test_ids_sort_in_the_order_they_were_made_whatever_the_clock_does(
    steps: list[int], seed: int
) -> None:
    clock = SetClock()
    ids = Ids(clock, Random(seed))
    made = [ids.new()]
    for step in steps:
        clock.time += timedelta(microseconds=step)
        made.append(ids.new())

    assert made == sorted(set(made))
    assert all(is_id(id_) for id_ in made)


@given(seeds)
def test_an_id_keeps_the_last_time_while_the_clock_is_behind(seed: int) -> None:
    clock = SetClock()
    ids = Ids(clock, Random(seed))
    before = ids.new()
    clock.time -= timedelta(hours=1)

    after = ids.new()

    assert after > before
    assert time_of(after) == time_of(before)


def test_many_ids_of_one_millisecond_are_unique_and_sorted() -> None:
    ids = Ids(SetClock(), Random(1))

    made = [ids.new() for _ in range(20_000)]

    assert made == sorted(set(made))
    assert {time_of(id_) for id_ in made} == {NOW.replace(microsecond=123000)}


def test_a_full_millisecond_runs_over_into_the_next_one() -> None:
    ids = Ids(SetClock(), Random(1))
    before = ids.new()
    ids._last |= (1 << 74) - 1

    after = ids.new()

    assert is_id(after)
    assert after > before
    assert time_of(after) - time_of(before) == MILLISECOND


def test_two_sources_make_different_ids_in_one_millisecond() -> None:
    here, there = Ids(SetClock(), Random(1)), Ids(SetClock(), Random(2))

    made = [ids.new() for _ in range(1_000) for ids in (here, there)]

    assert len(set(made)) == 2_000


def test_ids_are_unique_and_sorted_without_any_luck() -> None:
    ids = Ids(SetClock(), Unlucky())
    made = [ids.new() for _ in range(100)]

    assert made == sorted(set(made))


def test_the_next_id_does_not_follow_from_the_last() -> None:
    ids = Ids(SetClock(), Random(1))
    made = [uuid_of(ids.new()) for _ in range(100)]

    assert len({after - before for before, after in pairwise(made)}) == 99


def test_a_seed_makes_the_same_ids_again() -> None:
    here, there = Ids(SetClock(), Random(1)), Ids(SetClock(), Random(1))

    assert [here.new() for _ in range(10)] == [there.new() for _ in range(10)]


def test_ids_work_before_and_at_1970() -> None:
    at = Ids(SetClock(EPOCH), Random(1)).new()
    before = Ids(SetClock(EPOCH - timedelta(days=1)), Random(1)).new()

    assert time_of(at) == time_of(before) == EPOCH


def test_what_has_another_form_is_no_id() -> None:
    id_ = Ids(SetClock(), Random(1)).new()

    assert is_id(id_)
    for text in ["", "general", id_[1:], id_ + "0", id_.upper(), id_ + "\n", " " + id_[1:]]:
        assert not is_id(text)


def test_each_character_of_an_id_is_checked() -> None:
    id_ = Ids(SetClock(), Random(1)).new()

    for place in range(ID_CHARS):
        for wrong in "ilou-é":
            assert not is_id(id_[:place] + wrong + id_[place + 1 :])
    assert not is_id("8" + id_[1:])
    assert not is_id(id_[:10] + "c" + id_[11:])
    assert not is_id(id_[:13] + "c" + id_[14:])


def test_an_id_of_a_time_that_no_datetime_can_hold_is_no_id() -> None:
    last = Ids(SetClock(LAST), Random(1)).new()

    assert is_id(last)
    assert time_of(last).year == 9999
    assert not is_id("7zzzzzzzzz" + last[10:])


@given(st.text(alphabet=ALPHABET + "ilou", min_size=26, max_size=26))
def test_whatever_has_the_form_of_an_id_has_a_time(text: str) -> None:
    if is_id(text):
        assert time_of(text).tzinfo is UTC
