"""How a match that the hub runs ends, and how it continues after a restart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anyio
import msgspec
import pytest

import hubbub
from hubbub.errors import Conflict, HubbubError, Invalid
from hubbub.games.matches.runner import GAME_BODY_BYTES_MAX
from hubbub.journal.event import Signal
from tests.games.handlers import Calls
from tests.games.matches.test_runner import noted
from tests.games.virtual_hub import Play, match_of_two, moment, senders, told, what


class Obedient(hubbub.Handler):
    """
    A game that does what the test wants.

    Args:
        log: what happened.
    """

    log: list[object]
    gate: anyio.Event

    async def on_start(self, table: hubbub.Table) -> None:
        self.log.append(("on_start", dict(table.match.scores)))

    async def on_message(self, table: hubbub.Table, player: str, body: dict[str, Any]) -> None:
        match body["do"]:
            case "win":
                self.log.append((await table.add_score(player, 100)).status)
            case "score":
                await table.add_score(player, 10)
                self.log.append(dict(table.match.scores))
            case "wait and score":
                await self.gate.wait()
                await table.add_score(player, 10)
                self.log.append("scored")
            case "cancel":
                await table.cancel("it rains")
            case "tell":
                await table.tell(body)
            case "broadcast":
                table.broadcast(body)

    async def on_end(self, table: hubbub.Table) -> None:
        self.log.append(("on_end", table.match.status, table.match.winner))


def obedient(log: list[object], gate: anyio.Event | None = None) -> dict[str, hubbub.Game]:
    """Make a game that does what the test wants."""

    class Told(Obedient):
        pass

    Told.log = log
    if gate is not None:
        Told.gate = gate
    return {"obedient": hubbub.Game(handler=Told)}


ENDS = [
    ("win", ("completed", "ann")),
    ("cancel", ("cancelled", None)),
    ("resign", ("completed", "bob")),
    ("leave", ("completed", "ann")),
]


@pytest.mark.parametrize(("way", "end"), ENDS)
def test_the_handler_is_told_of_the_end_once(
    play: Play, way: str, end: tuple[str, str | None]
) -> None:
    log: list[object] = []

    async def story(hub: hubbub.Hubbub) -> None:
        async with hub.session("ann") as ann:
            async with hub.session("bob"):
                match = await ann.games.start_match(["ann", "bob"], game="obedient")
                await moment()
                if way == "resign":
                    await ann.games.resign(match.id)
                elif way != "leave":
                    await ann.games.message(match.id, {"do": way})
                await moment()
            await anyio.sleep(60)

        assert [one for one in log if isinstance(one, tuple)] == [
            ("on_start", {"ann": 0, "bob": 0}),
            ("on_end", *end),
        ]

    play(story, games=obedient(log))


def test_the_handler_is_told_of_an_end_that_it_runs_into(play: Play) -> None:
    log: list[object] = []

    class Late(Obedient):
        async def on_message(self, table: hubbub.Table, player: str, body: dict[str, Any]) -> None:
            async with anyio.create_task_group() as tasks:
                # Decided in one batch: the second finds the match over.
                tasks.start_soon(table.cancel, "it rains")
                await anyio.lowlevel.checkpoint()
                tasks.start_soon(table.add_score, player, 10)

    Late.log = log

    async def story(hub: hubbub.Hubbub) -> None:
        async with match_of_two(hub, game="late") as (match, ann, _):
            await ann.games.message(match.id, {})
            await anyio.sleep(1)
            over = await ann.games.match(match.id)

        assert (over.status, over.reason) == ("cancelled", "it rains")
        assert log == [("on_start", {"ann": 0, "bob": 0}), ("on_end", "cancelled", None)]

    play(story, games={"late": hubbub.Game(handler=Late)})


def test_a_match_may_end_while_the_handler_works(play: Play) -> None:
    log: list[object] = []

    class Working(Obedient):
        async def on_message(self, table: hubbub.Table, player: str, body: dict[str, Any]) -> None:
            await anyio.sleep(0.5)
            log.append("not reached")

    Working.log = log

    async def story(hub: hubbub.Hubbub) -> None:
        async with match_of_two(hub, game="working") as (match, ann, bob), senders() as send:
            await send(ann, match, {})
            await bob.games.resign(match.id)
            await anyio.sleep(2)

        assert log == [("on_start", {"ann": 0, "bob": 0}), ("on_end", "completed", "ann")]

    play(story, games={"working": hubbub.Game(handler=Working)})


def test_the_handler_sees_its_match_as_it_has_changed_it(play: Play) -> None:
    log: list[object] = []

    async def story(hub: hubbub.Hubbub) -> None:
        async with match_of_two(hub, game="obedient") as (match, ann, bob):
            for player in (ann, bob, ann):
                await player.games.message(match.id, {"do": "score"})
            await moment()

        assert log[1:4] == [{"ann": 10, "bob": 0}, {"ann": 10, "bob": 10}, {"ann": 20, "bob": 10}]
        assert [kind for _, kind in await what(hub, match.stream)][:4] == [
            "Started",
            *["Scored"] * 3,
        ]

    play(story, games=obedient(log))


def test_what_is_told_is_kept_and_what_is_broadcast_is_not(play: Play) -> None:
    async def story(hub: hubbub.Hubbub) -> None:
        heard: list[Signal] = []
        async with match_of_two(hub, game="obedient") as (match, ann, _):
            decode = msgspec.json.Decoder(Signal).decode
            following = hub.journal.follow(
                "bob", match.stream, None, lambda body: heard.append(decode(body))
            )
            async with following:
                for do in ("tell", "broadcast"):
                    await ann.games.message(match.id, {"do": do})
                await moment()

        assert await told(hub, match.stream) == [{"do": "tell"}]
        assert heard == [Signal(match.stream, "/hub", "state", {"do": "broadcast"})]

    play(story, games=obedient([]))


BAD: list[Any] = [
    "text",
    [1],
    None,
    {"x": object()},
    {1: 2},
    {"x": "\ud800"},
    {"x": "a" * (GAME_BODY_BYTES_MAX - len('{"x":""}') + 1)},
]


@pytest.mark.parametrize("body", BAD, ids=[type(body).__name__ for body in BAD])
def test_a_game_says_what_can_be_read_again(play: Play, body: Any) -> None:
    refused: list[str] = []

    class Garbled(hubbub.Handler):
        async def on_start(self, table: hubbub.Table) -> None:
            try:
                await table.tell(body)
            except Invalid:
                refused.append("tell")
            try:
                table.broadcast(body)
            except Invalid:
                refused.append("broadcast")
            await table.tell({"x": "a" * (GAME_BODY_BYTES_MAX - len('{"x":""}'))})

    async def story(hub: hubbub.Hubbub) -> None:
        async with match_of_two(hub, game="garbled") as (match, ann, _):
            assert (await ann.games.match(match.id)).status == "active"

        assert refused == ["tell", "broadcast"]
        assert len(await told(hub, match.stream)) == 1

    play(story, games={"garbled": hubbub.Game(handler=Garbled)})


def test_a_reason_can_be_read_again(play: Play) -> None:
    class Garbled(hubbub.Handler):
        async def on_start(self, table: hubbub.Table) -> None:
            await table.cancel("bad \ud800")

    async def story(hub: hubbub.Hubbub) -> None:
        async with match_of_two(hub, game="garbled") as (match, ann, _):
            over = await ann.games.match(match.id)

        assert over.status == "cancelled"
        assert over.reason is not None
        assert over.reason.startswith("bad ")

    play(story, games={"garbled": hubbub.Game(handler=Garbled)})


def test_after_the_end_there_is_nothing_to_do(play: Play) -> None:
    refused: list[type[HubbubError]] = []

    class Late(hubbub.Handler):
        async def on_message(self, table: hubbub.Table, player: str, body: dict[str, Any]) -> None:
            await table.cancel("it rains")

        async def on_end(self, table: hubbub.Table) -> None:
            await table.cancel("it is over already")
            for call in (partial_tell(table), table.add_score("ann", 1)):
                try:
                    await call
                except HubbubError as error:
                    refused.append(type(error))
            try:
                table.start_soon(anyio.sleep_forever)
            except HubbubError as error:
                refused.append(type(error))

    async def story(hub: hubbub.Hubbub) -> None:
        async with match_of_two(hub, game="late") as (match, ann, _):
            await ann.games.message(match.id, {})
            await anyio.sleep(1)
            over = await ann.games.match(match.id)

        assert over.reason == "it rains"
        assert refused == [Conflict, Conflict, Invalid]

    play(story, games={"late": hubbub.Game(handler=Late)})


async def partial_tell(table: hubbub.Table) -> None:
    await table.tell({"too": "late"})


def test_a_match_goes_on_when_the_hub_is_opened_again(play: Play, tmp_path: Path) -> None:
    log: list[object] = []
    match: hubbub.Match

    async def story(hub: hubbub.Hubbub) -> None:
        nonlocal match
        async with match_of_two(hub, game="obedient") as (match, ann, _):
            await ann.games.message(match.id, {"do": "score"})
            await anyio.sleep(1)

    async def later(hub: hubbub.Hubbub) -> None:
        async with hub.session("ann") as ann, hub.session("bob") as bob:
            await anyio.sleep(0.1)
            await bob.games.message(match.id, {"do": "win"})
            await anyio.sleep(1)

            over = await ann.games.match(match.id)
            assert (over.winner, over.scores) == ("bob", {"ann": 10, "bob": 100})

    play(story, games=obedient(log), url=str(tmp_path / "hub.db"), later=later)
    assert log == [
        ("on_start", {"ann": 0, "bob": 0}),
        {"ann": 10, "bob": 0},
        ("on_start", {"ann": 10, "bob": 0}),
        "completed",
        ("on_end", "completed", "bob"),
    ]


def test_a_match_that_is_over_is_not_run_again(play: Play, tmp_path: Path) -> None:
    calls: Calls = []

    async def story(hub: hubbub.Hubbub) -> None:
        async with match_of_two(hub, game="noted") as (match, ann, _):
            await ann.games.resign(match.id)
            await anyio.sleep(1)

    async def later(hub: hubbub.Hubbub) -> None:
        await anyio.sleep(1)

    play(story, games=noted(calls), url=str(tmp_path / "hub.db"), later=later)
    assert [name for name, *_ in calls] == ["on_start", "on_end"]


def test_leaving_the_hub_ends_no_match(play: Play, tmp_path: Path) -> None:
    match: hubbub.Match

    async def story(hub: hubbub.Hubbub) -> None:
        nonlocal match
        async with match_of_two(hub, game="noted") as (match, *_):
            pass

    async def later(hub: hubbub.Hubbub) -> None:
        async with hub.session("ann") as ann:
            assert (await ann.games.match(match.id)).status == "active"

    play(story, games=noted([]), url=str(tmp_path / "hub.db"), later=later)
