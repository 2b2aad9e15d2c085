"""Applications that have Hubbub mounted, each in a process of its own, under any ASGI server."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent

__all__ = ["Application", "application"]

START_SECONDS_MAX = 60.0
STOP_SECONDS_MAX = 30.0

HEAD = """
    import logging
    from contextlib import asynccontextmanager

    import anyio
    from starlette.applications import Starlette

    import hubbub
    from hubbub.server import Gateway, create_app

    logging.basicConfig(level=logging.DEBUG)

    @asynccontextmanager
    async def lifespan(app):
        async with hubbub.open("memory://", settings=SETTINGS) as hub:
            gateway = Gateway(hub)
            app.state.gateway = gateway
            app.mount("/live", create_app(hub, gateway=gateway, stripe_webhook_secret="whsec_x"))
            try:
                yield
            finally:
                logging.info("the hub closes")

    SETTINGS = hubbub.Settings()
    app = Starlette(lifespan=lifespan)
"""


class Application:
    """
    An application that runs.

    Args:
        process: its process.
        log: where it writes.
    """

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self.process = process
        self._log = log
        self.address = self._address()

    @property
    def log(self) -> str:
        """All that it has written."""
        return self._log.read_text(errors="replace")

    def stop(self, number: int) -> tuple[int, float]:
        """Send a signal; return the exit code, and how long stopping took in seconds."""
        began = time.perf_counter()
        self.process.send_signal(number)
        code = self.process.wait(STOP_SECONDS_MAX)
        return code, time.perf_counter() - began

    def _address(self) -> str:
        ends = time.perf_counter() + START_SECONDS_MAX
        while not (found := re.search(r"[Rr]unning on (http://\S+)", self.log)):
            assert self.process.poll() is None, self.log
            assert time.perf_counter() < ends, self.log
            time.sleep(0.02)
        return found[1]


@contextmanager
def application(home: Path, tail: str, settings: str = "") -> Iterator[Application]:
    """
    Run an application; leaving it kills what still runs.

    Args:
        home: a directory for the program and its log.
        tail: the end of the program, which serves ``app``.
        settings: arguments of the hub's settings, as they are written in the program.
    """
    head = dedent(HEAD).replace("hubbub.Settings()", f"hubbub.Settings({settings})")
    program, log = home / "application.py", home / "log"
    program.write_text(head + dedent(tail))
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, str(program)], env=environment, stdout=output, stderr=output
        )
    try:
        yield Application(process, log)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
