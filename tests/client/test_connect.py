from __future__ import annotations

import os
import subprocess
import sys

import pytest

import hubbub
from hubbub.errors import Closed, Invalid

WITHOUT_HTTPX2 = """
import sys
sys.modules["httpx2"] = None
from hubbub.client.connect import open_dialer
try:
    open_dialer("http://127.0.0.1:8000")
except ImportError as error:
    sys.exit(str(error))
"""

WHAT_IS_LOADED = """
import sys, hubbub
loaded = {"httpx2", "wsproto", "hubbub.client.connection"} & sys.modules.keys()
sys.exit(",".join(loaded))
"""


def test_without_its_libraries_it_says_how_to_install_them() -> None:
    assert 'pip install "hubbub[client]"' in last_words(WITHOUT_HTTPX2)


def test_nothing_of_it_is_loaded_before_it_is_used() -> None:
    assert last_words(WHAT_IS_LOADED) == ""


async def test_a_wrong_url_is_refused() -> None:
    with pytest.raises(Invalid, match="like http://127"):
        async with hubbub.connect("ftp://localhost:8000"):
            pytest.fail("it cannot be connected to")


async def test_a_server_that_is_not_there_is_a_plain_error() -> None:
    # Nothing listens at the port for "discard".
    with pytest.raises(Closed, match=r"http://127\.0\.0\.1:9 cannot be reached"):
        async with hubbub.connect("http://127.0.0.1:9"):
            pytest.fail("there is no server")


async def test_an_address_needs_no_scheme() -> None:
    with pytest.raises(Closed, match=r"^http://localhost:9 cannot be reached"):
        async with hubbub.connect("localhost:9"):
            pytest.fail("there is no server")


def last_words(program: str) -> str:
    """Run a program in a fresh interpreter; return what it says when it ends."""
    run = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    return run.stderr.strip()
