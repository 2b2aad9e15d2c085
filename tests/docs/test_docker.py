"""The Dockerfile and the compose file: linted, and their commands run without Docker."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from hubbub.settings import Settings
from tests.cli.program import ColdProgram
from tests.docs.blocks import ROOT
from tests.docs.dockerfile import copied, exec_form, instructions, stages

FOLDER = ROOT / ".docker"
DOCKERFILE = (FOLDER / "Dockerfile").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load((FOLDER / "compose.yaml").read_text())
BUILD, FINAL = stages(DOCKERFILE)
INSTALL_SECONDS_MAX = 300


def texts(name: str) -> list[str]:
    return [one.text for one in FINAL if one.name == name]


def output_of(name: str, *args: str | Path) -> str:
    """Run a linter of the group docs; return what it finds."""
    beside = str(Path(sys.executable).parent)
    found = shutil.which(name, path=os.pathsep.join([beside, os.environ["PATH"]]))
    if found is None:
        pytest.skip(f"there is no {name}; it is in the group docs")
    done = subprocess.run([found, *args], capture_output=True, text=True, check=False)
    return done.stdout + done.stderr if done.returncode else ""


def test_hadolint_finds_nothing() -> None:
    assert output_of("hadolint", FOLDER / "Dockerfile") == ""


def test_the_compose_file_keeps_to_its_schema() -> None:
    schema = ["--builtin-schema", "vendor.compose-spec"]

    assert output_of("check-jsonschema", *schema, FOLDER / "compose.yaml") == ""


def test_the_container_has_no_rights_that_it_does_not_need() -> None:
    service = COMPOSE["services"]["hubbub"]

    assert texts("USER") == ["10001:10001"]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]


def test_the_database_is_in_a_volume() -> None:
    (volume,) = texts("VOLUME")
    command = exec_form(texts("CMD")[0])
    mounts = [mount.split(":")[1] for mount in COMPOSE["services"]["hubbub"]["volumes"]]

    assert mounts == [volume]
    assert command[command.index("--db") + 1].startswith(f"{volume}/")


def test_no_secret_gets_into_a_layer() -> None:
    ignored = (FOLDER / "Dockerfile.dockerignore").read_text().splitlines()
    allowed = {line[1:] for line in ignored if line.startswith("!")}
    sources = [one.text.split()[:-1] for one in BUILD if one.name == "COPY"]
    fixed = [one.text for one in instructions(DOCKERFILE) if one.name in {"ARG", "ENV", "RUN"}]

    assert "*" in ignored
    assert {source for each in sources for source in each} == allowed
    assert not re.search("secret|password|token", " ".join(fixed), re.IGNORECASE)


def test_every_variable_of_the_compose_file_is_a_setting() -> None:
    names = COMPOSE["services"]["hubbub"]["environment"]

    assert names
    assert all(name.removeprefix("HUBBUB_").lower() in Settings.__struct_fields__ for name in names)


def test_the_proxy_is_on_the_network_that_is_trusted() -> None:
    services, (network,) = COMPOSE["services"], COMPOSE["networks"].values()

    assert services["caddy"]["networks"] == services["hubbub"]["networks"] == ["inside"]
    (subnet,) = (config["subnet"] for config in network["ipam"]["config"])
    assert services["hubbub"]["environment"]["HUBBUB_TRUSTED_PROXIES"] == subnet


def test_the_command_serves_and_the_health_check_tells_it_from_one_that_does_not(
    tmp_path: Path,
) -> None:
    program, *command = exec_form(texts("CMD")[0])
    command[command.index("--db") + 1] = str(tmp_path / "hubbub.db")
    running = ColdProgram(tmp_path, *command, "--port", 0)
    try:
        port = re.findall(r"http://[^\s:]+:(\d+)", running.line_with("serves"))[0]
        while_it_runs = health(port)
    finally:
        running.stop(15)
        for pipe in (running.process.stdin, running.process.stdout):
            assert pipe is not None
            pipe.close()

    assert program == "hubbub"
    assert while_it_runs == 0
    assert health(port) != 0


def health(port: str) -> int:
    """Run what Docker runs to know whether the container is healthy."""
    program, *args = exec_form(texts("HEALTHCHECK")[0])
    assert program == "python"
    command = [sys.executable, *(arg.replace(":8000/", f":{port}/") for arg in args)]
    return subprocess.run(command, capture_output=True, check=False).returncode


@pytest.mark.timeout(INSTALL_SECONDS_MAX)
@pytest.mark.skipif("HUBBUB_TEST_IMAGE" not in os.environ, reason="nox -s image installs it")
def test_the_build_installs_a_hubbub_that_runs(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "hubbub"
    copied(BUILD, ROOT, source)
    for one in BUILD:
        if one.name == "RUN":
            line = one.text.replace("/opt/hubbub", str(target))
            line = re.sub(r"\bpython -m venv", f"{shlex.quote(sys.executable)} -m venv", line)
            subprocess.run(["bash", "-euc", line], cwd=source, check=True)
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    shutil.rmtree(source)
    serve_help = [str(target / "bin" / "hubbub"), "serve", "--help"]
    shown = subprocess.run(serve_help, env=env, capture_output=True, text=True, check=False)

    assert (shown.returncode, shown.stderr) == (0, "")
    assert "--db" in shown.stdout
