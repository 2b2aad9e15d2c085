"""The table of a cluster, its commands and its keys."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from rich.console import Console

from hubbub.cli.cluster_parts import ClusterPart, Sample
from hubbub.cli.cluster_view import ClusterKeys, cluster_table, do_command
from hubbub.errors import Invalid
from hubbub.local_servers import ServerProcess


class Process:
    """A process that runs until it is killed."""

    def __init__(self) -> None:
        self.code: int | None = None

    def poll(self) -> int | None:
        return self.code


class Server(ServerProcess):
    """Notes the calls, and starts nothing."""

    def __init__(self, url: str) -> None:
        self.url, self.port = url, 7
        self.process = Process()  # type: ignore[assignment]
        self.told = list[str]()

    def kill(self) -> None:
        self.told.append("kill")
        self.process.code = -9  # type: ignore[attr-defined]

    def stop(self) -> None:
        self.told.append("stop")

    def cont(self) -> None:
        self.told.append("cont")

    def restart(self) -> None:
        self.told.append("restart")
        self.process.code = None  # type: ignore[attr-defined]


class Fixed:
    """A part with fixed figures."""

    unit = "messages"

    def __init__(self, name: str, url: str) -> None:
        self.name, self.server = name, Server(url)

    def sample(self) -> Sample:
        return Sample(1_234, 5)


def parts() -> tuple[list[Fixed], list[ClusterPart]]:
    fixed = [
        Fixed("node 1", "http://127.0.0.1:8000"),
        Fixed("node 2", "http://127.0.0.1:8001"),
        Fixed("postgres", "postgresql://hubbub:swordfish@127.0.0.1:7/postgres"),
    ]
    return fixed, [ClusterPart(one) for one in fixed]


def shown(of: Sequence[ClusterPart]) -> str:
    console = Console(width=120)
    with console.capture() as capture:
        console.print(cluster_table(of, "node 1"))
    return capture.get()


def test_each_part_is_a_row_without_its_password() -> None:
    _, made = parts()
    made[0].look()
    text = shown(made)

    assert "http://127.0.0.1:8000" in text
    assert "1,234" in text
    assert "running" in text
    assert "127.0.0.1:7" in text
    assert "swordfish" not in text


def test_a_line_names_what_to_do_and_with_what() -> None:
    fixed, made = parts()
    said = [do_command(made, line) for line in ("kill 2", "restart 2\n", "stop postgres")]

    assert said == ["node 2: kill", "node 2: restart", "postgres: stop"]
    assert fixed[1].server.told == ["kill", "restart"]
    assert fixed[2].server.told == ["stop"]
    assert [one.state for one in made] == ["silent", "silent", "stopped"]


@pytest.mark.parametrize("line", ["", "kill", "kill 3", "dance 1", "kill 1 2"])
def test_a_line_that_is_no_command_says_which_there_are(line: str) -> None:
    fixed, made = parts()

    with pytest.raises(Invalid, match="Write kill, stop, cont or restart"):
        do_command(made, line)
    assert [one.server.told for one in fixed] == [[], [], []]


def test_keys_choose_a_part_and_then_act_on_it() -> None:
    fixed, made = parts()
    keys = ClusterKeys(made)
    goes_on = [keys.press(key) for key in "k2sc9rpkxq"]

    assert fixed[0].server.told == ["kill"]
    assert fixed[1].server.told == ["stop", "cont", "restart"]
    assert fixed[2].server.told == ["kill"]
    assert keys.said == "postgres: kill"
    assert goes_on == [True] * 9 + [False]
