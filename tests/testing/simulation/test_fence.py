from __future__ import annotations

from contextvars import copy_context

import pytest

from hubbub.testing.simulation.fence import Fence, check_fence, current_fence


def test_what_belongs_to_no_host_is_not_fenced_in() -> None:
    copy_context().run(check_fence)


def test_a_life_that_crashed_reaches_nothing() -> None:
    fence, context = Fence("server", 1), copy_context()
    context.run(current_fence.set, fence)
    context.run(check_fence)
    fence.is_down = True

    with pytest.raises(ConnectionAbortedError, match="server has crashed"):
        context.run(check_fence)
    assert repr(fence) == "<life 1 of server, crashed>"
