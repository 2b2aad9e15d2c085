"""Tokens stored on this machine, so that a nickname stays the same user."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path

import typer
from anyio import to_thread

from ..client.same_sign_in import sign_in_of

__all__ = ["KeptTokens", "keep_newest", "keep_token", "kept_token", "newest", "tokens_directory"]

PRIVATE_DIRECTORY = 0o700
PRIVATE_FILE = 0o600


class KeptTokens:
    """
    Stores the newest refresh token of a sign-in, for this process and others.

    Args:
        url: the server's.
        nickname: the user's; None if the user gave the token, so it is stored for its
            sign-in only.
        token: the known token.
        failed: is called with the error if a token cannot be stored.
    """

    def __init__(
        self,
        url: str,
        nickname: str | None,
        token: str | None,
        failed: Callable[[OSError], None],
    ) -> None:
        self._url = url
        self._nickname = nickname
        self._token = token
        self._failed = failed

    async def load(self) -> str | None:
        """Return the newest stored token."""
        if self._token is None:
            return None
        return await to_thread.run_sync(newest, self._url, self._token)

    async def save(self, token: str) -> None:
        """Store a token; it replaces the earlier ones."""
        self._token = token
        try:
            await to_thread.run_sync(self._keep, token)
        except OSError as error:
            self._failed(error)

    def _keep(self, token: str) -> None:
        keep_newest(self._url, token, always=self._nickname is None)
        if self._nickname is not None:
            keep_token(self._url, self._nickname, token)


def tokens_directory() -> Path:
    """Return the directory of the tokens, in the user's configuration directory."""
    return Path(typer.get_app_dir("hubbub")) / "tokens"


def kept_token(url: str, nickname: str) -> str | None:
    """Return the newest token of a nickname at a server; None if there is none."""
    token = _read(_path(url, nickname))
    return None if token is None else newest(url, token)


def keep_token(url: str, nickname: str, token: str) -> None:
    """Store a token that only this user can read."""
    _write(_path(url, nickname), token)


def newest(url: str, token: str) -> str:
    """Return the newest stored token of a token's sign-in, or the token itself."""
    session = sign_in_of(token)
    kept = None if session is None else _read(_path(url, f"\nsign-in\n{session}"))
    return kept or token


def keep_newest(url: str, token: str, *, always: bool = True) -> None:
    """
    Store a token for a program that knows only an older one of the same sign-in.

    Args:
        url: the server's.
        token: the newest token.
        always: False to store it only if a token of the sign-in is stored already.
    """
    session = sign_in_of(token)
    if session is not None:
        path = _path(url, f"\nsign-in\n{session}")
        if always or path.exists():
            _write(path, token)


def _read(path: Path) -> str | None:
    try:
        return path.read_text().strip() or None
    except (OSError, ValueError):
        # Whatever the file has instead, the server gives a new token.
        return None


def _write(path: Path, token: str) -> None:
    _make_private(path.parent)
    # Another program may store one at the same time: each file is whole. The name cannot be
    # guessed, so nobody can put a link in its place, and O_EXCL follows none.
    half = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    try:
        with os.fdopen(os.open(half, flags, PRIVATE_FILE), "w") as file:
            file.write(token)
        half.replace(path)
    except OSError:
        half.unlink(missing_ok=True)
        raise


def _make_private(directory: Path) -> None:
    # Path.mkdir makes parents with the umask's permissions: with a umask of 0 anybody could
    # put another directory in the place of this one.
    if not directory.parent.exists():
        _make_private(directory.parent)
    try:
        directory.mkdir(mode=PRIVATE_DIRECTORY)
    except FileExistsError:
        if directory == tokens_directory():
            directory.chmod(PRIVATE_DIRECTORY)


def _path(url: str, nickname: str) -> Path:
    # A nickname can have characters that a file name cannot.
    name = f"{url.rstrip('/')}\n{nickname}".encode()
    return tokens_directory() / blake2b(name, digest_size=16).hexdigest()
