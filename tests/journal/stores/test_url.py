from __future__ import annotations

from pathlib import Path

import anyio
import pytest

from hubbub.errors import Invalid
from hubbub.journal.stores.memory import MemoryStore
from hubbub.journal.stores.sqlite import SQLiteStore
from hubbub.journal.stores.url import close_store, open_store


def test_a_url_names_a_store(tmp_path: Path) -> None:
    store = open_store(str(tmp_path / "hubbub.db"))
    store.close()

    assert isinstance(store, SQLiteStore)
    assert isinstance(open_store("memory://"), MemoryStore)


def test_another_scheme_is_refused() -> None:
    with pytest.raises(Invalid, match="memory://"):
        open_store("redis://here")


async def test_a_store_is_closed_though_its_user_is_cancelled(tmp_path: Path) -> None:
    path = str(tmp_path / "hubbub.db")
    store = await anyio.to_thread.run_sync(open_store, path)
    with anyio.CancelScope() as scope:
        scope.cancel()
        await close_store(store)

    await close_store(await anyio.to_thread.run_sync(open_store, path))
