"""
Draw where the time of a case goes: ``nox -s profile -- [A] [asyncio] [FILE.svg]``.

py-spy looks some hundred times a second at the stack of the server, while the load generator runs
a case of ``wire.py``, or at the stack of any other case of the bench. The wider a box, the more
time is spent in that function and below.
"""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.bench import wire

LOOKS_A_SECOND = 250
SECONDS = 10
# The others need a database with messages, or are cases in the process.
ON_SERVER = ("A", "B", "C", "E", "durable")


def main(case: str = "A", backend: str = "asyncio", file: str = "build/profile.svg") -> None:
    """Run a case, and write the drawing."""
    Path(file).parent.mkdir(parents=True, exist_ok=True)
    if case in ON_SERVER:
        rate = _draw_server(case, backend, file)
        print(f"{case} on {backend}: {rate:,} a second. {file} shows where the time went.")
    else:
        _draw_case(case, backend, file)
    # The drawing's own is the command line, with the paths of this machine.
    title = re.compile(r"py-spy record [^<]*")
    Path(file).write_text(title.sub(f"{case} on {backend}", Path(file).read_text(), count=1))


def _draw_case(case: str, backend: str, file: str) -> None:
    """Run a case in the process; its preparation and its floor are in the drawing as well."""
    bench = [sys.executable, str(Path(__file__).with_name("run.py")), "--only", case]
    bench += ["--backend", backend, "--runs", "1", "--seconds", str(SECONDS)]
    subprocess.run([*spying(file), "--", *bench], check=True)


def _draw_server(case: str, backend: str, file: str) -> float:
    _, arguments = wire.CASES[case]
    with (
        tempfile.TemporaryDirectory() as folder,
        wire.serving("memory://", backend, {0}) as (port, pid),
        contextlib.ExitStack() as stack,
    ):
        room = wire.make_room(stack, port)
        steps = Path(folder) / "steps.txt"
        steps.write_text(wire.steps_of(case, room))
        spy = [*spying(file), "--pid", str(pid), "--duration", str(SECONDS)]
        with subprocess.Popen(spy, stdout=subprocess.DEVNULL) as looking:
            given = [*arguments, "--dur", str(SECONDS)]
            result = wire.generate(wire.command_for(port, pid, steps, room, given))
            if looking.wait() != 0:
                sys.exit("py-spy has failed: it needs the right to look at another process.")
    return float(result["deliv_s"] if "deliv_s" in result else result["ops_s"])


def spying(file: str) -> list[str]:
    """Return the command line that draws into a file."""
    return ["py-spy", "record", "--output", file, "--function", "--rate", str(LOOKS_A_SECOND)]


if __name__ == "__main__":
    main(*sys.argv[1:])
