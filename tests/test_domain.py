"""The parts of an application's own feature, and the optional ones."""

from __future__ import annotations

import logging

import pytest

import hubbub
from hubbub.domain import (
    Actor,
    Arguments,
    Feature,
    Quota,
    Service,
    Signal,
    States,
    rate_limit,
    slow_command,
)


def refuse(states: States, actor: Actor, arguments: Arguments) -> None:
    raise hubbub.NotAllowed("Nobody may.")


class Waves(Service):
    """It signals to the followers of a room."""

    name = "waves"

    @slow_command
    async def wave(self, stream: str) -> None:
        """Wave."""
        self.actor.signal(stream, "wave", {"hands": 2})


async def test_a_feature_without_a_service_checks_others() -> None:
    rules = Feature(name="rules", check={"chat.create_room": refuse})
    features = [hubbub.USERS, hubbub.CHAT, rules]
    async with hubbub.open("memory://", features=features) as hub, hub.session("ann") as ann:
        with pytest.raises(hubbub.NotAllowed, match=r"Nobody may\."):
            await ann.chat.create_room("Lobby")

        assert not hasattr(ann, "rules")


async def test_a_service_tells_followers_what_is_not_kept() -> None:
    features = [hubbub.USERS, hubbub.CHAT, Feature(name="waves", service=Waves)]
    async with hubbub.open("memory://", features=features) as hub, hub.session("ann") as ann:
        room = await ann.chat.create_room("Lobby")
        async with ann.signals(room.stream) as signals:
            await ann.service(Waves).wave(room.stream)
            told = await anext(signals)

    assert told == Signal(room.stream, "ann", "wave", {"hands": 2})


def test_two_features_have_no_limit_of_one_name() -> None:
    own = Feature(
        name="own", limits={"messages": lambda settings: rate_limit("sliding_window", 1, 1.0)}
    )

    with pytest.raises(hubbub.Invalid, match="a limit named 'messages'"):
        hubbub.open("memory://", features=[*hubbub.FEATURES, own])


@pytest.mark.parametrize("quota", [Quota("waves", "waves_max"), Quota("x", "change_limit", "y")])
def test_a_quota_is_a_setting(quota: Quota) -> None:
    own = Feature(name="waves", service=Waves, quotas={"waves.wave": quota})

    with pytest.raises(hubbub.Invalid, match="which does not exist; use a field of hubbub"):
        hubbub.open("memory://", features=[*hubbub.FEATURES, own])


def test_a_rule_for_what_was_left_out_does_nothing_and_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    rules = Feature(name="rules", check={"chat.create_room": refuse})
    with caplog.at_level(logging.WARNING, "hubbub"):
        hubbub.open("memory://", features=[hubbub.USERS, rules])

    assert "'chat.create_room', but that feature is not installed" in caplog.text
