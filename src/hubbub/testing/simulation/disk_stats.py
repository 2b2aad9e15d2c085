"""Counts of what a simulated disk did, and what befell it."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["DiskCounts", "DiskStats"]


@dataclass(frozen=True, slots=True)
class DiskStats:
    """
    Counts of writes and faults, so that a run can prove that its faults took place.

    Args:
        writes: writes that the disk took.
        syncs: syncs that the disk did.
        power_losses: how often it lost power.
        writes_dropped: unsynced writes that a power loss dropped.
        writes_torn: unsynced writes of which a power loss kept some sectors.
        names_lost: files whose creation or deletion a power loss undid.
        refused_full: writes that found it full.
        failures: reads, writes and syncs that failed by chance.
    """

    writes: int
    syncs: int
    power_losses: int
    writes_dropped: int
    writes_torn: int
    names_lost: int
    refused_full: int
    failures: int


@dataclass(slots=True)
class DiskCounts:
    """The counts of a disk, which returns them as :class:`DiskStats`."""

    writes: int = 0
    syncs: int = 0
    power_losses: int = 0
    writes_dropped: int = 0
    writes_torn: int = 0
    names_lost: int = 0
    refused_full: int = 0
    failures: int = 0
