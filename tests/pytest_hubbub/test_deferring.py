"""Simulated tests of this suite: each seed has its own fixtures."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hubbub.testing.simulation import current_random
from tests.event_loop import Backend

SEEDS = 3

log: list[str] = []


@pytest.fixture
def lines() -> list[str]:
    return []


@pytest.fixture(params=["mouse", "mat"])
def product(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def logged(lines: list[str]) -> Iterator[list[str]]:
    log.append("plain begins")
    yield lines
    log.append("plain ends")


@pytest.fixture
async def logged_async(logged: list[str]) -> AsyncIterator[list[str]]:
    log.append("async begins")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(anyio.sleep_forever)
        yield logged
        tasks.cancel_scope.cancel()
    await anyio.sleep(1)
    log.append("async ends")


@pytest.fixture
async def drawn(request: pytest.FixtureRequest) -> float:
    request.addfinalizer(lambda: log.append("finalizer"))  # noqa: PT021  (that it works)
    await anyio.sleep(1)
    return current_random().random()


@pytest.fixture(autouse=True)
def _in_a_fresh_log() -> None:
    log.clear()


@pytest.mark.simulated(seeds=SEEDS)
async def test_what_a_seed_changes_the_next_does_not_see(lines: list[str], product: str) -> None:
    assert lines == []
    lines.append(product)


@pytest.mark.simulated(seeds=SEEDS)
async def test_a_fixture_of_a_seed_begins_and_ends_in_order(logged_async: list[str]) -> None:
    assert log == ["plain begins", "async begins"]


@pytest.mark.simulated(seeds=SEEDS)
async def test_fixtures_of_pytest_are_set_up_once(
    tmp_path_factory: pytest.TempPathFactory, logged_async: list[str]
) -> None:
    assert isinstance(tmp_path_factory, pytest.TempPathFactory)


@pytest.mark.simulated(seeds=SEEDS)
async def test_a_fixture_draws_from_the_seed(drawn: float) -> None:
    assert 0 <= drawn < 1
    assert "finalizer" not in log


@pytest.mark.simulated(seeds=1)
async def test_an_hour_passes_at_once(backend: Backend) -> None:
    before = anyio.current_time()
    await anyio.sleep(3600)

    assert anyio.current_time() == pytest.approx(before + 3600)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.simulated(seeds=1, backend="trio")
async def test_the_mark_chooses_the_backend(backend: str) -> None:
    import sniffio  # noqa: PLC0415  (trio brings it)

    assert sniffio.current_async_library() == "trio"


@pytest.mark.simulated(seeds=2)
@settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(number=st.integers())
async def test_each_example_of_hypothesis_runs_under_all_seeds(
    lines: list[str], number: int
) -> None:
    assert lines == []
    lines.append(str(number))
    await anyio.sleep(number % 100)


@settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(number=st.integers())
async def test_each_example_of_hypothesis_has_fixtures_of_its_own(
    tasks: anyio.abc.TaskGroup, number: int
) -> None:
    tasks.start_soon(anyio.sleep, abs(number))


class TestMethods:
    """Tests and fixtures that are methods."""

    @pytest.fixture
    async def me(self) -> TestMethods:
        return self

    @pytest.mark.simulated(seeds=SEEDS)
    async def test_a_fixture_is_a_method_of_the_same_instance(self, me: TestMethods) -> None:
        assert me is self

    @pytest.fixture
    def ours(self, tasks: anyio.abc.TaskGroup) -> TestMethods:
        return self

    async def test_also_if_it_only_takes_another_that_is_deferred(self, ours: TestMethods) -> None:
        assert ours is self
