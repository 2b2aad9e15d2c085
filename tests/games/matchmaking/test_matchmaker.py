from __future__ import annotations

from pathlib import Path
from typing import Any

import anyio
import pytest

import hubbub
from hubbub.errors import Closed, Conflict, NoOpponent, Overloaded
from hubbub.games.events import SearchBegan, SearchCancelled
from hubbub.games.matches import commands as matches
from hubbub.games.matches.supervisor import MatchSupervisor
from hubbub.games.matchmaking import commands as decisions
from hubbub.games.matchmaking.matchmaker import MATCHES_AT_ONCE_MAX
from hubbub.games.matchmaking.queue import queue_stream
from hubbub.journal.command import Command
from hubbub.journal.event import Draft
from hubbub.journal.schedule import HUB
from tests.games.hall import Backend, Hall, on_each_backend, what_happens
from tests.games.virtual_hub import Play, moment

# Who plays with whom


@on_each_backend
def test_two_who_play_alike_find_each_other_at_once(backend: Backend) -> None:
    async def scenario(hall: Hall) -> None:
        hall.look_for("ann")
        await anyio.sleep(7)
        hall.look_for("bob", 1600)

    hall = what_happens(scenario, backend)

    assert hall.met == {"ann": (7, "ann bob"), "bob": (7, "ann bob")}


@on_each_backend
def test_who_has_waited_accepts_more(backend: Backend) -> None:
    async def scenario(hall: Hall) -> None:
        hall.look_for("ann", 1500)
        await anyio.sleep(4)
        # 150 points more than is accepted at first, at 10 points a second.
        hall.look_for("bob", 1750)

    hall = what_happens(scenario, backend)

    assert hall.met == {"ann": (15, "ann bob"), "bob": (15, "ann bob")}


@on_each_backend
def test_who_is_nearer_comes_first_though_they_came_later(backend: Backend) -> None:
    async def scenario(hall: Hall) -> None:
        hall.look_for("ann", 1500)
        hall.look_for("bob", 1750)
        await anyio.sleep(4)
        hall.look_for("eve", 1550)

    hall = what_happens(scenario, backend)

    assert hall.met["ann"] == hall.met["eve"] == (4, "ann eve")
    assert hall.met["bob"] == (100, NoOpponent)


@on_each_backend
def test_a_game_says_how_far_apart_the_ratings_in_its_queue_may_be(backend: Backend) -> None:
    async def scenario(hall: Hall) -> None:
        hall.look_for("ann", 1500, queue="wide")
        hall.look_for("bob", 2000, queue="wide")
        hall.look_for("cid", 1000, queue="wide")
        hall.look_for("dan", 1500, queue="slow")
        hall.look_for("eve", 1650, queue="slow")

    hall = what_happens(scenario, backend)

    # Of two that are as far apart the first that are found play.
    assert sorted(time for time, _ in hall.met.values()) == [0, 0, 50, 50, 100]
    assert hall.met["dan"] == hall.met["eve"] == (50, "dan eve")


@on_each_backend
def test_queues_have_nothing_to_do_with_each_other(backend: Backend) -> None:
    async def scenario(hall: Hall) -> None:
        for user in ("ann", "bob", "eve"):
            hall.look_for(user, queue="trio")
        hall.look_for("zoë", queue="duel")

    hall = what_happens(scenario, backend)

    assert {hall.met[user] for user in ("ann", "bob", "eve")} == {(0, "ann bob eve")}
    assert hall.met["zoë"] == (100, NoOpponent)


@on_each_backend
def test_many_are_all_brought_together(backend: Backend) -> None:
    async def scenario(hall: Hall) -> None:
        for number in range(50):
            hall.look_for(str(number), 1000 + 20 * number)

    hall = what_happens(scenario, backend)

    # A player with a rating in between takes the opponent of another player, and that player then
    # accepts a third.
    assert all(how is not NoOpponent for _, how in hall.met.values())
    assert len({how for _, how in hall.met.values()}) == 25


