"""The C library's allocator."""

from __future__ import annotations

import subprocess
import sys

import pytest

CODE = """
import sys
from hubbub.server.allocator import give_memory_back

def resident():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))

if not give_memory_back():
    sys.exit(3)
for _ in range(3):
    large = [bytearray(8_000_000) for _ in range(8)]
    before = resident()
    kept, large = bytes(100), None
print(before - resident())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="it reads /proc")
def test_what_was_freed_goes_back() -> None:
    code = [sys.executable, "-c", CODE]
    done = subprocess.run(code, check=False, capture_output=True, text=True)
    if done.returncode == 3:
        pytest.skip("the C library has no mallopt")

    assert int(done.stdout) > 50_000
