"""Power losses under a database: what was acknowledged before, and what is there after."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import NamedTuple

from hubbub.encryption.sealing import Passphrase
from hubbub.encryption.store import KeyStore, MessageRow, RowChange
from hubbub.errors import StorageError
from hubbub.journal.stores.contract import Batch, Record, Snapshot, Used
from hubbub.journal.stores.sqlite import SQLiteStore
from hubbub.testing.simulation.disk import Disk
from tests.journal.tally import NOON

# How many power losses a test tries: a number of seeds. Set it to try more.
POWER_LOSSES = int(os.environ.get("HUBBUB_POWER_LOSSES", "40"))
# A new database takes about 45 steps; the most interesting ones follow.
STEPS_MAX = 400
EVER = 1 << 62
QUICK = Passphrase(b"0" * 16, memory=8, iterations=1, lanes=1)


class Loss(NamedTuple):
    """
    The outcome of a power loss.

    Args:
        acknowledged: how much was acknowledged before.
        found: how much is there after, without a gap.
        problem: what is wrong with the rest; empty if nothing is.
    """

    acknowledged: int
    found: int
    problem: str


def lose_power(
    directory: Path, seed: int, write: Callable[[Path, Random], int], check: Callable[[Path], Loss]
) -> Loss:
    """Write until the power is lost, and look what is there after."""
    random, path = Random(f"writes {seed}"), directory / "hubbub.db"
    with Disk(Random(f"disk {seed}"), directory) as disk:
        disk.lose_power(after=random.randrange(STEPS_MAX))
        acknowledged = write(path, random)
        assert not disk.has_power
        disk.restore()
        return check(path)._replace(acknowledged=acknowledged)


def commit_events(path: Path, random: Random, *, synced: bool = True) -> int:
    """Commit batches until the store fails; return the last seq that it acknowledged."""
    last = 0
    with suppress(StorageError):
        store = SQLiteStore(path)
        try:
            if not synced:
                store._writer.pragma("synchronous", "normal")
            while True:
                batch = batch_of(last, random)
                store.commit(batch)
                last = batch.records[-1].seq
                if synced and random.random() < 0.2:
                    store.catch_up()
        finally:
            store.close()
    return last


def check_events(path: Path) -> Loss:
    store = SQLiteStore(path)
    try:
        seqs = [record.seq for record in store.records("room/1", 0, EVER)]
        keys = [store.used("ann", f"key {seq}") for seq in seqs if seq % 7 == 0]
        snapshot = store.load("room/1").snapshot
        [(integrity,)] = store._writer.execute("PRAGMA integrity_check")
    finally:
        store.close()
    problems = [
        "a gap" if seqs != list(range(1, len(seqs) + 1)) else "",
        "a key is missing" if None in keys else "",
        "a snapshot of the future" if snapshot is not None and snapshot.seq > len(seqs) else "",
        str(integrity) if integrity != "ok" else "",
    ]
    return Loss(0, len(seqs), ", ".join(filter(None, problems)))


def batch_of(last: int, random: Random) -> Batch:
    records = [event(seq, random) for seq in range(last + 1, last + 1 + random.randint(1, 20))]
    used = [Used("ann", f"key {r.seq}", b"f", (("room/1", r.seq),)) for r in records]
    snapshots = []
    if random.random() < 0.1:
        snapshots = [Snapshot("room/1", records[-1].seq, NOON, b"{}", [b"{}"])]
    return Batch(records, used=[u for u in used if not u.places[0][1] % 7], snapshots=snapshots)


def event(seq: int, random: Random) -> Record:
    text = "x" * random.randint(1, 300)
    body = (
        f'{{"stream":"room/1","seq":{seq},"at":"2026-01-01T00:00:00Z","by":"ann","ref":null,'
        f'"type":"message","text":"{text}"}}'
    )
    return Record("room/1", seq, "message", "ann", None, body.encode())


def write_keys(path: Path, random: Random) -> int:
    """Write steps of a device until its store fails; return the last that it acknowledged."""
    last = 0
    with suppress(StorageError), KeyStore(path, "words", QUICK) as store:
        while True:
            seq = last + 1
            value = b"x" * random.randint(1, 500)
            store.write(
                [RowChange("step", "last", b"%d" % seq)],
                [MessageRow("room/1", seq, seq, "", value)],
                [("session", seq, seq)],
            )
            last = seq
    return last


def check_keys(path: Path) -> Loss:
    with KeyStore(path, "words", QUICK) as store:
        last = int(store.get("step", "last") or 0)
        seqs = store.page("room/1", 0, EVER, EVER, newest=False)
        read = [row.seq for row in store.messages("room/1", seqs[:500])]
        highest = max(store.highest("session"), 0)
        [(integrity,)] = store._db.execute("PRAGMA integrity_check")
    problems = [
        "half of a step" if not (seqs == list(range(1, last + 1)) and highest == last) else "",
        "a message cannot be read" if read != seqs[:500] else "",
        str(integrity) if integrity != "ok" else "",
    ]
    return Loss(0, last, ", ".join(filter(None, problems)))
