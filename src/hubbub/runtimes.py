"""What the features of a hub run as long as it is open, each in a task of its own."""

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
    The runtimes of one hub.

    A runtime that fails is a fault of its feature: it ends the hub, which raises the error.

    Args:
        hub: what runtimes are entered with.
        tasks: the hub's.
    """

    def __init__(self, hub: Host, tasks: TaskGroup) -> None:
        self._hub = hub
        self._tasks = tasks
        self._features: list[Feature] = []
        self._yielded: dict[str, object] = {}
        self._left: dict[str, tuple[anyio.Event, anyio.Event]] = {}
        # What is to be kept running; None once all runtimes are entered.
        self._to_keep: list[tuple[str, Work]] | None = []
        # What ended the hub, if a runtime did.
        self.fault: Exception | None = None

    async def enter(self, feature: Feature) -> None:
        """Enter the runtime of a feature, if it has one, and keep what it yields."""
        self._features.append(feature)
        if feature.runtime is not None:
            self._yielded[feature.name] = await self._tasks.start(self._run, feature)

    def begin(self) -> None:
        """Begin what is to be kept running: every runtime is entered."""
        kept, self._to_keep = self._to_keep or [], None
        for what, work in kept:
            self.keep_running(what, work)

    def keep_running(self, what: str, work: Work) -> None:
        """Run something as long as the hub is open, once every runtime is entered."""
        if self._to_keep is None:
            self._tasks.start_soon(keep_running, what, work)
        else:
            self._to_keep.append((what, work))

    async def leave(self) -> None:
        """Leave all, the last first, each within the deadline for draining."""
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
        """Finish what was accepted, before no more commands are taken."""
        for feature in self._features:
            if feature.drain is not None:
                await self._drain(feature.name, feature.drain)

    async def _drain(self, name: str, drain: Callable[[Any], Awaitable[None]]) -> None:
        with anyio.move_on_after(self._hub.settings.drain_seconds_max):
            try:
                await drain(self.get(name))
            except Exception:  # the other features finish all the same
                logger.exception("feature %r could not finish what it had accepted", name)

    def get(self, name: str) -> object:
        """Return what the runtime of a feature has yielded; None if it has none."""
        return self._yielded.get(name)

    def of(self, kind: type[T]) -> T:
        """
        Return what a runtime has yielded, by its class.

        Raises:
            Invalid: none has yielded such a thing.
        """
        for yielded in self._yielded.values():
            if isinstance(yielded, kind):
                return yielded
        raise Invalid(f"No feature of this hub has a runtime of {kind.__name__}.")

    def tell_connected(self, user_id: str) -> None:
        """Tell the features that a session of a user has begun or ended."""
        for feature in self._features:
            if feature.connected is not None:
                try:
                    feature.connected(self.get(feature.name), user_id)
                except Exception:  # the session begins, or ends, all the same
                    logger.exception("feature %r failed when it heard of a session", feature.name)

    @property
    def adoptions(self) -> list[tuple[Adoption, object]]:
        """What guests bring along, each with the runtime that it is given."""
        return [
            (feature.adoption, self.get(feature.name))
            for feature in self._features
            if feature.adoption is not None
        ]

    def webhooks(self, secrets: Mapping[str, str]) -> Mapping[str, Receiver]:
        """
        Make what takes the calls of providers.

        Args:
            secrets: the name of a webhook -> its signing secret.
        """
        routes = {
            name: (feature, route)
            for feature in self._features
            for name, route in feature.webhooks.items()
        }
        for name in secrets:
            if name not in routes:
                raise Invalid(f"No feature of this hub takes the webhooks of {name!r}.")
        return {
            name: Receiver(route.body_bytes_max, route.open(secrets[name], self.get(feature.name)))
            for name, (feature, route) in routes.items()
            if name in secrets
        }
