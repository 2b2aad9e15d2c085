from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from hubbub import Conflict, FirstTo, Invalid, NotAllowed, NotFound, Timed
from hubbub.games import events as e
from hubbub.games.matches.match import ID_CHARS_MAX, MatchState, id_of, match_of, match_stream
from hubbub.journal.event import Data, EncodedState, Event
from hubbub.journal.schedule import HUB
from tests.games.board_kit import NOON, REGISTRY

STREAM = "match/1"


def match_with(*happened: tuple[str, Data], **started: object) -> MatchState:
    """Fold a match of ann and bob, to which these things happened a second apart."""
    state = MatchState()
    begun = e.Started(["ann", "bob"], FirstTo(), "main", **started)  # type: ignore[arg-type]
    for seq, (by, data) in enumerate([("ann", begun), *happened], 1):
        at = NOON + timedelta(seconds=seq - 1)
        state.apply(Event(STREAM, seq, at, by, None, data))
    return state


def test_a_match_begins_with_nothing() -> None:
    match = match_of(STREAM, match_with(present=["ann"]))

    assert (match.id, match.stream, match.status) == ("1", STREAM, "active")
    assert (match.players, match.scores) == (["ann", "bob"], {"ann": 0, "bob": 0})
    assert (match.started_at, match.ended_at, match.winner) == (NOON, None, None)


def test_points_add_up() -> None:
    state = match_with(("ann", e.Scored("ann", 3)), ("ann", e.Scored("ann", 4)))

    assert state.scores == {"ann": 7, "bob": 0}
    assert state.turns == {"ann": 2, "bob": 0}


def test_what_is_shown_is_not_the_state_itself() -> None:
    state = match_with()
    match = match_of(STREAM, state)
    state.apply(Event(STREAM, 2, NOON, "ann", None, e.Scored("ann", 3)))

    assert match.scores == {"ann": 0, "bob": 0}


@pytest.mark.parametrize(
    ("end", "status", "winner", "reason"),
    [
        (e.Completed("bob", {}), "completed", "bob", None),
        (e.Completed(None, {}), "completed", None, None),
        (e.MatchCancelled("rain"), "cancelled", None, "rain"),
    ],
)
def test_a_match_ends(end: Data, status: str, winner: str | None, reason: str | None) -> None:
    match = match_of(STREAM, match_with(("ann", end)))

    assert (match.status, match.winner, match.reason) == (status, winner, reason)
    assert match.ended_at == NOON + timedelta(seconds=1)


def test_who_drops_and_returns() -> None:
    dropped = match_with((HUB, e.Dropped("ann")), present=["ann"])
    back = match_with((HUB, e.Dropped("ann")), (HUB, e.Returned("ann")), present=["ann"])
    arrived = match_with((HUB, e.Returned("bob")), present=["ann"])

    assert dropped.dropped == {"ann": NOON + timedelta(seconds=1)}
    assert back.dropped == {}
    assert arrived.present == {"ann", "bob"}


def test_in_a_match_of_players_who_were_not_asked_those_who_act_are_kept() -> None:
    begun = match_with(asked=False)
    scored = match_with(("bob", e.Scored("bob", 1)), asked=False)
    given = match_with((HUB, e.Scored("bob", 1)), (HUB, e.Returned("bob")), asked=False)
    heard = match_with((HUB, e.Returned("bob", acted=True)), asked=False)

    assert [m.silent() for m in (begun, scored, given, heard)] == [{"bob"}, set(), {"bob"}, set()]
    assert (given.present, heard.present) == ({"bob"}, set())


def test_who_gives_up_or_forfeits_is_gone_in_that_order() -> None:
    state = match_with(("bob", e.Resigned()), (HUB, e.Forfeited("ann")))

    assert match_of(STREAM, state).gone == ["bob", "ann"]
    assert state.standing(NOON).players == []


def test_what_a_game_tells_changes_nothing() -> None:
    assert match_with((HUB, e.Told({"a": 1}))) == match_with()


