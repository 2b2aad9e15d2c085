"""Every example runs on both backends and prints what it says, and every link leads somewhere."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.blackbox.warm_python import run, started
from tests.docs.blocks import ASIDE
from tests.docs.examples import ADDRESS, PAGES, ROOT, RUN, Example, examples, files_of

EXAMPLES = examples()
RUNS = [(example, backend) for example in EXAMPLES for backend in example.backends]
PLUGIN = {
    "asyncio": ["-p", "pytest_hubbub", "-p", "no:anyio", "--asyncio-mode=auto"],
    # By default it runs each test on both.
    "trio": ["-p", "pytest_hubbub", "-p", "no:asyncio", "--anyio-mode=auto"],
}
SECONDS_MAX = 30
# The account of the agent in the examples with features.
ADMIN, PASSWORD = "Max", "correct horse battery"


def shell_prints(folder: Path, file: str) -> str:
    """Run a file of commands; return what they print."""
    done = subprocess.run(
        [shell(), "-e", file],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def prints(folder: Path, *args: str) -> str:
    """Run Python; return what it prints."""
    done = run(folder, *args)
    assert done.code == 0, done.out + done.err
    # A warning that is an error where nobody can catch it.
    assert "Exception ignored" not in done.err, done.err
    return done.out


def written(example: Example, backend: str, folder: Path, address: str = ADDRESS) -> str:
    """Write an example into a folder; return the name of the file."""
    for name, code in files_of(example.page).items():
        (folder / name).write_text(code)
    code = example.code.replace(RUN, f'anyio.run(main, backend="{backend}")')
    (folder / "test_example.py").write_text(code.replace(ADDRESS, address))
    return "test_example.py"


@contextmanager
def server(example: Example, backend: str, folder: Path) -> Iterator[str]:
    """Run the server that an example needs; yield its address."""
    options: list[object] = ["--db", "memory://", "--port", 0, "--backend", backend]
    if example.features is not None:
        options += ["--feature", example.features, "--admin", ADMIN]
    folder.joinpath("server").mkdir()
    for name, code in files_of(example.page).items():
        (folder / "server" / name).write_text(code)
    serve = ["-m", "hubbub.cli", "serve", *options]
    env = {"HUBBUB_ADMIN_PASSWORD": PASSWORD}
    with started(folder / "server", *serve, env=env) as running:
        yield running.line_with("Hubbub serves").split()[2]


def shell() -> str:
    """Return the shell that runs commands, if it has what they need."""
    found = shutil.which("bash")
    if found is None or shutil.which("curl") is None:
        pytest.skip("there is no bash, or no curl")
    return found


def test_there_are_examples() -> None:
    assert len([one for one in EXAMPLES if one.language == "python"]) > 50


@pytest.mark.timeout(2 * SECONDS_MAX)
@pytest.mark.parametrize(
    ("example", "backend"), RUNS, ids=[f"{example.name}-{backend}" for example, backend in RUNS]
)
def test_an_example_runs(example: Example, backend: str, tmp_path: Path) -> None:
    if example.how == "pytest":
        file = written(example, backend, tmp_path)
        printed = prints(tmp_path, "-m", "pytest", "-q", *PLUGIN[backend], file)
        assert "passed" in printed
    elif example.how == "server":
        with server(example, backend, tmp_path) as address:
            file = written(example, backend, tmp_path, address)
            is_shell = example.language == "sh"
            printed = shell_prints(tmp_path, file) if is_shell else prints(tmp_path, file)
    else:
        printed = prints(tmp_path, written(example, backend, tmp_path))

    assert example.prints in (None, printed)


@pytest.mark.timeout(120)
def test_mypy_is_strict_and_finds_nothing_in_any_example(tmp_path: Path) -> None:
    for page in PAGES:
        for name, code in files_of(page).items():
            assert not (tmp_path / name).exists(), f"two pages have a file {name}"
            (tmp_path / name).write_text(code)
    for index, example in enumerate(EXAMPLES):
        if example.language == "python" and example.file is None:
            name = f"{example.page.stem.replace('-', '_')}_{index}.py"
            (tmp_path / name).write_text(example.code)
    # What is ours is checked elsewhere.
    command = [sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent", "."]
    checked = subprocess.run(
        command,
        cwd=tmp_path,
        env=os.environ | {"MYPYPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=False,
    )

    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize("page", [*PAGES, *ASIDE], ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text())

    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", [*PAGES, *ASIDE], ids=lambda page: page.name)
def test_every_link_into_a_page_leads_to_a_heading(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]*)#([^)]+)\)", page.read_text())

    assert [
        (to, anchor)
        for to, anchor in links
        if anchor not in anchors_of((page.parent / to) if to else page)
    ] == []


def anchors_of(page: Path) -> set[str]:
    """Return the anchors that a code host and the documentation site give to a page's headings."""
    prose = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)
    headings = re.findall(r"^#+ (.*)$", prose, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_page_is_reached_from_the_index() -> None:
    reached, new = set[Path](), {PAGES[0]}
    while new:
        page = new.pop()
        reached.add(page)
        links = re.findall(r"\]\((?!https?:)([^)#]+\.md)", page.read_text())
        new |= {(page.parent / link).resolve() for link in links} - reached

    assert [page for page in PAGES if page not in reached and "changelog.d" not in page.parts] == []
