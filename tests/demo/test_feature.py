from __future__ import annotations

import logging
from pathlib import Path
from random import Random

import anyio
import pytest

import hubbub
from hubbub.demo import feature
from hubbub.demo.bots import ROBIN, SAMPLES
from hubbub.demo.chatting import Chatting
from hubbub.demo.feature import DEMO, DEMO_NEEDS, SET_UP_SECONDS
from hubbub.shop.catalog.demo import put_on_sale
from hubbub.shop.service import Shop
from hubbub.simulator.jumping_clock import JumpingClock
from tests.demo.demo_hub import Backend, demo_hub, in_demo, lobby_of, on_each_backend, texts_in
from tests.journal.cluster.kit import until
from tests.users.node_kit import Cluster, die, in_cluster

LATER = 8 * 24 * 3600.0


async def test_everything_is_there_before_anyone_connects() -> None:
    async with demo_hub() as hub, hub.session("ann") as ann:
        rooms = [room.name for room in await ann.chat.rooms()]
        products = await ann.shop.products()
        board = [entry.user_id for entry in await ann.games.top("main")]

    assert rooms == ["Lobby"]
    assert len(products) == 4
    assert set(board) == {ROBIN.id, *(bot.id for bot in SAMPLES)}


async def test_the_bot_is_online() -> None:
    async with demo_hub() as hub, hub.session("ann") as ann:
        await anyio.sleep(0.1)

        assert (await ann.users.get(ROBIN.id)).status == "online"


@on_each_backend
def test_the_leaderboard_is_filled_once(tmp_path: Path, backend: Backend) -> None:
    async def look(hub: hubbub.Hubbub) -> None:
        async with hub.session("ann") as ann:
            scores = {entry.user_id: entry.score for entry in await ann.games.top("main")}

        assert scores == {bot.id: bot.score for bot in (ROBIN, *SAMPLES)}

    in_demo(backend, look, look, url=str(tmp_path / "hub.db"), pause=LATER)


@pytest.mark.parametrize("name", sorted(DEMO_NEEDS))
async def test_it_shows_what_is_left(name: str) -> None:
    features = [one for one in hubbub.FEATURES if one.name != name]
    async with demo_hub(features=features) as hub, hub.session("ann") as ann:
        await anyio.sleep(0.1)
        if name != "chat":
            (lobby,) = await ann.chat.rooms()
            texts = await texts_in(ann, await ann.chat.join(lobby.id))
            assert len(texts) == 3
            assert not any(text.casefold().startswith(f"{name}:") for text in texts)
        if name != "games":
            assert await ann.games.top("main")
        if name != "shop":
            assert await ann.shop.products()


@on_each_backend
def test_a_low_rate_limit_only_delays_the_welcome(backend: Backend) -> None:
    async def story(hub: hubbub.Hubbub) -> None:
        async with hub.session("ann") as ann:
            lobby = await lobby_of(ann)
            assert len(await texts_in(ann, lobby)) < 4
            await anyio.sleep(120)
            assert len(await texts_in(ann, lobby)) >= 4

    in_demo(backend, story, settings=hubbub.Settings(message_limit=2, message_period=30))


@on_each_backend
def test_a_fault_of_the_bot_is_logged_once_and_it_starts_again(
    backend: Backend, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    run, faults = Chatting.run, [RuntimeError("a fault of the bot")]

    async def faulty(chatting: Chatting) -> None:
        if faults:
            raise faults.pop()
        await run(chatting)

    monkeypatch.setattr(Chatting, "run", faulty)

    async def story(hub: hubbub.Hubbub) -> None:
        async with hub.session("ann") as ann:
            await anyio.sleep(1)
            lobby = await lobby_of(ann)
            await ann.chat.send(lobby.id, "/dice")
            await anyio.sleep(2)
            assert any("rolls" in text for text in await texts_in(ann, lobby))

    with caplog.at_level(logging.ERROR):
        in_demo(backend, story)

    assert [record.message for record in caplog.records] == [
        "the bot of chat has failed; it starts again soon"
    ]


@on_each_backend
def test_a_hub_opens_though_the_demo_cannot_be_set_up_at_first(
    backend: Backend, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    faults = [RuntimeError("a fault of the demo")]

    async def faulty(shop: Shop) -> None:
        if faults:
            raise faults.pop()
        await put_on_sale(shop)

    monkeypatch.setattr(feature, "put_on_sale", faulty)

    async def story(hub: hubbub.Hubbub) -> None:
        async with hub.session("ann") as ann:
            await anyio.sleep(1)
            assert len(await ann.shop.products()) == 4
            assert (await lobby_of(ann)).name == "Lobby"

    with caplog.at_level(logging.ERROR):
        in_demo(backend, story)

    assert [record.message for record in caplog.records] == ["setting up the demo has failed"]


@on_each_backend
def test_a_set_up_that_hangs_does_not_keep_the_hub_closed(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hang(shop: Shop) -> None:
        await anyio.sleep_forever()

    monkeypatch.setattr(feature, "put_on_sale", hang)

    async def story(hub: hubbub.Hubbub) -> None:
        assert anyio.current_time() == pytest.approx(SET_UP_SECONDS)

    in_demo(backend, story)


@on_each_backend
def test_an_idle_demo_does_nothing(backend: Backend) -> None:
    async def story(hub: hubbub.Hubbub) -> None:
        await anyio.sleep(10)
        async with hub.feed() as feed:
            with anyio.move_on_after(24 * 3600):
                position, event = await anext(feed)
                raise AssertionError(f"{event} at {position}")

    in_demo(backend, story)


@on_each_backend
def test_one_node_runs_the_bot_and_another_when_that_one_dies(backend: Backend) -> None:
    async def story(cluster: Cluster) -> None:
        features = [*hubbub.FEATURES, DEMO]
        async with cluster.node(features) as one, cluster.node(features) as two:
            await anyio.sleep(10)
            hubs = [hub for hub in (one, two) if hub.presence.sessions(ROBIN.id)]
            assert len(hubs) == 1
            other = two if hubs == [one] else one
            die(hubs[0])
            await until(lambda: bool(other.presence.sessions(ROBIN.id)))

    in_cluster(backend, story)


@on_each_backend
def test_the_bot_answers_on_a_node_whose_clock_is_wrong(backend: Backend) -> None:
    async def story(cluster: Cluster) -> None:
        clock = JumpingClock()
        clock.ahead = 3_600
        settings = hubbub.Settings(clock=clock, random=Random(1))
        async with (
            hubbub.open(
                store=cluster.store, settings=settings, features=[*hubbub.FEATURES, DEMO]
            ) as hub,
            hub.session("ann", nickname="Ann") as ann,
        ):
            lobby = await lobby_of(ann)
            texts = await texts_in(ann, lobby)

        assert texts[-1].startswith("Hello, Ann")

    in_cluster(backend, story)
