"""
Other people's servers, in turn with Hubbub: uWebSockets sends messages on, Centrifuge resumes.

Both are optional. uWebSockets is in socketify, which pip installs; ``centrifuge.go`` names the
packages that it is built from.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from tests.bench import wire
from tests.bench.floors import built, compared, listening
from tests.bench.table import Row

__all__ = ["fan_out", "resumes"]

# Where Debian's packages of Go libraries are.
GOPATH = "/usr/share/gocode"
BUILDING = {"GO111MODULE": "off", "GOPATH": os.environ.get("GOPATH", GOPATH)}
UWS = Path(__file__).with_name("uws.py")

CONNECT = '{"id":1,"params":{"token":"u%i"}}'
# Method 1 subscribes; the reply has what the client missed.
SUBSCRIBE = (
    '{"id":2,"method":1,"params":'
    '{"channel":"bench","recover":true,"offset":OFFSET,"epoch":"EPOCH"}}'
)


class _Server(NamedTuple):
    """A Centrifuge server, and the position of a client that missed messages."""

    port: int
    pid: int
    offset: str
    epoch: str


def fan_out(case: str, backend: str, runs: int, seconds: float) -> list[Row]:
    """Compare a fan-out with the server in C, and with uWebSockets."""
    others = {}
    if find_spec("socketify"):
        others["uWebSockets"] = partial(_in_uws, case, seconds)
    else:
        _leave_out("uWebSockets", "socketify is not installed")
    measure = partial(wire.measure, case, backend, seconds)
    floor = partial(wire.in_c, case, seconds)
    return compared(runs, measure, floor, wire.FAN_OUT[case][backend], others)


def resumes(backend: str, runs: int, seconds: float) -> list[Row]:
    """Compare resumes with Centrifuge on the same core; run it on two cores once."""
    try:
        program = _centrifuge()
    except (FileNotFoundError, subprocess.CalledProcessError):
        _leave_out("Centrifuge", "it cannot be built; centrifuge.go says what it needs")
        return []
    measure = partial(wire.measure, "resume", backend, seconds)
    theirs = partial(_recoveries, program, seconds)
    [row] = compared(runs, measure, partial(theirs, cores={0}), 0)
    what = f"resumes with {wire.MISSED} missed messages, beside Centrifuge"
    on_two = Row("  Centrifuge on 2 cores", "", theirs(cores={0, 1}), row.unit)
    return [row._replace(what=what), on_two]


@cache
def _leave_out(program: str, why: str) -> None:
    """Report it once."""
    print(f"{program} is left out: {why}.", flush=True)


def _in_uws(case: str, seconds: float) -> float:
    """Run a case of a fan-out with uWebSockets; return its deliveries a second."""
    server = listening(lambda port: [sys.executable, str(UWS), str(port)], core=0)
    return wire.deliveries(case, seconds, server)


def _centrifuge() -> str:
    """Build the server; return where it is."""
    go = shutil.which("go")
    if go is None:
        raise FileNotFoundError("go")
    return built("centrifuge.go", [go, "build"], BUILDING)


def _recoveries(program: str, seconds: float, *, cores: set[int]) -> float:
    """Run the same load as Hubbub's case with Centrifuge; return its resumes a second."""
    _, arguments = wire.CASES["resume"]
    with tempfile.TemporaryDirectory() as folder, _serving(program, cores) as server:
        subscribe = SUBSCRIBE.replace("OFFSET", server.offset).replace("EPOCH", server.epoch)
        steps = Path(folder) / "steps.txt"
        steps.write_text(f'UPGRADE /ws\nSEND {CONNECT}\nWAIT "result"\nSEND {subscribe}\n')
        command = wire.command_for(server.port, server.pid, steps, "bench", arguments)
        result = wire.generate([*command, "--dur", str(seconds)])
    assert result["errs"] == 0, f"{result['errs']} clients were refused or cut off"
    return float(result["ops_s"])


@contextmanager
def _serving(program: str, cores: set[int]) -> Iterator[_Server]:
    """Run Centrifuge with as many threads as cores; its Go code runs on no others."""
    with subprocess.Popen(
        [program, str(wire.MISSED)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "GOMAXPROCS": str(len(cores))},
        preexec_fn=lambda: os.sched_setaffinity(0, cores),  # noqa: PLW1509
    ) as server:
        assert server.stdout is not None
        try:
            port, offset, epoch = server.stdout.readline().split()
            yield _Server(int(port), server.pid, offset, epoch)
        finally:
            server.terminate()
