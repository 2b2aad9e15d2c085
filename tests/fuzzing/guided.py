"""
Fuzz the targets with atheris, which keeps the inputs that reach more code: ``nox -s fuzz``.

    python -m tests.fuzzing.guided SECONDS FOLDER [TARGET]

``FOLDER/TARGET/corpus`` keeps these inputs, and ``FOLDER/TARGET/failed`` the inputs of failures,
which the next run tries first. To repeat a failure:

    python -m tests.fuzzing.guided 0 FILE TARGET
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import Final

__all__ = ["INPUT_BYTES_MAX", "arguments", "figures"]

# The longest input: most faults of a reader need few bytes.
INPUT_BYTES_MAX: Final = 4_096
# An input that takes longer has found a loop, or something quadratic.
INPUT_SECONDS_MAX: Final = 10
MEMORY_MIB_MAX: Final = 1_024
PROCESSES: Final = 2
SECONDS_MIN: Final = 1
# Hubbub is imported in the functions: atheris instruments only what it sees imported.
NO_WHEEL: Final = "There is no atheris for this Python and platform; its fuzzing is skipped."


def arguments(
    folder: Path, seconds: int, seeds: Iterable[bytes], known: Iterable[str]
) -> list[str]:
    """
    Write what a target begins with; return libFuzzer's arguments.

    Args:
        folder: the target's own.
        seconds: the time that it has.
        seeds: valid inputs.
        known: words that an input can have.
    """
    corpus, failed, begin = (folder / name for name in ("corpus", "failed", "seeds"))
    for path in (corpus, failed, begin):
        path.mkdir(parents=True, exist_ok=True)
    for seed in seeds:
        (begin / hashlib.sha256(seed).hexdigest()[:16]).write_bytes(seed)
    # The list of words must not be empty.
    listed = "".join(f'"{word}"\n' for word in sorted(known) or ["0"])
    (folder / "words").write_text(listed)
    return [
        f"-max_total_time={seconds}",
        f"-max_len={INPUT_BYTES_MAX}",
        f"-timeout={INPUT_SECONDS_MAX}",
        f"-rss_limit_mb={MEMORY_MIB_MAX}",
        f"-artifact_prefix={failed}/",
        f"-dict={folder / 'words'}",
        # The decoder of JSON is in C, where atheris sees no difference between valid inputs.
        "-keep_seed=1",
        # New inputs go to the first one.
        *map(str, (corpus, failed, begin)),
    ]


def fuzz(target: str, seconds: int, folder: Path) -> None:
    """Fuzz one target in this process, which ends with it."""
    import atheris  # noqa: PLC0415  (there is none for every platform)

    # Not what the targets compare it with: that is not to be explored.
    with atheris.instrument_imports(include=["hubbub"]):
        from tests.fuzzing.seeds import SEEDS, words  # noqa: PLC0415
        from tests.fuzzing.targets import TARGETS  # noqa: PLC0415

    options = arguments(folder / target, seconds, SEEDS[target], words(target))
    atheris.Setup([target, *options], TARGETS[target])
    atheris.Fuzz()


def figures(log: str) -> str:
    """Return the last line of libFuzzer's log that has figures, or all that it says of a fault."""
    if (at := log.find("=== Uncaught")) >= 0 or (at := log.find("ERROR: libFuzzer")) >= 0:
        return log[at:]
    counted = [line for line in log.splitlines() if line.startswith("#") and " cov: " in line]
    return counted[-1] if counted else log


def fuzz_all(seconds: float, folder: Path) -> int:
    """Fuzz every target, each in a process of its own; return how many failed."""
    from tests.fuzzing.targets import TARGETS  # noqa: PLC0415

    share = max(SECONDS_MIN, int(seconds * PROCESSES / len(TARGETS)))

    def run(target: str) -> bool:
        command = [sys.executable, "-m", "tests.fuzzing.guided", str(share), str(folder), target]
        done = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )
        print(f"{target}: {figures(done.stdout)}", flush=True)
        return done.returncode == 0

    with ThreadPoolExecutor(PROCESSES) as pool:
        return list(pool.map(run, TARGETS)).count(False)


def main(seconds: str, where: str, target: str = "") -> int:
    """Fuzz all targets or one, or repeat an input; return the exit code."""
    if target and not int(seconds):
        from tests.fuzzing.targets import TARGETS  # noqa: PLC0415

        TARGETS[target](Path(where).read_bytes())
        return 0
    if find_spec("atheris") is None:
        print(NO_WHEEL)
        return 0
    if not target:
        return fuzz_all(float(seconds), Path(where))
    fuzz(target, int(seconds), Path(where))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
