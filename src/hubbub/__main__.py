"""``python -m hubbub`` is ``hubbub``."""

from __future__ import annotations

from .cli import main

main()
