from __future__ import annotations

from hubbub.journal.cluster.bus import SHARDS
from hubbub.journal.cluster.hearing import PEER_SILENT_SECONDS_MAX, Hearing
from hubbub.journal.cluster.nodes import BEAT_SECONDS, NODE_SILENT_SECONDS_MAX

LATER = PEER_SILENT_SECONDS_MAX + 0.1


def missed(hearing: Hearing, now: float) -> list[int]:
    return [shard for shard in range(SHARDS) if hearing.misses(shard, now)]


def test_a_node_is_missed_in_the_shards_in_which_it_was_not_heard() -> None:
    hearing = Hearing()
    hearing.expect(["a", "b"], 0)
    for node, shard in [("a", 0), ("b", 0), ("a", 1), ("stranger", 2)]:
        hearing.note(node, shard, 1)

    assert missed(hearing, PEER_SILENT_SECONDS_MAX) == []
    assert missed(hearing, LATER) == list(range(1, SHARDS))


def test_a_node_that_is_gone_is_not_missed_and_a_new_node_has_time() -> None:
    hearing = Hearing()
    hearing.expect(["a"], 0)
    hearing.expect(["b"], LATER)

    assert missed(hearing, LATER) == []
    assert missed(hearing, 2 * LATER) == list(range(SHARDS))
    hearing.restart(2 * LATER)
    assert missed(hearing, 2 * LATER) == []


def test_a_dead_node_is_known_before_it_is_missed() -> None:
    assert PEER_SILENT_SECONDS_MAX >= NODE_SILENT_SECONDS_MAX + 2 * BEAT_SECONDS
