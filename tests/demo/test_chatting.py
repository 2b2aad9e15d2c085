from __future__ import annotations

import logging
from pathlib import Path

import anyio
import pytest

import hubbub
from hubbub.demo.bots import ROBIN
from hubbub.demo.chatting import (
    AGE_SECONDS_MAX,
    ANSWERS_MAX,
    ANSWERS_PER_USER_MAX,
    LOOK_BACK,
    OWN_MAX,
    PERIOD_SECONDS,
    REACTIONS_MAX,
    USERS_MAX,
)
from tests.demo.demo_hub import Backend, in_demo, lobby_of, on_each_backend, texts_in

GENEROUS = hubbub.Settings(message_limit=1_000)


@on_each_backend
def test_the_bot_welcomes_a_user_once(backend: Backend) -> None:
    async def story(hub: hubbub.Hubbub) -> None:
        async with hub.session("ann", nickname="Ann") as ann:
            lobby = await lobby_of(ann)
            await ann.chat.leave(lobby.id)
            await lobby_of(ann)
            texts = await texts_in(ann, lobby)

        assert [text.partition("!")[0] for text in texts[4:]] == ["Hello, Ann"]

    in_demo(backend, story)


@on_each_backend
def test_the_bot_answers_those_who_address_it(backend: Backend) -> None:
    async def story(hub: hubbub.Hubbub) -> None:
        async with hub.session("ann", nickname="Ann") as ann:
            lobby = await lobby_of(ann)
            await ann.chat.send(lobby.id, "nice weather")
            await ann.chat.send(lobby.id, "/dice")
            await anyio.sleep(2)
            page = await ann.chat.history(lobby.id)

        (asked,) = [message for message in page if message.text == "/dice"]
        (answer,) = [message for message in page if message.reply_to is not None]
        assert answer.by == ROBIN.id
        assert answer.reply_to == asked.seq
        assert answer.text.startswith("🎲 Ann rolls a ")

    in_demo(backend, story)


@on_each_backend
def test_the_bot_is_seen_typing_before_it_answers(backend: Backend) -> None:
    async def story(hub: hubbub.Hubbub) -> None:
        async with hub.session("ann", nickname="Ann") as ann:
            lobby = await lobby_of(ann)
            async with ann.signals(lobby.stream) as signals:
                await ann.chat.send(lobby.id, "help")
                signal = await anext(signals)

        assert (signal.type, signal.by) == ("typing", ROBIN.id)

    in_demo(backend, story)


@on_each_backend
def test_a_reply_to_the_bot_addresses_it(backend: Backend) -> None:
    async def story(hub: hubbub.Hubbub) -> None:
        async with hub.session("ann", nickname="Ann") as ann:
            lobby = await lobby_of(ann)
            (*_, welcome) = await ann.chat.history(lobby.id)
            sent = await ann.chat.send(lobby.id, "thanks", reply_to=welcome.seq)
            await anyio.sleep(2)

            assert await texts_in(ann, lobby, after=sent.seq) == ["You are welcome, Ann!"]

    in_demo(backend, story)


@on_each_backend
def test_the_bot_returns_a_reaction_to_its_messages_only(backend: Backend) -> None:
    async def story(hub: hubbub.Hubbub) -> None:
        async with hub.session("ann") as ann:
            lobby = await lobby_of(ann)
            own = await ann.chat.send(lobby.id, "mine")
            first = (await ann.chat.history(lobby.id))[0]
            for seq in (own.seq, first.seq):
                await ann.chat.react(lobby.id, seq, "❤️")
            await anyio.sleep(1)
            page = {one.seq: one.reactions for one in await ann.chat.history(lobby.id)}

        assert page[first.seq] == {"❤️": ["ann", ROBIN.id]}
        assert page[own.seq] == {"❤️": ["ann"]}

    in_demo(backend, story)


@on_each_backend
def test_the_bot_knows_its_welcome_when_much_was_said_since(
    tmp_path: Path, backend: Backend
) -> None:
    async def talk(hub: hubbub.Hubbub) -> None:
        async with hub.session("ann") as ann:
            lobby = await lobby_of(ann)
            for number in range(LOOK_BACK + 10):
                await ann.chat.send(lobby.id, f"message {number}")

    async def react(hub: hubbub.Hubbub) -> None:
        async with hub.session("ann") as ann:
            lobby = await lobby_of(ann)
            (first,) = await ann.chat.history(lobby.id, after=0, limit=1)
            await ann.chat.react(lobby.id, first.seq, "👍")
            await anyio.sleep(1)
            (first,) = await ann.chat.history(lobby.id, after=0, limit=1)

        assert first.reactions == {"👍": ["ann", ROBIN.id]}
        assert LOOK_BACK < OWN_MAX

    in_demo(backend, talk, react, url=str(tmp_path / "hub.db"), settings=GENEROUS)


