"""
Checks of an installed Hubbub: ``python -m tests.packaging.installed bare``, or ``all``.

It is a program and not a test of pytest's, which would bring packages of its own.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
import tempfile
from importlib.metadata import distribution, version
from pathlib import Path
from urllib.request import urlopen

import anyio

import hubbub
from tests.blackbox.served import Backend, served

__all__ = ["bare", "everything"]

MEBIBYTE = 1024 * 1024
INSTALLED_BYTES_MAX = 30 * MEBIBYTE
# Processor time, of the fastest of some attempts: other programs do not count.
IMPORT_SECONDS_MAX = 0.2
NO_BYTECODE = "PYTHONDONTWRITEBYTECODE"
IMPORT = "import time; s = time.process_time(); import hubbub; print(time.process_time() - s)"
# Each environment has these before anything is installed.
TOOLS = re.compile(r"pip|setuptools|pkg_resources|wheel|_distutils_hack|distutils-|_virtualenv")
RELATIVE = re.compile(r"""\]\((?!https://|#)[^)]*\)|\b(?:src|href|srcset)="(?!https://|#)[^"]*""")
SITE_PACKAGES = Path(sysconfig.get_path("purelib"))
ROOT = Path(__file__).parents[2]


def bare() -> None:
    """Check Hubbub without an extra: its size, its description, and that it works."""
    assert SITE_PACKAGES in Path(hubbub.__file__).parents, hubbub.__file__
    size = sum(bytes_of(path) for path in SITE_PACKAGES.iterdir() if not TOOLS.match(path.name))
    assert size < INSTALLED_BYTES_MAX, f"{size / MEBIBYTE:.1f} MiB are installed"

    description = distribution("hubbub").read_text("METADATA") or ""
    assert RELATIVE.findall(description) == []
    assert blocks_of(description) == blocks_of((ROOT / "README.md").read_text()) != []

    seconds = min(float(printed(IMPORT)) for _ in range(5))
    assert seconds < IMPORT_SECONDS_MAX, f"it takes {seconds} seconds to import"

    assert anyio.run(said) == ["hello"]
    print(f"hubbub {version('hubbub')}: {size / MEBIBYTE:.1f} MiB, imported in {seconds:.3f} s")


def everything() -> None:
    """Check Hubbub with all extras: the command, and a server on each event loop."""
    hubbub_command = Path(sys.executable).with_name("hubbub")
    shown = subprocess.run([hubbub_command, "--version"], capture_output=True, check=True)
    assert shown.stdout.decode().split() == ["hubbub", version("hubbub")]

    backends: tuple[Backend, ...] = ("asyncio", "trio")
    for backend in backends:
        print(f"hubbub serve --backend {backend}: {health(backend)}")


async def said() -> list[str]:
    """Send a message in a hub of this process; return the history."""
    async with hubbub.open("memory://") as hub, hub.session("ann") as ann:
        room = await ann.chat.create_room("Room")
        await ann.chat.send(room.id, "hello")
        return [message.text for message in await ann.chat.history(room.id)]


def health(backend: Backend) -> str:
    """Serve, and ask for the server's health."""
    with tempfile.TemporaryDirectory() as home, served(backend, Path(home)) as server:
        with urlopen(f"http://127.0.0.1:{server.port}/health", timeout=10) as answer:
            text: str = answer.read().decode()
        assert server.stop() == 0, server.log
    return text


def printed(program: str) -> str:
    """Run a program in a fresh interpreter, which may keep bytecode; return its output."""
    # uv installs no bytecode. Where Python may not write it, each import compiles everything.
    env = {name: value for name, value in os.environ.items() if name != NO_BYTECODE}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, env=env)
    return done.stdout.decode()


def bytes_of(path: Path) -> int:
    """Return the bytes of a file, or of all files in a folder, bytecode included."""
    files = [path, *path.rglob("*")] if path.is_dir() else [path]
    return sum(file.lstat().st_size for file in files)


def blocks_of(markdown: str) -> list[str]:
    """Return the blocks of code of a text."""
    return re.findall(r"^```.*?^```", markdown, re.DOTALL | re.MULTILINE)


if __name__ == "__main__":
    {"bare": bare, "all": everything}[sys.argv[1]]()
