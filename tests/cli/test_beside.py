"""Several things beside each other."""

from __future__ import annotations

import anyio
import pytest

from hubbub import Conflict, NotFound
from hubbub.cli.beside import first_to_end


async def test_the_first_to_end_ends_the_others() -> None:
    done: list[str] = []

    async def quick() -> None:
        done.append("quick")

    async def endless() -> None:
        try:
            await anyio.sleep_forever()
        finally:
            done.append("endless")

    await first_to_end(endless, quick)

    assert done == ["quick", "endless"]


async def test_a_refusal_comes_out_by_itself() -> None:
    async def refused() -> None:
        raise NotFound("There is none.")

    with pytest.raises(NotFound):
        await first_to_end(anyio.sleep_forever, refused)


async def test_of_two_refusals_the_first_is_told() -> None:
    async def refused() -> None:
        raise NotFound("There is none.")

    async def refused_later() -> None:
        try:
            await anyio.sleep_forever()
        finally:
            raise Conflict("Not now.")

    with pytest.raises(NotFound):
        await first_to_end(refused_later, refused)


async def test_a_fault_is_not_hidden() -> None:
    async def faulty() -> None:
        raise ZeroDivisionError

    with pytest.raises(ExceptionGroup) as raised:
        await first_to_end(anyio.sleep_forever, faulty)

    assert raised.group_contains(ZeroDivisionError)