def test_an_event_of_another_kind_is_a_fault() -> None:
    with pytest.raises(AssertionError):
        match_with(("ann", e.BoardCreated("sum", "desc")))


def test_a_match_that_is_not_there() -> None:
    for ask in (
        MatchState().check_exists,
        lambda: MatchState().check_player("ann"),
        lambda: MatchState().check_scorer("ann", "ann"),
        lambda: MatchState().check_reader(STREAM, "ann"),
        lambda: match_of(STREAM, MatchState()),
    ):
        with pytest.raises(NotFound):
            ask()
    assert MatchState().ends_at() is None


@pytest.mark.parametrize(
    ("user", "may"), [("ann", True), ("bob", True), ("ref", True), (HUB, True), ("eve", False)]
)
def test_a_private_match_is_for_its_players_and_its_referee(user: str, may: bool) -> None:
    state = match_with(private=True, referee="ref")
    assert state.is_for(user) == may
    if may:
        state.check_reader(STREAM, user)
    else:
        with pytest.raises(NotAllowed, match="private"):
            state.check_reader(STREAM, user)


def test_a_public_match_is_everybodys() -> None:
    match_with().check_reader(STREAM, "eve")


@pytest.mark.parametrize(
    ("referee", "by", "player", "error"),
    [
        (None, "ann", "ann", None),
        (None, "ann", "bob", NotAllowed),
        (None, "eve", "eve", NotAllowed),
        (None, "eve", "ann", NotAllowed),
        ("ref", "ref", "ann", None),
        ("ref", "ref", "eve", Invalid),
        ("ref", "ann", "ann", NotAllowed),
        ("ann", "ann", "bob", None),
        (HUB, HUB, "ann", None),
        (HUB, "ann", "ann", NotAllowed),
    ],
)
def test_who_may_score_for_whom(
    referee: str | None, by: str, player: str, error: type[Exception] | None
) -> None:
    state = match_with(referee=referee)
    if error is None:
        state.check_scorer(by, player)
        return
    with pytest.raises(error):
        state.check_scorer(by, player)


def test_who_plays_and_who_does_not() -> None:
    state = match_with(("bob", e.Resigned()))
    state.check_player("bob")
    state.check_playing("ann")

    with pytest.raises(NotAllowed):
        state.check_player("eve")
    with pytest.raises(Conflict, match="resigned or forfeited"):
        state.check_playing("bob")
    with pytest.raises(Conflict, match="completed"):
        match_with(("ann", e.Completed("ann", {}))).check_playing("ann")


def test_a_time_is_up_at_its_moment_and_not_before() -> None:
    state = match_with()
    state.rules = Timed(60.0)
    ends_at = NOON + timedelta(seconds=60)

    assert state.ends_at() == ends_at
    assert not state.standing(ends_at - timedelta(microseconds=1)).time_is_up
    assert state.standing(ends_at).time_is_up
    assert match_with().ends_at() is None


def test_a_standing_is_a_copy() -> None:
    state = match_with()
    state.standing(NOON).scores["ann"] = 5

    assert state.scores["ann"] == 0


def test_names_of_streams() -> None:
    assert id_of(match_stream("1")) == "1"
    with pytest.raises(Invalid):
        match_stream(7)


def test_what_is_longer_than_an_id_is_not_looked_up() -> None:
    assert match_stream("x" * ID_CHARS_MAX) == "match/" + "x" * ID_CHARS_MAX

    with pytest.raises(NotFound):
        match_stream("x" * (ID_CHARS_MAX + 1))


def test_a_snapshot_of_before_is_read() -> None:
    # It does not say who started the match, nor when somebody has scored.
    now = msgspec.json.decode(REGISTRY.encode_state(match_with(present=["ann"])).body)
    body = {name: value for name, value in now.items() if name not in ("by", "scored_at")}
    state = REGISTRY.decode_state(STREAM, EncodedState(msgspec.json.encode(body), []))

    assert len(now) == len(body) + 2
    assert isinstance(state, MatchState)
    assert (state.by, state.scored_at, state.present) == ("", None, {"ann"})
