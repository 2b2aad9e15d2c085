"""The runtimes of a hub's features: each runs in its own task while the hub is open."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, TypeVar

import anyio
from anyio.abc import TaskGroup, TaskStatus

from .errors import Closed, Invalid
from .feature import Adoption, Feature, Host, Receiver
from .journal.containment import keep_running

__all__ = ["Runtimes"]

logger = logging.getLogger("hubbub")

T = TypeVar("T")

Work = Callable[[], Coroutine[Any, Any, None]]


class Runtimes:
    """
    The runtimes of the features of one hub.

    A runtime that fails is a bug of its feature: it closes the hub, which raises the error.

    Args:
        hub: the argument of every runtime.
        tasks: the hub's task group.
    """

    def __init__(self, hub: Host, tasks: TaskGroup) -> None:
        self._hub = hub
        self._tasks = tasks
        self._features: list[Feature] = []
        # The features that want to know when a session begins or ends.
        self._told: list[Feature] = []
        self._yielded: dict[str, object] = {}
        self._by_kind: dict[type, object] = {}
        self._left: dict[str, tuple[anyio.Event, anyio.Event]] = {}
        # The background tasks to start; None once every runtime is entered.
        self._to_keep: list[tuple[str, Work]] | None = []
        # The error that closed the hub, if a runtime raised it.
        self.fault: Exception | None = None

    async def enter(self, feature: Feature) -> None:
        """Enter the runtime of a feature, if it has one, and store its value."""
        self._features.append(feature)
        if feature.connected is not None:
            self._told.append(feature)
        if feature.runtime is not None:
            self._yielded[feature.name] = await self._tasks.start(self._run, feature)

    def begin(self) -> None:
        """Start the background tasks: every runtime is entered."""
        kept, self._to_keep = self._to_keep or [], None
        for what, work in kept:
            self.keep_running(what, work)

    def keep_running(self, what: str, work: Work) -> None:
        """Run a task as long as the hub is open, from when every runtime is entered."""
        self._hub.journal.check_home()
        if self._to_keep is None:
            self._tasks.start_soon(keep_running, what, work)
        else:
            self._to_keep.append((what, work))

    async def leave(self) -> None:
        """Exit all runtimes, last first, each within the deadline for draining."""
        for name, (leave, left) in reversed(self._left.items()):
            leave.set()
            with anyio.move_on_after(self._hub.settings.drain_seconds_max, shield=True) as scope:
                await left.wait()
            if scope.cancelled_caught:
                logger.warning("the runtime of feature %r does not end; it is cancelled", name)

    async def _run(self, feature: Feature, *, task_status: TaskStatus[object]) -> None:
        assert feature.runtime is not None
        leave, left = self._left[feature.name] = (anyio.Event(), anyio.Event())
        entered = False
        try:
            async with feature.runtime(self._hub) as yielded:
                entered = True
                task_status.started(yielded)
                await leave.wait()
        except Exception as error:
            error.add_note(f"raised by the runtime of feature {feature.name!r}")
            if not entered:
                raise
            if isinstance(error, Closed) and leave.is_set():
                logger.debug("the runtime of feature %r: the hub is closing", feature.name)
            else:
                self._fail(feature, error)
        finally:
            left.set()

    def _fail(self, feature: Feature, error: Exception) -> None:
        logger.error("the runtime of feature %r has failed", feature.name, exc_info=error)
        if self.fault is None:
            self.fault = error
        self._tasks.cancel_scope.cancel()

    async def drain(self) -> None:
        """Finish accepted work, before the hub stops accepting commands."""
        # So that other nodes take over what comes from now on.
        await self._hub.journal.nodes.leave()
        for feature in self._features:
            if feature.drain is not None:
                await self._drain(feature.name, feature.drain)

    async def _drain(self, name: str, drain: Callable[[Any], Awaitable[None]]) -> None:
        with anyio.move_on_after(self._hub.settings.drain_seconds_max):
            try:
                await drain(self.get(name))
            except Exception:  # the other features still finish
                logger.exception("feature %r could not finish its accepted work", name)

    def get(self, name: str) -> object:
        """Return the value that the runtime of a feature yields; None if it has no runtime."""
        return self._yielded.get(name)

    def of(self, kind: type[T]) -> T:
        """
        Return the value that a runtime yields, by its class.

        Raises:
            Invalid: no runtime yields a value of this class.
        """
        found = self._by_kind.get(kind)
        if isinstance(found, kind):
            return found
        for yielded in self._yielded.values():
            if isinstance(yielded, kind):
                self._by_kind[kind] = yielded
                return yielded
        raise Invalid(f"No feature of this hub has a runtime of {kind.__name__}.")

    def tell_connected(self, user_id: str) -> None:
        """Notify the features that a session of a user has begun or ended."""
        for feature in self._told:
            assert feature.connected is not None
            try:
                feature.connected(self.get(feature.name), user_id)
            except Exception:  # the session begins, or ends, anyway
                logger.exception("feature %r failed when a session began or ended", feature.name)

    @property
    def adoptions(self) -> list[tuple[Adoption, object]]:
        """Return what guests keep when they sign in, each with its feature's runtime."""
        return [
            (feature.adoption, self.get(feature.name))
            for feature in self._features
            if feature.adoption is not None
        ]

    def webhooks(self, secrets: Mapping[str, str]) -> Mapping[str, Receiver]:
        """
        Make the receivers of providers' webhooks.

        Args:
            secrets: the name of a webhook -> its signing secret.

        Raises:
            Invalid: no feature has a webhook of this name.
        """
        routes = {
            name: (feature, route)
            for feature in self._features
            for name, route in feature.webhooks.items()
        }
        for name in secrets:
            if name not in routes:
                raise Invalid(f"No feature of this hub has a webhook {name!r}; add its feature.")
        return {
            name: Receiver(route.body_bytes_max, route.open(secrets[name], self.get(feature.name)))
            for name, (feature, route) in routes.items()
            if name in secrets
        }
