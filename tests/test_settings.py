from __future__ import annotations

from random import Random, SystemRandom

import msgspec
import pytest

from hubbub.clock import SystemClock
from hubbub.ratelimit import rate_limit
from hubbub.settings import Settings


def test_the_defaults_need_nothing_set() -> None:
    settings = Settings()

    assert isinstance(settings.clock, SystemClock)
    assert isinstance(settings.random, SystemRandom)
    assert settings.secret is None


def test_a_user_may_send_ten_messages_in_any_minute_by_default() -> None:
    settings = Settings()

    assert (settings.message_limit, settings.message_period) == (10, 60.0)
    assert settings.message_limiter == "sliding_window"


def test_the_settings_of_the_message_limit_make_a_limit() -> None:
    settings = Settings(message_limiter="token_bucket")

    limit = rate_limit(settings.message_limiter, settings.message_limit, settings.message_period)

    assert limit.idle(0.0)


def test_every_limit_is_more_than_nothing() -> None:
    settings = Settings()
    numbers = {
        field.name: getattr(settings, field.name)
        for field in msgspec.structs.fields(Settings)
        if field.type in (int, float)
    }

    assert len(numbers) >= 10
    assert [name for name, number in numbers.items() if number <= 0] == []


def test_every_setting_is_documented() -> None:
    documented = Settings.__doc__ or ""

    for name in Settings.__struct_fields__:
        assert name in documented


def test_two_settings_do_not_share_a_random() -> None:
    assert Settings().random is not Settings().random


def test_settings_cannot_be_changed() -> None:
    settings = Settings()

    with pytest.raises(AttributeError):
        settings.page_max = 1  # type: ignore[misc]


def test_settings_are_changed_by_replacing_some() -> None:
    random = Random(1)

    settings = msgspec.structs.replace(Settings(page_max=50), random=random)

    assert settings.page_max == 50
    assert settings.random is random


def test_settings_are_given_by_name() -> None:
    with pytest.raises(TypeError):
        Settings(SystemClock())  # type: ignore[call-arg]
