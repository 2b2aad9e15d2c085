from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubbub.users import presence_map
from hubbub.users.presence_map import (
    CHANGES_HEARD_MAX,
    PRESENCE_SILENT_SECONDS_MAX,
    Attendance,
    PresenceChanges,
    PresenceMap,
)

GRACE_SECONDS = 3.0
NONE, ONLINE, AWAY = Attendance.NONE, Attendance.ONLINE, Attendance.AWAY
LOST = Attendance.LOST_ONLINE
ALL = frozenset({"b", "c"})

attendances = st.sampled_from(Attendance)
changes = st.lists(
    st.dictionaries(st.sampled_from(["ann", "bob", "cid"]), attendances, min_size=1), max_size=12
)


class Known:
    """A map, and its time."""

    def __init__(self, **nodes: Mapping[str, Attendance]) -> None:
        self.now = 0.0
        self.map = PresenceMap(GRACE_SECONDS, lambda: self.now)
        self.connected = list[str]()
        self.map.connected = self.connected.append
        for name, users in nodes.items():
            self.fetch(name, users)

    def fetch(self, name: str, users: Mapping[str, Attendance], number: int = 0) -> None:
        self.map.begin(name)
        self.map.end(name, number, users)

    def hear(self, name: str, number: int, **users: Attendance) -> None:
        self.map.hear(name, PresenceChanges(number, users))


@pytest.mark.parametrize(
    ("there", "elsewhere", "status", "connected"),
    [
        (NONE, NONE, "offline", False),
        (ONLINE, NONE, "online", True),
        (AWAY, NONE, "away", True),
        (AWAY, ONLINE, "online", True),
        (AWAY, LOST, "online", True),
        (LOST, NONE, "online", False),
        (Attendance.LOST_AWAY, NONE, "away", False),
    ],
)
def test_a_user_is_what_they_are_on_the_node_where_they_are_most(
    there: Attendance, elsewhere: Attendance, status: str, connected: bool
) -> None:
    for nodes in ({"b": there, "c": elsewhere}, {"c": there, "b": elsewhere}):
        known = Known(**{name: {"ann": one} for name, one in nodes.items()})

        assert known.map.status("ann") == status
        assert known.map.is_connected("ann") == connected
        assert list(known.map.users()) == ["ann"] * sum(one != NONE for one in nodes.values())


def test_changes_are_applied_in_order() -> None:
    known = Known(b={})
    known.hear("b", 1, ann=ONLINE)
    known.hear("b", 2, ann=AWAY, bob=ONLINE)
    known.hear("b", 3, bob=NONE)

    assert (known.map.status("ann"), list(known.map.users())) == ("away", ["ann"])
    assert known.map.is_fresh(frozenset({"b"}))


def test_what_was_heard_before_is_not_applied_again() -> None:
    known = Known(b={})
    known.hear("b", 1, ann=ONLINE)
    known.hear("b", 2, ann=AWAY)
    known.hear("b", 1, ann=ONLINE)

    assert known.map.status("ann") == "away"
    assert known.map.is_fresh(frozenset({"b"}))


@pytest.mark.parametrize("beat", [True, False])
def test_a_lost_change_makes_the_map_stale_until_all_users_are_fetched(beat: bool) -> None:
    known = Known(b={"ann": ONLINE})
    known.hear("b", 2, **({} if beat else {"bob": ONLINE}))

    assert not known.map.is_fresh(frozenset({"b"}))
    assert known.map.status("ann") == "online"
    known.now += 2
    assert known.map.unknown(frozenset({"b"})) == ["b"]
    known.fetch("b", {"bob": ONLINE}, 2)
    assert (known.map.status("ann"), known.map.status("bob")) == ("offline", "online")
    assert known.map.is_fresh(frozenset({"b"}))


@given(changes, changes, st.integers(0, 12), st.randoms())
def test_changes_that_come_while_users_are_fetched_are_not_lost(
    before: list[dict[str, Attendance]],
    after: list[dict[str, Attendance]],
    listed: int,
    random: object,
) -> None:
    all_changes = [*before, *after]
    at = len(before)
    told = [PresenceChanges(number, users) for number, users in enumerate(all_changes, 1)]
    users: dict[str, Attendance] = {}
    for one in before:
        users |= one
    known = Known()
    known.map.begin("b")
    # Some that came before the node had listed its users come again, and not in order.
    heard = [*told[max(0, at - listed) :], PresenceChanges(len(told))]
    getattr(random, "shuffle")(heard)  # noqa: B009
    for change in heard:
        known.map.hear("b", change)
    known.map.end("b", at, users)

    for one in after:
        users |= one
    assert known.map.is_fresh(frozenset({"b"}))
    for user in ("ann", "bob", "cid"):
        assert known.map.status(user) == users.get(user, NONE).status


