"""Bugs of the kinds that such systems have, to see that the simulation finds each."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import anyio
import msgspec
import pytest

import hubbub
from hubbub.client.remote import RemoteSession
from hubbub.errors import HubbubError, StorageError
from hubbub.games.matches import match_commands
from hubbub.journal.cluster.comparison import StoreComparison
from hubbub.journal.cluster.nodes import Nodes
from hubbub.journal.decide.committer import Committer
from hubbub.journal.store_clock import StoreClock
from hubbub.journal.stores.memory import MemoryStore
from hubbub.journal.stores.memory_holds import Locks
from hubbub.journal.threads import Threads
from hubbub.money import Money
from hubbub.ratelimit import SlidingWindow
from hubbub.server.sign_in_watch import SignInWatch
from hubbub.shop.payments.claims import Claims
from hubbub.shop.payments.payment import Payment
from hubbub.shop.payments.processor import PaymentProcessor
from hubbub.simulator import PlannedFault, RunOptions, run_seed
from hubbub.simulator.provider import FlakyProvider
from hubbub.simulator.world import World
from hubbub.testing import VirtualClock
from hubbub.testing.simulation import Deadlock, cancel_everywhere, simulate
from hubbub.users import commands as user_commands
from hubbub.wake_up import WakeUp
from hubbub.wire.follower import RemoteFollower
from hubbub.wire.resumption import Resumption
from tests.event_loop import Backend

__all__ = ["BUGS", "Found", "PlantedBug", "hunt"]

# How long each bug may hide, in real seconds.
HIDES_SECONDS_MAX = 300.0
HOURS = 0.5

Plant = Callable[[pytest.MonkeyPatch], None]


class Found(NamedTuple):
    """The check that found a bug, the seed or place, and the real seconds that it took."""

    check: str
    where: str
    seconds: float


class PlantedBug(NamedTuple):
    """A bug, and what looks for it."""

    name: str
    plant: Plant
    look: Callable[[int, Backend], None]


def hunt(bug: PlantedBug, backend: Backend) -> Found:
    """
    Look for a planted bug, seed after seed.

    Raises:
        AssertionError: it was not found in time.
    """
    began = time.perf_counter()
    seed = 0
    while time.perf_counter() - began < HIDES_SECONDS_MAX:
        try:
            bug.look(seed, backend)
        except Exception as error:
            leaf = _leaf(error)
            if not isinstance(leaf, (AssertionError, Deadlock, HubbubError)):
                raise
            notes = getattr(error, "__notes__", [""])
            where = notes[0] if bug.look is cancelled_openings else f"seed {seed}"
            said = f"{type(leaf).__name__}: {str(leaf).splitlines()[0][:90]}"
            return Found(said, where, time.perf_counter() - began)
        seed += 1
    raise AssertionError(f"{bug.name} was not found in {HIDES_SECONDS_MAX:.0f} s.")


def whole_system(seed: int, backend: Backend) -> None:
    """Run a seed of the whole system."""
    run_seed(seed, RunOptions(backend=backend, hours=HOURS, nodes=1))


def whole_cluster(seed: int, backend: Backend) -> None:
    """Run a seed of three nodes, to which much happens."""
    options = RunOptions(
        backend=backend, hours=0.2, fault_seconds=25.0, action_seconds=8.0, nodes=3
    )
    run_seed(seed, options)


def busy_cluster(seed: int, backend: Backend) -> None:
    """Run a seed of three nodes, where many users act at the same time."""
    options = RunOptions(
        backend=backend, hours=0.02, clients=20, fault_seconds=0, action_seconds=0.5, nodes=3
    )
    run_seed(seed, options)


def late_cluster(seed: int, backend: Backend) -> None:
    """Run a seed of two nodes whose clocks are almost an hour behind."""
    options = RunOptions(backend=backend, hours=0.1, action_seconds=3.0, nodes=2)
    run_seed(
        seed, options, [PlannedFault(1.0, "clock jump", -1700.0, 0, node) for node in range(2)]
    )


def troubled_cluster(kind: str, seconds: float, pause: float, seed: int, backend: Backend) -> None:
    """Run a seed of two nodes, one of which is in the same trouble again and again."""
    options = RunOptions(backend=backend, hours=0.1, action_seconds=3.0, nodes=2)
    times = int(0.1 * 3600 / (seconds + pause))
    plan = [
        PlannedFault((seconds + pause) * turn + pause, kind, seconds, 0, 0) for turn in range(times)
    ]
    run_seed(seed, options, plan)


def cancelled_openings(seed: int, backend: Backend) -> None:
    """Cancel everywhere a program that opens a database; then open it again."""

    async def main(path: str) -> None:
        settings = hubbub.Settings(clock=VirtualClock())

        async def use() -> None:
            async with hubbub.open(path, settings=settings) as hub, hub.session("ann") as ann:
                await ann.chat.create_room("Lobby")

        async def check(cancelled: bool) -> None:
            with anyio.CancelScope(shield=True):
                async with hubbub.open(path, settings=settings):
                    pass

        await cancel_everywhere(use, check=check)

    with TemporaryDirectory() as folder:
        simulate(main, str(Path(folder) / "hubbub.db"), backend=backend, seed=seed)


def _missing_shield(patch: pytest.MonkeyPatch) -> None:
    async def close_store(store: Any) -> None:
        await Threads(1).run(store.close)

    patch.setattr("hubbub.hub.close_store", close_store)


def _publish_before_commit(patch: pytest.MonkeyPatch) -> None:
    commit = Committer._commit

    async def publish_first(self: Any, decided: Any) -> None:
        publish = self._publish
        publish(decided.events, decided.batch.records)
        self._publish = lambda events, records: None
        try:
            await commit(self, decided)
        finally:
            self._publish = publish

    patch.setattr(Committer, "_commit", publish_first)


def _answer_before_commit(patch: pytest.MonkeyPatch) -> None:
    commit = Committer._commit

    async def answer_first(self: Any, decided: Any) -> None:
        for call in decided.calls:
            self.finish(call)
        decided.calls = []
        await commit(self, decided)

    patch.setattr(Committer, "_commit", answer_first)


def _memory_ahead(patch: pytest.MonkeyPatch) -> None:
    def keep_memory(self: Any, decided: Any, error: Exception) -> None:
        for call in decided.calls:
            call.error = StorageError(str(error))

    patch.setattr(Committer, "_fail", keep_memory)


def _without_key(patch: pytest.MonkeyPatch) -> None:
    async def repeat_without_key(self: Any, method: Any, arguments: Any) -> Any:
        # Some methods take no call without a key; messages do.
        without = {"key"} if method.name.startswith("chat.") else set[str]()
        params = {name: value for name, value in arguments.items() if name not in without}
        if method.keyed and not without and params.get("key") is None:
            params["key"] = self._ids.new()
        result = await self._connection.call(method.name, params)
        return msgspec.json.decode(result, type=method.result)

    patch.setattr(RemoteSession, "_call", repeat_without_key)


def _swallowed_gap(patch: pytest.MonkeyPatch) -> None:
    put = RemoteFollower.put
    seen: list[int] = []

    def forget_some(self: RemoteFollower, seq: int, body: bytes) -> None:
        seen.append(seq)
        if len(seen) % 500 == 0:
            self.last = seq
        else:
            put(self, seq, body)

    patch.setattr(RemoteFollower, "put", forget_some)


def _one_too_many(patch: pytest.MonkeyPatch) -> None:
    begin = SlidingWindow.__init__

    def one_more(self: SlidingWindow, limit: int, period: float, what: str = "requests") -> None:
        begin(self, limit + 1, period, what)

    patch.setattr(SlidingWindow, "__init__", one_more)


def _lost_wake_up(patch: pytest.MonkeyPatch) -> None:
    async def forget_and_wait(self: Any) -> None:
        self._event = anyio.Event()
        await self._event.wait()

    patch.setattr(WakeUp, "wait", forget_and_wait)


def _not_asked_again(patch: pytest.MonkeyPatch) -> None:
    disconnected = Resumption.disconnected

    def forget_sent(self: Any, *, too_big: bool = False) -> None:
        disconnected(self, too_big=too_big)
        for number in [n for n, request in self._requests.items() if request.sent]:
            del self._requests[number]

    patch.setattr(Resumption, "disconnected", forget_sent)


def _double_charge(patch: pytest.MonkeyPatch) -> None:
    ask, capture = PaymentProcessor._ask, FlakyProvider.capture

    async def ask_nobody(self: Any, settling: Any) -> Payment:
        if settling.payment is None:
            return Payment(settling.order.id, "authorized")
        return await ask(self, settling)

    async def capture_with_a_new_key(
        self: FlakyProvider, key: str, payment_id: str, amount: Money
    ) -> Payment:
        # A provider charges for each key.
        account = self.accounts.get(key)
        if account is not None and account.status == "captured":
            account.captured.append(amount)
        return await capture(self, key, payment_id, amount)

    patch.setattr(PaymentProcessor, "_ask", ask_nobody)
    patch.setattr(FlakyProvider, "capture", capture_with_a_new_key)


def _no_locks(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Locks, "has", lambda self, hold: True)
    take = Locks.take

    def take_nothing(self: Any, names: Any, commit: Any) -> Any:
        return take(self, (), commit)

    patch.setattr(Locks, "take", take_nothing)
    # Otherwise most decisions are right, because the next seq of a stream is taken once.
    patch.setattr(MemoryStore, "_check", lambda self, records: None)


def _unchecked_claim(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(match_commands, "check_claim", lambda states, stream, claim: None)


def _unnoticed_loss(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(StoreComparison, "mark", lambda self, shards: None)


def _settled_by_all(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Claims, "is_mine", lambda self, claimed, *, called=False: True)


def _own_clock(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(StoreClock, "learn", lambda self, told, asked: None)


def _immortal_users(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Nodes, "is_live", lambda self, node: True)


def _ignored_sign_outs(patch: pytest.MonkeyPatch) -> None:
    begin, new_node = user_commands.begin_session, World._new_node
    # Each node has a clock of its own.
    ignoring: list[object] = []

    def note_the_first(self: World, number: int, machine: Any) -> Any:
        node = new_node(self, number, machine)
        if number == 0:
            ignoring[:] = [node.clock]
        return node

    def ignore(
        states: Any, by: str, nickname: Any, reference: Any, settings: Any, **more: Any
    ) -> Any:
        if not reference.fresh and settings.clock in ignoring:
            reference = msgspec.structs.replace(reference, session=None)
        return begin(states, by, nickname, reference, settings, **more)

    patch.setattr(World, "_new_node", note_the_first)
    patch.setattr(user_commands, "begin_session", ignore)


def _connections_outlive_sign_outs(patch: pytest.MonkeyPatch) -> None:
    def take_and_tell_nobody(self: Any, follower: Any, bodies: Sequence[bytes]) -> None:
        follower.cursor += len(bodies)

    patch.setattr(SignInWatch, "_take", take_and_tell_nobody)


stopped_nodes = partial(troubled_cluster, "stop", 8.0, 20.0)
absent_bus = partial(troubled_cluster, "bus away", 30.0, 10.0)

BUGS: Sequence[PlantedBug] = (
    PlantedBug("a missing shield", _missing_shield, cancelled_openings),
    PlantedBug("publish before commit", _publish_before_commit, whole_system),
    PlantedBug("answer before commit", _answer_before_commit, whole_system),
    PlantedBug("memory ahead after a failed commit", _memory_ahead, whole_system),
    PlantedBug("a repeated command without its key", _without_key, whole_system),
    PlantedBug("a swallowed gap", _swallowed_gap, whole_system),
    PlantedBug("an off-by-one in the limiter", _one_too_many, whole_system),
    PlantedBug("a double charge", _double_charge, whole_system),
    PlantedBug("a lost wake-up", _lost_wake_up, whole_system),
    PlantedBug("a sent request not asked again", _not_asked_again, whole_system),
    PlantedBug("no locks between nodes", _no_locks, busy_cluster),
    PlantedBug(
        "an unchecked claim of a match",
        _unchecked_claim,
        stopped_nodes,
    ),
    PlantedBug(
        "an unnoticed loss on the bus",
        _unnoticed_loss,
        absent_bus,
    ),
    PlantedBug("an order settled by all nodes", _settled_by_all, whole_cluster),
    PlantedBug("each node trusts its own clock", _own_clock, late_cluster),
    PlantedBug("a dead node lives on", _immortal_users, whole_cluster),
    PlantedBug("a sign-out that one node ignores", _ignored_sign_outs, whole_cluster),
    PlantedBug(
        "a connection that outlives its sign-out", _connections_outlive_sign_outs, whole_cluster
    ),
)


def _leaf(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
