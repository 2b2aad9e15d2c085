from __future__ import annotations

from hubbub.stream_names import user_stream


def test_a_users_stream_is_named_by_the_users_id() -> None:
    assert user_stream("ann") == "user/ann"
