"""Players who drop, who reconnect, and who forfeit."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from hubbub import Rounds, Timed
from hubbub.games import events as e
from hubbub.games.matches.ending import MATCH_SCHEDULE
from hubbub.journal.schedule import Scheduled, Unscheduled, scheduled, unscheduled
from tests.games.board_kit import NOON
from tests.games.match_kit import FOUND, STREAM, Hall, kinds


@pytest.fixture
def hall() -> Hall:
    return Hall()


def test_who_drops_forfeits_after_the_grace_and_not_before(hall: Hall) -> None:
    hall.start()
    hall.online.discard("bob")
    assert kinds(hall.look()) == ["Dropped", "Scheduled"]
    assert hall.due() == {STREAM: NOON + timedelta(seconds=30)}
    assert hall.look(29.999) == []
    assert kinds(hall.look(0.001))[:2] == ["Forfeited", "Completed"]

    assert hall.match().winner == "ann"
    assert hall.due() == {}


def test_who_comes_back_in_time_goes_on(hall: Hall) -> None:
    hall.start()
    hall.online.discard("bob")
    hall.look()
    hall.online.add("bob")

    assert hall.look(10) == [e.Returned("bob"), Scheduled(STREAM, None)]
    assert hall.look(1_000) == []


def test_who_is_back_at_the_last_moment_does_not_forfeit(hall: Hall) -> None:
    hall.start()
    hall.online.discard("bob")
    hall.look()
    hall.online.add("bob")

    assert hall.look(30) == [e.Returned("bob"), Scheduled(STREAM, None)]


def test_of_three_the_one_who_stays_wins_when_the_others_forfeit_together(hall: Hall) -> None:
    hall.start("ann", "bob", "cid", rules=Rounds(9), keys=FOUND)
    hall.score("cid", 5)
    hall.online.difference_update(["bob", "cid"])
    hall.look()

    assert kinds(hall.look(30))[:3] == ["Forfeited", "Forfeited", "Completed"]
    assert (hall.match().winner, hall.match().gone) == ("ann", ["bob", "cid"])
    assert hall.user("cid").rating > hall.user("bob").rating


def test_to_forfeit_may_end_the_rounds_of_the_others(hall: Hall) -> None:
    hall.start("ann", "bob", "cid", rules=Rounds(1))
    hall.score("ann", 1)
    hall.score("bob", 2)
    hall.online.discard("cid")
    hall.look()
    hall.look(30)

    assert hall.match().winner == "bob"


def test_a_timed_match_in_which_nobody_led_is_a_draw(hall: Hall) -> None:
    hall.start(rules=Timed(60.0))
    assert hall.look(59.999) == []
    hall.look(0.001)

    assert (hall.match().status, hall.match().winner) == ("completed", None)


def test_who_was_never_there_never_forfeits(hall: Hall) -> None:
    hall.online.discard("bob")
    hall.start()

    assert hall.look(1_000) == []


def test_while_the_hub_was_down_nobody_could_come_back(hall: Hall) -> None:
    hall.start()
    hall.online.discard("bob")
    hall.look()
    hall.online.clear()
    reopened = hall.look(1_000, opening=True)

    assert reopened[:2] == [e.Dropped("ann"), e.Dropped("bob")]
    assert kinds(reopened) == ["Dropped", "Dropped", "Scheduled"]
    assert hall.look(29) == []


def test_when_everybody_has_gone_there_is_no_result(hall: Hall) -> None:
    hall.start()
    hall.online.clear()
    hall.look()
    ended = hall.look(30)

    assert kinds(ended)[:4] == ["Forfeited", "Forfeited", "MatchCancelled", "Unscheduled"]
    assert hall.match().status == "cancelled"
    assert hall.user("ann").rating == 1_500


def test_the_earliest_of_several_times_is_planned(hall: Hall) -> None:
    hall.start("ann", "bob", "cid", rules=Timed(40.0))
    hall.online.discard("bob")
    hall.look(20)

    assert hall.due() == {STREAM: NOON + timedelta(seconds=40)}
    assert kinds(hall.look(20))[0] == "Completed"


def test_one_who_gave_up_may_go(hall: Hall) -> None:
    hall.start("ann", "bob", "cid")
    hall.resign("bob")
    hall.online.discard("bob")

    assert hall.look() == []


def test_a_match_that_is_over_is_settled_once(hall: Hall) -> None:
    hall.start()
    hall.resign("ann")
    hall.do(lambda _: [scheduled(MATCH_SCHEDULE, STREAM, None)])

    assert hall.look() == [Unscheduled(STREAM)]
    assert hall.look() == []


def test_who_comes_for_the_first_time_is_present(hall: Hall) -> None:
    hall.online.discard("bob")
    hall.start()
    hall.online.add("bob")

    assert hall.look() == [e.Returned("bob")]
    assert hall.look() == []
    assert hall.match().present == {"ann", "bob"}


def test_who_dropped_first_is_last_when_both_are_looked_at_late(hall: Hall) -> None:
    hall.start("ann", "bob", "cid", keys=FOUND)
    hall.online.discard("cid")
    hall.look()
    hall.online.discard("bob")
    hall.look(10)
    hall.look(100)

    assert hall.match().gone == ["cid", "bob"]
    assert hall.user("ann").rating > hall.user("bob").rating > hall.user("cid").rating


def test_after_one_has_forfeited_the_time_of_the_next_is_planned(hall: Hall) -> None:
    hall.start("ann", "bob", "cid")
    hall.online.discard("bob")
    hall.look()
    hall.online.discard("cid")
    hall.look(20)
    happened = hall.look(10)

    assert happened == [e.Forfeited("bob"), Scheduled(STREAM, NOON + timedelta(seconds=50))]


def test_a_match_that_is_not_on_the_agenda_is_put_there(hall: Hall) -> None:
    hall.start()
    hall.do(lambda _: [unscheduled(MATCH_SCHEDULE, STREAM)])

    assert hall.look() == [Scheduled(STREAM, None)]


def test_nobody_forfeits_while_the_users_of_other_nodes_are_not_known(hall: Hall) -> None:
    hall.start()
    hall.online.discard("bob")
    hall.look()
    known = hall.terms
    hall.terms = msgspec.structs.replace(known, knows_presence=lambda: False)

    for _ in range(5):
        assert kinds(hall.look(30)) == ["Scheduled"]
        assert hall.due() == {STREAM: hall.states.now + timedelta(seconds=30)}
    hall.terms = known
    hall.online.add("bob")
    assert hall.look(30) == [e.Returned("bob"), Scheduled(STREAM, None)]


def test_who_drops_meanwhile_drops_when_they_are_known(hall: Hall) -> None:
    hall.start()
    hall.online.discard("bob")
    known = hall.terms
    hall.terms = msgspec.structs.replace(known, knows_presence=lambda: False)

    assert kinds(hall.look()) == ["Scheduled"]
    hall.terms = known
    assert kinds(hall.look(30)) == ["Dropped", "Scheduled"]
    assert kinds(hall.look(30))[0] == "Forfeited"
