"""Quick arithmetic: the first right answer to a question gets ten points; 100 points win."""

from __future__ import annotations

from typing import Any

from ...errors import Conflict
from .game import Game, Handler, Table
from .rules import FirstTo

__all__ = ["ARITHMETIC", "Arithmetic"]

POINTS = 10
# The time for a question, in ticks of a second; then nobody gets its points and the next
# question comes.
TICKS_MAX = 20


class Arithmetic(Handler):
    """
    A match of quick arithmetic.

    It sends ``{"question": number, "text": "7 × 8"}`` and, after an answer or the time,
    ``{"question": number, "answer": 56, "by": user or None}``. A player sends
    ``{"question": number, "answer": 56}``, and has one try for each question.
    """

    def __init__(self) -> None:
        self._number = 0
        self._answer = 0
        self._ticks = 0
        self._tried: set[str] = set()

    async def on_start(self, table: Table) -> None:
        """Ask the first question."""
        # Change the numbers after a restart, so that no answer to an old question counts.
        self._number = table.random.randrange(1_000_000) * 1_000
        await self._ask(table)

    async def on_message(self, table: Table, player: str, body: dict[str, Any]) -> None:
        """Handle an answer; a late or second one does not count."""
        if body.get("question") != self._number or player in self._tried:
            return
        self._tried.add(player)
        if body.get("answer") == self._answer:
            await self._end_question(table, player)
        elif self._tried.issuperset(set(table.match.players) - set(table.match.gone)):
            await self._end_question(table, None)

    async def on_tick(self, table: Table, tick: int) -> None:
        """Ask another question when the time for this one is over."""
        self._ticks += 1
        if self._ticks >= TICKS_MAX:
            await self._end_question(table, None)

    async def _end_question(self, table: Table, winner: str | None) -> None:
        said = {"question": self._number, "answer": self._answer, "by": winner}
        if winner is None:
            await table.tell(said)
        elif await self._is_won(table, winner, said):
            return
        await self._ask(table)

    async def _is_won(self, table: Table, player: str, said: dict[str, Any]) -> bool:
        try:
            match = await table.add_score(player, POINTS, saying=said)
        except Conflict:
            # The player has resigned since; if that ended the match, it refuses the next question.
            return False
        return match.status != "active"

    async def _ask(self, table: Table) -> None:
        self._number += 1
        self._ticks = 0
        self._tried.clear()
        sign = table.random.choice("+-×")
        one, other = table.random.randint(2, 12), table.random.randint(2, 12)
        if sign == "-":
            one, other = max(one, other), min(one, other)
        self._answer = {"+": one + other, "-": one - other, "×": one * other}[sign]
        await table.tell({"question": self._number, "text": f"{one} {sign} {other}"})


ARITHMETIC = Game(
    size=2, rules=FirstTo(100), handler=Arithmetic, ticks_per_second=1.0, call_seconds_max=10.0
)
