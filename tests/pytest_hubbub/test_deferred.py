from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterator

import anyio
import pytest
from anyio.lowlevel import checkpoint

from pytest_hubbub.deferred import Deferred, has_cancellation, run_test


@pytest.fixture
def log() -> list[str]:
    return []


def logging(log: list[str], name: str) -> Deferred:
    async def fixture(**_others: object) -> AsyncGenerator[str]:
        log.append(f"{name} begins")
        yield name
        await checkpoint()
        log.append(f"{name} ends")

    return Deferred(name, fixture, {})


async def passes(**_arguments: object) -> None:
    await checkpoint()


async def fails(**_arguments: object) -> None:
    raise ValueError("the test")


async def test_fixtures_end_in_the_reverse_order(log: list[str]) -> None:
    first = logging(log, "first")
    second = Deferred("second", logging(log, "second").function, {"first": first})

    await run_test(passes, {"second": second, "first": first}, {"third": logging(log, "third")})

    begun = ["third begins", "first begins", "second begins"]
    assert log == [*begun, "second ends", "first ends", "third ends"]


async def test_a_test_that_fails_still_ends_its_fixtures(log: list[str]) -> None:
    with pytest.raises(ValueError, match="the test"):
        await run_test(fails, {"first": logging(log, "first")}, {})

    assert log == ["first begins", "first ends"]


async def test_a_fixture_that_fails_still_ends_those_before_it(log: list[str]) -> None:
    def fixture(first: str) -> None:
        raise KeyError(first)

    second = Deferred("second", fixture, {"first": logging(log, "first")})
    with pytest.raises(KeyError, match="first"):
        await run_test(passes, {"second": second}, {})

    assert log == ["first begins", "first ends"]


def ends_badly() -> Iterator[int]:
    yield 1
    raise KeyError("the end")


async def test_a_test_and_a_fixture_that_fail_are_both_reported() -> None:
    with pytest.raises(ExceptionGroup) as both:
        await run_test(fails, {"bad": Deferred("bad", ends_badly, {})}, {})

    assert [type(error) for error in both.value.exceptions] == [ValueError, KeyError]


async def test_only_the_end_of_a_fixture_may_fail() -> None:
    with pytest.raises(KeyError, match="the end"):
        await run_test(passes, {"bad": Deferred("bad", ends_badly, {})}, {})


def yields_twice() -> Iterator[int]:
    yield 1
    yield 2


async def yields_twice_async() -> AsyncGenerator[int]:
    yield 1
    yield 2


@pytest.mark.parametrize("fixture", [yields_twice, yields_twice_async])
async def test_a_fixture_yields_once(fixture: Callable[[], object]) -> None:
    with pytest.raises(RuntimeError, match="'twice' yields more than once"):
        await run_test(passes, {"twice": Deferred("twice", fixture, {})}, {})


async def test_a_cancellation_finds_the_scope_in_a_fixture() -> None:
    async def group() -> AsyncGenerator[None]:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(fails)
            yield

    async def waits(group: None) -> None:
        await anyio.sleep_forever()

    with pytest.raises(ExceptionGroup) as raised:
        await run_test(waits, {"group": Deferred("group", group, {})}, {})

    assert raised.group_contains(ValueError, match="the test")


async def test_a_fixture_that_cancels_the_test_for_no_reason_fails_it() -> None:
    async def scope() -> AsyncGenerator[anyio.CancelScope]:
        with anyio.CancelScope() as scope:
            yield scope

    async def cancels(scope: anyio.CancelScope) -> None:
        scope.cancel()
        await anyio.sleep_forever()

    with pytest.raises(RuntimeError, match="'scope' cancelled the test"):
        await run_test(cancels, {"scope": Deferred("scope", scope, {})}, {})


async def test_a_cancellation_from_outside_passes_through(log: list[str]) -> None:
    async def waits(**_arguments: object) -> None:
        scope.cancel()
        try:
            await anyio.sleep_forever()
        except BaseException as error:
            seen.append(error)
            raise

    seen: list[BaseException] = []
    with anyio.CancelScope() as scope:
        await run_test(waits, {"first": logging(log, "first")}, {})

    assert scope.cancelled_caught
    assert has_cancellation(seen[0])
    assert has_cancellation(BaseExceptionGroup("both", [seen[0], ValueError()]))


def test_a_placeholder_says_why_it_has_no_attribute() -> None:
    with pytest.raises(AttributeError, match="'cart' has no 'lines' yet"):
        _ = Deferred("cart", dict, {}).lines
