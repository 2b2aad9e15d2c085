from __future__ import annotations

import pytest

from hubbub.games import known_nodes
from hubbub.games.known_nodes import STRANGERS_MAX, KnownNodes
from hubbub.journal.cluster.nodes import NODE_SILENT_SECONDS_MAX, Nodes
from hubbub.journal.stores.memory import MemoryStore
from hubbub.testing import ManualClock


class Known(KnownNodes):
    """The nodes that one of them knows, at a time that is set."""

    def __init__(self, *, alone: bool = False) -> None:
        self.clock = ManualClock()
        self.nodes = Nodes("me", MemoryStore(), self.clock)
        super().__init__(self.nodes, self.clock.monotonic, alone=alone)

    def live(self, *nodes: str, leaving: tuple[str, ...] = ()) -> None:
        self.nodes._put(frozenset({"me", *nodes}), frozenset(leaving))
        self.look()


def test_a_node_that_died_is_gone() -> None:
    known = Known()
    known.live("other")
    assert not known.is_gone("other")
    known.live()

    assert known.is_gone("other")
    assert not known.is_there("other")
    assert not known.is_gone("me")


def test_a_node_that_shuts_down_is_gone_though_it_still_lives() -> None:
    known = Known()
    known.live("other", leaving=("other", "me"))

    assert known.is_gone("other")
    assert known.is_there("other")
    assert not known.is_gone("me")


async def test_a_node_that_may_have_just_joined_is_not_gone_yet() -> None:
    known = Known()
    assert not known.is_gone("new")
    await known.clock.advance(NODE_SILENT_SECONDS_MAX - 0.1)
    assert known.is_there("new")
    await known.clock.advance(0.1)
    assert known.is_gone("new")
    known.live("new")

    assert not known.is_gone("new")


def test_without_other_nodes_all_others_are_gone() -> None:
    known = Known(alone=True)

    assert known.is_gone("before the restart")
    assert not known.is_there("")
    assert known.is_there("me")


def test_strangers_are_forgotten_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    assert STRANGERS_MAX > 2
    monkeypatch.setattr(known_nodes, "STRANGERS_MAX", 2)
    known = Known()
    for node in "abc":
        known.is_gone(node)

    assert list(known._strangers) == ["b", "c"]
