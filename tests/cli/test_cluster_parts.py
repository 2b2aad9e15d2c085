"""The figures of the parts of a cluster, from real servers."""

from __future__ import annotations

import psycopg

from hubbub.cli.cluster_parts import ClusterPart, PostgresPart, ValkeyPart
from hubbub.local_servers import postgres_server, valkey_server
from tests.local_servers.places import reachable


def test_valkey_says_how_many_use_it_and_a_stopped_one_is_silent() -> None:
    with reachable() as directory, valkey_server(directory) as server:
        part = ClusterPart(ValkeyPart("valkey", server))
        before = part.state
        part.look()
        part.look()
        running = part.state, part.connections
        part.stop()
        part.look()
        stopped = part.state, part.connections, part.rate
        part.cont()
        part.look()
        again = part.state
        part.kill()
        ended = part.state

    assert before == "silent"
    assert running == ("running", 0)
    assert part.part.unit == "commands"
    assert (stopped, again, ended) == (("stopped", None, None), "running", "ended")


def test_postgresql_counts_its_connections_without_the_question() -> None:
    with reachable() as directory, postgres_server(directory) as server:
        part = ClusterPart(PostgresPart("postgres", server))
        with psycopg.connect(server.url):
            part.look()
            part.look()

            assert part.connections is not None
            assert part.connections >= 1
            assert part.rate is not None
        part.kill()
        part.look()

        # mypy does not know that the part has changed.
        assert str(part.state) == "ended"
