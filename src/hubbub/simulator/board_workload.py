"""Leaderboards: every score that was acknowledged counts, exactly, and pages fit together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import partial

import anyio
import msgspec

from ..errors import Closed, NotFound, Overloaded, StorageError
from ..games.boards.board import Entry
from ..session import Session
from .board_fold import BoardRules, fold_board
from .client import Client
from .workload import Evidence

__all__ = ["BoardWorkload", "SeenEntry"]

BOARDS = (
    BoardRules("fastest", "best", "asc"),
    BoardRules("highest", "best", "desc"),
    BoardRules("total", "sum", "desc", "*/15 * * * *", 900.0),
    BoardRules("newest", "latest", "desc"),
)
# How often a user submits two scores at once, and how often they page through a board.
TWICE_CHANCE = 0.2
PAGES_CHANCE = 0.15
# Entries of a page: fewer than there are users.
PAGE = 2
# Different scores of a user on a board; each is a tenth of a whole number.
SCORES = 1_009
STRIDE = 367


class SeenEntry(msgspec.Struct, frozen=True):
    """An entry that a user has seen: its cursor names the event that reached the score."""

    board: str
    user: str
    score: int | float
    cursor: str


class BoardWorkload:
    """Users of leaderboards with each operator, one of them with seasons."""

    name = "boards"

    def __init__(self) -> None:
        # (the board, the user) -> their scores: no score is submitted twice.
        self.tried: dict[tuple[str, str], set[float]] = defaultdict(set)
        self.acknowledged: dict[tuple[str, str], set[float]] = defaultdict(set)
        self.seen: set[SeenEntry] = set()
        self.complaints: list[str] = []

    async def prepare(self, admin: Session) -> None:
        """Make the boards."""
        for board in BOARDS:
            await admin.games.create_board(
                board.name, operator=board.operator, order=board.order, reset=board.reset
            )

    async def begin(self, client: Client) -> None:
        """Do nothing: everybody can submit a score."""

    async def follow(self, client: Client) -> None:
        """Watch nothing."""

    async def act(self, client: Client) -> None:
        """Submit a score or two, or read a whole board."""
        board = client.random.choice(BOARDS).name
        drawn = client.random.random()
        if drawn < PAGES_CHANCE:
            await self._page(client, board)
        elif drawn < PAGES_CHANCE + TWICE_CHANCE:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._submit, client, board)
                tasks.start_soon(self._submit, client, board)
        else:
            await self._submit(client, board)

    def missing(self, evidence: Evidence) -> Iterator[str]:
        """Nothing comes later."""
        yield from ()

    def broken(self, evidence: Evidence) -> Iterator[str]:
        """A board is the fold of what was submitted, for every user."""
        yield from self.complaints
        for rules in BOARDS:
            fold = fold_board(rules, evidence.streams.get(f"board/{rules.name}", ()))
            yield from fold.broken
            for (board, user), tried in self.tried.items():
                if board != rules.name:
                    continue
                for score in fold.submitted.get(user, ()):
                    if score not in tried:
                        yield f"{board} has {score} of {user}, which nobody has submitted."
                for score in self.acknowledged[board, user]:
                    if not fold.has(user, score):
                        yield f"{user} submitted {score} to {board}, and it does not count."
            for entry in self.seen:
                if entry.board == rules.name:
                    yield from fold.contradicted(entry.user, entry.score, entry.cursor)

    def check_pages(
        self, before: Sequence[Entry], pages: Sequence[Sequence[Entry]], after: Sequence[Entry]
    ) -> None:
        """
        Check pages that were read one after another.

        Args:
            before: the whole board, before the first of them.
            pages: the pages.
            after: the whole board, after the last of them.
        """
        for page in (before, *pages, after):
            ranks = [entry.rank for entry in page]
            if ranks != list(range(ranks[0], ranks[0] + len(ranks)) if ranks else ()):
                self.complaints.append(f"A page of {page[0].board} has the ranks {ranks}.")
        unchanged = {entry.cursor for entry in before} & {entry.cursor for entry in after}
        read = [entry.cursor for page in pages for entry in page]
        for entry in before:
            times = read.count(entry.cursor)
            if entry.cursor in unchanged and times != 1:
                self.complaints.append(
                    f"{entry.user_id} is {times} times on the pages of {entry.board}."
                )

    async def _submit(self, client: Client, board: str) -> None:
        tried = self.tried[board, client.user]
        if len(tried) == SCORES:
            return
        # The stride is prime to the number: no score comes again, and they go up and down.
        score = (len(tried) * STRIDE + client.number) % SCORES / 10
        tried.add(score)
        key = client.new_key()
        submit = partial(client.session.games.submit, board, score, key=key)
        entry = await client.attempt("submit", submit)
        if entry is not None:
            self.acknowledged[board, client.user].add(score)
            self._see([entry])

    async def _page(self, client: Client, board: str) -> None:
        games, pages, after = client.session.games, list[list[Entry]](), None
        try:
            before = await games.top(board, limit=100)
            while page := await games.top(board, limit=PAGE, after=after):
                pages.append(page)
                after = page[-1].cursor
            then = await games.top(board, limit=100)
        except NotFound as error:
            self.complaints.append(f"{client.user} reads {board}: {error}")
        except (StorageError, Overloaded, Closed):
            return
        else:
            self.check_pages(before, pages, then)
            self._see([entry for page in (before, *pages, then) for entry in page])

    def _see(self, entries: Sequence[Entry]) -> None:
        self.seen.update(
            SeenEntry(entry.board, entry.user_id, entry.score, entry.cursor) for entry in entries
        )
