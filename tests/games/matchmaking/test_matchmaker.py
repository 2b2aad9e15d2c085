from __future__ import annotations

import anyio
import pytest

import hubbub
from hubbub.errors import Closed, Conflict, NoOpponent, StorageError
from tests.games.hall import Backend, Hall, match_of, on_each_backend, what_happens

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

    assert all(when == 0 and how is not NoOpponent for when, how in hall.met.values())
    assert len(hall.groups) == 25


# Nobody comes


@on_each_backend
def test_nobody_comes_in_time(backend: Backend) -> None:
    async def scenario(hall: Hall) -> None:
        hall.look_for("ann", seconds=2.5)
        await anyio.sleep(3)
        hall.look_for("bob", seconds=5)

    hall = what_happens(scenario, backend)

    assert hall.met == {"ann": (2.5, NoOpponent), "bob": (8, NoOpponent)}
    assert hall.groups == []


@on_each_backend
def test_who_has_given_up_leaves_no_ghost(backend: Backend) -> None:
    async def scenario(hall: Hall) -> None:
        hall.look_for("ann")
        await anyio.sleep(1)
        hall.give_up("ann")
        await anyio.wait_all_tasks_blocked()
        hall.look_for("bob", seconds=5)

    hall = what_happens(scenario, backend)

    assert hall.met == {"ann": (1, None), "bob": (6, NoOpponent)}
    assert hall.groups == []


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
    assert hall.groups == ["duel: ann bob"]


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


# Between the pairing and the decision


@on_each_backend
def test_the_others_go_back_when_one_has_gone_and_keep_their_waiting_time(backend: Backend) -> None:
    async def scenario(hall: Hall) -> None:
        hall.deciding = 1
        hall.look_for("ann", 1500)
        await anyio.sleep(2)
        hall.look_for("bob", 1500)
        await anyio.sleep(0.5)
        hall.give_up("bob")
        await anyio.sleep(2)
        hall.look_for("eve", 1700)

    hall = what_happens(scenario, backend)

    # Ann waits since 0, so she accepts 100 points more at 10; then it takes 1 s to decide.
    assert hall.met == {"bob": (2.5, None), "ann": (11, "ann eve"), "eve": (11, "ann eve")}
    assert hall.groups == ["duel: ann bob", "duel: ann eve"]


@on_each_backend
def test_who_goes_back_may_be_brought_together_at_once(backend: Backend) -> None:
    async def scenario(hall: Hall) -> None:
        hall.deciding = 1
        hall.look_for("ann")
        hall.look_for("bob")
        await anyio.sleep(0.5)
        hall.give_up("bob")
        hall.look_for("eve")

    hall = what_happens(scenario, backend)

    assert hall.met["ann"] == hall.met["eve"] == (2, "ann eve")


@on_each_backend
def test_all_of_a_group_may_have_gone(backend: Backend) -> None:
    async def scenario(hall: Hall) -> None:
        hall.deciding = 1
        hall.look_for("ann", seconds=0.5)
        hall.look_for("bob", seconds=0.5)

    hall = what_happens(scenario, backend)

    assert hall.met == {"ann": (0.5, NoOpponent), "bob": (0.5, NoOpponent)}


@on_each_backend
def test_who_goes_and_comes_again_meanwhile_looks_anew(backend: Backend) -> None:
    async def scenario(hall: Hall) -> None:
        hall.deciding = 1
        hall.look_for("ann")
        hall.look_for("bob")
        await anyio.sleep(0.5)
        hall.give_up("bob")
        await anyio.wait_all_tasks_blocked()
        hall.look_for("bob", call="again")

    hall = what_happens(scenario, backend)

    # The first group is given up at 1, and the second is decided at 2.
    assert hall.met == {"bob": (0.5, None), "ann": (2, "ann bob"), "again": (2, "ann bob")}


@on_each_backend
def test_an_error_reaches_all_of_the_group_and_nobody_else(backend: Backend) -> None:
    async def scenario(hall: Hall) -> None:
        hall.refusal = StorageError("The disk is full.")
        hall.look_for("ann")
        hall.look_for("bob")
        hall.look_for("eve", 5000)
        await anyio.sleep(1)
        hall.refusal = None
        hall.look_for("zoë", 5000)

    hall = what_happens(scenario, backend)

    assert hall.met["ann"] == hall.met["bob"] == (0, StorageError)
    assert hall.met["eve"] == hall.met["zoë"] == (1, "eve zoë")


# Between the decision and its being written


@on_each_backend
def test_who_is_in_a_match_that_is_being_written_waits_past_their_time(backend: Backend) -> None:
    async def scenario(hall: Hall) -> None:
        hall.deciding, hall.writing = 0.5, 3
        hall.look_for("ann", seconds=10)
        await anyio.sleep(9)
        hall.look_for("bob")

    hall = what_happens(scenario, backend)

    assert hall.met == {"ann": (12.5, "ann bob"), "bob": (12.5, "ann bob")}


@on_each_backend
def test_who_gives_up_then_has_a_match_all_the_same(backend: Backend) -> None:
    async def scenario(hall: Hall) -> None:
        hall.writing = 3
        hall.look_for("ann")
        hall.look_for("bob")
        await anyio.sleep(1)
        hall.give_up("ann")

    hall = what_happens(scenario, backend)

    assert hall.met == {"ann": (1, None), "bob": (3, "ann bob")}


# The hub goes


@on_each_backend
def test_who_waits_when_the_hub_closes_is_told(backend: Backend) -> None:
    async def scenario(hall: Hall) -> None:
        hall.look_for("ann")
        await anyio.sleep(1)
        hall.closing.cancel()

    hall = what_happens(scenario, backend)

    assert hall.met == {"ann": (1, Closed)}


@on_each_backend
def test_who_comes_when_the_hub_has_closed_is_told(backend: Backend) -> None:
    async def scenario(hall: Hall) -> None:
        hall.closing.cancel()
        await anyio.sleep(1)
        hall.look_for("ann")

    hall = what_happens(scenario, backend)

    assert hall.met == {"ann": (1, Closed)}


@on_each_backend
def test_a_match_that_is_found_is_not_lost_when_the_hub_closes(backend: Backend) -> None:
    async def scenario(hall: Hall) -> None:
        hall.closes_when_it_is_written = True
        hall.look_for("ann")
        hall.look_for("bob")

    hall = what_happens(scenario, backend)

    assert hall.met == {"ann": (0, "ann bob"), "bob": (0, "ann bob")}


@on_each_backend
def test_a_match_of_which_nobody_has_heard_yet_is_not_taken_back(backend: Backend) -> None:
    async def scenario(hall: Hall) -> None:
        search = hall.matchmaker._begin_search("duel", "ann", 1500, "key")
        search.end(match_of(["ann", "bob"]))
        hall.closing.cancel()
        await anyio.sleep(1)
        hall.look_for("ann")

    hall = what_happens(scenario, backend)

    assert hall.met == {"ann": (1, "ann bob")}


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
