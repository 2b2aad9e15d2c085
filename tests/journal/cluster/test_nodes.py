from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial

import anyio
import pytest

from hubbub.errors import Invalid, Overloaded
from hubbub.journal.cluster import nodes
from hubbub.journal.cluster.frames import MESSAGE_BYTES_MAX
from hubbub.journal.cluster.nodes import BEAT_SECONDS, NODE_SILENT_SECONDS_MAX, Nodes
from hubbub.journal.stores.memory import MemoryStore
from hubbub.journal.stores.sharing import NodeRecord
from hubbub.testing import run_in_virtual_time
from tests.event_loop import Backend
from tests.journal.cluster.kit import SharedRecords, node
from tests.journal.tally import memory_store, open_journal
from tests.journal.troubled import Gate

Run = Callable[[Callable[[], Awaitable[None]]], None]


@pytest.fixture
def run(backend: Backend) -> Run:
    return partial(run_in_virtual_time, backend=backend)


@asynccontextmanager
async def running(*members: Nodes) -> AsyncGenerator[dict[str, anyio.CancelScope]]:
    """Let nodes beat; a cancelled scope is a node that dies."""
    scopes = {one.me: anyio.CancelScope() for one in members}

    async def live(one: Nodes) -> None:
        with scopes[one.me]:
            await one.run()

    async with anyio.create_task_group() as tasks:
        for one in members:
            tasks.start_soon(live, one)
        await anyio.sleep(2 * BEAT_SECONDS + 0.1)
        yield scopes
        tasks.cancel_scope.cancel()


# Alone


async def test_a_node_whose_store_is_not_shared_is_alone_and_does_everything() -> None:
    alone = node("a", MemoryStore())
    await alone.beat()

    assert alone.live() == {"a"}
    assert alone.fresh
    assert alone.owns("any job")
    alone.tell("kind", b"nobody hears it")


async def test_every_journal_has_a_node_of_its_own() -> None:
    async with open_journal(memory_store()) as one, open_journal(memory_store()) as other:
        assert one.nodes.live() == {one.nodes.me}
        assert one.nodes.me != other.nodes.me


async def test_a_node_answers_its_own_requests() -> None:
    alone = node("a", MemoryStore())

    async def answer(asker: str, body: bytes) -> bytes:
        return asker.encode() + body

    alone.answer["kind"] = answer

    assert await alone.ask("a", "kind", b"?", 1) == b"a?"


async def test_a_request_that_no_node_can_answer_fails_honestly() -> None:
    alone = node("a", MemoryStore())

    with pytest.raises(Overloaded, match="did not answer; try again"):
        await alone.ask("a", "nothing of this kind", b"", 1)
    with pytest.raises(Overloaded):
        await alone.ask("a node that is not there", "kind", b"", 1)


def test_a_message_that_no_bus_carries_is_refused() -> None:
    with pytest.raises(Invalid, match="send it in parts"):
        node("a", MemoryStore()).tell("kind", b"x" * (MESSAGE_BYTES_MAX + 1))


# Together


def test_nodes_that_share_a_store_find_one_another(run: Run) -> None:
    async def find() -> None:
        store = SharedRecords()
        together = [node(name, store) for name in "abc"]
        async with running(*together):
            assert [one.live() for one in together] == [{"a", "b", "c"}] * 3
            assert all(one.fresh and one.is_live("b") for one in together)

    run(find)


def test_a_node_that_dies_is_gone_after_three_seconds(run: Run) -> None:
    async def die() -> None:
        store = SharedRecords()
        a, b = node("a", store), node("b", store)
        changes: list[frozenset[str]] = []
        async with running(a, b) as scopes:
            a.changed.append(lambda: changes.append(a.live()))
            scopes["b"].cancel()
            await anyio.sleep(NODE_SILENT_SECONDS_MAX - BEAT_SECONDS)
            assert a.is_live("b")
            await anyio.sleep(2 * BEAT_SECONDS)

            assert changes == [{"a"}]

    run(die)


def test_nobody_is_declared_dead_while_the_store_is_away_nor_right_after_it(
    run: Run, caplog: pytest.LogCaptureFixture
) -> None:
    async def away() -> None:
        store = SharedRecords()
        a, b = node("a", store), node("b", store)
        async with running(a, b) as scopes:
            store.away = True
            await anyio.sleep(60)
            assert not a.fresh
            assert a.live() == {"a", "b"}
            store.away = False
            scopes["b"].cancel()
            await anyio.sleep(2)
            assert not a.fresh
            assert a.live() == {"a", "b"}
            await anyio.sleep(3)
            assert a.fresh
            assert a.live() == {"a"}

    with caplog.at_level(logging.WARNING):
        run(away)

    assert sum("cannot be read" in line for line in caplog.messages) == 2
    assert sum("can be read again" in line for line in caplog.messages) >= 1


def test_a_node_that_was_stopped_itself_declares_nobody_dead(run: Run) -> None:
    async def stop() -> None:
        store = SharedRecords()
        a, b = node("a", store), node("b", store)
        async with running(a, b) as scopes:
            scopes["a"].cancel()
            scopes["b"].cancel()
            await anyio.sleep(10)
            assert not a.fresh
            await a.beat()

            assert not a.fresh
            assert a.live() == {"a", "b"}

    run(stop)


def test_a_node_that_leaves_gives_its_jobs_away_at_once(run: Run) -> None:
    async def leave() -> None:
        store = SharedRecords()
        a, b = node("a", store), node("b", store)
        async with running(a, b):
            await b.leave()
            await anyio.sleep(BEAT_SECONDS)

            assert a.leaving() == {"b"}
            assert a.is_live("b")
            assert all(a.owns(f"job/{n}") for n in range(50))

    run(leave)


def test_each_job_has_one_owner_and_only_a_dead_nodes_jobs_move(run: Run) -> None:
    async def own() -> None:
        store = SharedRecords()
        a, b, c = three = [node(name, store) for name in "abc"]
        jobs = [f"agenda/{n}" for n in range(60)]
        async with running(*three) as scopes:
            before = [a.owner(job) for job in jobs]
            assert before == [b.owner(job) for job in jobs] == [c.owner(job) for job in jobs]
            assert all(before.count(name) >= 8 for name in "abc")
            scopes["c"].cancel()
            await anyio.sleep(5)

            after = [a.owner(job) for job in jobs]
            assert all(now == then for now, then in zip(after, before, strict=True) if then != "c")
            assert set(after) == {"a", "b"}

    run(own)


async def test_a_store_that_does_not_answer_does_not_keep_a_node_from_leaving(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gate = Gate(is_open=False)

    class Hanging(SharedRecords):
        blocking = True

        def beat(self, node: str, name: str, version: str, *, leaving: bool) -> list[NodeRecord]:
            gate.go_through()
            return super().beat(node, name, version, leaving=leaving)

    monkeypatch.setattr(nodes, "LEAVE_SECONDS_MAX", 0.1)
    with anyio.fail_after(5):
        await node("a", Hanging()).leave()
    gate.open()
