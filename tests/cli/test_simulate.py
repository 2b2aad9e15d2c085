"""``hubbub simulate``."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from hubbub.cli.app import app
from hubbub.wire.follower import RemoteFollower


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["simulate", "--hours", "0.05", *arguments])
    return result.exit_code, result.output


def test_seeds_that_pass_are_summed_up() -> None:
    code, said = run("--seeds", "2", "--fault-seconds", "60")

    assert code == 0
    assert "2 seeds, 0.1 simulated hours on asyncio" in said
    assert "no promise is broken" in said


def test_a_failing_seed_is_told_with_what_repeats_it(monkeypatch: pytest.MonkeyPatch) -> None:
    put = RemoteFollower.put

    def forget_the_fifth(self: RemoteFollower, seq: int, body: bytes) -> None:
        if seq == 5:
            self.last = seq
        else:
            put(self, seq, body)

    monkeypatch.setattr(RemoteFollower, "put", forget_the_fifth)
    code, said = run("--seed", "3", "--backend", "trio", "--nodes", "1")

    assert code == 1
    assert "saw event 6 where 5 should be" in said
    assert "It fails without a fault." in said
    assert "hubbub simulate --seed 3 --hours 0.05 --clients 5 --backend trio" in said
    assert "--nodes 1" in said


def test_a_workload_that_is_not_there_is_an_error() -> None:
    code, said = run("--workload", "hubbub:Nothing")

    assert code == 2
    assert "has no Nothing" in said
