"""The key store in worker threads: a step that has begun is finished, one at a time."""

from __future__ import annotations

import threading
from pathlib import Path

import anyio
import pytest
from anyio import to_thread

from hubbub.encryption.disk import Disk
from hubbub.encryption.store import KeyStore, RowChange
from hubbub.errors import StorageError
from tests.encryption.test_store import opened


async def test_a_step_that_has_begun_is_finished_although_it_is_cancelled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, goes_on = threading.Event(), threading.Event()
    write = KeyStore.write

    def slow(self: KeyStore, *args: object) -> None:
        begun.set()
        goes_on.wait(5)
        write(self, *args)  # type: ignore[arg-type]

    store = await to_thread.run_sync(opened, tmp_path / "keys")
    disk = Disk(store)
    monkeypatch.setattr(KeyStore, "write", slow)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(disk.write, [RowChange("meta", "cursor", b"9")])
        await to_thread.run_sync(begun.wait, 5)
        tasks.cancel_scope.cancel()
        goes_on.set()

    assert await disk.ask(store.get, "meta", "cursor") == b"9"
    await to_thread.run_sync(store.close)


async def test_a_step_that_has_not_begun_is_not_taken(tmp_path: Path) -> None:
    store = await to_thread.run_sync(opened, tmp_path / "keys")
    disk = Disk(store)
    with anyio.CancelScope() as scope:
        scope.cancel()
        await disk.write([RowChange("meta", "cursor", b"9")])

    assert await disk.ask(store.get, "meta", "cursor") is None
    await to_thread.run_sync(store.close)


async def test_steps_are_taken_in_the_order_they_were_asked_for(tmp_path: Path) -> None:
    store = await to_thread.run_sync(opened, tmp_path / "keys")
    disk = Disk(store)
    async with anyio.create_task_group() as tasks:
        for number in range(20):
            tasks.start_soon(disk.write, [RowChange("meta", "cursor", str(number).encode())])
            await anyio.wait_all_tasks_blocked()

    assert await disk.ask(store.get, "meta", "cursor") == b"19"
    await to_thread.run_sync(store.close)


async def test_an_error_of_the_store_reaches_the_caller_and_the_next_step_goes_on(
    tmp_path: Path,
) -> None:
    store = await to_thread.run_sync(opened, tmp_path / "keys")
    disk = Disk(store)
    broken = [RowChange("meta", "cursor", b"9"), RowChange(None, None, b"")]  # type: ignore[arg-type]

    def refuse() -> None:
        raise StorageError("the disk is full")

    with pytest.raises(StorageError):
        await disk.ask(refuse)
    with pytest.raises((StorageError, TypeError)):
        await disk.write([*broken, RowChange("meta", "cursor", object())])  # type: ignore[arg-type]

    assert await disk.ask(store.get, "meta", "cursor") is None
    await disk.write([RowChange("meta", "cursor", b"10")])
    assert await disk.ask(store.get, "meta", "cursor") == b"10"
    await to_thread.run_sync(store.close)
