"""The log of uvicorn about WebSockets has no token and no password, even at the level debug."""

from __future__ import annotations

import logging

import pytest
from websockets.frames import Frame, Opcode

from hubbub.server.websocket.frame_log import mask_frames


@pytest.fixture
def logger(caplog: pytest.LogCaptureFixture) -> logging.Logger:
    """Give uvicorn's logger, whose records are kept."""
    caplog.set_level(logging.DEBUG, "uvicorn.error")
    mask_frames()
    return logging.getLogger("uvicorn.error")


def test_of_a_frame_it_leaves_the_kind_and_the_size(
    logger: logging.Logger, caplog: pytest.LogCaptureFixture
) -> None:
    logger.debug("< %s", Frame(Opcode.TEXT, b'{"password":"planted"}'))

    assert caplog.messages == ["< TEXT *** [22 bytes]"]


@pytest.mark.parametrize("name", ["Authorization", "cookie", "Set-Cookie"])
def test_of_a_secret_header_it_leaves_the_name(
    logger: logging.Logger, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    logger.debug("< %s: %s", name, "planted")

    assert caplog.messages == [f"< {name}: ***"]


def test_it_leaves_everything_else(
    logger: logging.Logger, caplog: pytest.LogCaptureFixture
) -> None:
    logger.debug("< %s: %s", "Host", "example.org")
    logger.info("%s - accepted %d", "127.0.0.1", 5)
    logger.info("Started")

    assert caplog.messages == ["< Host: example.org", "127.0.0.1 - accepted 5", "Started"]


def test_it_is_installed_once(logger: logging.Logger) -> None:
    before = list(logger.filters)
    mask_frames()

    assert logger.filters == before
