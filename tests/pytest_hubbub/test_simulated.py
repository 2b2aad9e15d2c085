"""A simulated test in a stranger's project, under each plugin."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from pytest_hubbub.simulated import _command
from tests.pytest_hubbub.project import ON_ANYIO, ON_ASYNCIO, Run, run_project, run_shell

# Two first adds at once lose one, if both look before either has written.
RACY_CART = """
import anyio
import pytest


@pytest.fixture
def anyio_backend():
    return "trio"


class Cart:
    def __init__(self):
        self.lines = {}

    async def add(self, product):
        count = self.lines.get(product, 0)
        await anyio.sleep(0)
        self.lines[product] = count + 1


@pytest.fixture
async def cart():
    yield Cart()


@pytest.fixture(params=["mouse"])
def product(request):
    return request.param


@pytest.mark.simulated(seeds=20)
async def test_two_first_adds(cart, product):
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(cart.add, product)
        tasks.start_soon(cart.add, product)
    assert cart.lines == {product: 2}


@pytest.mark.simulated(seeds=20)
async def test_one_add_after_another(cart, product):
    await cart.add(product)
    await cart.add(product)
    assert cart.lines == {product: 2}


@pytest.mark.simulated(seeds=3)
async def test_no_error_where_one_is_expected():
    with pytest.raises(ValueError):
        await anyio.sleep(0)


@pytest.mark.simulated(seeds=3)
async def test_skipped():
    pytest.skip("not today")


@pytest.mark.simulated(seeds=[5])
async def test_waits_for_nobody():
    await anyio.Event().wait()


@pytest.mark.simulated(seeds=3)
def test_not_async():
    pass


@pytest.mark.simulated(3)
async def test_seeds_without_their_name():
    pass


def test_a_hub_without_an_event_loop(hub):
    pass


@pytest.mark.simulated(seeds=3)
async def test_asks_for_a_deferred_fixture_by_name(request):
    assert request.getfixturevalue("cart").lines == {}
"""

OPTIONS = {"asyncio": ON_ASYNCIO, "trio": ON_ANYIO}


@pytest.fixture(scope="module", params=["asyncio", "trio"])
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp(request.param)
    return run_project(folder, RACY_CART, *OPTIONS[request.param])


def test_a_race_fails_the_test_and_code_without_it_passes(run: Run) -> None:
    assert run.outcomes["test_two_first_adds"] == "failed"
    assert run.outcomes["test_one_add_after_another"] == "passed"
    assert "assert {'mouse': 1} == {'mouse': 2}" in run.text


def test_the_printed_line_repeats_the_failure(run: Run) -> None:
    printed = run.line_with("Repeat it: ").partition("Repeat it: ")[2]
    again = run_shell(printed, run.folder)

    seed = printed.partition("=")[2].split()[0]
    assert again.outcomes == {"test_two_first_adds": "failed"}
    assert f"Seed {seed} fails on {run.folder.name[:-1]}" in again.text
    assert "assert {'mouse': 1} == {'mouse': 2}" in again.text


def test_the_line_of_a_worker_has_the_options_of_the_main_process(
    pytestconfig: pytest.Config,
) -> None:
    folder = pytestconfig.invocation_params.dir
    config = SimpleNamespace(
        invocation_params=SimpleNamespace(args=["from xdist"], dir=folder),
        workerinput={"mainargv": ["/bin/pytest/__main__.py", "-n", "2", "--ignore", "a", "a"]},
        args=["a"],
    )
    item: Any = SimpleNamespace(
        config=config, path=folder / "a" / "test_x.py", nodeid="b/a/test_x.py::test_it[1 2]"
    )

    line = _command(item, 7)

    python = "HUBBUB_SEED=7 python -m pytest -n 2 --ignore a"
    assert line == f"{python} 'a/test_x.py::test_it[1 2]'"


def test_a_failure_says_how_many_seeds_passed_before_it(run: Run) -> None:
    assert "0 seeds passed before it." in run.text


def test_a_missing_error_fails_with_a_seed(run: Run) -> None:
    assert run.outcomes["test_no_error_where_one_is_expected"] == "failed"
    assert "DID NOT RAISE" in run.text


def test_a_deadlock_lists_where_the_tasks_wait(run: Run) -> None:
    assert run.outcomes["test_waits_for_nobody"] == "failed"
    assert "Every task waits, and no timer is set" in run.text
    assert "test_waits_for_nobody, in " in run.text
    assert "HUBBUB_SEED=5" in run.text


def test_a_seed_can_skip_the_test(run: Run) -> None:
    # pytest lists it under its place and not its name.
    assert "test_skipped" not in run.outcomes
    assert "not today" in run.text


def test_mistakes_in_the_use_of_the_mark_say_what_to_do(run: Run) -> None:
    assert run.outcomes["test_not_async"] == "failed"
    assert "A simulated test must be an async function." in run.text
    assert run.outcomes["test_seeds_without_their_name"] == "failed"
    assert "Use the mark with its arguments by name" in run.text


def test_a_plain_test_that_takes_a_hub_is_told_to_be_async(run: Run) -> None:
    assert run.outcomes["test_a_hub_without_an_event_loop"] == "failed"
    assert "The fixture 'hub' needs an event loop: make the test an async function." in run.text


def test_getfixturevalue_cannot_wait_for_a_deferred_fixture(run: Run) -> None:
    assert run.outcomes["test_asks_for_a_deferred_fixture_by_name"] == "failed"
    assert "take it as an argument" in run.text.replace("\n", " ")
