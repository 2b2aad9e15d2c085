"""A file of keys is read again when it has changed; what it means is tested with tokens."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from hubbub.errors import Invalid
from hubbub.server.auth.key_file import KeyFile
from tests.server.auth.test_keys import EC, OKP


def write(path: Path, *keys: object, at: int) -> None:
    path.write_text(json.dumps({"keys": keys}))
    os.utime(path, (at, at))


def test_it_is_read_again_when_it_has_changed(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    write(path, EC, at=1)
    file = KeyFile(path)
    first, again = file.current(), file.current()
    write(path, OKP, at=2)

    assert again is first
    assert [key.algorithm_name for key in file.current()] == ["EdDSA"]


def test_a_file_without_keys_is_an_error_that_names_it(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    with pytest.raises(Invalid, match=r"keys\.json"):
        KeyFile(path).read()
    write(path, at=1)
    with pytest.raises(Invalid, match=r"keys\.json cannot be used\. It has no key"):
        KeyFile(path).read()
