"""Whatever is given to a method of games: it gives a result, or an error that says what to do."""

from __future__ import annotations

import math
from collections.abc import Callable
from random import Random
from typing import Any

import anyio
import pytest

import hubbub
from hubbub.errors import HubbubError
from hubbub.games.service import Games
from hubbub.method import Method
from hubbub.service import methods_of

CALLS = 250
METHODS = methods_of(Games)


class Broken:
    """Something that cannot even be shown."""

    def __repr__(self) -> str:
        raise RuntimeError("it cannot be shown")


def deep(levels: int) -> Any:
    found: Any = 1
    for number in range(levels):
        found = {"a": found} if number % 2 else [found]
    return found


def endless() -> Any:
    found: dict[str, Any] = {}
    found["a"] = found
    return found


NUMBERS = [
    *(0, 1, -1, 2, 63, 64, 65, 500, 501, 2**31, 2**53 - 1, 2**53, 2**53 + 1, 2**63 - 1, 2**63),
    *(2**64, 2**70, -(2**63), -(2**63) - 1, 10**400, 10**5_000, -(10**5_000)),
    *(0.5, -0.0, 0.1, 1e308, 5e-324, -1e-310, math.inf, -math.inf, math.nan, True, False),
]
TEXTS = [
    *("", " ", "\0", "a\0b", "\u202e", "\u200b", "\ud7ff", "\ufeff", "\uffff", "\U0010ffff"),
    *("\ud800", "a" * 101, "é" * 4_000, "x" * 60_000, "\u0301" * 500, "'", "`", "%", "../.."),
    *("/", "//", "a/b", "board/main", "match/", "user/", "/hub", "main", "ann", "bob", "nobody"),
    *("NaN", "1e999", "null", "__class__", "{}", "1", "WzEsMl0", "/WzEsMl0", "/WzFlOTk5LDJd"),
    *("* * * * *", "0 0 30 2 *", "0 0 29 2 *", "*/0 * * * *", "9" * 150 + " * * * *", "@yearly"),
    *("best", "sum", "latest", "asc", "desc", "active", "completed", "default", "arithmetic"),
]
OTHERS = [
    *(None, [], {}, [[]], [None], ["ann"], ["ann", "bob"], ["ann", "bob", "ann"], ["ann"] * 65),
    *(["ann", "x" * 60_000], ["ann", "\ud800"], ["ann", Broken()], ("ann", "bob"), {"a": None}),
    *({"": 1}, {1: 2}, {"a": 2**70}, {"a": 10**5_000}, {"a": math.nan}, {"a": "\ud800"}),
    *({"a": "x" * 20_000}, {"a": deep(40)}, {"a": deep(100_000)}, endless(), b"x", object()),
    *(Broken(), {1, 2}, lambda: None, hubbub.FirstTo(1), hubbub.FirstTo(10**5_000)),
    *(hubbub.FirstTo(Broken()), hubbub.BestOf(0), hubbub.Timed(5e-324), hubbub.Timed(math.nan)),  # type: ignore[arg-type]
    *(hubbub.Timed(10**400), hubbub.Rounds(2**64), hubbub.Custom("arithmetic", {"a": 2**64})),
    *(hubbub.Custom([]), hubbub.Custom("golf", deep(100_000)), hubbub.Custom("golf", endless())),  # type: ignore[arg-type]
    hubbub.Custom("golf", {"holes": 1}),
]

NASTY: list[Any] = [*NUMBERS, *TEXTS, *OTHERS]


def golf(options: Any, standing: hubbub.Standing) -> hubbub.Outcome | None:
    return None


GAMES = {"default": hubbub.Game(), "golf": hubbub.Game(decide=golf), "arithmetic": hubbub.Game()}


def fitting(name: str, chance: Random) -> Any:
    """Return what an argument of this name might be, so that a call comes further than that."""
    known: dict[str, list[Any]] = {
        "players": [["ann", "bob"]],
        "board": ["main", "b"],
        "name": ["b", f"b{chance.randrange(9)}"],
        "points": [1, 5],
        "score": [1, 0.1, -3.5],
        "user_id": ["ann", "bob", None],
        "limit": [1, 10],
        "timeout": [0.001],
        "queue": ["default"],
        "key": [None, f"key {chance.randrange(9)}"],
        "status": [None, "active"],
        "number": [1],
        "body": [{"a": 1}],
        "private": [False],
        "operator": ["best"],
        "order": ["desc"],
        "match_id": ["none"],
    }
    return chance.choice(known.get(name, [None]))


def arguments_of(method: Method, chance: Random, matches: list[str]) -> dict[str, Any]:
    """Draw arguments, mostly with a single nasty one, so that a call gets as far as that."""
    names = method.arguments.__struct_fields__
    nasty = set(names) if chance.random() < 0.1 else {chance.choice(names)}
    found = {name: fitting(name, chance) for name in names}
    if "match_id" in found:
        found["match_id"] = chance.choice(matches[-20:])
    return found | {name: chance.choice(NASTY) for name in nasty}


@pytest.mark.parametrize("method", METHODS.values(), ids=lambda method: method.name)
async def test_any_argument_gives_a_result_or_an_error_that_is_told(method: Method) -> None:
    chance = Random(method.name)
    settings = hubbub.Settings(random=Random(1))
    async with (
        hubbub.open("memory://", settings=settings, games=GAMES) as hub,
        hub.session("ann") as ann,
        hub.session("bob"),
    ):
        matches = [(await ann.games.start_match(["ann", "bob"])).id for _ in range(5)]
        await ann.games.create_board("b", operator="sum", reset="0 0 * * *")
        told = list[str]()
        call: Callable[..., Any] = getattr(ann.games, method.name.partition(".")[2])
        for _ in range(CALLS):
            arguments = arguments_of(method, chance, matches)
            with anyio.move_on_after(0.02 if method.name == "games.find_match" else 60) as scope:
                try:
                    result = await call(**arguments)
                except HubbubError as error:
                    told.append(error.message)
                else:
                    if isinstance(result, hubbub.Match):
                        matches.append(result.id)
            assert not scope.cancelled_caught or method.name == "games.find_match"

        # An error can be sent, and is no flood.
        assert all(len(message.encode()) < 1_000 for message in told)
        # The hub goes on.
        again = await ann.games.start_match(["ann", "bob"])
        assert (await ann.games.resign(again.id)).winner == "bob"
        assert await ann.games.top("b") is not None
