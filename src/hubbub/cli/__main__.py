"""``python -m hubbub.cli`` is ``hubbub``."""

from __future__ import annotations

from . import main

main()
