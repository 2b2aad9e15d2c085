"""A process that is killed in the middle of a thousand matches leaves none with two ends."""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path

import pytest
from anyio import to_thread

import hubbub
from hubbub import Event, Session
from hubbub.games.events import Completed, MatchCancelled, Scored
from hubbub.journal.link import Linked
from hubbub.journal.shards import stream_shards
from tests.faults.doomed_matches import NOBODY, PLAYERS, POINTS
from tests.faults.killing import kill_after

MATCHES = 1_000
KILLED_AFTER = [1, 4_000]


class Acknowledged:
    """The results that the killed process acknowledged: points by match and player, and winners."""

    def __init__(self, lines: list[list[str]]) -> None:
        self.points: defaultdict[tuple[str, str], int] = defaultdict(int)
        self.winners: defaultdict[str, set[str]] = defaultdict(set)
        for match, player, points, winner in lines:
            self.points[match, player] += int(points)
            if winner != NOBODY:
                self.winners[match].add(winner)


def kill_one(path: Path, backend: str, count: int) -> Acknowledged:
    """Run a hub and kill it after some acknowledgements."""
    return Acknowledged(kill_after(count, "doomed_matches.py", path, backend, MATCHES))


@pytest.mark.parametrize("count", KILLED_AFTER)
@pytest.mark.timeout(60)
async def test_every_match_has_one_end_and_the_board_is_their_fold(
    tmp_path: Path, backend: str, count: int
) -> None:
    path = tmp_path / "hubbub.db"
    told = await to_thread.run_sync(kill_one, path, backend, count)
    async with hubbub.open(str(path)) as hub, hub.session("host") as host:
        index = [e for name in stream_shards("index/matches") for e in await read(host, name)]
        started = [event.data.to for event in index if type(event.data) is Linked]
        matches = {stream: await read(host, stream) for stream in started}
        board = {entry.user_id: entry.score for entry in await host.games.top("main", limit=500)}
        winners = [check_match(stream, events, told) for stream, events in matches.items()]

    assert len(matches) >= MATCHES
    assert {match for match, _ in told.points} <= {id_of(stream) for stream in matches}
    assert board == {player: 10 * wins for player, wins in Counter(filter(None, winners)).items()}
    assert len(board) <= PLAYERS


def check_match(stream: str, events: list[Event], told: Acknowledged) -> str | None:
    """Check a match's events against what was acknowledged; return who has won."""
    points: defaultdict[str, int] = defaultdict(int)
    ends = [event.data for event in events if type(event.data) in (Completed, MatchCancelled)]
    for event in events:
        if isinstance(event.data, Scored):
            points[event.data.player] += event.data.points
    assert len(ends) <= 1
    match = id_of(stream)
    for player, total in points.items():
        assert total >= told.points[match, player]
    if not ends:
        assert not told.winners[match]
        assert all(total < POINTS for total in points.values())
        return None
    [end] = ends
    assert isinstance(end, Completed)
    assert told.winners[match] <= {end.winner}
    assert {player: total for player, total in end.scores.items() if total} == points
    assert end.winner is not None
    assert end.scores[end.winner] >= POINTS
    return end.winner


async def read(session: Session, stream: str) -> list[Event]:
    events: list[Event] = []
    while page := await session.read(stream, after=len(events), limit=500):
        events += page
    return events


def id_of(stream: str) -> str:
    return stream.removeprefix("match/")
