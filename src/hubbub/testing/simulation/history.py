"""Records concurrent calls, to decide whether they could have been made one after another."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

from .counterexample import Call, Counterexample
from .linearizability import Model, S, linearize

__all__ = ["History"]

O = TypeVar("O", bound=Hashable)  # noqa: E741  (an operation)
T = TypeVar("T")


class History(Generic[O]):
    """
    The calls of a run, in the order in which they were made and returned.

    A call that is cancelled, or has not returned, has an unknown outcome: it may take effect at any
    later moment, or never.

    Args:
        unknown: exceptions after which the outcome is unknown as well, a timeout for example. After
            any other exception the model says what took effect.
    """

    def __init__(self, unknown: tuple[type[Exception], ...] = ()) -> None:
        self._unknown = unknown
        self._calls: dict[int, Call[O]] = {}
        self._moments = 0

    @property
    def calls(self) -> list[Call[O]]:
        """The calls, in the order in which they were made."""
        return list(self._calls.values())

    async def call(self, operation: O, fn: Callable[[], Awaitable[T]]) -> T:
        """
        Make a call and record it.

        Args:
            operation: what is called, with its arguments, for the model.
            fn: makes the call.

        Returns:
            What it returns.

        Raises:
            Exception: what it raises.
        """
        invoked = self._moment()
        self._calls[invoked] = Call(operation, invoked)
        try:
            result = await fn()
        except Exception as error:
            if not isinstance(error, self._unknown):
                self._record(operation, invoked, error)
            raise
        self._record(operation, invoked, result)
        return result

    def linearizable(
        self, model: Model[S, O], *, key: Callable[[O], Hashable] | None = None
    ) -> Counterexample[O] | None:
        """
        Look for an order of the calls in which each returns what the model returns.

        Each call must be placed between the moments at which it was made and returned.

        Args:
            model: what the object should do.
            key: of an operation: calls with different keys are independent, each key begins with
                the model's initial state, and many calls are checked fast.

        Returns:
            None if there is an order; otherwise how far the best attempt came.

        Raises:
            RuntimeError: there are too many possible orders; check fewer calls, or per key.
        """
        parts: dict[Hashable, list[Call[O]]] = {}
        for call in self._calls.values():
            parts.setdefault(None if key is None else key(call.operation), []).append(call)
        for calls in parts.values():
            if (counterexample := linearize(calls, model)) is not None:
                return counterexample
        return None

    def _record(self, operation: O, invoked: int, result: object) -> None:
        self._calls[invoked] = Call(operation, invoked, self._moment(), result)

    def _moment(self) -> int:
        self._moments += 1
        return self._moments
