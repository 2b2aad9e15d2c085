"""Tokens kept on this machine, so that a nickname comes back as the same user."""

from __future__ import annotations

import os
from hashlib import blake2b
from pathlib import Path

import typer

__all__ = ["keep_token", "kept_token", "tokens_directory"]


def tokens_directory() -> Path:
    """Return where tokens are kept: in the user's directory of settings."""
    return Path(typer.get_app_dir("hubbub")) / "tokens"


def kept_token(url: str, nickname: str) -> str | None:
    """Return the token of a nickname at a server, if there is one."""
    try:
        return _path(url, nickname).read_text().strip() or None
    except (OSError, ValueError):
        # Whatever it is that is there instead, a new one is made.
        return None


def keep_token(url: str, nickname: str, token: str) -> None:
    """Keep a token, for nobody else to read."""
    path = _path(url, nickname)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Another program may keep one at the same time: either is whole.
    half = path.with_name(f"{path.name}.{os.getpid()}")
    with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(token)
    half.replace(path)


def _path(url: str, nickname: str) -> Path:
    # A nickname may have any character, and a name of a file may not.
    name = f"{url.rstrip('/')}\n{nickname}".encode()
    return tokens_directory() / blake2b(name, digest_size=16).hexdigest()
