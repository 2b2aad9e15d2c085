from __future__ import annotations

from typing import Any

import pytest

from hubbub.errors import RateLimited
from hubbub.journal.decide.cache_entries import NotLoaded
from hubbub.journal.decide.limits import LIMITS_MAX, Limits, is_limit, name_of_limit
from hubbub.ratelimit import SlidingWindow
from tests.journal.tally import CHARGES_MAX, new_limit

# In memory


def test_a_charge_counts_until_the_limit() -> None:
    limits = Limits(new_limit)
    for _ in range(CHARGES_MAX):
        limits.charge("numbers", ["ann"])

    with pytest.raises(RateLimited):
        limits.charge("numbers", ["ann"])


def test_each_user_and_each_thing_has_a_limit_of_its_own() -> None:
    limits = Limits(new_limit)
    for what, user in [("numbers", "ann"), ("numbers", "bob"), ("letters", "ann")]:
        for _ in range(CHARGES_MAX):
            limits.charge(what, [user])

    limits.monotonic = 60.0
    limits.charge("numbers", ["ann"])


def test_the_limits_of_some_users_are_forgotten() -> None:
    limits = Limits(new_limit)
    for user in ("ann", "bob"):
        for _ in range(CHARGES_MAX):
            limits.charge("numbers", [user])

    limits.forget(["ann"])

    limits.charge("numbers", ["ann"])
    with pytest.raises(RateLimited):
        limits.charge("numbers", ["bob"])


def test_idle_limits_do_not_pile_up() -> None:
    made: list[str] = []

    def counted(what: str) -> Any:
        made.append(what)
        return new_limit(what)

    limits = Limits(counted)
    for user in range(LIMITS_MAX):
        limits.charge("numbers", [str(user)])
    limits.monotonic = 60.0
    limits.charge("numbers", ["one too many"])

    # The first user's limit is idle, so nobody misses it; it is made anew.
    limits.charge("numbers", ["0"])
    assert len(made) == LIMITS_MAX + 2


class Watched(SlidingWindow):
    """Counts the calls of ``idle``."""

    asked = 0

    def idle(self, now: float) -> bool:
        Watched.asked += 1
        return super().idle(now)


def test_a_new_limit_looks_at_one_of_each_name_however_many_there_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Watched, "asked", 0)
    limits = Limits(lambda what: Watched(1, 60.0))
    for user in range(LIMITS_MAX + 500):
        limits.charge(("numbers", "letters")[user % 2], [str(user)])

    assert 0 < Watched.asked <= 2 * 500


def test_who_is_charged_all_the_time_is_not_forgotten() -> None:
    limits = Limits(new_limit)
    for _ in range(CHARGES_MAX):
        limits.charge("numbers", ["ann"])
    for user in range(LIMITS_MAX + 5):
        if user % 1_000 == 0:
            with pytest.raises(RateLimited):
                limits.charge("numbers", ["ann"])
        limits.charge("numbers", [str(user)])

    with pytest.raises(RateLimited):
        limits.charge("numbers", ["ann"])


def test_an_idle_limit_goes_before_one_that_counts_though_it_is_of_another_name() -> None:
    limits = Limits(lambda what: SlidingWindow(1, 3600.0 if what == "rooms" else 60.0))
    limits.charge("rooms", ["ann"])
    for user in range(LIMITS_MAX - 1):
        limits.charge("messages", [str(user)])
    limits.monotonic = 60.0
    limits.charge("messages", ["one too many"])

    with pytest.raises(RateLimited):
        limits.charge("rooms", ["ann"])


def test_to_forget_users_looks_at_theirs_alone() -> None:
    limits = Limits(new_limit)
    limits.charge("numbers", ["ann", "bob"])
    limits.charge("letters", ["ann"])

    limits.forget(["ann", "nobody"])

    assert {what: list(users) for what, users in limits._limits.items()} == {
        "numbers": ["bob"],
        "letters": [],
    }
    assert limits._count == 1


# Held


def window(what: str) -> SlidingWindow:
    return SlidingWindow(2, 60.0)


def test_a_limit_that_the_batch_does_not_hold_is_named() -> None:
    limits = Limits(window)
    limits.hold([("numbers", "ann")], {})

    with pytest.raises(NotLoaded) as missing:
        limits.charge("numbers", ["ann", "bob"])

    assert missing.value.names == (name_of_limit("numbers", "bob"),)
    assert is_limit(missing.value.names[0])
    assert limits.charged() == {}


def test_a_held_limit_counts_what_other_nodes_have_stored() -> None:
    key = ("numbers", "ann")
    one, other = Limits(window), Limits(window)
    one.hold([key], {})
    one.charge("numbers", ["ann"])
    other.hold([key], one.charged())
    other.charge("numbers", ["ann"])
    one.hold([key], other.charged())

    with pytest.raises(RateLimited):
        one.charge("numbers", ["ann"])


def test_a_charge_that_one_of_several_refuses_is_stored_for_none() -> None:
    ann, bob = ("numbers", "ann"), ("numbers", "bob")
    limits = Limits(window)
    limits.hold([ann, bob], {})
    limits.charge("numbers", ["bob"])
    limits.charge("numbers", ["bob"])
    with pytest.raises(RateLimited):
        limits.charge("numbers", ["ann", "bob"])

    assert limits.charged().keys() == {bob}


class Forgetful:
    """A feature's own limit, which cannot be stored."""

    def __init__(self) -> None:
        self.charges = 0

    def charge(self, now: float) -> None:
        self.charges += 1

    def refund(self) -> None:
        self.charges -= 1

    def idle(self, now: float) -> bool:
        return not self.charges


def test_a_limit_that_cannot_be_stored_counts_on_this_node_alone() -> None:
    mine = Forgetful()
    limits = Limits(lambda what: mine)
    limits.hold([("numbers", "ann")], {})
    limits.charge("numbers", ["ann"])

    assert mine.charges == 1
    assert limits.charged() == {}


def test_a_limit_that_cannot_be_read_begins_anew(caplog: pytest.LogCaptureFixture) -> None:
    limits = Limits(window)
    limits.hold([("numbers", "ann")], {("numbers", "ann"): b"w123"})
    limits.charge("numbers", ["ann"])

    assert "starts over" in caplog.text
    assert limits.charged().keys() == {("numbers", "ann")}
