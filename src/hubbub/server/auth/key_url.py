"""
Keys at a URL, as identity providers publish them.

The server fetches them when it starts, when their lifetime ends, and when a token names a key
that is not known. Anybody can send a token, so what it causes has limits: one request in
``REFETCH_SECONDS_MIN`` seconds for all, and a sign-in whose key is known never waits for it.
"""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Sequence

import anyio
import httpcore2  # noqa: F401  # httpx2 would load it with the first request, in the event loop
import httpx2
import jwt

from ...clock import Clock
from ...errors import Invalid
from ...wake_up import WakeUp
from ..http.origin import is_loopback_host
from .keys import KEYS_BYTES_MAX, read_keys

__all__ = [
    "FETCH_SECONDS_MAX",
    "KEYS_SECONDS",
    "KEYS_SECONDS_MAX",
    "KEYS_SECONDS_MIN",
    "REFETCH_SECONDS_MIN",
    "STALE_SECONDS_MAX",
    "KeyUrl",
]

logger = logging.getLogger("hubbub.server")

# How long one request for keys may take, in seconds, and so how long a sign-in may wait for it.
FETCH_SECONDS_MAX = 5.0
# Seconds between two requests, whatever tokens come and whether a request fails.
REFETCH_SECONDS_MIN = 10.0
# How long keys are used before they are fetched again, in seconds, if the response does not say.
KEYS_SECONDS = 300.0
# The shortest time, in seconds, that a response can ask for.
KEYS_SECONDS_MIN = 60.0
# The longest time, in seconds, that a response can ask for.
KEYS_SECONDS_MAX = 86_400.0
# How long after that they are still used, in seconds, while they cannot be fetched.
STALE_SECONDS_MAX = 86_400.0

_MAX_AGE = re.compile(r"(?:^|[\s,])max-age\s*=\s*\"?(\d{1,10})")
_NOT_KEPT = re.compile(r"(?:^|[\s,])no-(?:cache|store)(?:$|[\s,=])")


class KeyUrl:
    """
    Fetches keys, and keeps them.

    Args:
        url: ``https://…``; plain ``http`` only to this machine.
        clock: measures how old the keys are.

    Raises:
        Invalid: it is another kind of URL.
    """

    def __init__(self, url: str, clock: Clock) -> None:
        self._url = _checked(url)
        # Without the query and the user, which may be secrets: for the log.
        self._shown = str(self._url.copy_with(query=None, fragment=None, username="", password=""))
        self._clock = clock
        own = is_loopback_host(self._url.netloc.decode("ascii"))
        self._tls = httpx2.create_ssl_context() if self._url.scheme == "https" else False
        # A proxy cannot reach this machine by its own name for itself.
        self._trusts_environment = not own
        self._keys: Sequence[jwt.PyJWK] = ()
        self._due = self._too_old = self._next_try = -math.inf
        # Set when the fetch that is under way, or asked for, has ended.
        self._ended: anyio.Event | None = None
        self._wanted = WakeUp()
        self._kept_fresh = False

    def current(self) -> Sequence[jwt.PyJWK]:
        """Return the keys, or none if they are too old."""
        return self._keys if self._clock.monotonic() < self._too_old else ()

    async def prepare(self, key_id: str | None) -> None:
        """
        Fetch the keys if that is due; wait for it only if the key is not known.

        Args:
            key_id: of the key that a token names, if it names one.
        """
        keys = self.current()
        known = bool(keys) if key_id is None else any(key.key_id == key_id for key in keys)
        if known and (self._clock.monotonic() < self._due):
            return
        await self._refresh(wait=not known)

    async def keep_fresh(self) -> None:
        """Fetch the keys now, and whenever that is due; for a task that runs as long as the hub."""
        if self._kept_fresh:
            return
        self._kept_fresh = True
        try:
            if self._ended is None and self._clock.monotonic() >= self._next_try:
                await self._fetch()
            while True:
                await self._wanted.wait()
                await self._fetch()
        finally:
            self._kept_fresh = False
            self._end()

    async def _refresh(self, *, wait: bool) -> None:
        if self._ended is None:
            if self._clock.monotonic() < self._next_try:
                return
            self._ended = anyio.Event()
            if not self._kept_fresh:
                # Others wait for it as well, so a client that disconnects must not cancel it.
                with anyio.CancelScope(shield=True):
                    await self._fetch()
                return
            self._wanted.set()
        if wait:
            with anyio.move_on_after(FETCH_SECONDS_MAX):
                await self._ended.wait()

    async def _fetch(self) -> None:
        self._ended = self._ended or anyio.Event()
        self._next_try = self._clock.monotonic() + REFETCH_SECONDS_MIN
        try:
            with anyio.fail_after(FETCH_SECONDS_MAX):
                keys, seconds = await self._request()
        except (httpx2.HTTPError, OSError, Invalid) as error:
            reason = error.message if isinstance(error, Invalid) else type(error).__name__
            kept = "uses those from before" if self.current() else "has none"
            logger.error("The keys at %s cannot be fetched; the server %s. %s",
                         self._shown, kept, reason)  # fmt: skip
        else:
            now = self._clock.monotonic()
            self._keys, self._due = keys, now + seconds
            self._too_old = self._due + STALE_SECONDS_MAX
        finally:
            self._end()

    def _end(self) -> None:
        ended, self._ended = self._ended, None
        if ended is not None:
            ended.set()

    async def _request(self) -> tuple[Sequence[jwt.PyJWK], float]:
        # Compressed, a small response could be a large one.
        headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
        async with (
            httpx2.AsyncClient(
                verify=self._tls, timeout=FETCH_SECONDS_MAX, trust_env=self._trusts_environment
            ) as http,
            http.stream("GET", self._url, headers=headers) as response,
        ):
            if response.status_code != httpx2.codes.OK:
                raise Invalid(f"The answer is HTTP {response.status_code}.")
            if response.headers.get("content-encoding", "identity") != "identity":
                raise Invalid("The answer is compressed.")
            content = await _body(response)
            return read_keys(content, secrets=False), lifetime(response.headers)


async def _body(response: httpx2.Response) -> bytes:
    content = bytearray()
    # Leaving the loop would leave httpx2's generators open; cancelling the next read ends them.
    with anyio.CancelScope() as scope:
        async for piece in response.aiter_raw():
            content += piece
            if len(content) > KEYS_BYTES_MAX:
                scope.cancel()
    return bytes(content)


def lifetime(headers: httpx2.Headers) -> float:
    """Return for how many seconds a response may be used, by its own account and our limits."""
    control = headers.get("cache-control", "").lower()
    if _NOT_KEPT.search(control):
        return KEYS_SECONDS_MIN
    found = _MAX_AGE.search(control)
    if found is None:
        return KEYS_SECONDS
    age = headers.get("age", "0").strip()
    passed = float(age) if age.isdecimal() and len(age) <= 10 else 0.0
    return min(max(float(found[1]) - passed, KEYS_SECONDS_MIN), KEYS_SECONDS_MAX)


def _checked(url: str) -> httpx2.URL:
    try:
        parsed = httpx2.URL(url)
    except httpx2.InvalidURL as error:
        raise Invalid("The address of the keys is no URL.") from error
    safe = parsed.scheme == "https" or (
        parsed.scheme == "http" and is_loopback_host(parsed.netloc.decode("ascii"))
    )
    if not safe or not parsed.host:
        raise Invalid(
            "Give the keys' address as https://…; otherwise anybody on the way could replace them."
        )
    return parsed