def test_a_change_that_is_lost_while_users_are_fetched_is_noticed() -> None:
    known = Known()
    known.map.begin("b")
    known.hear("b", 5, ann=ONLINE)
    known.map.end("b", 3, {})

    assert not known.map.is_fresh(frozenset({"b"}))


def test_users_that_cannot_be_fetched_are_fetched_again_later() -> None:
    known = Known()
    assert known.map.unknown(frozenset({"b"})) == ["b"]
    known.map.begin("b")
    assert known.map.unknown(frozenset({"b"})) == []
    known.map.end("b", None, {})

    assert known.map.unknown(frozenset({"b"})) == []
    known.now += 1
    assert known.map.unknown(frozenset({"b"})) == ["b"]


def test_too_many_changes_while_users_are_fetched_begin_it_anew() -> None:
    known = Known()
    known.map.begin("b")
    for number in range(CHANGES_HEARD_MAX + 1):
        known.hear("b", number + 1, ann=ONLINE)
    known.map.end("b", 0, {})
    known.now += 1

    assert known.map.unknown(frozenset({"b"})) == ["b"]


def test_a_map_is_stale_after_a_node_was_silent() -> None:
    known = Known(b={}, c={})
    known.now += PRESENCE_SILENT_SECONDS_MAX
    known.hear("b", 0)

    assert known.map.is_fresh(ALL)
    known.now += 0.1
    assert not known.map.is_fresh(ALL)
    assert known.map.is_fresh(frozenset({"b"}))


def test_a_node_that_is_not_known_makes_the_map_stale() -> None:
    assert not Known(b={}).map.is_fresh(ALL)


def test_the_users_of_a_dead_node_go_after_the_grace_period() -> None:
    known = Known(b={"ann": ONLINE, "bob": LOST, "cid": AWAY}, c={"cid": ONLINE})

    assert known.map.keep(ALL) == []
    assert known.map.keep(frozenset({"c"})) == ["ann", "cid"]
    assert (known.map.status("ann"), known.map.is_connected("ann")) == ("online", False)
    assert known.map.is_connected("cid")
    known.now += GRACE_SECONDS - 0.1
    assert known.map.forget() == []
    known.now += 0.1
    assert known.map.forget() == ["ann", "bob", "cid"]
    assert (known.map.status("ann"), known.map.status("cid")) == ("offline", "online")


def test_a_node_that_was_taken_for_dead_is_asked_again_when_it_is_back() -> None:
    known = Known(b={"ann": ONLINE})
    known.map.keep(frozenset())
    known.now += 1
    known.map.keep(frozenset({"b"}))

    assert known.map.is_connected("ann")
    assert known.map.unknown(frozenset({"b"})) == ["b"]
    known.now += GRACE_SECONDS
    assert known.map.forget() == []


def test_a_node_remembers_so_many_users_and_then_knows_that_it_does_not_know_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert presence_map.PRESENCE_USERS_MAX == 1_000_000
    monkeypatch.setattr(presence_map, "PRESENCE_USERS_MAX", 2)
    known = Known(b={"ann": ONLINE})

    assert known.map.is_fresh(frozenset({"b"}))
    known.hear("b", 1, bob=ONLINE, cid=ONLINE, ann=AWAY)
    assert list(known.map.users()) == ["ann", "bob"]
    assert known.map.status("ann") == "away"
    assert not known.map.is_fresh(frozenset({"b"}))
    known.now += 1
    assert known.map.unknown(frozenset({"b"})) == []
    known.map.keep(frozenset())
    known.now += GRACE_SECONDS
    known.map.forget()
    assert known.map.unknown(frozenset({"b"})) == ["b"]


def test_who_connects_is_told_once() -> None:
    known = Known(b={"ann": ONLINE, "bob": LOST})
    known.hear("b", 1, ann=AWAY, bob=AWAY)
    known.hear("b", 2, ann=LOST)
    known.hear("b", 3, ann=ONLINE)
    known.fetch("b", {"ann": ONLINE, "cid": AWAY}, 3)

    assert known.connected == ["ann", "bob", "ann", "cid"]
    assert known.map.status("bob") == "offline"
