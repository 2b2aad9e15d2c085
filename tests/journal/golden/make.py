"""
Makes the database of a release that the tests of later releases open and migrate.

Run it with the release installed that it is of, once, and keep what it writes:
``python -m tests.journal.golden.make 0.1.0``. Beside the database goes what each of its
streams folds into, as that release sees it.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import anyio
import msgspec
from argon2 import PasswordHasher

import hubbub
from hubbub.feature_set import FeatureSet
from hubbub.features import FEATURES
from hubbub.journal.event import PartedState, Streams
from hubbub.journal.stores.contract import Batch, Snapshot, Store
from hubbub.journal.stores.sqlite import SQLiteStore
from hubbub.shop.catalog.demo import put_on_sale

__all__ = ["GOLDEN", "folded_states", "renew_snapshots"]

GOLDEN = Path(__file__).parent
# Long enough for its room to have a snapshot.
MESSAGES = 256
PASSWORD = "correct horse battery"
PAGE = 1_000


def folded_states(store: Store) -> dict[str, Any]:
    """Fold every stream of a store from its first event; return the states as JSON has them."""
    streams = Streams(FeatureSet(FEATURES).streams)
    found = {}
    for stream, count in store.streams():
        state, seq = streams.empty(stream), 0
        while seq < count:
            for record in store.records(stream, seq, PAGE):
                state.apply(streams.decode(record.body))
                seq = record.seq
        kept = [state.kept(), *state.parts()] if isinstance(state, PartedState) else [state]
        found[stream] = [_decode(_encode(one)) for one in kept]
    return found


def renew_snapshots(path: Path) -> None:
    """Write the snapshots of a release as this version writes them."""
    streams = Streams(FeatureSet(FEATURES).streams)
    store = SQLiteStore(path)
    for old in store.snapshots("", PAGE):
        state = streams.empty(old.stream)
        for record in store.records(old.stream, 0, old.seq):
            state.apply(streams.decode(record.body))
        encoded = streams.encode_state(state)
        parts = tuple(encoded.parts)
        store.commit(
            Batch([], snapshots=[Snapshot(old.stream, old.seq, old.at, encoded.body, parts)])
        )
    store.close()


# A set has another order in each process.
_encode = msgspec.json.Encoder(order="deterministic").encode
_decode = msgspec.json.Decoder().decode


async def fill(path: Path) -> None:
    """Have two users chat, play and shop."""
    settings = hubbub.Settings(message_limit=10_000)
    async with hubbub.open(str(path), settings=settings) as hub:
        hub.accounts.hashing.hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
        async with (
            hub.session("ann", nickname="Ann") as ann,
            hub.session("bob", nickname="Bob") as bob,
            hub.session("root", nickname="Root", role="admin") as root,
        ):
            await root.users.create_account("root", PASSWORD)
            await root.users.set_role("root", "admin")
            await ann.users.create_account("Ann", PASSWORD)
            await chat(ann, bob)
            await root.games.create_board("speed")
            await play(ann, bob)
            await shop(ann, root)


async def chat(ann: hubbub.Session, bob: hubbub.Session) -> None:
    """Fill a room, and a direct conversation."""
    room = await ann.chat.create_room("Lobby", key="lobby")
    await bob.chat.join(room.id)
    for number in range(MESSAGES):
        await ann.chat.send(room.id, f"message {number}")
    said = await bob.chat.send(room.id, "an apple a day", key="apple")
    await ann.chat.react(room.id, said.seq, "👍")
    await bob.chat.edit(room.id, said.seq, "a banana a day")
    mistake = await bob.chat.send(room.id, "a mistake")
    await bob.chat.delete(room.id, mistake.seq)
    await ann.chat.mark_read(room.id, said.seq)
    await ann.chat.send_direct("bob", "only for Bob")
    await bob.chat.send_direct("ann", "only for Ann")


async def play(ann: hubbub.Session, bob: hubbub.Session) -> None:
    """Play a match to its end, and submit a score."""
    match = await ann.games.start_match(["ann", "bob"], key="match")
    await ann.games.add_score(match.id, 40)
    await bob.games.add_score(match.id, 100)
    await bob.games.submit("speed", 77, key="score")


async def shop(ann: hubbub.Session, root: hubbub.Session) -> None:
    """Buy something, and leave something in the cart."""
    await put_on_sale(root.shop)
    [product, *_] = await root.shop.products()
    await ann.shop.add_item(product.sku, 2)
    await ann.shop.checkout(payment="pm_card_visa", key="order")
    await ann.shop.add_item(product.sku)


def make(version: str) -> None:
    """Write the database and the states of a release."""
    path = GOLDEN / f"{version}.db"
    path.unlink(missing_ok=True)
    anyio.run(fill, path)
    store = SQLiteStore(path)
    while store.catch_up():
        pass
    states = folded_states(store)
    # Of one file, so that it can be kept.
    store._writer.pragma("wal_checkpoint", "truncate")
    store.close()
    (GOLDEN / f"{version}.json").write_bytes(msgspec.json.format(_encode(states), indent=1) + b"\n")


if __name__ == "__main__":
    make(sys.argv[1])
