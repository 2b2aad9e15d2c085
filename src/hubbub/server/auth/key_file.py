"""Keys in a file, which may be replaced while the server runs."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import jwt

from ...errors import Invalid
from .keys import KEYS_BYTES_MAX, read_keys

__all__ = ["KeyFile"]

logger = logging.getLogger("hubbub.server")


class KeyFile:
    """
    Reads a file again when it has changed.

    Args:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read_at: tuple[int, int] | None = None
        self._keys: Sequence[jwt.PyJWK] = ()

    async def prepare(self, key_id: str | None) -> None:
        """Do nothing: a worker thread looks at the file."""

    def current(self) -> Sequence[jwt.PyJWK]:
        """Return the keys in the file; while it cannot be read, the keys from before."""
        try:
            self.read()
        except Invalid as error:
            # Writing a file may take a moment, which must not cost users with valid tokens.
            logger.error("The server keeps using the keys from before. %s", error.message)
        return self._keys

    def read(self) -> None:
        """
        Read the file if it has changed; in a thread, or before a loop runs.

        Raises:
            Invalid: the file cannot be read, or has no key that can be used.
        """
        try:
            about = self._path.stat()
        except OSError as error:
            raise Invalid(f"{self._path} is no JSON Web Key Set: {error}.") from error
        seen = (about.st_mtime_ns, about.st_ino)
        if seen == self._read_at:
            return
        try:
            with self._path.open("rb") as file:
                self._keys = read_keys(file.read(KEYS_BYTES_MAX + 1), secrets=True)
        except OSError as error:
            raise Invalid(f"{self._path} is no JSON Web Key Set: {error}.") from error
        except Invalid as error:
            raise Invalid(f"{self._path} cannot be used. {error.message}") from error
        finally:
            # Only now: until then, other threads would use the keys from before, or none.
            self._read_at = seen
