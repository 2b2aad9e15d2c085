"""The slash commands of an encrypted chat."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hubbub.cli.encryption_commands import ENCRYPTION_COMMANDS
from tests.cli.program import run_program
from tests.cli.test_encryption import chatting


def test_two_users_verify_each_other(tmp_path: Path, address: str) -> None:
    with (
        chatting(tmp_path, address, "Verify", "Vera") as vera,
        chatting(tmp_path, address, "Verify", "Will") as will,
    ):
        vera.line_with("Will joined")
        vera.type("/verify Will")
        will.type("/verify Vera")
        shown = [one.line_with("Compare these numbers") for one in (vera, will)]
        first, second = (re.findall(r"\b\d{4}\b", line.partition(": ")[2]) for line in shown)
        for one in (vera, will):
            one.line_with("Type /match")
            one.type("/match")

        vera.line_with("You have verified Will.")
        will.line_with("You have verified Vera.")
        assert len(first) == 3
        assert first == second
        assert (vera.end(), will.end()) == (0, 0)


def test_a_fingerprint_and_a_device_are_shown(tmp_path: Path, address: str) -> None:
    with chatting(tmp_path, address, "Fingers", "Ann") as ann:
        ann.type("/fingerprint")
        fingerprint = ann.line_with("Your key: ")
        ann.type("/devices")

        assert ann.line_with("this device")
        assert len(fingerprint.partition("key: ")[2].split()) == 16
        assert ann.end() == 0


@pytest.mark.parametrize("name", [*ENCRYPTION_COMMANDS])
def test_in_a_plain_chat_they_say_how_to_encrypt(tmp_path: Path, address: str, name: str) -> None:
    done = run_program(tmp_path, "chat", address, "Plain", typed=f"/{name} Bob\n")

    assert done.code == 1
    assert "--encrypted" in done.err or "not verifying" in done.err
