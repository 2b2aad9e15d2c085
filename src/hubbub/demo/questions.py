"""How the demo's bot answers a question of quick arithmetic: when, and whether rightly. Pure."""

from __future__ import annotations

import re
from random import Random
from typing import Any

import msgspec

__all__ = ["PlannedAnswer", "plan_answer"]

# How long the bot thinks and types, in seconds: the least, the most, and the most likely.
THINKING_SECONDS = (2.5, 9.0, 4.0)
# How much longer it thinks for each ten points that it is ahead.
LEAD_SECONDS = 0.8
# Tens of points that the demo's bot is ahead and that slow it down.
LEAD_TENS_MAX = 4
# How often it is wrong.
WRONG = 0.15
# How far beside the truth it is then.
BESIDE = (-10, -2, -1, 1, 2, 10)

_question = re.compile(r"(\d{1,4}) ([-+×]) (\d{1,4})").fullmatch


class PlannedAnswer(msgspec.Struct, frozen=True):
    """
    An answer that is given when its time has come.

    Args:
        seconds: how long after the question.
        body: the message to the game.
    """

    seconds: float
    body: dict[str, Any]


def plan_answer(body: dict[str, Any], lead: int, random: Random) -> PlannedAnswer | None:
    """
    Plan the answer to a question; None if the bot cannot read it.

    Args:
        body: what the game told.
        lead: how many points the bot is ahead, or less than 0.
        random: where chance comes from.
    """
    found = _question(str(body.get("text")))
    if found is None:
        return None
    one, sign, other = int(found[1]), found[2], int(found[3])
    answer = {"+": one + other, "-": one - other, "×": one * other}[sign]
    if random.random() < WRONG:
        answer += random.choice(BESIDE)
    ahead = min(max(lead, 0) // 10, LEAD_TENS_MAX)
    seconds = random.triangular(*THINKING_SECONDS) + ahead * LEAD_SECONDS
    return PlannedAnswer(seconds, {"question": body.get("question"), "answer": answer})
