from __future__ import annotations

from collections.abc import Sequence

import anyio
import pytest

import hubbub
from hubbub import Hubbub, Settings, StorageError
from hubbub.journal.actor import Actor
from hubbub.journal.cluster.no_bus import NoBus
from hubbub.journal.cluster.relay import BUS_POLL_SECONDS
from hubbub.journal.event import Event
from hubbub.server import Gateway
from hubbub.server.gateway import COME_BACK, SIGNED_OUT
from hubbub.server.sign_in_watch import SignInWatch
from tests.event_loop import Backend
from tests.journal.cluster.kit import until
from tests.server.memory_socket import Client
from tests.users.node_kit import Cluster, in_cluster, signed_in


def closed(client: Client) -> int | None:
    return None if client.socket.closed is None else client.socket.closed[0]


@pytest.mark.parametrize("bus", [True, False])
def test_a_user_who_signs_out_on_one_node_is_out_on_all(backend: Backend, bus: bool) -> None:
    async def story(cluster: Cluster) -> None:
        async with cluster.node() as one, cluster.node() as two:
            gateway, other = Gateway(one), Gateway(two)
            ann, again, bob = [
                await signed_in(gateway, *who) for who in (("ann", "1"), ("ann", "2"), ("bob", "3"))
            ]
            away = await signed_in(other, "ann", "1")
            await away.ask("users.sign_out")
            start = anyio.current_time()
            await until(lambda: None not in (closed(ann), closed(away)))

            assert anyio.current_time() - start <= (0.1 if bus else BUS_POLL_SECONDS + 0.1)
            assert (closed(ann), closed(away)) == (SIGNED_OUT, SIGNED_OUT)
            assert (closed(again), closed(bob)) == (None, None)
            away = await signed_in(other, "ann", "4")
            await away.ask("users.sign_out", everywhere=True)
            await until(lambda: closed(again) == SIGNED_OUT)
            assert closed(bob) is None

    in_cluster(backend, story, None if bus else NoBus())


def test_a_user_who_gets_another_role_reconnects(backend: Backend) -> None:
    async def story(cluster: Cluster) -> None:
        async with (
            cluster.node() as one,
            cluster.node() as two,
            two.session("root", role="admin") as root,
        ):
            ann = await signed_in(Gateway(one), "ann", "1")
            await root.users.set_role("ann", "moderator")
            await until(lambda: closed(ann) == COME_BACK)

    in_cluster(backend, story)


def test_a_user_whom_an_admin_disables_is_out(backend: Backend) -> None:
    async def story(cluster: Cluster) -> None:
        async with (
            cluster.node() as one,
            cluster.node() as two,
            two.session("root", role="admin") as root,
        ):
            ann = await signed_in(Gateway(one), "ann", "1")
            await root.users.disable("ann")
            await until(lambda: closed(ann) == SIGNED_OUT)

    in_cluster(backend, story)


class Stream:
    """A response that follows a stream over HTTP."""

    def __init__(self, actor: Actor) -> None:
        self.actor = actor
        self.ended = False

    def end(self) -> None:
        self.ended = True


def test_a_stream_over_http_ends_with_its_sign_in(backend: Backend) -> None:
    async def story(cluster: Cluster) -> None:
        async with cluster.node() as one, cluster.node() as two:
            gateway, other = Gateway(one), Gateway(two)
            streams = list[Stream]()
            for session in ("1", "2"):
                token = gateway.tokens.sign("ann", "user", session)
                identity = await gateway.sign_ins.identify_token(token, "")
                found = await gateway.sign_ins.session(identity, "")
                streams.append(Stream(found.actor))
                gateway.enter_stream(streams[-1])
            await (await signed_in(other, "ann", "1")).ask("users.sign_out")
            await until(lambda: streams[0].ended)

            assert not streams[1].ended
            for stream in streams:
                gateway.leave_stream(stream)
            await anyio.sleep(1)
            topic = one.journal.topic("user/ann")
            assert topic is None or not topic.followers

    in_cluster(backend, story)


class Watched:
    """Watches ann on a node, from an event on."""

    def __init__(self, hub: Hubbub, admitted: int) -> None:
        self.seqs = list[int]()
        self.was_reset = False
        actor = hub.actor("ann", "user", "1")
        actor.admitted = admitted
        self.watch = SignInWatch(hub, actor, self.happened, self.reset)

    def happened(self, events: Sequence[Event]) -> None:
        self.seqs += [event.seq for event in events]

    def reset(self) -> None:
        self.was_reset = True


async def rename(hub: Hubbub, times: int) -> None:
    async with hub.session("ann") as ann:
        for number in range(times):
            await ann.users.update(nickname=f"Ann {number}")


def test_no_event_since_the_admission_is_missed(backend: Backend) -> None:
    async def story(cluster: Cluster) -> None:
        async with cluster.node() as one, cluster.node() as two:
            await rename(two, 5)
            early = Watched(one, 1)
            await until(lambda: early.seqs == [2, 3, 4, 5, 6])
            late = Watched(one, 4)
            await rename(two, 3)
            await until(lambda: early.seqs[-1] >= 9 and late.seqs[-1] >= 9)

            assert early.seqs == list(range(2, early.seqs[-1] + 1))
            assert late.seqs == list(range(5, late.seqs[-1] + 1))

    in_cluster(backend, story)


def test_nothing_is_watched_after_the_client_has_gone(backend: Backend) -> None:
    async def story(cluster: Cluster) -> None:
        async with cluster.node() as one, cluster.node() as two:
            await rename(two, 1)
            at_once, later = Watched(one, 1), Watched(one, 1)
            at_once.watch.release()
            await until(lambda: later.seqs == [2])
            later.watch.release()
            later.watch.release()
            await rename(two, 2)
            await anyio.sleep(1)

            assert (at_once.seqs, later.seqs) == ([], [2])
            topic = one.journal.topic("user/ann")
            assert topic is not None
            assert not topic.followers

    in_cluster(backend, story)


def test_a_history_that_was_reset_ends_the_session(backend: Backend) -> None:
    async def story(cluster: Cluster) -> None:
        async with cluster.node() as one:
            await rename(one, 1)
            watched = Watched(one, 99)
            await until(lambda: watched.was_reset)

    in_cluster(backend, story)


def test_a_store_that_is_away_is_asked_again(
    backend: Backend, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def story(cluster: Cluster) -> None:
        async with cluster.node() as one, cluster.node() as two:
            await rename(two, 3)

            def away(*anything: object) -> None:
                raise StorageError("It is away.")

            for method in ("news", "read", "load"):
                monkeypatch.setattr(cluster.store, method, away)
            watched = Watched(one, 1)
            await anyio.sleep(5)
            assert watched.seqs == []
            monkeypatch.undo()
            await until(lambda: watched.seqs == [2, 3, 4])

        assert "user/ann cannot be watched yet" in caplog.text

    in_cluster(backend, story)


async def test_a_node_that_is_alone_follows_nothing() -> None:
    async with hubbub.open("memory://", settings=Settings()) as hub:
        ann = await signed_in(Gateway(hub), "ann", "1")

        assert hub.journal.topic("user/ann") is None
        await ann.ask("users.sign_out")
        await until(lambda: closed(ann) == SIGNED_OUT)