@on_each_backend
def test_one_user_cannot_make_the_bot_flood(backend: Backend) -> None:
    async def story(hub: hubbub.Hubbub) -> None:
        async with hub.session("ann") as ann, hub.session("bob") as bob:
            lobby = await lobby_of(ann)
            await bob.chat.join(lobby.id)
            await anyio.sleep(PERIOD_SECONDS)
            start = (await ann.chat.send(lobby.id, "now")).seq
            for _ in range(30):
                await ann.chat.send(lobby.id, "/coin")
            await bob.chat.send(lobby.id, "/dice")
            await anyio.sleep(PERIOD_SECONDS / 2)
            said = await ann.chat.history(lobby.id, after=start, limit=500)

        own = [message.text for message in said if message.by == ROBIN.id]
        assert sum("coin" in text for text in own) == ANSWERS_PER_USER_MAX
        assert sum("rolls" in text for text in own) == 1

    in_demo(backend, story, settings=GENEROUS)


@on_each_backend
def test_many_users_cannot_make_the_bot_flood(backend: Backend) -> None:
    async def story(hub: hubbub.Hubbub) -> None:
        async with hub.session("ann") as ann:
            lobby = await lobby_of(ann)
            for number in range(3 * ANSWERS_MAX):
                async with hub.session(f"user-{number}") as user:
                    await user.chat.join(lobby.id)
            await anyio.sleep(PERIOD_SECONDS * 10)
            said = await ann.chat.history(lobby.id, limit=500)

        # The welcome of the room, one for ann, and what was left of the limit.
        assert len(said) <= 4 + ANSWERS_MAX
        assert len(said) > 5
        assert 3 * ANSWERS_MAX < USERS_MAX

    in_demo(backend, story, settings=GENEROUS)


@on_each_backend
def test_reactions_are_limited_as_well(backend: Backend) -> None:
    async def story(hub: hubbub.Hubbub) -> None:
        async with hub.session("ann") as ann:
            lobby = await lobby_of(ann)
            first = (await ann.chat.history(lobby.id))[0]
            for number in range(REACTIONS_MAX + 5):
                emoji = chr(0x1F600 + number)
                await ann.chat.react(lobby.id, first.seq, emoji)
            await anyio.sleep(1)
            first = (await ann.chat.history(lobby.id))[0]

        assert sum(ROBIN.id in users for users in first.reactions.values()) == REACTIONS_MAX

    in_demo(backend, story)


@on_each_backend
def test_an_answer_that_a_restart_cut_off_is_given_once(tmp_path: Path, backend: Backend) -> None:
    async def ask(hub: hubbub.Hubbub) -> None:
        async with hub.session("ann") as ann:
            lobby = await lobby_of(ann)
            await ann.chat.send(lobby.id, "/dice")

    answers: list[list[str]] = []

    async def look(hub: hubbub.Hubbub) -> None:
        async with hub.session("ann") as ann:
            texts = await texts_in(ann, await lobby_of(ann))
            answers.append([text for text in texts if "rolls" in text])

    in_demo(backend, ask, look, look, url=str(tmp_path / "hub.db"))

    assert len(answers[0]) == 1
    assert answers[1] == answers[0]


@on_each_backend
def test_what_was_said_long_ago_is_not_answered(tmp_path: Path, backend: Backend) -> None:
    async def ask(hub: hubbub.Hubbub) -> None:
        async with hub.session("ann") as ann:
            lobby = await lobby_of(ann)
            await ann.chat.send(lobby.id, "/dice")

    async def look(hub: hubbub.Hubbub) -> None:
        async with hub.session("ann") as ann:
            texts = await texts_in(ann, await lobby_of(ann))

        assert not any("rolls" in text for text in texts)

    url = str(tmp_path / "hub.db")
    in_demo(backend, ask, look, url=url, pause=AGE_SECONDS_MAX + 1)


@on_each_backend
def test_a_bot_that_is_muted_says_nothing_and_goes_on(backend: Backend) -> None:
    async def story(hub: hubbub.Hubbub) -> None:
        async with hub.session("root", role="admin") as root:
            lobby = await lobby_of(root)
            await root.chat.mute(lobby.id, ROBIN.id, 60)
            await root.chat.send(lobby.id, "/coin")
            await anyio.sleep(61)
            await root.chat.send(lobby.id, "/dice")
            await anyio.sleep(2)
            texts = await texts_in(root, lobby)

        assert not any("shows" in text for text in texts)
        assert any("rolls" in text for text in texts)

    in_demo(backend, story)


@on_each_backend
def test_a_bot_that_is_kicked_stays_away(
    backend: Backend, caplog: pytest.LogCaptureFixture
) -> None:
    async def story(hub: hubbub.Hubbub) -> None:
        async with hub.session("root", role="admin") as root:
            lobby = await lobby_of(root)
            await root.chat.kick(lobby.id, ROBIN.id)
            await anyio.sleep(300)
            lobby = await root.chat.join(lobby.id)

        assert ROBIN.id not in lobby.members

    with caplog.at_level(logging.WARNING):
        in_demo(backend, story)

    (record,) = caplog.records
    assert "Robin (bot) is no longer in the lobby" in record.message
