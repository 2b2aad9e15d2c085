"""
Draw where the time of a server goes: ``nox -s profile -- [A] [asyncio] [FILE.svg]``.

py-spy looks at the server's stack some hundred times a second, while the load generator runs a
case of ``wire.py``. The wider a box, the more time is spent in that function and below.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.bench import wire

LOOKS_A_SECOND = 250
SECONDS = 10


def main(case: str = "A", backend: str = "asyncio", file: str = "build/profile.svg") -> None:
    """Run a case, and write the drawing."""
    Path(file).parent.mkdir(parents=True, exist_ok=True)
    _, arguments = wire.CASES[case]
    with (
        tempfile.TemporaryDirectory() as folder,
        wire.serving("memory://", backend, {0}) as (port, pid),
        contextlib.ExitStack() as stack,
    ):
        room = wire.make_room(stack, port)
        steps = Path(folder) / "steps.txt"
        steps.write_text(wire.steps_of(case, room))
        spy = ["py-spy", "record", "--pid", str(pid), "--output", file, "--function"]
        spy += ["--rate", str(LOOKS_A_SECOND), "--duration", str(SECONDS)]
        with subprocess.Popen(spy, stdout=subprocess.DEVNULL) as spying:
            given = [*arguments, "--dur", str(SECONDS)]
            result = wire.generate(wire.command_for(port, pid, steps, room, given))
            if spying.wait() != 0:
                sys.exit("py-spy has failed: it needs the right to look at another process.")
    rate = result["deliv_s"] if "deliv_s" in result else result["ops_s"]
    print(f"{case} on {backend}: {rate:,} a second. {file} shows where the time went.")


if __name__ == "__main__":
    main(*sys.argv[1:])
