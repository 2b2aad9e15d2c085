"""A board against a plain list that is sorted again for each question."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from fractions import Fraction
from typing import NamedTuple

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from hubbub.errors import Conflict, HubbubError, NotFound
from hubbub.games.boards import board as b
from hubbub.games.boards.board import BoardState, Entry
from hubbub.games.boards.paging import rank_after
from hubbub.games.boards.seasons import next_reset
from hubbub.games.events import BoardOrder, Operator
from hubbub.games.scores import SCORE_MAX
from hubbub.journal.event import encode_event
from hubbub.users.user import UserState
from tests.games.board_kit import NOON, REGISTRY, STREAM, Desk, create, look, submit
from tests.properties.board_streams import metadata, scores

HOUR = timedelta(hours=1)
HOURLY = "0 * * * *"

USERS = ["ann", "bob", "eve", "kim", "zoë"]
users = st.sampled_from(USERS)
# So few that there are ties all the time, and steps back.
few_scores = st.sampled_from([0, 1, 1.0, 2, -1, 0.5, -0.0])


class Line(NamedTuple):
    """A user's entry on a plain board: the score, its time and its number."""

    score: float
    at: datetime
    number: int
    nickname: str
    metadata: object
    total: Fraction


class PlainBoard:
    """
    A season as its rules say it in words; a rank is found by sorting everything.

    Args:
        operator: what counts.
        order: the order of the scores.
    """

    def __init__(self, operator: Operator, order: BoardOrder) -> None:
        self.operator, self.order = operator, order
        self.lines: dict[str, Line] = {}
        self.submitted = 0

    def submit(
        self, user: str, nickname: str, score: float, metadata: object, now: datetime
    ) -> None:
        self.submitted += 1
        before, total = self.lines.get(user), Fraction(repr(score))
        if before is None:
            self.lines[user] = Line(score, now, self.submitted, nickname, metadata, total)
            return
        if self.operator == "sum":
            # As on paper: 0.1 is a tenth.
            total += before.total
            if abs(total) > SCORE_MAX:
                raise Conflict("Too large.")
            score = float(total) if total.denominator > 1 else int(total)
        if self.operator == "best":
            best = (max if self.order == "desc" else min)(before.score, score)
            if best == before.score:
                return
        if score == before.score:
            # The same score again: what was said with it is new, and when it was made is not.
            self.lines[user] = before._replace(nickname=nickname, metadata=metadata, total=total)
        else:
            self.lines[user] = Line(score, now, self.submitted, nickname, metadata, total)

    def table(self) -> list[Entry]:
        sign = -1 if self.order == "desc" else 1
        in_order = sorted(
            self.lines.items(), key=lambda item: (sign * item[1].score, item[1].number)
        )
        return [
            Entry("speed", user, line.nickname, line.score, rank, line.at, line.metadata)  # type: ignore[arg-type]
            for rank, (user, line) in enumerate(in_order, 1)
        ]


