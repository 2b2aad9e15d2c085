from __future__ import annotations

from collections import Counter

from hubbub.journal.shards import STREAM_SHARDS, stream_shard, stream_shards


def test_what_is_about_one_stream_is_always_in_one_shard() -> None:
    # These are in databases.
    assert stream_shard("agenda/matches", "match/01") == "agenda/matches/0"
    assert stream_shard("agenda/boards", "board/main") == "agenda/boards/8"
    assert stream_shard("index/rooms", "room/\u00e9\u6771\U0001f600") == "index/rooms/9"


def test_entries_are_spread_over_all_shards() -> None:
    shards = Counter(stream_shard("agenda/matches", f"match/{number}") for number in range(1_600))

    assert set(shards) == set(stream_shards("agenda/matches"))
    assert max(shards.values()) < 2 * 1_600 / STREAM_SHARDS


def test_what_is_not_text_has_a_shard_too() -> None:
    # A client can send any name; that it is not one is found out later.
    assert stream_shard("index/rooms", "room/\ud800").startswith("index/rooms/")
