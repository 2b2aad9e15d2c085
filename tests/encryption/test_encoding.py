from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubbub.encryption.encoding import from_base64, to_base64


@given(st.binary(max_size=100))
def test_what_is_encoded_is_decoded(data: bytes) -> None:
    assert from_base64(to_base64(data)) == data


@given(st.binary(max_size=100))
def test_there_is_no_padding(data: bytes) -> None:
    assert "=" not in to_base64(data)


@pytest.mark.parametrize("text", ["a", "ä", "a b", "!!!!"])
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  (base64 has its own words)
        from_base64(text)
