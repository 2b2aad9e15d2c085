from __future__ import annotations

import anyio

from hubbub.journal.cluster.frame_queue import FrameQueue


async def test_frames_are_taken_in_order_and_only_so_many_at_once() -> None:
    queue = FrameQueue(100)
    for shard in range(3):
        queue.put(shard, b"%d" % shard)

    assert await queue.take(2) == [(0, b"0"), (1, b"1")]
    assert await queue.take(2) == [(2, b"2")]
    assert queue.size == 0


async def test_a_frame_without_room_is_dropped_until_others_are_taken() -> None:
    queue = FrameQueue(3)
    for frame in (b"ab", b"cd", b"e"):
        queue.put(0, frame)
    taken = await queue.take()
    queue.put(0, b"fgh")

    assert taken == [(0, b"ab"), (0, b"e")]
    assert await queue.take() == [(0, b"fgh")]


async def test_a_task_waits_for_a_frame_also_after_it_has_taken_all() -> None:
    queue = FrameQueue(3)
    queue.put(0, b"a")
    await queue.take()
    taken = []

    async def take() -> None:
        taken.append(await queue.take())

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(take)
        await anyio.wait_all_tasks_blocked()
        assert taken == []
        queue.put(1, b"b")

    assert taken == [[(1, b"b")]]
