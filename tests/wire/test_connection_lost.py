from __future__ import annotations

import pytest

from hubbub.errors import Closed, Conflict, HubbubError, NotAllowed, Overloaded, RateLimited
from hubbub.wire.connection_lost import PASSING_SECONDS_MAX, ConnectionLost, is_passing


@pytest.mark.parametrize(
    "error",
    [
        Closed("Going."),
        Overloaded("Full."),
        RateLimited("Too fast.", retry_after=PASSING_SECONDS_MAX),
    ],
)
def test_some_refusals_are_of_the_moment(error: HubbubError) -> None:
    assert is_passing(error)


@pytest.mark.parametrize(
    "error",
    [
        NotAllowed("No."),
        Conflict("No."),
        RateLimited("Too fast."),
        RateLimited("Too fast.", retry_after=2 * PASSING_SECONDS_MAX),
    ],
)
def test_others_are_of_what_was_asked(error: HubbubError) -> None:
    assert not is_passing(error)


def test_a_loss_says_why() -> None:
    lost = ConnectionLost(1006, "the cable was cut")

    assert (lost.code, lost.reason) == (1006, "the cable was cut")
    assert str(lost) == "the cable was cut (1006)"
