"""The server on trio, where it is not the same as on asyncio."""

from __future__ import annotations

import anyio
import pytest

from hubbub.server import http_limits
from hubbub.server.http_limits import HEAD_BYTES_MAX
from tests.server.running import running


def trio_only(request: pytest.FixtureRequest) -> None:
    """Skip on asyncio, where the head of a request is uvicorn's business."""
    if request.config.pluginmanager.has_plugin("asyncio"):
        pytest.skip("uvicorn reads the head")


async def test_a_head_without_end_is_refused(request: pytest.FixtureRequest) -> None:
    trio_only(request)
    async with running() as server:
        port = int(server.address.rpartition(":")[2])
        async with await anyio.connect_tcp("127.0.0.1", port) as stream:
            await stream.send(b"GET /ws HTTP/1.1\r\nHost: a\r\nX: " + b"x" * (8 * HEAD_BYTES_MAX))
            with anyio.fail_after(5):
                answer = await stream.receive()

    assert answer.startswith(b"HTTP/1.1 4")


async def test_who_says_nothing_is_let_go(
    monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    trio_only(request)
    assert http_limits.HEAD_SECONDS_MAX > 1
    monkeypatch.setattr(http_limits, "HEAD_SECONDS_MAX", 0.05)
    async with running() as server:
        port = int(server.address.rpartition(":")[2])
        async with await anyio.connect_tcp("127.0.0.1", port) as stream:
            with anyio.fail_after(5), pytest.raises(anyio.EndOfStream):
                await stream.receive()
