"""
The hooks, checks and quotas before the methods of a session, in this order.

A hook runs before the command is queued; it can take time, and fails closed. A check runs
inside the decision, before anything else, so what it has seen is still true when the events are
written. A quota is charged last, when nothing else can refuse.

A session's hooks run concurrently, and still its commands are queued in the order in which
they arrived: a slow hook delays later commands of this session, and of no other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import anyio
import msgspec

from .errors import HookUnavailable, HubbubError, Invalid
from .feature import Hook, Rule
from .journal.actor import Actor, checked
from .journal.allowance import Allowance
from .journal.command import Command, SessionQueue, nothing
from .journal.decide.cache_entries import NotLoaded
from .journal.decide.states import States
from .method import Arguments, Method
from .service import Service
from .wake_up import WakeUp

__all__ = ["Hooks", "MethodGuard"]


class Hooks(msgspec.Struct, frozen=True):
    """
    The hooks and checks of one method, in the order of the features.

    Args:
        before: each hook with the name of its feature.
        check: each check with the name of its feature.
    """

    before: Sequence[tuple[str, Hook]] = ()
    check: Sequence[tuple[str, Rule]] = ()


NO_HOOKS = Hooks()


class MethodGuard:
    """
    Runs the hooks, checks and quotas before the methods of one session.

    Args:
        actor: the user of the session.
        hooks: a method -> its hooks and checks.
        allowance: charges the session's quotas; None for a session in the process.
    """

    __slots__ = ("_actor", "_allowance", "_hooks", "_turned", "_turns")

    def __init__(
        self, actor: Actor, hooks: Mapping[str, Hooks], allowance: Allowance | None
    ) -> None:
        self._actor = actor
        self._hooks = hooks
        self._allowance = allowance
        # The queue of commands with a hook, or behind one; the first hook makes it.
        self._turns: SessionQueue | None = None
        self._turned = WakeUp()

    def waits(self, method: Method) -> bool:
        """Return whether a hook runs before the method."""
        return bool(self._hooks.get(method.name, NO_HOOKS).before)

    def begin(self, service: Service, method: Method, arguments: Mapping[str, Any]) -> Any:
        """Return a decision or a coroutine; see :class:`hubbub.service.Guard`."""
        hooks = self._hooks.get(method.name, NO_HOOKS)
        if hooks.before:
            return self._screened(service, method, arguments, hooks)
        return self._begin(service, method, arguments, hooks)

    def _begin(
        self, service: Service, method: Method, arguments: Mapping[str, Any], hooks: Hooks
    ) -> Any:
        if not hooks.check:
            begun = method.function(service, **arguments)
        elif method.plain:
            rule = self._rule(method, arguments, hooks)
            begun = checked(method.function(service, **arguments), rule)
        else:
            begun = self._ruled(service, method, arguments, self._rule(method, arguments, hooks))
        return begun if self._allowance is None else self._allowance.charged(method.name, begun)

    async def _ruled(
        self,
        service: Service,
        method: Method,
        arguments: Mapping[str, Any],
        rule: Callable[[States], None],
    ) -> Any:
        # Some methods decide nothing as this user: their checks refuse here.
        await self._actor.execute(
            checked(Command(self._actor.user, nothing, lambda states, events: None), rule)
        )
        ruled = type(service)(self._actor.ruled(rule), service.runtime)
        return await method.function(ruled, **arguments)

    def _rule(
        self, method: Method, arguments: Mapping[str, Any], hooks: Hooks
    ) -> Callable[[States], None]:
        actor, given = self._actor, method.arguments(**arguments)

        def rule(states: States) -> None:
            for feature, check in hooks.check:
                try:
                    check(states, actor, given)
                except (HubbubError, NotLoaded):
                    raise
                except Exception as error:
                    error.add_note(f"raised by the check of {method.name} in feature {feature!r}")
                    raise

        return rule

    # Hooks

    async def _screened(
        self, service: Service, method: Method, arguments: Mapping[str, Any], hooks: Hooks
    ) -> Any:
        turns = self._turns = self._turns or SessionQueue()
        place = turns.enter()
        try:
            changed = await self._screen(method, arguments, hooks)
            while turns.turn != place:
                await self._turned.wait()
            begun = self._begin(service, method, changed, hooks)
        finally:
            # The next command runs when this one next waits: by then this call is queued.
            turns.leave(place)
            self._turned.set()
        return await (self._actor.execute(begun) if method.plain else begun)

    async def _screen(
        self, method: Method, arguments: Mapping[str, Any], hooks: Hooks
    ) -> Mapping[str, Any]:
        given = method.arguments(**arguments)
        for feature, screen in hooks.before:
            given = await self._pass(method, given, feature, screen)
        return msgspec.structs.asdict(given)

    async def _pass(
        self, method: Method, given: Arguments, feature: str, screen: Hook
    ) -> Arguments:
        seconds = self._actor.settings.hook_seconds_max
        with anyio.move_on_after(seconds):
            try:
                changed = await screen(self._actor, given)
            except HubbubError:
                raise
            except Exception as error:
                error.add_note(f"raised before {method.name} by feature {feature!r}")
                raise
            return given if changed is None else _converted(method, changed, feature)
        raise HookUnavailable(
            f"{method.name} needs the approval of another service, which has not answered within "
            f"{seconds:g} s; try again later."
        )


def _converted(method: Method, changed: Arguments | Mapping[str, Any], feature: str) -> Arguments:
    by_name = dict(changed)
    try:
        return msgspec.convert(by_name, method.arguments)
    except msgspec.ValidationError as error:
        raise Invalid(
            f"Feature {feature!r} has changed the arguments of {method.name} to invalid ones: "
            f"{error}."
        ) from error