class BoardMachine(RuleBasedStateMachine):
    """Submits the same to a board and to a plain one, while the hours go by."""

    @initialize(
        operator=st.sampled_from(["best", "sum", "latest"]), order=st.sampled_from(["desc", "asc"])
    )
    def begin(self, operator: Operator, order: BoardOrder) -> None:
        self.desk = Desk()
        create(self.desk, operator=operator, order=order, reset=HOURLY)
        self.plain = PlainBoard(operator, order)
        self.ends_at = NOON + HOUR
        # What the table was at the end of each season.
        self.finished: list[tuple[datetime, list[Entry]]] = []

    @property
    def now(self) -> datetime:
        return self.desk.states.now

    @rule(user=users, score=few_scores, body=metadata)
    def submit_one_of_few(self, user: str, score: float, body: object) -> None:
        self.submit(user, score, body)

    @rule(user=users, nickname=st.sampled_from(["Ann", "A", ""]), body=metadata)
    def rename_and_submit_again(self, user: str, nickname: str, body: object) -> None:
        """The current score, or no change."""
        self.profile(user).nickname = nickname or user
        line = self.plain.lines.get(user)
        again = 0 if line is None or self.plain.operator == "sum" else line.score
        self.submit(user, again, body)

    @rule(user=users, score=scores, body=metadata)
    def submit(self, user: str, score: float, body: object) -> None:
        nickname = self.profile(user).nickname
        self.end_season()
        refusals = list[type[HubbubError] | None]()
        for attempt in (
            lambda: self.plain.submit(user, nickname, score, body, self.now),
            lambda: submit(self.desk, user, score, body),
        ):
            try:
                attempt()
            except HubbubError as error:
                refusals.append(type(error))
            else:
                refusals.append(None)

        assert refusals[0] == refusals[1]

    def profile(self, user: str) -> UserState:
        return self.desk.ask(lambda states: states.of(UserState, f"user/{user}"))

    @rule(minutes=st.sampled_from([1, 5, 10, 60, 200]))
    def wait(self, minutes: int) -> None:
        self.desk.states.now += timedelta(minutes=minutes)

    @rule()
    def the_alarm_rings(self) -> None:
        self.end_season()
        look(self.desk)

    @rule()
    def restart(self) -> None:
        """Continue from a snapshot."""
        kept = REGISTRY.encode_state(self.board)
        head = self.desk.states.entry(STREAM).head
        self.desk.put(STREAM, REGISTRY.decode_state(STREAM, kept))
        self.desk.states.entry(STREAM).head = head

    def end_season(self) -> None:
        """Whatever comes next finds the season over."""
        if self.now >= self.ends_at:
            ended_at = self.now.replace(minute=0, second=0, microsecond=0)
            # In which nobody has submitted anything is no season.
            if self.plain.lines:
                self.finished.append((ended_at, self.plain.table()))
            self.plain = PlainBoard(self.plain.operator, self.plain.order)
            self.ends_at = ended_at + HOUR

    @property
    def board(self) -> BoardState:
        return self.desk.board()

    @rule(after=st.integers(0, 7), limit=st.integers(1, 7))
    def page(self, after: int, limit: int) -> None:
        if self.now >= self.ends_at:
            return
        whole = self.plain.table()

        found = plain(b.entries(STREAM, self.board, after, limit))
        assert found == whole[after : after + limit]

    @rule(user=users, limit=st.integers(1, 7))
    def page_after_a_user(self, user: str, limit: int) -> None:
        if self.now >= self.ends_at:
            return
        whole, found = self.plain.table(), list[Entry]()
        try:
            after = rank_after(self.board, user)
            found = plain(b.entries(STREAM, self.board, after, limit))
        except NotFound:
            after = -1

        ranks = {entry.user_id: entry.rank for entry in whole}
        assert after == ranks.get(user, -1)
        assert found == (whole[after : after + limit] if user in ranks else [])

    @rule(limit=st.integers(1, 7))
    def around(self, limit: int) -> None:
        if self.now >= self.ends_at:
            return
        whole = self.plain.table()
        for entry in whole:
            user = entry.user_id
            found = plain(b.entries_around(STREAM, self.board, user=user, limit=limit))

            assert entry in found
            assert len(found) == min(limit, len(whole))
            first = found[0].rank - 1
            assert found == whole[first : first + len(found)]
            # In the middle, unless an end is nearer.
            before, behind = entry.rank - 1 - first, first + len(found) - entry.rank
            at_an_end = found[0] is whole[0] or found[0].rank == 1 or found[-1].rank == len(whole)
            assert at_an_end or before - behind in (0, 1)

    @invariant()
    def the_board_is_the_sorted_list(self) -> None:
        if self.now < self.ends_at:
            whole = self.plain.table()
            assert plain(b.entries(STREAM, self.board, 0, 100)) == whole
            assert len(self.board.ranking) == len(whole)
            for user in USERS:
                found = [entry for entry in whole if entry.user_id == user]
                assert self.entry_of(user) == found

    def entry_of(self, user: str) -> list[Entry]:
        try:
            return plain([b.entry_of(STREAM, self.board, user)])
        except NotFound:
            return []

    def teardown(self) -> None:
        """Fold each season again from its events, as they are in a store."""
        if not hasattr(self, "desk"):
            return
        self.the_alarm_rings()
        seasons = self.board.seasons
        assert [season.ended_at for season in seasons] == [at for at, _ in self.finished]
        assert [season.number for season in seasons] == list(range(1, len(seasons) + 1))
        stored = [encode_event(e) for e in self.desk.events if e.stream == STREAM]
        for season, (_, table) in zip(seasons, self.finished, strict=True):
            state = BoardState(self.board.operator, self.board.order, None, self.board.created_at)
            for body in stored[season.after : season.until]:
                state.apply(REGISTRY.decode(body))

            assert plain(b.entries(STREAM, state, 0, 100)) == table
            assert season.size == len(table)


def plain(entries: Iterable[Entry]) -> list[Entry]:
    """Leave out what a plain list has not: cursors."""
    return [msgspec.structs.replace(entry, cursor="") for entry in entries]


@pytest.mark.hypothesis
def test_a_board_does_what_a_sorted_list_does() -> None:
    run_state_machine_as_test(BoardMachine)


schedules = st.sampled_from(
    ["* * * * *", "*/7 * * * *", HOURLY, "0 0 * * *", "30 4 * * MON", "0 0 1 * *", "0 12 29 2 *"]
)
moments = st.datetimes(datetime(2025, 1, 1), datetime(2029, 1, 1))  # noqa: DTZ001


@given(schedules, moments, moments)
def test_a_season_has_ended_if_and_only_if_a_boundary_has_passed(
    schedule: str, first: datetime, second: datetime
) -> None:
    made, now = (at.replace(tzinfo=NOON.tzinfo) for at in sorted([first, second]))
    desk = Desk(made)
    create(desk, reset=schedule)
    submit(desk, "ann", 1)
    due = end_after(schedule, made)
    desk.states.now = now

    decided = look(desk)

    assert bool(decided) == (due <= now)
    if decided:
        ended_at = desk.board().seasons[0].ended_at
        assert made < ended_at <= now < end_after(schedule, ended_at)


def end_after(schedule: str, after: datetime) -> datetime:
    due = next_reset(schedule, after)
    assert due is not None
    return due
