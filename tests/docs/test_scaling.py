"""The page about several machines, and its files for Compose and Kubernetes."""

from __future__ import annotations

import shlex
from typing import Any

import yaml

from tests.docs import scaling_table
from tests.docs.commands import check_commands
from tests.docs.examples import ROOT
from tests.docs.test_docker import output_of

FOLDER = ROOT / ".docker"
COMPOSE: dict[str, Any] = yaml.safe_load((FOLDER / "cluster.yaml").read_text())
KUBERNETES: dict[str, Any] = {
    one["kind"]: one for one in yaml.safe_load_all((FOLDER / "kubernetes.yaml").read_text())
}


def pod() -> dict[str, Any]:
    found: dict[str, Any] = KUBERNETES["Deployment"]["spec"]["template"]
    return found


def test_the_figures_are_those_of_the_command() -> None:
    # `python -m tests.docs.scaling_table` writes the page anew.
    text = scaling_table.PAGE.read_text()

    assert text == scaling_table.page(text)


def test_the_compose_file_keeps_to_its_schema() -> None:
    schema = ["--builtin-schema", "vendor.compose-spec"]

    assert output_of("check-jsonschema", *schema, FOLDER / "cluster.yaml") == ""


def test_both_run_a_command_that_there_is() -> None:
    (container,) = pod()["spec"]["containers"]

    for command in (COMPOSE["services"]["hubbub"]["command"], container["args"]):
        assert check_commands(shlex.join(command))


def test_the_containers_have_no_rights_that_they_do_not_need() -> None:
    compose = COMPOSE["services"]["hubbub"]
    (container,) = pod()["spec"]["containers"]
    context = container["securityContext"]

    assert compose["read_only"] is context["readOnlyRootFilesystem"] is True
    assert compose["cap_drop"] == context["capabilities"]["drop"] == ["ALL"]
    assert context["allowPrivilegeEscalation"] is False


def test_the_parts_of_the_deployment_belong_together() -> None:
    labels = pod()["metadata"]["labels"]
    (container,) = pod()["spec"]["containers"]
    (port,) = container["ports"]
    (published,) = KUBERNETES["Service"]["spec"]["ports"]

    assert KUBERNETES["Deployment"]["spec"]["selector"]["matchLabels"] == labels
    assert KUBERNETES["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"] == labels
    assert KUBERNETES["Service"]["spec"]["selector"] == labels
    assert published["targetPort"] == port["containerPort"] == 8000
    assert container["readinessProbe"]["httpGet"] == {"path": "/health", "port": 8000}


def test_no_secret_is_in_a_file() -> None:
    for file in ("cluster.yaml", "kubernetes.yaml"):
        text = (FOLDER / file).read_text()
        assert "postgresql://" not in text
        assert "redis://" not in text
