"""
Fixtures that are set up inside the test's own task, instead of before the event loop runs.

pytest sets fixtures up before it calls the test. A fixture that needs the event loop of the test,
and a fixture that each seed of a simulation sets up again, is a :class:`Deferred` until then. It is
a placeholder, which :func:`run_test` resolves in the order of the dependencies and tears down in
the reverse order. In one task a task group can begin in a fixture and end with it, under every
plugin, and its crash cancels the test at once.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Mapping
from inspect import isasyncgenfunction, iscoroutinefunction, isgeneratorfunction
from typing import Any, TypeVar, cast

import pytest

__all__ = ["Deferred", "has_cancellation", "is_async", "run_test"]

T = TypeVar("T")


class Deferred:
    """
    Stands in for the value of a fixture until the event loop runs.

    Args:
        name: the fixture's.
        function: makes the value: a function, a coroutine function, or a generator of either kind.
        arguments: of the function; some of them can be placeholders themselves.
    """

    def __init__(
        self, name: str, function: Callable[..., object], arguments: Mapping[str, object]
    ) -> None:
        self.name = name
        self.function = function
        self.arguments = arguments

    def __repr__(self) -> str:
        return f"<the fixture {self.name!r}, inside the event loop>"

    def __getattr__(self, attribute: str) -> object:
        raise AttributeError(
            f"The fixture {self.name!r} has no {attribute!r} yet, because it is set up inside the "
            "event loop of the test: let the test, or a fixture, take it as an argument."
        )


def is_async(function: Callable[..., object]) -> bool:
    """Return whether a function makes its value in an event loop."""
    return iscoroutinefunction(function) or isasyncgenfunction(function)


def has_cancellation(error: BaseException | None) -> bool:
    """Return whether an error is the event loop's cancellation, or a group with one."""
    import anyio

    kind = anyio.get_cancelled_exc_class()
    if isinstance(error, BaseExceptionGroup):
        return error.subgroup(kind) is not None
    return isinstance(error, kind)


async def run_test(
    test: Callable[..., Awaitable[object]],
    arguments: Mapping[str, object],
    others: Mapping[str, object],
) -> None:
    """
    Set up the deferred fixtures, run a test, and tear the fixtures down, also if it fails.

    Args:
        test: the function.
        arguments: its arguments; some of them can be placeholders.
        others: fixtures that the test does not take itself, like those with ``autouse``.

    Raises:
        BaseException: the error of the test or of a fixture; all of them as a group, if several
            have failed.
    """
    __tracebackhide__ = True
    fixtures = _Fixtures()
    error: BaseException | None = None
    try:
        for value in others.values():
            await fixtures.value_of(value)
        await test(**{name: await fixtures.value_of(each) for name, each in arguments.items()})
    except BaseException as raised:
        error = raised
    error = await fixtures.tear_down(error)
    if error is not None:
        raise error


class _Fixtures:
    """The fixtures of one run of a test."""

    def __init__(self) -> None:
        self._values: dict[Deferred, object] = {}
        self._entered: list[tuple[str, Callable[[BaseException | None], Awaitable[None]]]] = []

    async def value_of(self, value: object) -> object:
        """Return a value; if it is a placeholder, what it stands for."""
        if not isinstance(value, Deferred):
            return value
        if value not in self._values:
            arguments = {name: await self.value_of(each) for name, each in value.arguments.items()}
            if isinstance(request := arguments.get("request"), pytest.FixtureRequest):
                arguments["request"] = _Request(request, self)
            self._values[value] = await self._set_up(value, arguments)
        return self._values[value]

    def resolved(self, value: object) -> object:
        """Return a value; if it is a placeholder, what it stands for, which must be set up."""
        if not isinstance(value, Deferred):
            return value
        if value not in self._values:
            pytest.fail(
                f"The fixture {value.name!r} is set up inside the event loop of the test, so "
                "getfixturevalue cannot wait for it: take it as an argument.",
                pytrace=False,
            )
        return self._values[value]

    def add_finalizer(self, name: str, finalizer: Callable[[], object]) -> None:
        """Call a function when the fixtures are torn down."""

        async def finish(_error: BaseException | None) -> None:
            finalizer()

        self._entered.append((name, finish))

    async def tear_down(self, error: BaseException | None) -> BaseException | None:
        """Tear down what is set up, the last first; return the error that is left."""
        while self._entered:
            name, finish = self._entered.pop()
            cancelled = has_cancellation(error)
            try:
                await finish(error)
            except BaseException as raised:
                error = _both(error, raised)
            else:
                if cancelled:
                    error = RuntimeError(
                        f"The fixture {name!r} cancelled the test, but it raised no error."
                    )
        return error

    async def _set_up(self, deferred: Deferred, arguments: dict[str, object]) -> object:
        function = deferred.function
        if isasyncgenfunction(function):
            generator = cast("AsyncGenerator[object]", function(**arguments))
            value = await anext(generator)
            self._entered.append((deferred.name, _leaving(deferred.name, generator)))
            return value
        if isgeneratorfunction(function):
            plain = cast("Generator[object]", function(**arguments))
            value = next(plain)
            self.add_finalizer(deferred.name, lambda: _resume(deferred.name, plain))
            return value
        made = function(**arguments)
        return await cast("Awaitable[object]", made) if iscoroutinefunction(function) else made


class _Request:
    """The ``request`` of a deferred fixture: its finalizers run with the fixtures of the run."""

    def __init__(self, request: pytest.FixtureRequest, fixtures: _Fixtures) -> None:
        self._request = request
        self._fixtures = fixtures

    def __getattr__(self, name: str) -> Any:
        return getattr(self._request, name)

    def addfinalizer(self, finalizer: Callable[[], object]) -> None:
        """Call a function when the fixtures are torn down."""
        self._fixtures.add_finalizer(str(self._request.fixturename), finalizer)

    def getfixturevalue(self, argname: str) -> object:
        """Return the value of another fixture."""
        return self._fixtures.resolved(self._request.getfixturevalue(argname))


def _leaving(
    name: str, generator: AsyncGenerator[object]
) -> Callable[[BaseException | None], Awaitable[None]]:
    async def leave(error: BaseException | None) -> None:
        try:
            # As in pytest, a fixture does not learn that the test failed. But a cancellation is
            # perhaps that of a scope that began in the fixture, and must find its way there.
            if error is not None and has_cancellation(error):
                await generator.athrow(error)
            else:
                await anext(generator)
        except StopAsyncIteration:
            return
        await generator.aclose()
        raise RuntimeError(f"The fixture {name!r} yields more than once.")

    return leave


def _resume(name: str, generator: Generator[object]) -> None:
    try:
        next(generator)
    except StopIteration:
        return
    raise RuntimeError(f"The fixture {name!r} yields more than once.")


def _both(error: BaseException | None, raised: BaseException) -> BaseException:
    # The error that was thrown in comes out again, or a task group has made another of it.
    if error is None or raised is error or has_cancellation(error) or has_cancellation(raised):
        return raised
    return BaseExceptionGroup("The test and its fixtures failed.", [error, raised])
