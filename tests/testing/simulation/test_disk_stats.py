from __future__ import annotations

from dataclasses import asdict

from hubbub.testing.simulation.disk_stats import DiskCounts, DiskStats


def test_the_stats_are_the_counts() -> None:
    assert asdict(DiskStats(**asdict(DiskCounts(writes=3)))) == asdict(DiskCounts(writes=3))