@on_each_backend
def test_users_who_can_all_play_at_the_same_moment_leave_turns_to_others(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair, counts = decisions.pair, []

    def counted(states: Any, queue: str, groups: Any, terms: Any) -> Any:
        counts.append(len(groups))
        return pair(states, queue, groups, terms)

    async def scenario(hall: Hall) -> None:
        monkeypatch.setattr(decisions, "pair", counted)
        for number in range(50):
            # In pairs that accept one another after 2 s.
            hall.look_for(str(number), 1000 * (number // 2) + 120 * (number % 2))

    hall = what_happens(scenario, backend)

    assert {at for at, _ in hall.met.values()} == {2}
    assert len({how for _, how in hall.met.values()}) == 25
    assert max(counts) == MATCHES_AT_ONCE_MAX


@on_each_backend
def test_a_match_that_cannot_start_keeps_no_other_from_starting(
    backend: Backend, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    start = matches.start

    def refuse(states: Any, stream: str, wanted: Any, terms: Any) -> Any:
        if "ann" in wanted.players:
            raise Overloaded("There is no place for a match.")
        return start(states, stream, wanted, terms)

    async def scenario(hall: Hall) -> None:
        monkeypatch.setattr(matches, "start", refuse)
        for number, user in enumerate(("ann", "bob", "eve", "zoë")):
            hall.look_for(user, 1000 + 150 * number + 1000 * (number // 2))

    hall = what_happens(scenario, backend)

    assert hall.met["eve"] == hall.met["zoë"] == (5, "eve zoë")
    assert hall.met["ann"] == hall.met["bob"] == (100, NoOpponent)
    assert "could not be started" in caplog.text


# Nobody comes


@on_each_backend
def test_nobody_comes_in_time(backend: Backend) -> None:
    async def scenario(hall: Hall) -> None:
        hall.look_for("ann", seconds=2.5)
        await anyio.sleep(3)
        hall.look_for("bob", seconds=5)

    hall = what_happens(scenario, backend)

    assert hall.met == {"ann": (2.5, NoOpponent), "bob": (8, NoOpponent)}


@on_each_backend
def test_who_has_given_up_leaves_no_ghost(backend: Backend) -> None:
    async def scenario(hall: Hall) -> None:
        hall.look_for("ann")
        await anyio.sleep(1)
        hall.give_up("ann")
        await moment()
        hall.look_for("bob", seconds=5)

    hall = what_happens(scenario, backend)

    assert hall.met == {"ann": (1, None), "bob": (6, NoOpponent)}


@on_each_backend
def test_who_has_given_up_may_look_again(backend: Backend) -> None:
    async def scenario(hall: Hall) -> None:
        hall.look_for("ann", seconds=5, key="first")
        await anyio.sleep(6)
        hall.look_for("ann", key="second", call="again")
        hall.look_for("bob")

    hall = what_happens(scenario, backend)

    assert hall.met["ann"] == (5, NoOpponent)
    assert hall.met["again"] == hall.met["bob"] == (6, "ann bob")


# Who looks twice


@on_each_backend
def test_nobody_looks_for_two_matches_at_once(backend: Backend) -> None:
    async def scenario(hall: Hall) -> None:
        hall.look_for("ann", key="first")
        await anyio.sleep(1)
        hall.look_for("ann", key="second", call="again")
        hall.look_for("ann", key="third", queue="trio", call="elsewhere")
        await anyio.sleep(1)
        hall.look_for("bob")

    hall = what_happens(scenario, backend)

    assert hall.met["again"] == hall.met["elsewhere"] == (1, Conflict)
    assert hall.met["ann"] == hall.met["bob"] == (2, "ann bob")


@on_each_backend
def test_a_key_is_for_one_queue(backend: Backend) -> None:
    async def scenario(hall: Hall) -> None:
        hall.look_for("ann", queue="duel")
        await anyio.sleep(1)
        hall.look_for("ann", queue="trio", call="elsewhere")

    hall = what_happens(scenario, backend)

    assert hall.met == {"ann": (100, NoOpponent), "elsewhere": (1, Conflict)}


@on_each_backend
def test_the_same_key_waits_for_the_same_search(backend: Backend) -> None:
    async def scenario(hall: Hall) -> None:
        hall.look_for("ann", 1500)
        await anyio.sleep(5)
        # What one's rating is now does not matter: the search began before.
        hall.look_for("ann", 9999, call="again")
        await anyio.sleep(5)
        hall.look_for("bob", 1700)

    hall = what_happens(scenario, backend)

    assert set(hall.met.values()) == {(10, "ann bob")}


@on_each_backend
def test_a_search_goes_on_until_the_last_who_waits_for_it_has_gone(backend: Backend) -> None:
    async def scenario(hall: Hall) -> None:
        hall.look_for("ann", seconds=2)
        hall.look_for("ann", call="again", seconds=50)
        hall.look_for("ann", call="given up")
        await anyio.sleep(1)
        hall.give_up("given up")
        await anyio.sleep(9)
        hall.look_for("bob")

    hall = what_happens(scenario, backend)

    assert hall.met == {
        "given up": (1, None),
        "ann": (2, NoOpponent),
        "again": (10, "ann bob"),
        "bob": (10, "ann bob"),
    }


# A search is a command


@on_each_backend
def test_who_gives_up_in_the_same_moment_is_not_found(backend: Backend) -> None:
    async def scenario(hall: Hall) -> None:
        hall.look_for("ann")
        await anyio.sleep(2)
        hall.give_up("ann")
        hall.look_for("bob", seconds=5)

    hall = what_happens(scenario, backend)

    assert hall.met["ann"] == (2, None)
    assert hall.met["bob"] in ((7, NoOpponent), (2, "ann bob"))


@on_each_backend
def test_who_keeps_waiting_keeps_their_waiting_time(backend: Backend) -> None:
    async def scenario(hall: Hall) -> None:
        hall.look_for("ann", 1500)
        await anyio.sleep(2)
        hall.look_for("bob", 1750)
        await anyio.sleep(1)
        hall.give_up("bob")
        await anyio.sleep(2)
        hall.look_for("eve", 1700)

    hall = what_happens(scenario, backend)

    # Ann waits since 0, so she accepts 100 points more at 10.
    assert hall.met == {"bob": (3, None), "ann": (10, "ann eve"), "eve": (10, "ann eve")}


@on_each_backend
def test_a_match_that_cannot_begin_fails_the_search_that_would_begin_it(
    backend: Backend, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    start = matches.start

    def refuse(*args: Any) -> Any:
        raise Overloaded("There is no place for a match.")

    async def scenario(hall: Hall) -> None:
        monkeypatch.setattr(matches, "start", refuse)
        hall.look_for("ann")
        await anyio.sleep(1)
        hall.look_for("bob")
        hall.look_for("eve", 1750)
        await anyio.sleep(60)
        monkeypatch.setattr(matches, "start", start)

    hall = what_happens(scenario, backend)

    assert hall.met["bob"] == (1, Overloaded)
    # It is tried again, and nobody else noticed.
    assert hall.met["ann"][1] == hall.met["eve"][1] == "ann eve"
    assert "could not be started" in caplog.text


@on_each_backend
def test_a_node_that_is_gone_leaves_no_ghost(backend: Backend) -> None:
    async def scenario(hall: Hall) -> None:
        await hall.hub.journal.execute(search_at("ann", "another node"))
        hall.look_for("bob", seconds=5)
        hall.look_for("ann", key="anew", seconds=10, queue="trio")
        await anyio.sleep(1)
        hall.matchmaker.nodes_changed()

    hall = what_happens(scenario, backend)

    assert hall.met == {"bob": (5, NoOpponent), "ann": (10, NoOpponent)}


@on_each_backend
def test_who_was_taken_for_gone_searches_on(backend: Backend) -> None:
    async def scenario(hall: Hall) -> None:
        hall.look_for("ann")
        await anyio.sleep(5)
        # As another node does that has not seen this one for some time.
        cancel = Draft(queue_stream("duel"), SearchCancelled("ann"))
        await hall.hub.journal.execute(Command(HUB, lambda _: [cancel], lambda _, __: None))
        await anyio.sleep(5)
        hall.look_for("bob")

    hall = what_happens(scenario, backend)

    assert hall.met == {"ann": (10, "ann bob"), "bob": (10, "ann bob")}


def search_at(user: str, node: str, queue: str = "duel") -> Command[None]:
    began = Draft(queue_stream(queue), SearchBegan(user, "key", 1500, node))
    return Command(user, lambda _: [began], lambda _, __: None)


def test_a_restart_cancels_the_searches_of_before(play: Play, tmp_path: Path) -> None:
    async def story(hub: hubbub.Hubbub) -> None:
        await hub.journal.execute(search_at("ann", hub.journal.nodes.me, "default"))

    async def later(hub: hubbub.Hubbub) -> None:
        await anyio.sleep(1)
        queue = hub.runtime(MatchSupervisor).matchmaker._queues["default"]
        assert queue.tickets == {}

    play(story, later=later, url=f"{tmp_path}/hub.db")


# The hub goes


async def test_a_session_that_looks_for_a_match_is_told_that_the_hub_closes() -> None:
    told = list[type[Exception]]()

    async def look(session: hubbub.Session) -> None:
        with pytest.raises(Closed) as caught:
            await session.games.find_match()
        told.append(caught.type)

    async with (
        anyio.create_task_group() as tasks,
        hubbub.open("memory://") as hub,
        hub.session("ann") as ann,
    ):
        tasks.start_soon(look, ann)
        await anyio.wait_all_tasks_blocked()

    assert told == [Closed]
