from __future__ import annotations

from hubbub.journal.cluster.frames import Frame
from hubbub.journal.cluster.numbers import SENDERS_MAX, FrameNumbers


def test_frames_in_order_miss_nothing() -> None:
    numbers = FrameNumbers()

    assert [numbers.note(Frame("a", 0, n)) for n in range(1, 5)] == [False] * 4


def test_a_hole_is_noticed_once_and_by_shard_and_node() -> None:
    numbers = FrameNumbers()
    missed = [numbers.note(Frame(*which)) for which in [("a", 0, 1), ("a", 0, 3), ("a", 0, 4)]]

    assert missed == [False, True, False]
    assert not numbers.note(Frame("a", 1, 1))
    assert not numbers.note(Frame("b", 0, 1))


def test_a_node_that_is_new_with_a_later_number_has_sent_something_before() -> None:
    assert FrameNumbers().note(Frame("a", 0, 7))
    assert not FrameNumbers().note(Frame("a", 0, 1))


def test_a_heartbeat_tells_of_frames_that_did_not_come() -> None:
    numbers = FrameNumbers()

    assert not numbers.note(Frame("a", 0, 0, beat=1.0))
    assert numbers.note(Frame("a", 0, 1, beat=2.0))
    assert not numbers.note(Frame("a", 0, 1, beat=3.0))
    assert not numbers.note(Frame("a", 0, 2))


def test_a_frame_that_came_before_or_was_overtaken_is_not_new() -> None:
    numbers = FrameNumbers()
    numbers.note(Frame("a", 0, 5))

    assert [numbers.is_new(Frame("a", 0, n)) for n in (4, 5, 6)] == [False, False, True]
    assert numbers.is_new(Frame("a", 0, 5, beat=1.0))


def test_nodes_that_are_gone_or_too_many_are_forgotten() -> None:
    numbers = FrameNumbers()
    for n in range(SENDERS_MAX + 2):
        numbers.note(Frame(f"node {n}", 0, 1))
    numbers.forget(["node 500", "a node that never was"])

    assert numbers.is_new(Frame("node 0", 0, 1))
    assert numbers.is_new(Frame("node 500", 0, 1))
    assert not numbers.is_new(Frame("node 2", 0, 1))
